package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A goSource is one Go file of the project.
type goSource struct {
	name string // from the project's root, with slashes
	ast  *ast.File
	set  *token.FileSet
}

func (s goSource) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// at is where something is, as a person looks for it.
func (s goSource) at(n ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

func (s goSource) imports() []string {
	var paths []string
	for _, i := range s.ast.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err) // it was parsed
		}
		paths = append(paths, path)
	}
	return paths
}

// calls lists the places where a function of a package, or a method of any name in names, is called.
func (s goSource) calls(names ...string) []string {
	var places []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		full := "." + sel.Sel.Name
		if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(names, x.Name+full) || slices.Contains(names, full) {
			places = append(places, s.at(call))
		}
		return true
	})
	return places
}

func sources(t *testing.T) []goSource {
	t.Helper()
	root := os.DirFS("..")
	var all []goSource
	for _, top := range []string{"app", "server", "wasm", "build"} {
		err := fs.WalkDir(root, top, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || name == "build/tools" {
				return fs.SkipDir
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
				return err
			}
			b, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, b, parser.ParseComments)
			if err != nil {
				return err
			}
			all = append(all, goSource{name, file, set})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 10 {
		t.Fatalf("found %d Go files: this test looks in the wrong place", len(all))
	}
	return all
}

func TestNoSleepInTests(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			for _, place := range s.calls("time.Sleep") {
				t.Errorf("%s: time.Sleep makes a test slow and still unsure; wait for what should happen, or use testing/synctest", place)
			}
		}
	}
}

// The page's content security policy blocks style attributes, and raw HTML is where
// a stranger's words would become a program.
func TestNoRawHTMLNorInlineStyle(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.name, "app/ui/") && !s.test() {
			for _, place := range s.calls("app.Raw", ".Style", ".Styles") {
				t.Errorf("%s: app.Raw, Style and Styles are not for this project; build elements, use classes", place)
			}
		}
	}
}

// The WebSocket library is to be changed in two files if ever: one for each end.
func TestWebSocketLibraryIsInTwoFiles(t *testing.T) {
	allowed := []string{"app/transport/websocket.go", "server/api/websocket.go"}
	for _, s := range sources(t) {
		if slices.Contains(s.imports(), "nhooyr.io/websocket") && !s.test() && !slices.Contains(allowed, s.name) {
			t.Errorf("%s imports nhooyr.io/websocket; only %s may", s.name, strings.Join(allowed, " and "))
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s: init runs before anybody asked; make it a function that somebody calls", s.at(f))
			}
		}
	}
}

// What the browser's program is linked from. Its size comes from what it imports.
func TestWasmImports(t *testing.T) {
	type pkg struct {
		ImportPath string
		Imports    []string
		Standard   bool
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Standard", "./wasm")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	list, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &stderr)
	}
	// net/http itself is in the list: go-app and the WebSocket library name its types. The linker
	// leaves out its client as long as nothing of ours uses it, which halves the program.
	ours := []string{"net/http", "text/template", "html/template", "log/slog", "os/exec"}
	anyones := []string{"text/template", "html/template", "time/tzdata", "modernc.org/sqlite"}
	found := 0
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(anyones, p.ImportPath) {
			t.Errorf("%s is reachable from wasm and makes it larger; find who imports it with: GOOS=js GOARCH=wasm go list -deps ./wasm", p.ImportPath)
		}
		if strings.HasPrefix(p.ImportPath, "parley/") {
			found++
			for _, i := range p.Imports {
				if slices.Contains(ours, i) || strings.HasPrefix(i, "parley/server/") || strings.HasPrefix(i, "parley/build/") {
					t.Errorf("%s imports %s in the browser; put the file behind //go:build !js", p.ImportPath, i)
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d packages of the project in the wasm: this test looks in the wrong place", found)
	}
}

// wasm/web/app.js stands where go-app puts its own script. Whatever go-app's program
// asks of that script, ours has to answer.
func TestAppScriptKeepsGoAppsBargain(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/maxence-charriere/go-app/v10").Output()
	if err != nil {
		t.Fatalf("find go-app's source: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "pkg", "app", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../wasm/web/app.js")
	if err != nil {
		t.Fatal(err)
	}
	// The app shows no notifications through go-app, whose own way loses their title.
	unused := []string{"goappNewNotification", "goappSubscribePushNotifications"}
	asked := regexp.MustCompile(`Window\(\)\.(?:Get|Set|Call)\("(goapp\w+)"`)
	defined := regexp.MustCompile(`(?m)^(?:var|function|async function) (goapp\w+)`)
	var have, want []string
	for _, m := range defined.FindAllSubmatch(script, -1) {
		have = append(have, string(m[1]))
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range asked.FindAllSubmatch(b, -1) {
			want = append(want, string(m[1]))
		}
	}
	if len(want) < 8 {
		t.Fatalf("go-app asks for %q only: this test looks in the wrong place", want)
	}
	for _, name := range want {
		if !slices.Contains(have, name) && !slices.Contains(unused, name) {
			t.Errorf("go-app's program asks for %s, which wasm/web/app.js does not define", name)
		}
	}
	vars := regexp.MustCompile(`"(GOAPP_\w+)"`)
	handler, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pkg", "app", "http.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range vars.FindAllSubmatch(handler, -1) {
		if !bytes.Contains(script, append(m[1], ':')) {
			t.Errorf("go-app's handler sets %s, which wasm/web/app.js does not know", m[1])
		}
	}
}
