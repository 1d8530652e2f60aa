package api

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"parley/app/chat"
	"parley/build/web"
)

// pageType is the type of the page.
const pageType = "text/html; charset=utf-8"

// pages are the routes of what a browser is given. The page is the same for everyone,
// whoever they are and wherever in the app they begin: it only starts the app.
func (s *Server) pages() []route {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(s.Page))
	page := func(x *exchange) error {
		if s.Page == nil {
			return chat.Errorf(chat.CodeNotFound, "%s", web.NotBuilt)
		}
		h := x.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", pageType)
		h.Set("ETag", tag)
		http.ServeContent(x, x.r, "", time.Time{}, bytes.NewReader(s.Page))
		return nil
	}
	var list []route
	for _, p := range [...]string{"/{$}", "/setup", "/join", "/r/{room}", "/settings", "/settings/{part}", "/lab"} {
		list = append(list, route{pattern: "GET " + p, do: page})
	}
	for _, p := range [...]string{"/web/{file...}", "/app.js", "/app.css", "/wasm_exec.js", "/app-worker.js", "/manifest.webmanifest"} {
		list = append(list, route{pattern: "GET " + p, patient: true, do: s.file})
	}
	return append(list, route{pattern: "GET /favicon.ico", do: s.favicon})
}

// favicon is what browsers ask for where no page tells them of an icon: beside an answer of the API, for example.
func (s *Server) favicon(x *exchange) error {
	x.r.URL.Path = "/web/icons/icon-192.png"
	return s.file(x)
}

func (s *Server) file(x *exchange) error {
	if f, _ := s.Files.Lookup(x.r.URL.Path); f == nil {
		return chat.Errorf(chat.CodeNotFound, "there is no such file")
	}
	s.Files.ServeHTTP(x, x.r)
	return nil
}
