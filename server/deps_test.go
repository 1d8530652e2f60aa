package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// arrows are the imports that must not happen, directly or through others. A
// pattern ending in /... means the package and all below it.
var arrows = []struct{ from, to, why string }{
	{"parley/app/chat", "parley/...", "the vocabulary depends on nothing of ours"},
	{"parley/app/chat", "net/http", "the vocabulary is linked into the browser's program"},
	{"parley/app/...", "parley/server/...", "what both programs are made of does not know the server"},
	{"parley/app/model", "parley/app/client/...", "the model is pure: whoever keeps it current knows it, not the reverse"},
	{"parley/app/model", "parley/app/transport/...", "the model knows no network"},
	{"parley/app/model", "net/http", "the model knows no network"},
	{"parley/app/ui", "parley/app/client/...", "the screen draws a view and asks for actions; who does them is not its business"},
	{"parley/app/ui", "parley/app/transport/...", "the screen knows no network"},
	{"parley/app/client", "parley/app/ui", "the engine works without a screen"},
	{"parley/app/transport", "parley/app/model", "a transport carries batches; what they mean is not its business"},
	{"parley/app/text", "parley/app/ui", "text is for the screen and for stores alike"},
	{"parley/server/hub", "net/http", "the hub knows no HTTP"},
	{"parley/server/hub", "database/sql", "the hub knows no SQL"},
	{"parley/server/hub", "parley/server/...", "everything on the server points at the hub; the hub at nothing"},
	{"parley/server/hub", "parley/app/ui", "the hub has no screen"},
	{"parley/server/sqlite", "parley/server/api", "a store does not know who asks"},
	{"parley/server/sqlite", "net/http", "a store knows no HTTP"},
	{"parley/server/api", "parley/server/sqlite", "the carriers work over any store"},
	{"parley/server/api", "database/sql", "the carriers know no SQL"},
	{"parley/server/auth", "parley/server/hub", "accounts stand beside the log, not on it"},
	{"parley/server/toxic", "parley/server/...", "a bad network knows nothing of what travels over it"},
	{"parley/server", "parley/app/client/...", "the server is not a client"},
	{"parley/server", "parley/app/transport", "the server is not a client"},
	{"parley/server", "github.com/dlclark/regexp2", "it looks back, for hours on some text (S56)"},
	{"parley/wasm", "parley/server/...", "the browser's program does not hold the server"},
	{"parley/wasm", "text/template", "three megabytes that a page does not need"},
	{"parley/wasm", "html/template", "three megabytes that a page does not need"},
	{"parley/build/chaos/check", "parley/...", "a judge shares no code with whom it judges"},
}

func TestArrows(t *testing.T) {
	deps := imports(t)
	for _, a := range arrows {
		met := false
		for from, list := range deps {
			if !match(a.from, from) {
				continue
			}
			met = true
			for _, to := range list {
				// A package is allowed itself, and those below it that it is matched with.
				if match(a.to, to) && to != from && !(strings.HasSuffix(a.from, "/...") && match(a.from, to)) {
					t.Errorf("%s must not import %s: %s", from, to, a.why)
				}
			}
		}
		if !met {
			t.Errorf("no package matches %s: the arrow %s → %s guards nothing", a.from, a.from, a.to)
		}
	}
}

func match(pattern, path string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == dir || strings.HasPrefix(path, dir+"/")
	}
	return path == pattern
}

// imports returns all that each package of ours imports, directly or not, without its
// tests: for this machine, and for the browser where wasm is concerned.
func imports(t *testing.T) map[string][]string {
	deps := map[string][]string{}
	list := func(pattern string, env ...string) {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Deps", pattern)
		cmd.Dir, cmd.Env, cmd.Stderr = "..", append(os.Environ(), env...), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				ImportPath string
				Deps       []string
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			deps[p.ImportPath] = append(deps[p.ImportPath], p.Deps...)
		}
	}
	list("./...")
	list("./wasm", "GOOS=js", "GOARCH=wasm")
	return deps
}
