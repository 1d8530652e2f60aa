package client

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A MemoryBrowser is a browser in memory: engines in one process are its tabs.
type MemoryBrowser struct {
	mu    sync.Mutex
	tabs  []*MemoryTab
	locks map[string]*memoryLock
}

type memoryLock struct {
	of      *MemoryTab
	waiting []*memoryWait
}

type memoryWait struct {
	of      *MemoryTab
	granted chan struct{}
}

// A MemoryTab is one tab of a MemoryBrowser.
type MemoryTab struct {
	in     *MemoryBrowser
	heard  chan []byte
	runs   string // who
	ended  bool
	frozen bool
}

// NewMemoryBrowser returns one without tabs.
func NewMemoryBrowser() *MemoryBrowser {
	return &MemoryBrowser{locks: map[string]*memoryLock{}}
}

// Open opens a tab.
func (b *MemoryBrowser) Open() *MemoryTab {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &MemoryTab{in: b, heard: make(chan []byte, heardMost)}
	b.tabs = append(b.tabs, t)
	return t
}

// Reload closes the tab and opens it again. For a moment it still holds what it held.
func (t *MemoryTab) Reload(moment time.Duration) *MemoryTab {
	again := t.in.Open()
	t.in.mu.Lock()
	again.runs = t.runs
	t.in.mu.Unlock()
	time.AfterFunc(moment, t.Close)
	return again
}

// Close ends the tab as a crash does: from now on it says nothing, hears nothing and holds nothing.
func (t *MemoryTab) Close() {
	b := t.in
	b.mu.Lock()
	defer b.mu.Unlock()
	t.ended = true
	b.tabs = slices.DeleteFunc(b.tabs, func(o *MemoryTab) bool { return o == t })
	for name, l := range b.locks {
		l.waiting = slices.DeleteFunc(l.waiting, func(w *memoryWait) bool { return w.of == t })
		if l.of == t {
			b.pass(name, l)
		}
	}
}

// Freeze has the tab neither say nor hear anything, or again. It keeps its locks.
func (t *MemoryTab) Freeze(on bool) {
	t.in.mu.Lock()
	defer t.in.mu.Unlock()
	t.frozen = on
}

// pass hands a lock to who waits first.
func (b *MemoryBrowser) pass(name string, l *memoryLock) {
	if len(l.waiting) == 0 {
		delete(b.locks, name)
		return
	}
	w := l.waiting[0]
	l.waiting = l.waiting[1:]
	l.of = w.of
	close(w.granted)
}

func (t *MemoryTab) release(name string, l *memoryLock) func() {
	return sync.OnceFunc(func() {
		t.in.mu.Lock()
		defer t.in.mu.Unlock()
		if t.in.locks[name] == l && l.of == t {
			t.in.pass(name, l)
		}
	})
}

// Hold implements Tabs.
func (t *MemoryTab) Hold(ctx context.Context, name string) (func(), error) {
	b := t.in
	b.mu.Lock()
	l := b.locks[name]
	if l == nil && !t.ended {
		l = &memoryLock{of: t}
		b.locks[name] = l
		b.mu.Unlock()
		return t.release(name, l), nil
	}
	w := &memoryWait{of: t, granted: make(chan struct{})}
	if !t.ended {
		l.waiting = append(l.waiting, w)
	}
	b.mu.Unlock()
	select {
	case <-w.granted:
		return t.release(name, l), nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	if l != nil {
		l.waiting = slices.DeleteFunc(l.waiting, func(o *memoryWait) bool { return o == w })
	}
	b.mu.Unlock()
	select {
	case <-w.granted: // at the same moment
		t.release(name, l)()
	default:
	}
	return nil, ctx.Err()
}

// Try implements Tabs.
func (t *MemoryTab) Try(_ context.Context, name string) (func(), bool, error) {
	t.in.mu.Lock()
	defer t.in.mu.Unlock()
	if t.ended || t.in.locks[name] != nil {
		return nil, false, nil
	}
	l := &memoryLock{of: t}
	t.in.locks[name] = l
	return t.release(name, l), true, nil
}

// Succeed implements Tabs.
func (t *MemoryTab) Succeed(id string) (before string) {
	t.in.mu.Lock()
	defer t.in.mu.Unlock()
	before, t.runs = t.runs, id
	return before
}

// Say implements Tabs.
func (t *MemoryTab) Say(note []byte) {
	t.in.mu.Lock()
	defer t.in.mu.Unlock()
	if t.ended || t.frozen {
		return
	}
	for _, o := range t.in.tabs {
		if o != t && !o.frozen {
			select {
			case o.heard <- note:
			default:
			}
		}
	}
}

// Heard implements Tabs.
func (t *MemoryTab) Heard() <-chan []byte { return t.heard }
