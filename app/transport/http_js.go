package transport

import (
	"context"
	"fmt"
	"syscall/js"
)

// Wire is how requests travel in a browser: by fetch, which keeps the whole of net/http
// out of the program. The session cookie goes along by itself.
type Wire struct{}

func (w Wire) ready() Wire { return w }

func (w Wire) do(ctx context.Context, token, method, url string, body []byte) (a answer, err error) {
	// What the page's functions throw arrives here as a panic.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fetch: %v", r)
		}
	}()
	abort := js.Global().Get("AbortController").New()
	headers := map[string]any{"Accept": "application/json"}
	if token != "" {
		headers["Authorization"] = "Bearer " + token
	}
	init := map[string]any{
		"method": method, "cache": "no-store", "credentials": "same-origin", "redirect": "error",
		"signal": abort.Get("signal"),
	}
	if body != nil {
		headers["Content-Type"] = "application/json"
		init["body"] = string(body)
	}
	init["headers"] = headers
	resp, err := await(ctx, abort, js.Global().Call("fetch", url, init))
	if err != nil {
		return a, err
	}
	a.status = resp.Get("status").Int()
	if v := resp.Get("headers").Call("get", "Retry-After"); v.Type() == js.TypeString {
		a.retryAfter = v.String()
	}
	heard(ctx)
	stream := resp.Get("body")
	if stream.IsNull() {
		return a, nil
	}
	for reader := stream.Call("getReader"); len(a.body) < maxAnswer; heard(ctx) {
		piece, err := await(ctx, abort, reader.Call("read"))
		if err != nil {
			return a, err
		}
		if piece.Get("done").Bool() {
			break
		}
		bytes := piece.Get("value")
		at := len(a.body)
		a.body = append(a.body, make([]byte, bytes.Length())...)
		js.CopyBytesToGo(a.body[at:], bytes)
	}
	return a, nil
}

// await waits for a promise. When ctx ends it aborts, and still waits, so that
// nothing calls a function that was released.
func await(ctx context.Context, abort, promise js.Value) (js.Value, error) {
	type outcome struct {
		v   js.Value
		err error
	}
	settled := make(chan outcome, 1)
	kept := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{v: args[0]}
		return nil
	})
	defer kept.Release()
	broken := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: js.Error{Value: args[0]}}
		return nil
	})
	defer broken.Release()
	promise.Call("then", kept, broken)
	select {
	case o := <-settled:
		return o.v, o.err
	case <-ctx.Done():
		abort.Call("abort")
		<-settled
		return js.Undefined(), ctx.Err()
	}
}

// options are what a socket is opened with: in a browser there is nothing to say.
func (c *Caller) options() *dialOptions { return nil }

// refusal is what the server said instead of opening a socket: a browser does not tell.
func refusal(context.Context, any) error { return nil }
