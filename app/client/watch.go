package client

import (
	"sync"
	"time"

	"parley/app/model"
)

// A watcher shows views. It is handed one at a time, the newest there is when it is ready.
type watcher struct {
	views chan *model.View
	gone  chan struct{}
	idle  bool
	seen  *model.View
}

// Watch calls f with the newest View, now and after changes, one call at a time. It
// passes over Views that were overtaken before f was ready for them.
func (e *Engine) Watch(f func(*model.View)) (stop func()) {
	w := &watcher{views: make(chan *model.View, 1), gone: make(chan struct{}), idle: true}
	e.spawn(func() {
		for {
			select {
			case v := <-w.views:
				e.step(func() { f(v) })
				e.post(func() { w.idle = true })
			case <-w.gone:
				return
			case <-e.done:
				return
			}
		}
	})
	// Not from this goroutine: the engine may not run yet.
	e.spawn(func() { e.post(func() { e.watchers = append(e.watchers, w) }) })
	return sync.OnceFunc(func() {
		close(w.gone)
		e.spawn(func() { e.post(func() { e.unwatch(w) }) })
	})
}

func (e *Engine) unwatch(w *watcher) {
	for i, o := range e.watchers {
		if o == w {
			e.watchers = append(e.watchers[:i:i], e.watchers[i+1:]...)
			return
		}
	}
}

// publish makes a View, if anything changed and anyone is ready to see it.
func (e *Engine) publish() {
	for _, w := range e.watchers {
		if !w.idle {
			continue
		}
		if e.dirty || e.view == nil || e.conn != e.shownCon {
			e.step(e.show)
		}
		if w.seen != e.view {
			w.idle, w.seen = false, e.view
			w.views <- e.view
		}
	}
}

func (e *Engine) show() {
	e.dirty = false
	e.conn.Outbox = 0
	for _, i := range e.model.Outbox() {
		if (i.State == model.Queued || i.State == model.Sending) && i.Draft.Message != nil && !i.Doomed {
			e.conn.Outbox++
		}
	}
	if e.conn != e.shownCon {
		e.conn.Version++
		e.shownCon = e.conn
	}
	now := e.c.Now()
	if next := e.model.Expire(now); !next.IsZero() {
		e.in(alarmTyping, max(next.Sub(now), time.Millisecond))
	}
	e.view = e.model.View(now, e.session, e.conn)
}
