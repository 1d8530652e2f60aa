package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/app/chat"
	"parley/build/chaos/check"
	"parley/build/chaos/proxy"
	"parley/build/child"
)

// world is a server with its people, rooms and readers.
type world struct {
	srv      *child.Server
	hist     *history
	owner    *child.Account   // of the server, in none of the rooms
	accounts []*child.Account // the first made all rooms
	guests   []*child.Account
	ids      map[*child.Account]chat.UserID
	rooms    []chat.RoomID
	board    *board
	trigger  trigger
	lines    []*proxy.Line // of everyone who has one, in the order in which they were made
	peak     int64         // see weigh
}

// settle starts the server and makes everyone and everything.
func settle(ctx context.Context, cfg Config, srv *child.Server, hist *history) (*world, error) {
	w := &world{srv: srv, hist: hist, board: newBoard(), ids: map[*child.Account]chat.UserID{}}
	var err error
	if w.owner, err = srv.AddOwner(ctx, "owner"); err != nil {
		return nil, err
	}
	for i := range cfg.Accounts {
		a, err := srv.AddUser(ctx, fmt.Sprintf("user%02d", i))
		if err != nil {
			return nil, err
		}
		w.accounts = append(w.accounts, a)
	}
	for i := range cfg.Guests {
		a, err := srv.AddUser(ctx, fmt.Sprintf("guest%02d", i))
		if err != nil {
			return nil, err
		}
		w.guests = append(w.guests, a)
	}
	if _, err := srv.Start(ctx); err != nil {
		return nil, err
	}
	var members []chat.UserID
	for i, a := range slices.Concat(w.accounts, w.guests) {
		snap, err := srv.Snapshot(ctx, a)
		if err != nil {
			return nil, err
		}
		w.ids[a] = snap.You
		if i > 0 {
			members = append(members, snap.You)
		}
	}
	for i := range cfg.Rooms {
		if err := srv.CreateRoom(ctx, w.accounts[0], chat.NewRoom{Nonce: chat.Nonce(fmt.Sprintf("room%d", i)),
			Kind: chat.Private, Name: fmt.Sprintf("%s%d", roomName, i), Members: members}); err != nil {
			return nil, err
		}
	}
	return w, w.findRooms(ctx, cfg)
}

// roomName begins the name of every room of a run.
const roomName = "room "

// findRooms finds the rooms that were made, and notes where they stand. It waits for
// them: a server that is broken on purpose answers before it makes them.
func (w *world) findRooms(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for len(w.rooms) < cfg.Rooms {
		if ctx.Err() != nil {
			return fmt.Errorf("there are %d rooms, not %d", len(w.rooms), cfg.Rooms)
		}
		snap, err := w.srv.Snapshot(ctx, w.accounts[0])
		if err != nil {
			return err
		}
		w.rooms = w.rooms[:0]
		for _, room := range snap.Rooms {
			if strings.HasPrefix(room.Name, roomName) {
				w.rooms = append(w.rooms, room.ID)
			}
		}
	}
	slices.Sort(w.rooms)
	for _, room := range w.rooms {
		log, err := w.srv.Log(ctx, w.accounts[0], room)
		if err != nil {
			return err
		}
		w.hist.put(check.Record{Op: check.Room, Room: string(room), Seq: int64(len(log))})
	}
	return nil
}

// line makes one more way to the server.
func (w *world) line(ctx context.Context, seed uint64) (*proxy.Line, error) {
	l, err := proxy.Listen(ctx, w.srv.Addr(), seed)
	if err == nil {
		w.lines = append(w.lines, l)
	}
	return l, err
}

// over is a client whose connections go over l, whatever they are to.
func over(l *proxy.Line) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: l.Dial, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second}}
}

// close ends all lines, and with them what is still connected.
func (w *world) close() error {
	var errs []error
	for _, l := range w.lines {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// readLogs reads all rooms to their ends, which it returns.
func (w *world) readLogs(ctx context.Context) (map[chat.RoomID]chat.Seq, error) {
	heads := map[chat.RoomID]chat.Seq{}
	for _, room := range w.rooms {
		log, err := w.srv.Log(ctx, w.accounts[0], room)
		if err != nil {
			return nil, fmt.Errorf("reading the log of %s: %w", room, err)
		}
		for _, e := range log {
			r := check.Record{Op: check.Log, Room: string(e.Room), Seq: int64(e.Seq), Nonce: string(e.Nonce), Hash: hash(e.Nonce, e.Body)}
			if m := e.Member; m != nil {
				r.User, r.Left = string(m.User), m.State == chat.Left
			}
			w.hist.put(r)
			heads[room] = e.Seq
		}
	}
	return heads, nil
}
