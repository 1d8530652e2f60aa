package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"parley/app/chat"
	"parley/build/child"
)

// parley is the real server, with one user in one room, and all followers that user's.
type parley struct {
	srv    *child.Server
	user   *child.Account
	via    chat.Via
	room   chat.RoomID
	cursor chat.Cursor
	nonce  atomic.Int64
}

func newParley(ctx context.Context, o options, via chat.Via, dir string) (*parley, error) {
	dir, err := os.MkdirTemp(dir, string(via))
	if err != nil {
		return nil, err
	}
	srv, err := child.New(ctx, o.binary, dir)
	if err != nil {
		return nil, err
	}
	p := &parley{srv: srv, via: via}
	if err := p.setUp(ctx); err != nil {
		_ = srv.Close()
		return nil, err
	}
	return p, nil
}

func (p *parley) setUp(ctx context.Context) error {
	var err error
	if p.user, err = p.srv.AddUser(ctx, "ana"); err != nil {
		return err
	}
	if err := pinned(0, func() error { _, err := p.srv.Start(ctx); return err }); err != nil {
		return err
	}
	if err := p.srv.CreateRoom(ctx, p.user, chat.NewRoom{Nonce: "room", Kind: chat.Private, Name: "room"}); err != nil {
		return err
	}
	snap, err := p.srv.Snapshot(ctx, p.user)
	if err != nil {
		return err
	}
	p.cursor = snap.Cursor
	for _, room := range snap.Rooms {
		if room.Kind == chat.Private {
			p.room = room.ID
		}
	}
	return nil
}

func (p *parley) pid() int { return p.srv.PID() }

func (p *parley) authorization() string { return "Authorization: Bearer " + p.user.Token + "\r\n" }

func (p *parley) follow(ctx context.Context, l *load) (*follower, error) {
	addr := p.srv.Addr()
	request := func(after chat.Cursor, more string) string {
		return get(addr, "/api/feed?via="+string(p.via)+"&after="+string(after), p.authorization()+more)
	}
	const hear = `"cursor":"` // the first batch
	switch p.via {
	case chat.WebSocket:
		return dialStream(ctx, addr, turn{request(p.cursor, upgrade), hear})
	case chat.EventSource:
		return dialStream(ctx, addr, turn{request(p.cursor, "Accept: text/event-stream\r\n"), hear})
	case chat.LongPoll:
		return dialPoll(ctx, l, addr, func(body []byte) (string, error) {
			if body == nil {
				return request(p.cursor, ""), nil
			}
			after, ok := lastCursor(body)
			if !ok {
				return "", fmt.Errorf("an answer without a cursor: %.300q", body)
			}
			return request(after, ""), nil
		})
	case chat.Poll: // measures how often it asks, not the server
	}
	return nil, fmt.Errorf("%s is not measured", p.via)
}

// lastCursor finds the cursor of a batch without decoding it.
func lastCursor(body []byte) (chat.Cursor, bool) {
	const key = `"cursor":"`
	i := bytes.LastIndex(body, []byte(key))
	if i < 0 {
		return "", false
	}
	c, _, ok := bytes.Cut(body[i+len(key):], []byte(`"`))
	return chat.Cursor(c), ok
}

// padding makes a message about 200 bytes long.
var padding = strings.Repeat("lorem ipsum ", 16)

func (p *parley) post(ctx context.Context) (poster, error) {
	addr := p.srv.Addr()
	return dialPoster(ctx, addr, func(text string) string {
		d, err := json.Marshal(chat.Draft{Nonce: chat.Nonce(fmt.Sprintf("n%d", p.nonce.Add(1))), Room: p.room,
			Body: chat.Body{Message: &chat.Message{Text: text + padding}}})
		if err != nil {
			panic(err) // it has nothing that could fail
		}
		return postOf(addr, "/api/send", "application/json", p.authorization(), string(d))
	})
}

func (p *parley) close() error {
	return p.srv.Close()
}
