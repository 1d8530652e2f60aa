package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// What is linked and not called is passed over; what is called is kept, with what would mend it.
func TestRead(t *testing.T) {
	const said = `{"config":{"protocol_version":"v1.0.0"}}{"SBOM":{"go_version":"go1.26.8"}}{"progress":{"message":"…"}}
{"finding":{"osv":"GO-1","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http"}]}}
{"finding":{"osv":"GO-1","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"Do","receiver":"*Client"},{"module":"parley","function":"main"}]}}
{"finding":{"osv":"GO-2","fixed_version":"v2.0.0","trace":[{"module":"example.org/m","version":"v1.0.0"}]}}
{"finding":{"osv":"GO-3","trace":[{"module":"example.org/n","version":"v1.0.0","package":"example.org/n/p","function":"F"}]}}`
	got, err := read(strings.NewReader(said))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]weakness{
		"GO-1": {"GO-1", "stdlib", "v1.26.8", "v1.26.9", "net/http.*Client.Do"},
		"GO-3": {"GO-3", "example.org/n", "v1.0.0", "", "example.org/n/p.F"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, broken := range []string{"", `{"config":{}}`, `{"SBOM":{}}{"finding":`, "govulncheck: no such file"} {
		if got, err := read(strings.NewReader(broken)); err == nil {
			t.Errorf("%q is read as %v", broken, got)
		}
	}
}

// Nothing passes but what is in the list, and nothing of a module does.
func TestUnknown(t *testing.T) {
	called := map[string]weakness{"GO-2026-6605": {Module: "stdlib"}, "GO-NEW": {Module: "stdlib"}}
	if d := cmp.Diff([]string{"GO-NEW"}, unknown(called)); d != "" {
		t.Error(d)
	}
	called["GO-2026-6605"] = weakness{Module: "example.org/m"}
	if d := cmp.Diff([]string{"GO-2026-6605", "GO-NEW"}, unknown(called)); d != "" {
		t.Error(d)
	}
	for id, why := range known {
		if why == "" {
			t.Errorf("%s is known for no reason", id)
		}
	}
}

// The index has each module once, with its entries in order, and without those that were taken back.
func TestArrange(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	entries := fstest.MapFS{
		"GO-1.json": file(`{"id":"GO-1","modified":"a","affected":[{"package":{"name":"m"}},{"package":{"name":"m"}},{"package":{"name":"n"}}]}`),
		"GO-2.json": file(`{"id":"GO-2","modified":"b","affected":[{"package":{"name":"m"}}]}`),
		"GO-3.json": file(`{"id":"GO-3","modified":"c","withdrawn":"d","affected":[{"package":{"name":"m"}}]}`),
	}
	dir := t.TempDir()
	if err := arrange(entries, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "index", "modules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []indexed
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]indexed{{"m", []vulnRef{{"GO-1", "a"}, {"GO-2", "b"}}}, {"n", []vulnRef{{"GO-1", "a"}}}}, got); d != "" {
		t.Error(d)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "ID", "GO-2.json")); err != nil || !strings.Contains(string(text), `"id":"GO-2"`) {
		t.Errorf("an entry is %q: %v", text, err)
	}
	for name, entries := range map[string]fstest.MapFS{
		"nothing": {}, "another's name": {"GO-1.json": file(`{"id":"GO-2"}`)}, "no JSON": {"GO-1.json": file(`{`)},
	} {
		if err := arrange(entries, t.TempDir()); err == nil {
			t.Errorf("%s is a database", name)
		}
	}
}
