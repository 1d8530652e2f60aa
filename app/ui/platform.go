package ui

import (
	"fmt"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// This file is what the browser does for the screen. On the server go-app's
// values do nothing, so all of it may be called there.

func document() app.Value { return app.Window().Get("document") }

func root() app.Value { return document().Get("documentElement") }

func element(id string) app.Value { return app.Window().GetElementByID(id) }

// listen calls f for an event of target until stop is called. It runs at once, not
// on go-app's next turn, so that f can prevent the default. A panic in f is reported and
// ends only that event: the program must go on.
func listen(target app.Value, event string, f func(app.Value)) (stop func()) {
	fn := app.FuncOf(func(_ app.Value, args []app.Value) any {
		defer report()
		if len(args) > 0 {
			f(args[0])
		}
		return nil
	})
	target.Call("addEventListener", event, fn)
	return func() {
		target.Call("removeEventListener", event, fn)
		fn.Release()
	}
}

func report() {
	if r := recover(); r != nil {
		app.Window().Get("console").Call("error", fmt.Sprint("parley: ", r))
	}
}

// stored and store keep a setting in this browser. A browser that refuses to keep
// anything (private windows may) only forgets it.
func stored(key string) (s string) {
	defer func() { _ = recover() }()
	if v := app.Window().Get("localStorage").Call("getItem", "parley."+key); v.Truthy() {
		return v.String()
	}
	return ""
}

func store(key, value string) {
	defer func() { _ = recover() }()
	app.Window().Get("localStorage").Call("setItem", "parley."+key, value)
}

// browserLang returns the language the browser asks for.
func browserLang() string { return app.Window().Get("navigator").Get("language").String() }

// matches answers a media query.
func matches(query string) bool {
	if app.IsServer {
		return false
	}
	return app.Window().Call("matchMedia", query).Get("matches").Bool()
}

const (
	narrow = "(max-width: 767.98px)" // one pane
	wide   = "(min-width: 1200px)"   // three
	touch  = "(pointer: coarse)"     // no keyboard but the one on the screen
	calm   = "(prefers-reduced-motion: reduce)"
)

// setTheme is "light", "dark" or "" for the system's.
func setTheme(theme string) {
	if theme == "" {
		root().Call("removeAttribute", "data-theme")
	} else {
		root().Call("setAttribute", "data-theme", theme)
	}
	store("theme", theme)
}

// setUnread shows the count where it is seen while the page is not.
func setUnread(title string, unread int) {
	if unread > 0 {
		title = fmt.Sprintf("(%d) %s", unread, title)
	}
	document().Set("title", title)
	nav := app.Window().Get("navigator")
	if !nav.Get("setAppBadge").Truthy() {
		return
	}
	if unread > 0 {
		nav.Call("setAppBadge", unread)
	} else {
		nav.Call("clearAppBadge")
	}
}

// frameMost is how long a frame is waited for: pages that are not seen have none.
const frameMost = 100 * time.Millisecond

// nextFrame waits until the browser begins its next frame.
func nextFrame() {
	if app.IsServer || document().Get("visibilityState").String() != "visible" {
		return
	}
	begins := make(chan struct{}, 1)
	fn := app.FuncOf(func(app.Value, []app.Value) any {
		begins <- struct{}{}
		return nil
	})
	defer fn.Release()
	id := app.Window().Call("requestAnimationFrame", fn)
	select {
	case <-begins:
	case <-time.After(frameMost):
		app.Window().Call("cancelAnimationFrame", id)
	}
}

// visible reports whether the person can be looking: the page is shown and has the focus.
func visible() bool {
	return document().Get("visibilityState").String() == "visible" && document().Call("hasFocus").Bool()
}

// copyText puts s on the clipboard. On a page without TLS browsers have no clipboard
// for programs; there a selected text is copied as a person would.
func copyText(s string) {
	defer report()
	nav := app.Window().Get("navigator")
	if app.Window().Get("isSecureContext").Truthy() && nav.Get("clipboard").Truthy() {
		nav.Get("clipboard").Call("writeText", s)
		return
	}
	area := document().Call("createElement", "textarea")
	area.Set("value", s)
	area.Set("className", "offscreen")
	// Within a modal dialog only what is in it can be selected.
	at := document().Call("querySelector", "dialog[open]")
	if !at.Truthy() {
		at = document().Get("body")
	}
	had := document().Get("activeElement")
	at.Call("appendChild", area)
	area.Call("select")
	document().Call("execCommand", "copy")
	area.Call("remove")
	if had.Truthy() {
		had.Call("focus")
	}
}

func canShare() bool { return app.Window().Get("navigator").Get("share").Truthy() }

func share(title, url string) {
	defer report()
	app.Window().Get("navigator").Call("share", map[string]any{"title": title, "url": url})
}

// focus moves the focus to an element, if it is there.
func focus(id string) {
	if el := element(id); el.Truthy() {
		el.Call("focus", map[string]any{"preventScroll": true})
	}
}

// now is the browser's clock for moments between events, in milliseconds.
func now(e app.Value) time.Duration {
	return time.Duration(e.Get("timeStamp").Float() * float64(time.Millisecond))
}
