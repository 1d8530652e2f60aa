package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/build/web"
)

// page draws the page that starts the app, which may be below a path, once: it is the same for every
// address and every person. go-app's handler, which does more than this with what is in a
// request, never sees one from outside.
func page(ctx context.Context, files *web.Set, root string) ([]byte, error) {
	if !files.Built() {
		return nil, nil
	}
	files = files.Below(root)
	ui.Routes(nil)
	// What other sites would show of this one: there is nothing for them, and go-app makes up addresses.
	preview, err := regexp.Compile(`(?m)^\s*<meta [^>]*property="og:[^>]*>\n`)
	if err != nil {
		return nil, err
	}
	h := &app.Handler{
		Name: "Parley", ShortName: "Parley", Title: "Parley", ThemeColor: "#007c86", BackgroundColor: "#fbfdfd",
		Description: "A messenger for the web that you run yourself.",
		Icon: app.Icon{
			Default: "/web/icons/icon-192.png", Large: "/web/icons/icon-512.png",
			SVG: "/web/icons/mark.svg", Maskable: "/web/icons/maskable-512.png",
		},
		Styles:       []string{"/web/app.css"},
		LoadingLabel: "{progress}%",
		Resources:    files, Version: files.Version(),
		RawHeaders: []string{`<link rel="preload" href="/web/app.wasm" as="fetch" type="application/wasm" crossorigin="anonymous">`},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	w := drawing{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(&w, r)
	if w.status != http.StatusOK {
		return nil, fmt.Errorf("draw the page: status %d: %s", w.status, w.body.String())
	}
	return files.Rewrite(preview.ReplaceAll(w.body.Bytes(), nil)), nil
}

// A drawing is an http.ResponseWriter that keeps what is written.
type drawing struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (d *drawing) Header() http.Header         { return d.header }
func (d *drawing) WriteHeader(status int)      { d.status = status }
func (d *drawing) Write(p []byte) (int, error) { return d.body.Write(p) }
