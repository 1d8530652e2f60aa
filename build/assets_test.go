package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"

	"parley/build/web"
)

func source() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"app.js":               file(`fetch("__WASM__"); const version = "__VERSION__", size = "__WASM_SIZE__";`),
		"sw.js":                file(`const version = "__VERSION__", shell = "__SHELL__";`),
		"manifest.webmanifest": file(`{"icons":[{"src":"web/icons/mark.svg"}]}`),
		"css/boot.css":         file(`.boot{}`),
		"css/row.css":          file(`.row{background:url(icons/mark.svg)}`),
		"css/base.css":         file(`.base{}`),
		"css/tokens.css":       file(`.tokens{}`),
		"css/avatar.css":       file(`.avatar{}`),
		"icons/mark.svg":       file(`<svg></svg>`),
		"icons/LICENSE":        file(`ISC`),
	}
}

func build(t *testing.T, dir fs.FS, wasm string) map[string]file {
	t.Helper()
	s, err := collect(dir, []byte(wasm), []byte("class Go {}"))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]file{}
	for _, f := range s.files {
		byName[f.Name] = f
	}
	return byName
}

func TestCollect(t *testing.T) {
	files := build(t, source(), "wasm bytes")
	var names []string
	for name, f := range files {
		names = append(names, name)
		fixed := f.URL == f.Name
		if fixed != (name == "/app-worker.js" || name == "/manifest.webmanifest") {
			t.Errorf("%s has the URL %s", name, f.URL)
		}
		if !fixed && !strings.Contains(f.URL, f.Hash) {
			t.Errorf("%s is not in %s", f.Hash, f.URL)
		}
	}
	if len(names) != 9 {
		t.Errorf("files: %q, want 9", names)
	}
	mark, wasm := files["/web/icons/mark.svg"], files["/web/app.wasm"]
	for name, want := range map[string]string{
		"/web/app.css":          "@layer tokens, base, component;\n.tokens{}\n.base{}\n.avatar{}\n.row{background:url(" + strings.TrimPrefix(mark.URL, "/web/") + ")}\n",
		"/app.css":              ".boot{}",
		"/manifest.webmanifest": `{"icons":[{"src":"` + mark.URL[1:] + `"}]}`,
	} {
		if d := cmp.Diff(want, string(files[name].content)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	start := string(files["/app.js"].content)
	if !strings.Contains(start, `fetch("`+wasm.URL[1:]+`")`) || !strings.Contains(start, `size = "10"`) {
		t.Errorf("app.js: %s", start)
	}
	_, list, _ := strings.Cut(string(files["/app-worker.js"].content), "shell = ")
	shell := map[string]string{}
	if err := json.Unmarshal([]byte(strings.TrimSuffix(list, ";")), &shell); err != nil {
		t.Fatalf("%v in %s", err, list)
	}
	if shell["web/app.wasm"] != wasm.URL[1:] || shell["app.js"] != files["/app.js"].URL[1:] || len(shell) != 7 {
		t.Errorf("the worker keeps %v", shell)
	}
}

func TestCollectIsRepeatable(t *testing.T) {
	if d := cmp.Diff(build(t, source(), "same"), build(t, source(), "same"), cmp.AllowUnexported(file{})); d != "" {
		t.Error(d)
	}
	a, b := build(t, source(), "one"), build(t, source(), "two")
	for _, name := range []string{"/web/app.wasm", "/app.js", "/app-worker.js"} {
		if a[name].Hash == b[name].Hash {
			t.Errorf("%s is the same for another program", name)
		}
	}
	if a["/web/app.css"].URL != b["/web/app.css"].URL {
		t.Error("the styles have another URL though they are the same")
	}
}

func TestCollectRefuses(t *testing.T) {
	for want, change := range map[string]func(fstest.MapFS){
		"browsers are given no files of this kind": func(m fstest.MapFS) { m["icons/mark.psd"] = &fstest.MapFile{} },
		"asks for __WRONG__":                       func(m fstest.MapFS) { m["sw.js"] = &fstest.MapFile{Data: []byte("__WRONG__")} },
		"wasm/web/app.js is missing":               func(m fstest.MapFS) { delete(m, "app.js") },
	} {
		m := source()
		change(m)
		if _, err := collect(m, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("collect = %v, want: %s", err, want)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, stale := range []string{"index.json", "web/old.js", ".gitkeep"} {
		if err := writeFile(filepath.Join(dir, stale), nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := collect(source(), bytes.Repeat([]byte("wasm "), 1000), []byte("class Go {}"))
	if err != nil {
		t.Fatal(err)
	}
	p := press{cache: t.TempDir(), level: fast}
	pressed, err := p.all(s.files)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(dir, s, fast, pressed); err != nil {
		t.Fatal(err)
	}
	// What is there and the same is left alone.
	mark := filepath.Join(dir, "web", "mark")
	if err := writeFile(mark, nil); err != nil {
		t.Fatal(err)
	}
	for _, again := range []struct {
		level level
		kept  bool
	}{{fast, true}, {best, false}} {
		if err := write(dir, s, again.level, pressed); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(mark); (err == nil) != again.kept {
			t.Errorf("after a build pressed %s: %v", again.level.name, err)
		}
	}
	set, err := web.Open(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if set.Version() != s.version || len(set.Names()) != len(s.files) {
		t.Errorf("the set is %s %v", set.Version(), set.Names())
	}
	wasm, _ := set.Lookup("/web/app.wasm")
	if !wasm.Brotli || !wasm.Gzip {
		t.Errorf("the wasm is not compressed: %+v", wasm)
	}
	if _, err := os.Stat(filepath.Join(dir, "web/old.js")); err == nil {
		t.Error("what an earlier build made is still there")
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitkeep")); err != nil {
		t.Error("the mark that keeps the folder in git is gone")
	}
}

func TestPress(t *testing.T) {
	content := bytes.Repeat([]byte("the same again "), 500)
	files := []file{{File: web.File{Name: "/a.js"}, content: content}, {File: web.File{Name: "/b.png"}, content: content}, {File: web.File{Name: "/c.js"}, content: []byte("x")}}
	p := press{cache: t.TempDir(), level: fast}
	for _, round := range []string{"made", "remembered"} {
		pressed, err := p.all(files)
		if err != nil {
			t.Fatal(err)
		}
		br, err := io.ReadAll(brotli.NewReader(bytes.NewReader(pressed["/a.js"].br)))
		if err != nil || !bytes.Equal(br, content) {
			t.Errorf("%s: brotli gives %d bytes back, %v", round, len(br), err)
		}
		z, err := gzip.NewReader(bytes.NewReader(pressed["/a.js"].gz))
		if err != nil {
			t.Fatal(err)
		}
		gz, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(gz, content) {
			t.Errorf("%s: gzip gives %d bytes back, %v", round, len(gz), err)
		}
		if pressed["/b.png"].br != nil || pressed["/c.js"].br != nil || pressed["/c.js"].gz != nil {
			t.Errorf("%s: what does not get smaller was compressed", round)
		}
	}
}
