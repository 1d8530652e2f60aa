package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/app/chat"
)

func TestBucketRefills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(Rates{Send: 5, SendBurst: 20})
		take := func(n int) (allowed int, last error) {
			for range n {
				if err := l.Send("ana"); err == nil {
					allowed++
				} else {
					last = err
				}
			}
			return allowed, last
		}
		n, err := take(50)
		if n != 20 || chat.CodeOf(err) != chat.CodeRateLimited {
			t.Fatalf("%d at once, then %v", n, err)
		}
		var refusal *chat.Error
		if !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		wait := refusal.RetryAfter()
		if wait <= 0 || wait > 200*time.Millisecond {
			t.Errorf("wait %v", wait)
		}
		<-time.After(wait)
		if n, _ := take(50); n != 1 {
			t.Errorf("%d after the wait", n)
		}
		<-time.After(time.Second)
		if n, _ := take(50); n != 5 {
			t.Errorf("%d after a second", n)
		}
		if err := l.Send("ben"); err != nil {
			t.Errorf("another account: %v", err)
		}
	})
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	l, now := newLimits(Rates{}), time.Now()
	th := newThrottle()
	for i := range 3 * maxKeys {
		_ = l.send.take(chat.UserID(fmt.Sprint(i)), now) // allowed or not
		_ = th.enter(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint(i), now.Add(time.Duration(i)*time.Second))
	}
	if n := len(l.send.of); n > maxKeys {
		t.Errorf("%d accounts", n)
	}
	if n := len(th.tries); n > maxKeys+3 {
		t.Errorf("%d windows", n)
	}
}

// TestThrottle: whatever is tried in whatever order, no window is passed, and who got
// it right is not counted.
func TestThrottle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th, now := newThrottle(), time.Now()
		type try struct {
			at   time.Time
			ip   netip.Addr
			name string
		}
		var wrong []try
		for range rapid.IntRange(1, 400).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5_000).Draw(t, "ms")) * time.Millisecond)
			ip := netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 3).Draw(t, "ip"))})
			name := rapid.SampledFrom([]string{"ana", "ben", "小明"}).Draw(t, "name")
			if th.enter(ip, name, now) != nil {
				continue
			}
			if rapid.IntRange(0, 9).Draw(t, "right") == 0 {
				th.forgive(ip, name)
				wrong = slices.DeleteFunc(wrong, func(w try) bool { return w.ip == ip && w.name == name })
				continue
			}
			wrong = append(wrong, try{now, ip, name})
			same := 0
			for _, w := range wrong {
				if w.ip == ip && w.name == name && now.Sub(w.at) <= perNameTime {
					same++
				}
			}
			// A window begins with its first try: two may meet in a span of one.
			if same > 2*perName {
				t.Fatalf("%d wrong tries of one name from one address in a window", same)
			}
		}
	})
}

func TestAddressesOfIPv6CountAsANetwork(t *testing.T) {
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2:3")
	if network(a) != network(b) || network(a) == network(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("a /64 is not one address")
	}
	if network(netip.MustParseAddr("::ffff:10.0.0.1")) != network(netip.MustParseAddr("10.0.0.1")) {
		t.Error("one address in two forms")
	}
}

// TestHashesAtOnce: S13. Many who sign in at once do not use up the memory; who does not
// fit is told to try again.
func TestHashesAtOnce(t *testing.T) {
	h := newHasher(Params{MemoryKiB: 8 << 10, Passes: 1})
	var busy atomic.Int64
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() {
			ok, _, err := h.check(context.Background(), "wrong", "")
			if ok || err != nil && chat.CodeOf(err) != chat.CodeUnavailable {
				t.Errorf("got %v, %v", ok, err)
			}
			if err != nil {
				busy.Add(1)
			}
		})
	}
	wait.Wait()
	if runs := int64(h.runs.Load()); runs+busy.Load() != 200 || runs < int64(cap(h.slots)) || h.queued.Load() != 0 {
		t.Errorf("%d ran, %d were turned away, %d are left", runs, busy.Load(), h.queued.Load())
	}
	if cap(h.slots) > maxHashing {
		t.Errorf("%d at once", cap(h.slots))
	}
}

func TestHashOfOtherCostIsMadeAnew(t *testing.T) {
	old, now := newHasher(Params{MemoryKiB: 64, Passes: 1}), newHasher(Params{MemoryKiB: 128, Passes: 1})
	hash, err := old.make(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if ok, stale, err := now.check(t.Context(), "correct horse", hash); !ok || !stale || err != nil {
		t.Errorf("got %v, %v, %v", ok, stale, err)
	}
	if ok, _, err := now.check(t.Context(), "correct horsf", hash); ok || err != nil {
		t.Errorf("a wrong password: %v, %v", ok, err)
	}
	if ok, _, err := now.check(t.Context(), "", ""); ok || err != nil {
		t.Errorf("nobody's: %v, %v", ok, err)
	}
	// The same text typed on another keyboard is the same password.
	if hash, err = now.make(t.Context(), "pa\u0301ssw\u00f6rd"); err != nil {
		t.Fatal(err)
	}
	if ok, stale, err := now.check(t.Context(), "p\u00e1sswo\u0308rd", hash); !ok || stale || err != nil {
		t.Errorf("got %v, %v, %v", ok, stale, err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range [][2]string{{"Ana", "ana"}, {"ＡＮＡ", "ana"}, {"ana\u200b", "ana"}, {"STRASSE", "straße"}, {"小明", "小明"}, {"\u13c7", "\uab97"}} {
		if NameKey(c[0]) != NameKey(c[1]) {
			t.Errorf("%q and %q are two names", c[0], c[1])
		}
	}
	if NameKey("ana") == NameKey("anna") {
		t.Error("two names are one")
	}
}
