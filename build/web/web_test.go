package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func set(t *testing.T) *Set {
	t.Helper()
	s, err := Open(fstest.MapFS{
		Index: {Data: []byte(`{"version":"v1","files":[
			{"name":"/web/app.wasm","url":"/web/app.0123.wasm","type":"application/wasm","hash":"0123","size":5,"path":"web/app.wasm","brotli":true,"gzip":true},
			{"name":"/app-worker.js","url":"/app-worker.js","type":"text/javascript","hash":"4567","size":6,"path":"app-worker.js"},
			{"name":"/lost.js","url":"/lost.js","type":"text/javascript","hash":"89","size":6,"path":"lost.js"}]}`)},
		"web/app.wasm":    {Data: []byte("plain")},
		"web/app.wasm.br": {Data: []byte("br")},
		"web/app.wasm.gz": {Data: []byte("gz!")},
		"app-worker.js":   {Data: []byte("worker")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServe(t *testing.T) {
	const forever, ask = "public, max-age=31536000, immutable", "no-cache"
	for _, c := range []struct {
		name, method, path, accept, tag string
		status                          int
		body, encoding, cache           string
	}{
		{"brotli", "GET", "/web/app.0123.wasm", "gzip, deflate, br, zstd", "", 200, "br", "br", forever},
		{"gzip", "GET", "/web/app.0123.wasm", "gzip", "", 200, "gz!", "gzip", forever},
		{"brotli refused", "GET", "/web/app.0123.wasm", "br;q=0, gzip;q=0.5", "", 200, "gz!", "gzip", forever},
		{"neither", "GET", "/web/app.0123.wasm", "", "", 200, "plain", "", forever},
		{"plain name", "GET", "/web/app.wasm", "br", "", 200, "br", "br", ask},
		{"fixed place", "GET", "/app-worker.js", "br", "", 200, "worker", "", ask},
		{"head", "HEAD", "/web/app.wasm", "br", "", 200, "", "br", ask},
		{"known", "GET", "/web/app.wasm", "br", `"0123br"`, 304, "", "", ask},
		{"known in another encoding", "GET", "/web/app.wasm", "gzip", `"0123br"`, 200, "gz!", "gzip", ask},
		{"write", "POST", "/web/app.wasm", "", "", 405, "this file can only be read\n", "", ""},
		{"unknown", "GET", "/web/app.9999.wasm", "", "", 404, "404 page not found\n", "", ""},
		{"index is not served", "GET", "/index.json", "", "", 404, "404 page not found\n", "", ""},
		{"outside", "GET", "/../web.go", "", "", 404, "404 page not found\n", "", ""},
		{"missing", "GET", "/lost.js", "", "", 500, "this file is missing from the server: it was not built whole\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "http://localhost"+c.path, nil)
			r.Header.Set("Accept-Encoding", c.accept)
			if c.tag != "" {
				r.Header.Set("If-None-Match", c.tag)
			}
			w := httptest.NewRecorder()
			set(t).ServeHTTP(w, r)
			got := []any{w.Code, w.Body.String(), w.Header().Get("Content-Encoding"), w.Header().Get("Cache-Control")}
			if d := cmp.Diff([]any{c.status, c.body, c.encoding, c.cache}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A part of a file is not to be had: it comes whole, however it is asked for.
func TestServesWhole(t *testing.T) {
	for _, accept := range []string{"br", ""} {
		r := httptest.NewRequest("GET", "http://localhost/web/app.wasm", nil)
		r.Header.Set("Accept-Encoding", accept)
		whole := httptest.NewRecorder()
		set(t).ServeHTTP(whole, r)
		r.Header.Set("Range", "bytes=0-0,1-1")
		w := httptest.NewRecorder()
		set(t).ServeHTTP(w, r)
		if w.Code != 200 || w.Body.String() != whole.Body.String() || w.Header().Get("Content-Length") != whole.Header().Get("Content-Length") {
			t.Errorf("%q: a part is answered by %d and %q", accept, w.Code, w.Body)
		}
	}
}

func TestContentLengthOfEncoded(t *testing.T) {
	server := httptest.NewServer(set(t))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/web/app.wasm", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ContentLength != 3 {
		t.Errorf("Content-Length is %d, want 3", res.ContentLength)
	}
}

func TestRewrite(t *testing.T) {
	got := string(set(t).Rewrite([]byte(`<link href="/web/app.wasm"><script src="/app-worker.js"></script>/web/app.wasm`)))
	want := `<link href="/web/app.0123.wasm"><script src="/app-worker.js"></script>/web/app.wasm`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Below a path, pages have it in every address, however often one is resolved; what is served has it in none.
func TestBelow(t *testing.T) {
	s := set(t).Below("/chat")
	for name, want := range map[string]string{
		"/": "/chat/", "/web/app.wasm": "/chat/web/app.0123.wasm", "/app-worker.js": "/chat/app-worker.js",
		"/web/icons/sprite.svg#send": "/chat/web/icons/sprite.svg#send", "/chat/settings": "/chat/settings", "https://example.org/": "https://example.org/",
	} {
		got := s.Resolve(name)
		if again := s.Resolve(got); got != want || again != want {
			t.Errorf("%s is %s, and then %s, want %s", name, got, again, want)
		}
	}
	got := string(s.Rewrite([]byte(`<link href="/web/app.wasm"><script src="/chat/app-worker.js"></script>`)))
	if want := `<link href="/chat/web/app.0123.wasm"><script src="/chat/app-worker.js"></script>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if f, forever := s.Lookup("/web/app.0123.wasm"); f == nil || !forever {
		t.Errorf("the file is %v, for ever %v", f, forever)
	}
	if f, _ := s.Lookup("/chat/web/app.0123.wasm"); f != nil {
		t.Error("the set is served below the path, which is not its to know")
	}
}

func TestNotBuilt(t *testing.T) {
	s, err := Open(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Built() || s.Version() != "" || s.Resolve("/web/app.wasm") != "/web/app.wasm" {
		t.Errorf("an empty folder is not an empty set: %+v", s)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, index := range []string{
		`{`,
		`{"files":[{"name":"a","url":"/a","path":"a"}]}`,
		`{"files":[{"name":"/a","url":"/a","path":"../a"}]}`,
	} {
		if _, err := Open(fstest.MapFS{Index: {Data: []byte(index)}}); err == nil || !strings.Contains(err.Error(), "list of web files") {
			t.Errorf("Open(%s) = %v", index, err)
		}
	}
}

func TestEmbedded(t *testing.T) {
	s, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.Names() {
		f, _ := s.Lookup(name)
		r := httptest.NewRequest("GET", "http://localhost"+f.URL, nil)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 || w.Body.Len() != f.Size {
			t.Errorf("%s: status %d, %d bytes, want 200 and %d", f.URL, w.Code, w.Body.Len(), f.Size)
		}
	}
}
