// Package web holds what a browser is given: the program, its styles, icons and
// scripts, as `go run ./build` made them, embedded in the binary.
//
// A [File] has a name, which sources use ("/web/app.wasm"), and a URL, which the
// browser asks for. Below /web/ the URL carries a hash of the content
// ("/web/app.0123456789ab.wasm"), so that it can be kept for ever; the plain name
// is answered too, to be asked about every time. Files that a browser wants at a
// fixed place ("/app-worker.js") have no other URL than their name.
//
// The set takes the place of all that go-app's handler would serve but the page
// itself: "/app.js", "/app.css", "/wasm_exec.js", "/app-worker.js" and
// "/manifest.webmanifest" are names in it, and [Set.Rewrite] puts the hashed URLs
// into the page. The only style to add to the page is "/web/app.css"; no script is.
//
// A clone that has not been built has an empty [Set]: everything compiles and the
// server starts, and says what is missing with [NotBuilt].
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// NotBuilt is what to tell whoever runs a binary without the files.
const NotBuilt = "this binary was built without the web app: run \"make build\" and start bin/parley"

//go:embed all:out
var out embed.FS

// Index is the name of the list of files in the output folder.
const Index = "index.json"

// A File is one thing that a browser may ask for.
type File struct {
	Name   string `json:"name"`   // as sources call it
	URL    string `json:"url"`    // as pages should call it
	Type   string `json:"type"`   // the Content-Type
	Hash   string `json:"hash"`   // of the content, hexadecimal
	Size   int    `json:"size"`   // of the content, not compressed
	Path   string `json:"path"`   // below the output folder
	Brotli bool   `json:"brotli"` // Path + ".br" exists
	Gzip   bool   `json:"gzip"`   // Path + ".gz" exists
}

// manifestName is of the one file that says where the app is: an id is below the host, not below the path.
const manifestName = "/manifest.webmanifest"

// A Set is all the files of one build. It is immutable.
type Set struct {
	fsys    fs.FS
	version string
	root    string // what pages put before each URL
	byName  map[string]*File
	byURL   map[string]*File

	manifest []byte // as it is below root
}

// Embedded is the set inside this binary; it is empty when the binary was built without.
func Embedded() (*Set, error) {
	fsys, err := fs.Sub(out, "out")
	if err != nil {
		return nil, fmt.Errorf("open the embedded web app: %w", err)
	}
	return Open(fsys)
}

// Open reads the set in an output folder; a folder without an index is an empty set.
func Open(fsys fs.FS) (*Set, error) {
	s := &Set{fsys: fsys, byName: map[string]*File{}, byURL: map[string]*File{}}
	if _, err := fs.Stat(fsys, Index); err != nil {
		return s, nil
	}
	b, err := fs.ReadFile(fsys, Index)
	if err != nil {
		return nil, fmt.Errorf("read the list of web files: %w", err)
	}
	var list struct {
		Version string
		Files   []*File
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("read the list of web files: %w", err)
	}
	s.version = list.Version
	for _, f := range list.Files {
		if !path.IsAbs(f.Name) || !path.IsAbs(f.URL) || !fs.ValidPath(f.Path) {
			return nil, fmt.Errorf("list of web files: %q is not a name", f.Name)
		}
		s.byName[f.Name], s.byURL[f.URL] = f, f
	}
	return s, nil
}

// Built says whether the set has files.
func (s *Set) Built() bool { return len(s.byName) > 0 }

// Version names the content of the whole set: another byte, another version.
func (s *Set) Version() string { return s.version }

// Below is the set as pages call it that are below a path of their host ("/chat"), or with ""
// at its root. It is looked up and served as before, without that path, but for the manifest, whose id has it.
func (s *Set) Below(root string) *Set {
	below := *s
	below.root, below.manifest = root, nil
	if f := s.byName[manifestName]; f != nil && root != "" {
		if text, err := fs.ReadFile(s.fsys, f.Path); err == nil { // if not, it is missing when it is asked for
			below.manifest = bytes.Replace(text, []byte(`"id": "/"`), []byte(`"id": `+strconv.Quote(root+"/")), 1)
		}
	}
	return &below
}

// Resolve is the URL of a file by its name. What is not in the set keeps its name, but for
// what begins all names, "/", and what is in /web, which are below the path too;
// this makes a Set a resolver for go-app's handler.
func (s *Set) Resolve(name string) string {
	if f := s.byName[name]; f != nil {
		return s.root + f.URL
	}
	if name == "/" || strings.HasPrefix(name, "/web/") {
		return s.root + name
	}
	return name
}

// Rewrite puts URLs in the place of names where a page quotes them.
func (s *Set) Rewrite(page []byte) []byte {
	for name, f := range s.byName {
		page = bytes.ReplaceAll(page, []byte(`"`+name+`"`), []byte(`"`+s.root+f.URL+`"`))
	}
	return page
}

// Names lists the files by name, in order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.byName)) }

// Lookup finds a file by URL or by name. The second result is whether this URL
// will always have this content.
func (s *Set) Lookup(url string) (f *File, immutable bool) {
	if f := s.byURL[url]; f != nil {
		return f, f.URL != f.Name
	}
	return s.byName[url], false
}
