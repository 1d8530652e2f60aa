package api

import (
	"net/http"
	"net/url"
	"strings"
)

// below is r without the path of the server's URL. Some proxies leave it in the request, and some take it
// away, so that both are understood: no route begins as the path may (see [Reserved]).
func (s *Server) below(r *http.Request) *http.Request {
	under := s.root + "/"
	if s.root == "" || !strings.HasPrefix(r.URL.Path, under) || r.URL.RawPath != "" && !strings.HasPrefix(r.URL.RawPath, under) {
		return r
	}
	rest := *r
	rest.URL = new(url.URL)
	*rest.URL = *r.URL
	rest.URL.Path = strings.TrimPrefix(r.URL.Path, s.root)
	rest.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, s.root)
	return &rest
}

// Reserved reports whether a path of a server's URL may not begin with this name, as a route of the
// server itself does.
func Reserved(name string) bool {
	for _, rt := range new(Server).table() {
		_, path, _ := strings.Cut(rt.pattern, " /")
		if first, _, _ := strings.Cut(path, "/"); first == name {
			return true
		}
	}
	return false
}
