package main

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"parley/build/child"
)

const centrifugoVersion = "v6.9.1"

// centrifugo is one channel without history, open to anyone.
type centrifugo struct {
	process
	sse bool // over its unidirectional server-sent events, else over WebSocket
}

func newCentrifugo(ctx context.Context, o options, sse bool, dir string) (*centrifugo, error) {
	dir, err := os.MkdirTemp(dir, "centrifugo")
	if err != nil {
		return nil, err
	}
	addr, err := child.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	type object map[string]any
	conf, err := json.Marshal(object{
		"http_server": object{"address": host, "port": port},
		"http_api":    object{"insecure": true},
		"client": object{"insecure": true, "allowed_origins": []string{"*"},
			"ping_interval": "600s"}, // no ping falls into a measurement: the readers would have to answer it
		"channel": object{"without_namespace": object{"allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true}},
		"uni_sse": object{"enabled": true},
		"log":     object{"level": "error"},
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.json")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		return nil, err
	}
	c := &centrifugo{process{exec.CommandContext(ctx, o.peers.centrifugo, "--config", file), addr}, sse}
	return c, c.start(ctx, dir)
}

func (c *centrifugo) follow(ctx context.Context, l *load) (*follower, error) {
	if c.sse {
		path := "/connection/uni_sse?cf_connect=" + url.QueryEscape(`{"subs":{"bench":{}}}`)
		return dialStream(ctx, c.addr, turn{get(c.addr, path, "Accept: text/event-stream\r\n"), `"bench"`})
	}
	return dialStream(ctx, c.addr,
		turn{get(c.addr, "/connection/websocket", upgrade), "\r\n\r\n"},
		turn{textFrame(`{"id":1,"connect":{}}`), `"connect"`},
		turn{textFrame(`{"id":2,"subscribe":{"channel":"bench"}}`), `"subscribe"`})
}

func (c *centrifugo) post(ctx context.Context) (poster, error) {
	return dialPoster(ctx, c.addr, func(text string) string {
		return postOf(c.addr, "/api/publish", "application/json", "", `{"channel":"bench","data":{"text":"`+text+padding+`"}}`)
	})
}
