package power

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	_ "modernc.org/sqlite" // to check a database beside the store that has it open

	"parley/app/chat"
	"parley/build/child"
	"parley/server/hub"
	"parley/server/sqlite"
)

// A Sweep cuts the power at points of a recording.
type Sweep struct {
	Recording *Recording
	Rand      *rand.Rand
	Points    int
	Scratch   string // an existing directory
	Again     int    // at one point of so many, the program itself goes on from there; 0: nowhere
}

// A Swept is what a sweep found.
type Swept struct {
	Points int
	Acked  int // messages looked for, at all points together
	Lost   int
	Bad    []string // what was wrong, and where
}

func (s Swept) String() string {
	return fmt.Sprintf("%d losses of power, %d acknowledged messages looked for: %d lost, %d points with faults", s.Points, s.Acked, s.Lost, len(s.Bad))
}

// Run sweeps.
func (s Sweep) Run(ctx context.Context) (Swept, error) {
	var out Swept
	d := newDisk(s.Recording.Dir)
	moments := d.replay(s.Recording.Trace)
	if len(moments) < s.Points {
		return out, fmt.Errorf("%d moments are fewer than %d points", len(moments), s.Points)
	}
	told := spoken(s.Recording.Trace)
	at := s.Rand.Perm(len(moments))[:s.Points]
	slices.Sort(at)
	for i, m := range moments {
		for len(at) > 0 && at[0] == i {
			at = at[1:]
			if err := s.point(ctx, d, m.line, told, &out); err != nil {
				return out, fmt.Errorf("the power cut before line %d: %w", m.line+1, err)
			}
		}
		if err := m.do(); err != nil {
			return out, err
		}
	}
	// What was built from the trace is what is there.
	db := filepath.Join(s.Recording.Dir, "data", "parley.db")
	if same, err := d.holds(db); err != nil || !same {
		return out, errors.Join(fmt.Errorf("the trace does not say all that was done to %s", db), err)
	}
	return out, nil
}

// point cuts the power before a line, and looks at what is left.
func (s Sweep) point(ctx context.Context, d *disk, line int, told map[string]int, out *Swept) (err error) {
	dir, err := os.MkdirTemp(s.Scratch, "cut")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	how := loss(s.Rand.IntN(int(losses)))
	if err := d.cut(dir, s.Rand, how); err != nil {
		return err
	}
	out.Points++
	bad := func(err error) {
		out.Bad = append(out.Bad, fmt.Sprintf("the power cut before line %d, loss %d: %v", line+1, how, err))
	}
	found, err := look(ctx, filepath.Join(dir, "data"))
	if err != nil {
		bad(err)
	}
	lost := 0
	for _, m := range s.Recording.Messages {
		if at, ok := told[string(m.Nonce)]; !ok || at >= line {
			continue
		}
		out.Acked++
		switch e, ok := found[m.Nonce]; {
		case !ok:
			lost++
		case m.Seq != 0 && (e.Seq != m.Seq || e.Room != m.Room), e.Message == nil || e.Message.Text != m.Text:
			bad(fmt.Errorf("%s was acknowledged as number %d and is another message, number %d", m.Nonce, m.Seq, e.Seq))
		}
	}
	if out.Lost += lost; lost > 0 {
		bad(fmt.Errorf("%d acknowledged messages are lost", lost))
	}
	if s.Again > 0 && out.Points%s.Again == 0 && len(found) > 0 {
		if err := s.again(ctx, dir); err != nil {
			bad(err)
		}
	}
	return nil
}

// again has the program go on from what is left in dir.
func (s Sweep) again(ctx context.Context, dir string) (err error) {
	srv, err := child.New(ctx, s.Recording.program, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if _, err := srv.Start(ctx); err != nil {
		return err
	}
	p := &people{srv: srv, acct: s.Recording.people.acct, room: s.Recording.people.room, rand: s.Rand}
	if err := p.send(ctx, p.link(chat.Poll), 1); err != nil {
		return err
	}
	return srv.Stop(ctx)
}

// look opens a data directory as the server does, and reads its whole log: one event for each nonce,
// and no number of a room missing.
func look(ctx context.Context, data string) (_ map[chat.Nonce]chat.Event, err error) {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: data, Serve: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // closing is not given up half-way
	if err := intact(ctx, filepath.Join(data, "parley.db")); err != nil {
		return nil, err
	}
	found := map[chat.Nonce]chat.Event{}
	heads := map[chat.RoomID]chat.Seq{}
	for pos := hub.Pos(0); ; {
		page, err := store.After(ctx, pos, 1000)
		if err != nil || len(page) == 0 {
			return found, err
		}
		for _, l := range page {
			e := l.Event
			if heads[e.Room]++; e.Seq != heads[e.Room] || l.Pos != pos+1 {
				return found, fmt.Errorf("number %d of a room, at %d, comes after number %d, at %d", e.Seq, l.Pos, heads[e.Room]-1, pos)
			}
			pos = l.Pos
			if e.Message != nil {
				if _, twice := found[e.Nonce]; twice {
					return found, fmt.Errorf("%s is in the log twice", e.Nonce)
				}
				found[e.Nonce] = e
			}
		}
	}
}

// intact has SQLite check a database.
func intact(ctx context.Context, file string) (err error) {
	u := url.URL{Scheme: "file", Path: file}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the database is damaged: %s", verdict)
	}
	return nil
}
