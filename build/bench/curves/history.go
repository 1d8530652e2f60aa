package curves

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parley/app/chat"
	"parley/build/child"
	"parley/server/hub"
)

// The people and rooms of a history: all are in all rooms and say as much in each as anyone, but for one room, where only the
// first says anything.
const (
	writers  = 10
	channels = 10
)

// A past is a world with a history in it.
type past struct {
	o        Options
	dir      string
	srv      *child.Server
	accounts []*child.Account
	rooms    []chat.RoomID
	said     int // messages
}

// history is the curve over the messages of a server.
func history(ctx context.Context, o Options, dir string) (_ []Table, err error) {
	costs := Table{Title: "messages, in ten rooms of ten people; in one of the rooms only one of them says anything", Over: "messages"}
	sizes := Table{Title: "the same, of the real binary", Over: "messages"}
	p := &past{o: o, dir: dir}
	if p.srv, err = child.New(ctx, o.Binary, dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.srv.Close()) }()
	p.srv.Starting = 10 * time.Minute
	if p.accounts, err = p.srv.AddUsers(ctx, "user", writers); err != nil {
		return nil, err
	}
	for _, n := range decades(1_000, o.History) {
		o.Progress("%d messages", n)
		row, err := p.costs(ctx, n)
		if err != nil {
			return nil, err
		}
		costs.add(n, row...)
		if row, err = p.sizes(ctx); err != nil {
			return nil, err
		}
		sizes.add(n, row...)
	}
	return []Table{costs, sizes}, nil
}

// next is the i-th draft of a history.
func (p *past) next(i int) (chat.UserID, chat.Draft) {
	room := i % channels
	if room == 0 {
		return p.accounts[0].ID, message(p.rooms[0])
	}
	return p.accounts[(i/channels)%writers].ID, message(p.rooms[room])
}

// costs lets the history grow to n messages, the last of them through the hub, and measures there.
func (p *past) costs(ctx context.Context, n int) (row []reading, err error) {
	err = inside(ctx, data(p.dir), func(w *world) error {
		row, err = p.grown(ctx, w, n)
		return err
	})
	return row, err
}

func (p *past) grown(ctx context.Context, w *world, n int) (row []reading, err error) {
	if p.rooms == nil {
		var ids []chat.UserID
		for _, a := range p.accounts {
			ids = append(ids, a.ID)
		}
		if p.rooms, err = w.create(ctx, channels, ids[0], ids[1:]...); err != nil {
			return nil, err
		}
		// Everyone has a room of their own besides, as soon as they appear.
		err := w.serve(ctx, hub.Options{}, func(h *hub.Hub) error {
			for _, id := range ids {
				if err := h.Admit(ctx, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	through := min(20_000, max(n/2, behind), n-p.said)
	if _, err := w.fill(ctx, n-through-p.said, func(i int) hub.Append {
		u, d := p.next(p.said + i)
		return hub.Append{From: u, Draft: d}
	}); err != nil {
		return nil, err
	}
	from := chat.Cursor("")
	err = w.serve(ctx, hub.Options{}, func(h *hub.Hub) error {
		var each time.Duration
		if each, from, err = grow(ctx, h, through, p.accounts[0].ID, func(i int) (chat.UserID, chat.Draft) { return p.next(n - through + i) }); err != nil {
			return err
		}
		row, err = p.read(ctx, h, from, min(through, behind))
		row = append([]reading{{"append µs", micros(each)}}, row...)
		return err
	})
	p.said = n
	if err != nil {
		return nil, err
	}
	// A hub with next to nothing in memory, which has to ask the store.
	err = w.serve(ctx, hub.Options{Ring: 64}, func(h *hub.Hub) error {
		back, err := comeBack(ctx, h, p.accounts[1].ID, from, min(through, behind))
		row = append(row, reading{"… from disk ms", millis(back)})
		return err
	})
	return row, err
}

func (p *past) read(ctx context.Context, h *hub.Hub, from chat.Cursor, late int) ([]reading, error) {
	reader, room := p.accounts[1].ID, p.rooms[1]
	newest, err1 := page(ctx, h, reader, room, 0)
	oldest, err2 := page(ctx, h, reader, room, chat.MaxPage+1)
	snap, err3 := snapshot(ctx, h, reader, channels+1)
	alone, err4 := snapshot(ctx, h, p.accounts[0].ID, channels+1)
	back, err5 := comeBack(ctx, h, reader, from, late)
	one, err6 := delivery(ctx, h, p.accounts[0].ID, reader, room)
	return []reading{
		{"delivery µs", micros(one)},
		{"newest page ms", millis(newest)},
		{"oldest page ms", millis(oldest)},
		{"snapshot ms", millis(snap)},
		{"… of who spoke alone", millis(alone)},
		{"1,000 behind ms", millis(back)},
	}, errors.Join(err1, err2, err3, err4, err5, err6)
}

// sizes starts the real binary on the history, in order and after a kill, and asks it for what people ask.
func (p *past) sizes(ctx context.Context) ([]reading, error) {
	inOrder, err := p.srv.Start(ctx)
	if err != nil {
		return nil, err
	}
	idle, err := p.o.Resident(p.srv.PID())
	if err != nil {
		return nil, err
	}
	for _, a := range p.accounts {
		if _, err := p.srv.Snapshot(ctx, a); err != nil {
			return nil, err
		}
		for _, room := range p.rooms {
			var page chat.History
			path := "/api/rooms/" + url.PathEscape(string(room)) + "/events?before=101&limit=100"
			if err := p.srv.Ask(ctx, a, http.MethodGet, path, nil, &page); err != nil {
				return nil, err
			}
		}
	}
	used, err := p.o.Resident(p.srv.PID())
	if err != nil {
		return nil, err
	}
	p.srv.Kill()
	if err := p.srv.Gone(ctx); err != nil {
		return nil, err
	}
	killed, err := p.srv.Start(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.srv.Stop(ctx); err != nil {
		return nil, err
	}
	disk := int64(0)
	files, err := os.ReadDir(p.srv.Data())
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) == ".db" {
			info, err := f.Info()
			if err != nil {
				return nil, err
			}
			disk += info.Size()
		}
	}
	return []reading{
		{"start ms", millis(inOrder)},
		{"start after a kill ms", millis(killed)},
		{"resident MiB", float64(idle) / 1024},
		{"… after 110 reads", float64(used) / 1024},
		{"bytes on disk a message", float64(disk) / float64(p.said)},
	}, nil
}
