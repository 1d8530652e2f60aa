package power

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// A Fault makes calls of the server fail. Each thread counts its calls for itself.
type Fault struct {
	Call  string // such as pwrite64
	Error string // such as ENOSPC
	N     int    // the call that fails, from 1 on
	On    bool   // and all after it
}

// String is the fault in strace's words.
func (f Fault) String() string {
	s := f.Call + ":error=" + f.Error + ":when=" + strconv.Itoa(f.N)
	if f.On {
		s += "+"
	}
	return s
}

// full reports whether the fault is that there is no space, of which a server gets over.
func (f Fault) full() bool { return f.Error == "ENOSPC" && f.Call == "pwrite64" }

// A Drill is one life of a server with a fault, and what came of it.
type Drill struct {
	Fault    Fault
	Messages int

	Struck  int               // how often a call failed
	Started bool              // the server became ready all the same
	Ended   bool              // it ended by itself while it was used
	Refused map[chat.Code]int // sends, by what they were told
	Broken  int               // sends that got no answer
	Wrong   []string          // what should not be
}

func (d *Drill) String() string {
	how := "refused to start"
	if d.Started {
		if how = "went on"; d.Ended {
			how = "ended"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v: struck %d times, the server %s", d.Fault, d.Struck, how)
	for _, c := range slices.Sorted(maps.Keys(d.Refused)) {
		fmt.Fprintf(&b, ", %d × %s", d.Refused[c], c)
	}
	return b.String()
}

func (d *Drill) wrong(format string, args ...any) {
	d.Wrong = append(d.Wrong, fmt.Sprintf("%v: ", d.Fault)+fmt.Sprintf(format, args...))
}

// enough is how many refusals in a row mean that a fault does not pass by itself.
const enough = 4

// Run drills a server whose data are a copy of those in dir template, with an account and a room.
func (d *Drill) Run(ctx context.Context, binary string, template *Template, dir string, rnd *rand.Rand) (err error) {
	srv, err := template.open(ctx, binary, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	file := filepath.Join(dir, "trace.log")
	srv.Under = Strace(file, d.Fault.String())
	p := &people{srv: srv, acct: template.acct, room: template.room, rand: rnd}
	d.Refused = map[chat.Code]int{}

	heal := func() error { // starts the server without the fault
		srv.Under = nil
		_, err := srv.Start(ctx)
		return err
	}
	if _, err := srv.Start(ctx); err != nil {
		if d.struck(file) == 0 || srv.Exit() == nil {
			return fmt.Errorf("%v: %w", d.Fault, err)
		}
		if said := srv.Said(); d.Fault.full() && !strings.Contains(said, "storage is full") {
			d.wrong("the server did not start and did not say why: %s", said)
		}
		if err := heal(); err != nil {
			return err
		}
	} else {
		d.Started = true
	}
	for range d.Messages {
		if err := d.insist(ctx, p, file, heal); err != nil {
			return err
		}
	}
	before := d.struck(file)
	ended := srv.Under == nil
	if err := srv.Stop(ctx); err != nil && (ended || d.struck(file) == 0) {
		return err // there was no fault that could explain it
	}
	if d.Fault.Error == "EINTR" && d.Fault.Call != "fsync" && (ended || len(d.Refused) > 0) {
		d.wrong("a call that was interrupted was not tried again")
	}
	if !d.Fault.full() && d.Fault.Error != "EINTR" && before > 0 && !ended {
		d.wrong("the server went on with a file that it could not write")
	}
	d.judge(ctx, filepath.Join(dir, "data"), p)
	return nil
}

// insist sends one message until it is acknowledged. A server that has ended, or that refuses for good,
// is started again without the fault.
func (d *Drill) insist(ctx context.Context, p *people, file string, heal func() error) error {
	link, draft := p.link(chat.Poll), p.draft()
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	giveUp := time.Now().Add(patience)
	for refused := 0; ; {
		e, err := link.Send(ctx, draft)
		if err == nil {
			return p.answered(draft, e)
		}
		if told, ok := errors.AsType[*chat.Error](err); !ok {
			d.Broken++
		} else {
			d.Refused[told.Code]++
			refused++
			if told.Code != chat.CodeStorageFull && told.Code != chat.CodeUnavailable || told.Message == "" {
				d.wrong("a sender was told %q: %s", told.Code, told.Message)
			}
			if told.Code == chat.CodeUnavailable && d.Fault.full() {
				d.wrong("a sender was not told that the storage is full, but: %s", told.Message)
			}
		}
		if chat.Final(err) || time.Now().After(giveUp) {
			return fmt.Errorf("%v: sending %s: %w", d.Fault, draft.Nonce, err)
		}
		select {
		case <-p.srv.Done():
			if d.Ended = true; p.srv.Exit() == nil {
				d.wrong("the server ended as if all were well")
			}
			if d.struck(file) == 0 {
				return fmt.Errorf("%v: the server ended without a fault: %s", d.Fault, p.srv.Said())
			}
			if d.Fault.full() {
				d.wrong("the server ended because there was no space: %s", p.srv.Said())
			}
			if err := heal(); err != nil {
				return err
			}
			refused = 0
		case <-pause.C:
			if refused >= enough && d.Fault.On {
				p.srv.Kill()
				if err := p.srv.Gone(ctx); err != nil {
					return err
				}
				if err := heal(); err != nil {
					return err
				}
				refused = 0
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// struck counts the calls that were made to fail until now.
func (d *Drill) struck(file string) int {
	b, err := os.ReadFile(file)
	if err != nil {
		d.wrong("%v", err)
	}
	d.Struck = bytes.Count(b, []byte("(INJECTED"))
	return d.Struck
}

// judge looks for every message in the log, once.
func (d *Drill) judge(ctx context.Context, data string, p *people) {
	found, err := look(ctx, data)
	if err != nil {
		d.wrong("afterwards: %v", err)
	}
	for _, m := range p.sent {
		switch e, ok := found[m.Nonce]; {
		case !ok:
			d.wrong("%s was acknowledged and is not in the log", m.Nonce)
		case e.Seq != m.Seq || e.Message.Text != m.Text:
			d.wrong("%s was acknowledged as number %d and is number %d", m.Nonce, m.Seq, e.Seq)
		}
		delete(found, m.Nonce)
	}
	for n := range found {
		d.wrong("%s is in the log, and nobody sent it", n)
	}
}

// A Template is a data directory with an account and a room, from which drills begin.
type Template struct {
	dir  string
	acct *child.Account
	room chat.RoomID
}

// NewTemplate makes one in dir.
func NewTemplate(ctx context.Context, binary, dir string) (_ *Template, err error) {
	srv, err := child.New(ctx, binary, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	p, err := settle(ctx, srv, nil)
	if err != nil {
		return nil, err
	}
	return &Template{dir: filepath.Join(dir, "data"), acct: p.acct, room: p.room}, srv.Stop(ctx)
}

// open prepares a server in dir, with a copy of the template.
func (t *Template) open(ctx context.Context, binary, dir string) (*child.Server, error) {
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(t.dir)); err != nil {
		return nil, err
	}
	return child.New(ctx, binary, dir)
}
