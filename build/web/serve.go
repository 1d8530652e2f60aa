package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers GET and HEAD for the files of the set, and 404 for all else.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, immutable := s.Lookup(r.URL.Path)
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this file can only be read", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Cache-Control", "no-cache")
	if immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if s.manifest != nil && f.Name == manifestName {
		h.Set("ETag", `"`+f.Hash+" "+s.root+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.manifest))
		return
	}
	name, encoding := f.pick(r.Header.Get("Accept-Encoding"))
	if f.Brotli || f.Gzip {
		h.Add("Vary", "Accept-Encoding")
	}
	body, size, err := s.open(name)
	if err != nil {
		h.Del("Cache-Control")
		http.Error(w, "this file is missing from the server: it was not built whole", http.StatusInternalServerError)
		return
	}
	defer body.Close()
	// One tag for each encoding, as they are different bytes.
	h.Set("ETag", `"`+f.Hash+encoding+`"`)
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		h.Set("Content-Length", strconv.FormatInt(size, 10)) // which ServeContent leaves out of what is encoded
	}
	// Whole files only: nobody needs a part of one, its length would be another, and a list of thousands of parts costs time.
	r.Header.Del("Range")
	http.ServeContent(w, r, "", time.Time{}, body)
}

// open gives the bytes without copying them to memory: the app is large.
func (s *Set) open(name string) (io.ReadSeekCloser, int64, error) {
	file, err := s.fsys.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	body, ok := file.(io.ReadSeekCloser)
	if err != nil || !ok {
		return nil, 0, errors.Join(fmt.Errorf("%s cannot be read from any place", name), err, file.Close())
	}
	return body, info.Size(), nil
}

// pick chooses the smallest form that the client takes.
func (f *File) pick(accept string) (name, encoding string) {
	switch {
	case f.Brotli && accepts(accept, "br"):
		return f.Path + ".br", "br"
	case f.Gzip && accepts(accept, "gzip"):
		return f.Path + ".gz", "gzip"
	}
	return f.Path, ""
}

// accepts reads an Accept-Encoding header as browsers write it: a list of names,
// refused by q=0. Finer wishes are not weighed.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, param, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(param, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !found || err != nil || v > 0
	}
	return false
}
