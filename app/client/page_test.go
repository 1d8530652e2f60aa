package client_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing/synctest"
	"time"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
	"parley/app/transport"
)

// A page is one tab of a browser, in a world.
type page struct {
	w       *world
	tab     *client.MemoryTab
	engine  *client.Engine
	cancel  context.CancelFunc
	done    chan struct{}
	dead    atomic.Bool
	last    atomic.Pointer[model.View]
	streams atomic.Int32 // that it holds now
	delay   atomic.Int64 // of its questions, there and back each
}

// A remote server takes its time.
type remote struct {
	api
	delay *atomic.Int64
}

func (r remote) wait(ctx context.Context) {
	if d := time.Duration(r.delay.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
}

func (r remote) Peek(ctx context.Context, after chat.Cursor) (chat.Batch, error) {
	r.wait(ctx)
	defer r.wait(ctx)
	return r.api.Peek(ctx, after)
}

func (r remote) Snapshot(ctx context.Context) (chat.Snapshot, error) {
	r.wait(ctx)
	defer r.wait(ctx)
	return r.api.Snapshot(ctx)
}

// open opens a tab.
func (w *world) open(b *client.MemoryBrowser) *page { return w.openAs(b, b.Open(), "v1") }

func (w *world) openAs(_ *client.MemoryBrowser, tabs client.Tabs, version string) *page {
	p := &page{w: w, done: make(chan struct{})}
	p.tab, _ = tabs.(*client.MemoryTab)
	p.engine = client.New(client.Config{
		Disk: mortal{scarce{w.disk, w}, p}, Tabs: tabs, Version: version, Zone: time.UTC, API: remote{api{w}, &p.delay}, Rand: func() float64 { return w.random },
		Links: func(via chat.Via, every time.Duration) transport.Transport {
			return counted{link{w, via, every}, &p.streams}
		},
		Report: func(f string) {
			if !p.dead.Load() {
				w.set(func() { w.faults = append(w.faults, f) })
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.engine.Run(ctx); close(p.done) }()
	w.t.Cleanup(p.close)
	p.engine.Watch(func(v *model.View) { p.last.Store(v) })
	p.engine.Open(w.room)
	return p
}

// kill ends the tab as a crash does: nothing is said or written any more.
func (p *page) kill() {
	p.dead.Store(true)
	if p.tab != nil {
		p.tab.Close()
	}
	p.cancel()
	<-p.done
}

// close ends the tab in good order.
func (p *page) close() {
	p.cancel()
	<-p.done
	if p.tab != nil {
		p.tab.Close()
	}
}

func (p *page) view() *model.View {
	synctest.Wait()
	return p.last.Load()
}

func (p *page) texts() []string {
	texts, _ := shown(p.view())
	return texts
}

// A mortal disk is written to no more after its tab's death.
type mortal struct {
	client.Disk
	p *page
}

var errDead = errors.New("the tab has ended")

func (d mortal) Save(ctx context.Context, key string, record []byte) error {
	if d.p.dead.Load() {
		return errDead
	}
	return d.Disk.Save(ctx, key, record)
}

func (d mortal) SaveAll(ctx context.Context, records map[string][]byte) error {
	if d.p.dead.Load() {
		return errDead
	}
	return d.Disk.SaveAll(ctx, records)
}

// counted counts what goes on.
type counted struct {
	link
	n *atomic.Int32
}

func (c counted) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		c.n.Add(1)
		defer c.n.Add(-1)
		c.link.Follow(ctx, after)(yield)
	}
}

func streams(pages ...*page) (n int) {
	synctest.Wait()
	for _, p := range pages {
		n += int(p.streams.Load())
	}
	return n
}

// leader is which of them follows the server.
func leader(pages []*page) int {
	synctest.Wait()
	return slices.IndexFunc(pages, func(p *page) bool { return p.streams.Load() > 0 })
}
