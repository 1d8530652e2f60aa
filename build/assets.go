package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/build/web"
)

// types are the kinds of file that a browser is given, by the end of the name.
// A file of another kind is a mistake.
var types = map[string]string{
	".wasm":        "application/wasm",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".webmanifest": "application/manifest+json",
}

// The licence of what others drew goes where their drawings go.
const licence = "LICENSE"

// fixed are the files whose address a browser, or go-app's page, takes for granted,
// by their source. Those that the page may still call by a hashed URL are true.
var fixed = map[string]struct {
	name   string
	hashed bool
}{
	"app.js":               {"/app.js", true},
	"css/boot.css":         {"/app.css", true},
	"wasm_exec.js":         {"/wasm_exec.js", true},
	"sw.js":                {"/app-worker.js", false},
	"manifest.webmanifest": {"/manifest.webmanifest", false},
}

// A file is one thing for the browser, on its way to build/web.
type file struct {
	web.File
	content []byte
}

// A fileSet is all of them, in the order of their names.
type fileSet struct {
	version string
	files   []file
}

// collect reads the folder wasm/web, and adds the program and its script.
func collect(dir fs.FS, wasm, wasmExec []byte) (*fileSet, error) {
	sources := map[string][]byte{"app.wasm": wasm, "wasm_exec.js": wasmExec}
	var css []string
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, name)
		sources[name] = b
		if path.Dir(name) == "css" && name != "css/boot.css" {
			css = append(css, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read wasm/web: %w", err)
	}
	sources["app.css"] = bundle(sources, css)
	for _, name := range css {
		delete(sources, name)
	}
	return name(sources)
}

// bundle joins the styles: tokens, base, then one for each component. Which wins
// where they disagree, the layers say.
func bundle(sources map[string][]byte, css []string) []byte {
	first := []string{"css/tokens.css", "css/base.css"}
	css = slices.DeleteFunc(slices.Sorted(slices.Values(css)), func(name string) bool { return slices.Contains(first, name) })
	var b bytes.Buffer
	b.WriteString("@layer tokens, base, component;\n")
	for _, name := range append(first, css...) {
		b.Write(sources[name])
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// name gives each file its URL. A file that mentions others comes after them, as
// its own hash depends on theirs: first those that mention none.
func name(sources map[string][]byte) (*fileSet, error) {
	s := &fileSet{version: version(sources)}
	urls := map[string]string{}
	last := []string{"app.css", "manifest.webmanifest", "app.js", "sw.js"}
	order := slices.DeleteFunc(slices.Sorted(maps.Keys(sources)), func(name string) bool { return slices.Contains(last, name) })
	for _, source := range append(order, last...) {
		content, ok := sources[source]
		if !ok {
			return nil, fmt.Errorf("wasm/web/%s is missing", source)
		}
		f, err := newFile(source)
		if err != nil {
			return nil, err
		}
		if slices.Contains(last, source) {
			content = s.fill(content, urls, len(sources["app.wasm"]))
			if left := placeholder.Find(content); left != nil {
				return nil, fmt.Errorf("wasm/web/%s asks for %s, which the build does not know", source, left)
			}
		}
		sum := sha256.Sum256(content)
		f.Hash, f.Size, f.content = hex.EncodeToString(sum[:])[:16], len(content), content
		if f.URL == "" {
			ext := path.Ext(f.Path)
			f.Path = strings.TrimSuffix(f.Path, ext) + "." + f.Hash + ext
			f.URL = "/" + f.Path
		}
		urls[f.Name] = f.URL
		s.files = append(s.files, *f)
	}
	slices.SortFunc(s.files, func(a, b file) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

func newFile(source string) (*file, error) {
	f := &file{File: web.File{Name: "/web/" + source, Path: path.Join("web", source), Type: types[path.Ext(source)]}}
	if path.Base(source) == licence {
		f.Type = "text/plain; charset=utf-8"
	}
	if f.Type == "" {
		return nil, fmt.Errorf("wasm/web/%s: browsers are given no files of this kind; see types in build/assets.go", source)
	}
	if to, ok := fixed[source]; ok {
		f.Name = to.name
		f.Path = path.Join("web", path.Base(to.name))
		if source == "css/boot.css" {
			f.Path = "web/boot.css" // app.css is the bundle
		}
		if !to.hashed {
			f.URL = to.name
		}
	}
	return f, nil
}

// version is the hash of everything before URLs were put in, as files that know
// the version are part of what it names.
func version(sources map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		fmt.Fprintf(h, "%s %d\n", name, len(sources[name]))
		h.Write(sources[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

var placeholder = regexp.MustCompile(`__[A-Z_]+__`)

// fill puts URLs and facts where a source asks for them. No source knows where on its host the app is:
// what one says of another is relative.
func (s *fileSet) fill(content []byte, urls map[string]string, wasmSize int) []byte {
	pairs := []string{
		"__VERSION__", s.version,
		"__WASM__", urls["/web/app.wasm"][1:],
		"__WASM_SIZE__", strconv.Itoa(wasmSize),
		`"__SHELL__"`, shell(urls),
	}
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		url := urls[name]
		pairs = append(pairs, `"`+name[1:]+`"`, `"`+url[1:]+`"`, // as the manifest has it, which is at the root of the app
			"("+strings.TrimPrefix(name, "/web/")+")", "("+strings.TrimPrefix(url, "/web/")+")") // as styles have it, which are in /web
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(content)))
}

// shell is what the service worker keeps: all but what only people read.
func shell(urls map[string]string) string {
	m := map[string]string{}
	for name, url := range urls {
		if path.Base(name) != licence {
			m[name[1:]] = url[1:]
		}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings always encode
	}
	return string(b)
}

// write puts the set into the output folder and takes away what was there before.
// The index comes last, so that a broken build is none; where it is there and the same,
// so is everything.
func write(dir string, s *fileSet, l level, compressed map[string]pressed) error {
	index := struct {
		Version string     `json:"version"`
		Pressed string     `json:"pressed"`
		Files   []web.File `json:"files"`
	}{Version: s.version, Pressed: l.name}
	for _, f := range s.files {
		f.Brotli, f.Gzip = compressed[f.Name].br != nil, compressed[f.Name].gz != nil
		index.Files = append(index.Files, f.File)
	}
	list, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the list of web files: %w", err)
	}
	if have, err := os.ReadFile(filepath.Join(dir, web.Index)); err == nil && bytes.Equal(have, list) {
		return nil
	}
	for _, old := range []string{web.Index, "web"} {
		if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
			return fmt.Errorf("clear the output folder: %w", err)
		}
	}
	for _, f := range s.files {
		c := compressed[f.Name]
		for end, content := range map[string][]byte{"": f.content, ".br": c.br, ".gz": c.gz} {
			if content == nil {
				continue
			}
			if err := writeFile(filepath.Join(dir, filepath.FromSlash(f.Path)+end), content); err != nil {
				return err
			}
		}
	}
	return writeFile(filepath.Join(dir, web.Index), list)
}

func writeFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make a folder for the output: %w", err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}
