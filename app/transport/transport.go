// Package transport is the client's end of the four ways to follow a feed over HTTP.
//
// A [Transport] is one way to hold a [chat.Link]. WebSocket carries both
// directions on one socket; the other three follow by GET and send by POST.
// All carry the same batches under the same cursor, so that one may go on
// where another stopped; they differ in latency, in cost, and in what proxies
// let through.
//
// A way is open once its first batch has come. It is silent when nothing, not
// even a heartbeat, has come for Config.Quiet: then its Follow ends with
// [ErrSilent], whatever the network believes.
//
// The package works in a browser (files _js.go: fetch and EventSource of the
// page) and outside (net/http), with the same behaviour.
package transport

import (
	"context"
	"errors"
	"time"

	"parley/app/chat"
)

// A Transport is one way to hold a Link over HTTP. Its methods may be called by
// many at once.
type Transport interface {
	Name() chat.Via
	chat.Link
	// Ping measures the way there and back: over the socket where one is open,
	// else by a small request.
	Ping(ctx context.Context) (time.Duration, error)
}

// A Config says which server, as whom, and how patiently.
type Config struct {
	Base  string        // scheme://host[:port][/path] of the server
	Token string        // bearer token of a program; in a browser empty: the session cookie speaks
	Every time.Duration // Poll: the pause between two questions; 3 s if zero
	Quiet time.Duration // a feed is dead after this long without a sign of life; 45 s if zero
	Beat  time.Duration // the longest silence that the server may keep, in whole seconds; if zero, it chooses
	Gate  *Gate         // what everything passes; nil: nobody counts
	Wire                // how requests travel
}

// What a Transport says of itself. Everything else that ends a feed without being
// a *chat.Error is trouble on the way that may pass.
var (
	// ErrSilent says that the way is open but nothing comes through.
	ErrSilent = errors.New("nothing came for too long")
	// ErrCut says that the way was open and then was not. A Send whose answer
	// was on its way may or may not have been heard.
	ErrCut = errors.New("the connection was cut")
)

// New makes the transport of that name.
func New(via chat.Via, c Config) Transport {
	if c.Every == 0 {
		c.Every = 3 * time.Second
	}
	switch call := NewCaller(c); via {
	case chat.WebSocket:
		return &webSocket{Caller: call}
	case chat.EventSource:
		return eventSource{call}
	case chat.LongPoll:
		return poll{call, chat.LongPoll}
	default:
		return poll{call, chat.Poll}
	}
}
