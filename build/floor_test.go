package main

import (
	"database/sql"
	goversion "go/version"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
	_ "modernc.org/sqlite"
)

// floors are the oldest versions of what parley is made of that will do, and why: a fault of those before
// them that would be parley's too. It needs no network; "make vuln" asks the whole database.
var floors = []struct{ what, least, why string }{
	{"go", "go1.26.0", "net/http of 1.24.2 first refuses chunks that end in a bare LF (CVE-2025-22871); HTTP/2's floods are bounded since 1.22.2 (CVE-2023-39325, CVE-2023-45288)"},
	{"sqlite", "v3.51.3", "before it, a checkpoint and a write that meet can corrupt a database in WAL mode"},
	{"golang.org/x/text", "v0.3.8", "names go through it; before, some input took time without bound (CVE-2022-32149)"},
	{"nhooyr.io/websocket", "v1.8.17", "the last of its line: what was mended in it will be mended nowhere else"},
	{"github.com/yuin/goldmark", "v1.7.17", "strangers write what it parses (CVE-2026-5160, in its way of writing HTML, which is not used)"},
	{"go.mau.fi/util", "v0.11.0", "names are compared by its table of confusable characters, which each Unicode adds to"},
}

func TestFloors(t *testing.T) {
	have := linked(t)
	for _, f := range floors {
		got, ok := have[f.what]
		switch {
		case !ok:
			t.Errorf("%s is no part of parley any more; take it out of the table", f.what)
		case older(got, f.least):
			t.Errorf("%s is at %s, and %s is the least: %s", f.what, got, f.least, f.why)
		}
		if f.why == "" {
			t.Errorf("%s has a floor for no reason", f.what)
		}
	}
}

// linked are the versions of what is in the two programs: Go, SQLite and modules.
func linked(t *testing.T) map[string]string {
	t.Helper()
	have := map[string]string{"go": printed(t, nil, "go", "env", "GOVERSION")}
	for _, target := range []struct {
		pkg string
		env []string
	}{{"./server", nil}, {"./wasm", []string{"GOOS=js", "GOARCH=wasm"}}} {
		list := printed(t, target.env, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", target.pkg)
		for line := range strings.Lines(list) {
			if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				have[path] = version
			}
		}
	}
	if len(have) < 15 {
		t.Fatalf("found %d modules: this test looks in the wrong place", len(have))
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var v string
	if err := db.QueryRowContext(t.Context(), "SELECT sqlite_version()").Scan(&v); err != nil {
		t.Fatal(err)
	}
	have["sqlite"] = "v" + v
	return have
}

// printed is what a command prints.
func printed(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = "..", append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// older reports whether a version is before another. What is no release is before its release.
func older(a, b string) bool {
	if !semver.IsValid(a) { // a Go, which may be a candidate
		return goversion.Compare(a, b) < 0
	}
	return semver.Compare(a, b) < 0
}

// The browser's glue is of the Go that compiled the program: there is no copy that could stay behind.
func TestGlueIsOfTheToolchain(t *testing.T) {
	if kept := printed(t, nil, "git", "ls-files", "*wasm_exec*"); kept != "" {
		t.Errorf("%s is kept; build/build.go takes it from the toolchain", kept)
	}
}
