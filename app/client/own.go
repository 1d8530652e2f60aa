package client

import (
	"bytes"
	"context"
	"time"

	"parley/app/chat"
)

// What was written and not sent, the drafts and the outbox, is one record for each tab, so that no
// tab overwrites another's. A tab holds a lock of its record's name as long as it lives. A record whose
// lock is free is an ended tab's: whoever gets the lock takes in what it says and removes it, in one
// piece with saving its own. So it is in one record at every moment.

// lockPrefix makes locks' names this program's.
const lockPrefix = "parley-"

// moment is how long a page that was left may still hold what it held.
const moment = time.Second

// A legacy is the record of a tab that has ended.
type legacy struct {
	key     string
	record  []byte
	rest    []byte // of the record, what nobody could take in yet; nil: nothing
	release func()
}

// nameOwn names this tab's record, and holds it.
func (e *Engine) nameOwn(ctx context.Context) {
	e.tabs.own = DiskOwn
	if e.c.Tabs == nil {
		return
	}
	id := string(chat.NewID[chat.Nonce]())
	release, ok, err := e.c.Tabs.Try(ctx, lockPrefix+DiskOwn+"/"+id)
	if err != nil || !ok {
		e.tabs.lockless = true // tabs can not be told from each other
		return
	}
	e.tabs.own, e.tabs.id, e.tabs.release = DiskOwn+"/"+id, id, release
	e.tabs.before = DiskOwn + "/" + e.c.Tabs.Succeed(id)
}

// bequeathed takes the lock of an ended tab's record. That of who was in this tab before may
// take a moment more to be free.
func (e *Engine) bequeathed(ctx context.Context, key string) (release func(), ok bool) {
	release, ok, err := e.c.Tabs.Try(ctx, lockPrefix+key)
	if ok || err != nil || key != e.tabs.before {
		return release, ok && err == nil
	}
	ctx, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	release, err = e.c.Tabs.Hold(ctx, lockPrefix+key)
	return release, err == nil
}

// legacies finds the records of ended tabs, and holds them. Where there are no locks, there is one
// record for all.
func (e *Engine) legacies(ctx context.Context) (found []legacy, err error) {
	keys, err := e.c.Disk.Keys(ctx, DiskOwn)
	for _, key := range keys {
		l := legacy{key: key, release: func() {}}
		if key != e.tabs.own {
			if e.tabs.id == "" {
				continue
			}
			release, ok := e.bequeathed(ctx, key)
			if !ok {
				continue
			}
			l.release = release
		}
		if l.record, err = e.c.Disk.Load(ctx, key); err != nil || l.record == nil {
			l.release()
			continue
		}
		found = append(found, l)
	}
	return found, err
}

// inherit takes in what ended tabs left.
func (e *Engine) inherit(found []legacy) {
	for _, l := range found {
		if l.key == e.tabs.own {
			e.model.Adopt(l.record)
			continue
		}
		l.rest = e.model.Adopt(l.record)
		if bytes.Equal(l.rest, l.record) {
			l.release()
			continue
		}
		e.tabs.took = append(e.tabs.took, l)
		e.wrote()
		e.in(alarmOwn, 0)
	}
}

// adopt looks for what tabs left that ended since.
func (e *Engine) adopt() {
	if e.model.You() == "" || e.tabs.id == "" || len(e.tabs.took) > 0 {
		return
	}
	era := e.era
	e.spool(func(ctx context.Context) error {
		found, err := e.legacies(ctx)
		ok := e.post(func() {
			if era != e.era {
				letGo(found)
				return
			}
			e.step(func() { e.inherit(found) })
			e.pump()
		})
		if !ok {
			letGo(found)
		}
		return err
	})
}

func letGo(list []legacy) {
	for _, l := range list {
		l.release()
	}
}

// keepOwn returns how to write this tab's record, and in one piece with it what was taken out
// of others'.
func (e *Engine) keepOwn(record []byte) func(context.Context) error {
	records, took, you := map[string][]byte{e.tabs.own: record}, e.tabs.took, e.model.You()
	e.tabs.took = nil
	for _, l := range took {
		records[l.key] = l.rest
	}
	return func(ctx context.Context) error {
		err := e.c.Disk.SaveAll(ctx, records)
		again := func() {
			if you != e.model.You() {
				letGo(took) // it is not theirs who is here now
				return
			}
			e.tabs.took = append(e.tabs.took, took...)
		}
		if err == nil || !e.post(again) {
			letGo(took)
		}
		return err
	}
}
