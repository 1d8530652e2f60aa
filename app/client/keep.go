package client

import (
	"context"
	"encoding/json"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// A spool has what is to be done with the disk done one after another.
type spool struct {
	busy  bool
	again bool // what was written changed while busy
	retry backoff
	queue []func(context.Context) error
}

const (
	diskPatience  = 5 * time.Second        // before there is something to show, or when the end has come
	writePatience = 30 * time.Second       // meanwhile: nobody waits for it, and what is given up may be lost
	ownAfter      = 300 * time.Millisecond // changes are kept together
	knownAfter    = 300 * time.Millisecond
	knownEvery    = 2 * time.Second // while they never cease
)

// load reads what was kept. It is done before anything else, so that there is something to show.
func (e *Engine) load() {
	ctx, cancel := context.WithTimeout(e.ctx, diskPatience)
	defer cancel()
	read := func(key string) []byte {
		b, err := caught(e, func() ([]byte, error) { return e.c.Disk.Load(ctx, key) })
		if err != nil {
			e.c.Report("reading from disk: " + err.Error())
		}
		return b
	}
	var choice model.Choice
	b, err := caught(e, e.c.Disk.LoadChoice)
	if err != nil {
		e.c.Report("reading the choice of the way: " + err.Error())
	}
	if json.Unmarshal(b, &choice) == nil && valid(&choice) {
		e.conn.Choice = choice
	}
	e.recall(read(DiskLearnt))
	if known := read(DiskKnown); known != nil {
		e.step(func() {
			if err := e.model.Load(known, nil); err != nil {
				e.c.Report(err.Error()) // a snapshot will replace it
			}
		})
	}
	e.nameOwn(ctx)
	found, err := caught(e, func() ([]legacy, error) { return e.legacies(ctx) })
	if err != nil {
		e.c.Report("reading from disk: " + err.Error())
	}
	e.step(func() { e.inherit(found) })
	if e.model.Self() != "" {
		e.session = model.SignedIn // until the server says otherwise
	}
}

// valid reports whether c can be used, and puts its interval within bounds.
func valid(c *model.Choice) bool {
	if c.Every != 0 || !c.Auto && c.Via == chat.Poll {
		c.Every = min(max(c.Every, time.Second), time.Minute)
	}
	if c.Auto {
		return true
	}
	for _, v := range chat.Vias {
		if c.Via == v {
			return true
		}
	}
	return false
}

// changed says that the model changed by what came over the feed.
func (e *Engine) changed() {
	e.dirty = true
	e.by(alarmKnown, knownAfter)
}

// wrote says that what the person wrote changed.
func (e *Engine) wrote() {
	e.dirty = true
	e.by(alarmOwn, ownAfter)
}

func (e *Engine) saveKnown() {
	if e.disk.busy {
		e.in(alarmKnown, knownEvery)
		return
	}
	if e.model.Stale() || e.model.Self() == "" {
		return // what is on disk is older, and whole
	}
	if e.now != nil && e.now.shared {
		return // the tab that leads does
	}
	record, err := e.model.Save()
	if err != nil {
		e.c.Report(err.Error())
		return
	}
	e.keep(alarmKnown, func(ctx context.Context) error { return e.c.Disk.Save(ctx, DiskKnown, record) })
}

func (e *Engine) saveOwn() {
	if e.disk.busy {
		e.disk.again = true
		return
	}
	if e.model.You() == "" {
		return
	}
	record, err := e.model.SaveOwn()
	if err != nil {
		e.c.Report(err.Error())
		return
	}
	e.keep(alarmOwn, e.keepOwn(record))
}

func (e *Engine) saveChoice() {
	record, err := json.Marshal(e.conn.Choice)
	if err == nil {
		err = e.c.Disk.SaveChoice(record)
	}
	if err != nil {
		e.c.Report("writing the choice of the way: " + err.Error())
	}
}

// keep spools the write of an alarm. Should it fail, the alarm is set again: then is written what there is
// by then, which is nobody else's.
func (e *Engine) keep(a alarm, f func(context.Context) error) {
	e.spool(func(ctx context.Context) error {
		err := f(ctx)
		e.post(func() {
			if err != nil {
				e.by(a, e.disk.retry.next(err))
			} else {
				e.disk.retry.reset()
			}
		})
		return err
	})
}

// spool does f after what was spooled before.
func (e *Engine) spool(f func(context.Context) error) {
	e.disk.queue = append(e.disk.queue, f)
	if !e.disk.busy {
		e.unspool()
	}
}

func (e *Engine) unspool() {
	if e.disk.busy = len(e.disk.queue) > 0; !e.disk.busy {
		if e.disk.again {
			e.disk.again = false
			e.saveOwn()
		}
		return
	}
	f := e.disk.queue[0]
	e.disk.queue = e.disk.queue[1:]
	// The end of the engine must not cut a write short.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), writePatience)
	e.spawn(func() {
		defer cancel()
		_, err := caught(e, func() (struct{}, error) { return struct{}{}, f(ctx) })
		if err != nil {
			e.c.Report("writing to disk: " + err.Error())
		}
		e.post(e.unspool)
	})
}

// flush writes at once what was to be written soon: the page may be about to end.
func (e *Engine) flush() {
	for _, a := range []alarm{alarmOwn, alarmKnown} {
		if e.set(a) {
			e.in(a, 0)
		}
	}
}

// lastSave writes what was not written yet, when nothing else goes on any more.
func (e *Engine) lastSave() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), diskPatience)
	defer cancel()
	todo := e.disk.queue
	if (e.set(alarmOwn) || e.disk.again) && e.model.You() != "" {
		if record, err := e.model.SaveOwn(); err == nil {
			todo = append(todo, e.keepOwn(record))
		}
	}
	if e.set(alarmKnown) && !e.model.Stale() && e.model.Self() != "" {
		if record, err := e.model.Save(); err == nil {
			todo = append(todo, func(ctx context.Context) error { return e.c.Disk.Save(ctx, DiskKnown, record) })
		}
	}
	for _, f := range todo {
		e.step(func() {
			if err := f(ctx); err != nil {
				e.c.Report("writing to disk: " + err.Error())
			}
		})
	}
}
