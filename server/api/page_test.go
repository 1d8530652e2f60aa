package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// Who opens an address where there is nothing is given the app, which says so; a program is told in the words of programs.
func TestNowhere(t *testing.T) {
	w := newWorld(t, setting{})
	const reading = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct {
		method, path, accept string
		status               int
		page                 bool
	}{
		{"GET", "/rooms/general", reading, http.StatusNotFound, true},
		{"GET", "/r/a/b", reading, http.StatusNotFound, true},
		{"GET", "/rooms/general", "application/json", http.StatusNotFound, false},
		{"GET", "/rooms/general", "", http.StatusNotFound, false},
		{"GET", "/api/nothing", reading, http.StatusNotFound, false},
		{"POST", "/rooms/general", reading, http.StatusNotFound, false},
		{"POST", "/lab", reading, http.StatusMethodNotAllowed, false},
	} {
		q := w.visitor().request(test.method, test.path, nil)
		q.Header.Set("Accept", test.accept)
		a := w.visitor().do(q)
		media, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
		if a.StatusCode != test.status || (media == "text/html") != test.page || test.page != strings.Contains(string(a.body), "<title>parley</title>") {
			t.Errorf("%s %s for %q: %d, %s, %.200s", test.method, test.path, test.accept, a.StatusCode, media, a.body)
		}
	}
}
