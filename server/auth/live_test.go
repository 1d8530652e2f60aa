package auth

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/app/chat"
)

var here = netip.MustParseAddr("192.0.2.1")

func someone(i int) Identity {
	return Identity{User: chat.User{ID: chat.UserID(fmt.Sprint("user", i%3))}, Grant: fmt.Sprint("grant", i%7)}
}

func TestLiveEndsWhatAGrantOpened(t *testing.T) {
	l := newLive(Streams{PerAccount: 100, PerIP: 100})
	ended := map[string]int{}
	var open []*Stream
	for i := range 70 {
		s, err := l.Open(someone(i), here, func() { ended[someone(i).Grant]++ })
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	l.Close(open[1])
	l.Close(open[1]) // twice is once
	l.End("grant1", "grant2", "nobody's")
	if ended["grant1"] != 9 || ended["grant2"] != 10 || len(ended) != 2 || l.Len() != 69 {
		t.Errorf("ended %v, %d are open", ended, l.Len())
	}
	for _, s := range open {
		l.Close(s)
	}
	if l.Len() != 0 || len(l.byGrant)+len(l.byIP)+len(l.byUser) != 0 {
		t.Errorf("left: %v %v %v", l.byGrant, l.byIP, l.byUser)
	}
}

func TestLiveFromManySides(t *testing.T) {
	l := newLive(Streams{PerAccount: 1_000, PerIP: 1_000})
	var ends atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			for range 50 {
				s, err := l.Open(someone(i), here, func() { ends.Add(1) })
				if err != nil {
					t.Error(err)
					return
				}
				l.End(someone(i + 1).Grant)
				l.Close(s)
			}
		})
	}
	all.Wait()
	if l.Len() != 0 || len(l.byGrant) != 0 {
		t.Errorf("%d are left", l.Len())
	}
}

func TestKnownForgetsWhatEndsMeanwhile(t *testing.T) {
	k, now := newKnown(), time.Now()
	g := Grant{ID: "id", Secret: digest("secret")}
	_, _, as, ok := k.find(g.Secret, now)
	if ok {
		t.Fatal("known before it was read")
	}
	k.forget("id") // ended while the store was being read
	k.keep(g, User{}, as, now)
	if _, _, _, ok := k.find(g.Secret, now); ok {
		t.Error("what ended while it was read is known")
	}
	_, _, as, _ = k.find(g.Secret, now)
	k.keep(g, User{}, as, now)
	if _, _, _, ok := k.find(g.Secret, now); !ok {
		t.Error("what was read is not known")
	}
	if _, _, _, ok := k.find(g.Secret, now.Add(knownFor)); ok {
		t.Error("known for too long")
	}
	k.forget("id")
	if _, _, _, ok := k.find(g.Secret, now); ok {
		t.Error("what ended is known")
	}
}

// touched counts how often it is written that grants are in use.
type touched struct {
	Store
	writes, grants int
}

func (s *touched) Touch(_ context.Context, _ time.Time, grants ...string) (gone []string, err error) {
	s.writes++
	s.grants += len(grants)
	if i := slices.Index(grants, "grant7"); i >= 0 {
		gone = grants[i : i+1]
	}
	return gone, nil
}

func (s *touched) EndStale(context.Context, time.Time, time.Time, time.Time) ([]string, error) {
	return nil, nil
}

// Thousands who only read must not cost a commit each, every minute: those who write would wait for them. Whose session another process
// has ended is let go then.
func TestTendWritesOfManyAtOnce(t *testing.T) {
	s := &touched{}
	a := New(s, Options{Streams: Streams{PerIP: 10_000}})
	var ended []int
	for i := range 1000 {
		id := Identity{User: chat.User{ID: chat.UserID(fmt.Sprint("user", i))}, Grant: fmt.Sprint("grant", i), Token: true}
		if _, err := a.Live.Open(id, here, func() { ended = append(ended, i) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.grants != 1000 || s.writes > 4 {
		t.Errorf("%d grants are noted in %d writes, want 1000 in 4", s.grants, s.writes)
	}
	if !slices.Equal(ended, []int{7}) {
		t.Errorf("%v are let go, want 7", ended)
	}
}
