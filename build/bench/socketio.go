package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

const socketioVersion = "4.8.4" // as in peers/socketio/package.json

// socketio is a server of socket.io without rooms, open to anyone.
type socketio struct {
	process
	polling bool // over its long polling, else over WebSocket
}

func newSocketio(ctx context.Context, o options, polling bool, dir string) (*socketio, error) {
	dir, err := os.MkdirTemp(dir, "socketio")
	if err != nil {
		return nil, err
	}
	s := &socketio{process{cmd: exec.CommandContext(ctx, "node", "server.mjs")}, polling}
	s.cmd.Dir = o.peers.socketio
	return s, s.start(ctx, dir)
}

const engine = "/socket.io/?EIO=4&transport="

func (s *socketio) follow(ctx context.Context, l *load) (*follower, error) {
	if !s.polling {
		return dialStream(ctx, s.addr,
			turn{get(s.addr, engine+"websocket", upgrade), `"sid"`},
			turn{textFrame("40"), `"sid"`})
	}
	path, err := s.join(ctx)
	if err != nil {
		return nil, err
	}
	return dialPoll(ctx, l, s.addr, func([]byte) (string, error) { return get(s.addr, path, ""), nil })
}

// join does what comes before the first poll that waits, and returns its path.
func (s *socketio) join(ctx context.Context) (string, error) {
	conn, err := dial(ctx, s.addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	in := newAnswers(conn)
	path := engine + "polling"
	for _, turn := range []func() string{
		func() string { return get(s.addr, path, "") },
		func() string { return postOf(s.addr, path, "text/plain", "", "40") },
		func() string { return get(s.addr, path, "") },
	} {
		if _, err := io.WriteString(conn, turn()); err != nil {
			return "", err
		}
		body, err := in.ok()
		if err != nil {
			return "", err
		}
		if path != engine+"polling" {
			continue
		}
		var opened struct{ SID string }
		if len(body) == 0 || body[0] != '0' {
			return "", fmt.Errorf("socket.io does not open: %.300q", body)
		}
		if err := json.Unmarshal(body[1:], &opened); err != nil || opened.SID == "" {
			return "", errors.Join(fmt.Errorf("socket.io does not open: %.300q", body), err)
		}
		path += "&sid=" + opened.SID
	}
	return path, nil
}

func (s *socketio) post(ctx context.Context) (poster, error) {
	return dialPoster(ctx, s.addr, func(text string) string {
		return postOf(s.addr, "/publish", "application/json", "", `{"text":"`+text+padding+`"}`)
	})
}
