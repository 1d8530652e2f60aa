package client

import (
	"context"
	"errors"
	"sync"
	"syscall/js"
)

// BrowserTabs are the other tabs of the app, at this root (see [BrowserDisk]), by Web Locks and a BroadcastChannel.
// Outside secure contexts there are no locks; where there is not even a channel, nothing is said or heard.
func BrowserTabs(root string) Tabs {
	t := &browserTabs{name: diskName + root, heard: make(chan []byte, heardMost)}
	defer func() { _ = recover() }() // a browser may forbid it to this page: then it goes without
	if c := js.Global().Get("BroadcastChannel"); c.Truthy() {
		t.channel = c.New(t.name)
		t.channel.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any { // as long as the page
			if data := args[0].Get("data"); data.Type() == js.TypeString {
				select {
				case t.heard <- []byte(data.String()):
				default:
				}
			}
			return nil
		}))
	}
	return t
}

type browserTabs struct {
	name    string
	channel js.Value
	heard   chan []byte
}

var errNoLocks = errors.New("this page has no locks")

// Hold implements Tabs.
func (t *browserTabs) Hold(ctx context.Context, name string) (func(), error) {
	release, _, err := lock(ctx, name, false)
	return release, err
}

// Try implements Tabs.
func (t *browserTabs) Try(ctx context.Context, name string) (func(), bool, error) {
	return lock(ctx, name, true)
}

// lock asks for a lock. The browser has it held until the promise that granted returned is
// kept, which is what release does.
func lock(ctx context.Context, name string, atOnce bool) (release func(), ok bool, err error) {
	defer thrown(&err)
	locks := js.Global().Get("navigator").Get("locks")
	if !locks.Truthy() {
		return nil, false, errNoLocks
	}
	abort := js.Global().Get("AbortController").New()
	options := map[string]any{}
	if atOnce {
		options["ifAvailable"] = true
	} else {
		options["signal"] = abort.Get("signal")
	}
	got, broken := make(chan bool, 1), make(chan error, 1)
	var keep js.Value // lets the lock go
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		keep = args[0]
		return nil
	})
	held := js.Global().Get("Promise").New(executor)
	executor.Release()
	granted := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if args[0].IsNull() {
			got <- false
			return nil
		}
		got <- true
		return held
	})
	var ended, failed js.Func
	over := func() {
		granted.Release()
		ended.Release()
		failed.Release()
	}
	ended = js.FuncOf(func(js.Value, []js.Value) any {
		over()
		return nil
	})
	failed = js.FuncOf(func(_ js.Value, args []js.Value) any {
		broken <- js.Error{Value: args[0]}
		over()
		return nil
	})
	locks.Call("request", name, options, granted).Call("then", ended, failed)
	release = sync.OnceFunc(func() { keep.Invoke() })
	select {
	case ok = <-got:
		if !ok {
			return nil, false, nil
		}
		return release, true, nil
	case err = <-broken:
		return nil, false, err
	case <-ctx.Done():
		release() // should it be granted at this moment, it is let go at once
		if !atOnce {
			abort.Call("abort")
		}
		return nil, false, ctx.Err()
	}
}

// Succeed implements Tabs. The browser keeps a session for each tab, over loading its page again.
func (t *browserTabs) Succeed(id string) (before string) {
	defer func() { _ = recover() }() // it may be forbidden: then nobody was before
	session := js.Global().Get("sessionStorage")
	if v := session.Call("getItem", t.name+".tab"); v.Type() == js.TypeString {
		before = v.String()
	}
	session.Call("setItem", t.name+".tab", id)
	return before
}

// Say implements Tabs.
func (t *browserTabs) Say(note []byte) {
	if t.channel.Truthy() {
		t.channel.Call("postMessage", string(note))
	}
}

// Heard implements Tabs.
func (t *browserTabs) Heard() <-chan []byte { return t.heard }
