package curves

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/hub"
	"parley/server/sqlite"
)

// A world is a store that is being filled. While no hub is over it, it is filled directly, in large groups.
type world struct {
	store *sqlite.Store
	named int // users so far
}

// inside calls f with the store of a directory.
func inside(ctx context.Context, dir string, f func(*world) error) (err error) {
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, Serve: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }() //nolint:contextcheck // closing is not given up half-way
	return f(&world{store: s})
}

// serve calls f with a hub over the store.
func (w *world) serve(ctx context.Context, o hub.Options, f func(*hub.Hub) error) error {
	h, err := hub.New(ctx, w.store, o)
	if err != nil {
		return err
	}
	return errors.Join(f(h), h.Close())
}

// people adds n users.
func (w *world) people(ctx context.Context, n int) ([]chat.UserID, error) {
	var ids []chat.UserID
	for range n {
		w.named++
		u := chat.User{ID: chat.NewID[chat.UserID](), Name: fmt.Sprintf("user %05d", w.named)}
		err := w.store.AddUser(ctx, auth.User{User: u, Key: auth.NameKey(u.Name), Hash: "-", Created: time.Now().Truncate(time.Millisecond)})
		if err != nil {
			return nil, err
		}
		ids = append(ids, u.ID)
	}
	return ids, nil
}

// group is how many drafts share a commit while a store is filled.
const group = 4096

// fill appends n drafts; next makes the i-th.
func (w *world) fill(ctx context.Context, n int, next func(i int) hub.Append) (results []hub.Appended, err error) {
	now := time.Now()
	for i := 0; i < n; {
		var g []hub.Append
		for ; i < n && len(g) < group; i++ {
			a := next(i)
			a.At = now
			g = append(g, a)
		}
		done, err := w.store.Append(ctx, g)
		if err != nil {
			return nil, err
		}
		for _, r := range done {
			if r.Err != nil {
				return nil, r.Err
			}
		}
		results = append(results[:0], done...)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// newRoom asks for a private room.
func newRoom(by chat.UserID, with ...chat.UserID) hub.Append {
	return hub.Append{From: by, Create: &chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: "room", Members: with}}
}

// create makes n private rooms of the same people.
func (w *world) create(ctx context.Context, n int, by chat.UserID, with ...chat.UserID) ([]chat.RoomID, error) {
	var ids []chat.RoomID
	for len(ids) < n {
		made, err := w.fill(ctx, min(group, n-len(ids)), func(int) hub.Append { return newRoom(by, with...) })
		if err != nil {
			return nil, err
		}
		for _, r := range made {
			ids = append(ids, r.Room)
		}
	}
	return ids, nil
}

// words make a message of about 200 bytes.
var words = strings.Repeat("lorem ipsum ", 17)

// message is a draft of one, under a nonce as clients draw it.
func message(room chat.RoomID) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: words}}}
}

// say asks for a message to be appended.
func say(by chat.UserID, room chat.RoomID) hub.Append {
	return hub.Append{From: by, Draft: message(room)}
}
