package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// another opens one more tab of the browser's own window, where the first is signed in.
func another(t *testing.T, browser context.Context, base, path string) *tab {
	t.Helper()
	p := openIn(t, browser, base, desk)
	p.visit(path)
	p.inRoom()
	return p
}

// gone closes a tab as a person does.
func (p *tab) gone() {
	p.t.Helper()
	if err := chromedp.Cancel(p.ctx); err != nil {
		p.t.Fatalf("close a tab: %v", err)
	}
}

// sockets is how many streams over WebSocket the page ever opened.
func (p *tab) sockets() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, address := range p.seen {
		if strings.Contains(address, "/api/feed?via="+string(chat.WebSocket)) {
			n++
		}
	}
	return n
}

// watchesSilence has the page measure the longest time in which no message came.
func (p *tab) watchesSilence() {
	p.t.Helper()
	eval[bool](p, `(() => {
		const newest = () => [...document.querySelectorAll('article.row:not([id^="p-"])')].at(-1)?.id;
		const silence = window.silence = { longest: 0 };
		let last = performance.now(), row = newest();
		new MutationObserver(() => {
			const now = performance.now(), next = newest();
			if (next === row) return;
			row = next;
			silence.longest = Math.max(silence.longest, now - last);
			last = now;
		}).observe(document.body, { childList: true, subtree: true });
		return true;
	})()`)
}

// Several tabs share one stream. The one that has it is closed ten times while messages
// flow: the next goes on, and nothing is missing or there twice.
func TestTabsShareOneStream(t *testing.T) {
	server, b := serve(t), browser(t)
	first := openIn(t, b, server.Base(), desk)
	owner(t, first, "ana")
	room := first.room()
	writer := program(t, server, "writer")
	join(t, server, writer, room)
	tabs := []*tab{first, another(t, b, server.Base(), "/r/"+string(room)), another(t, b, server.Base(), "/r/"+string(room))}
	tabs[1].write("written in the second")
	for _, p := range tabs {
		p.sees("written in the second")
		p.carriedBy(chat.WebSocket)
	}
	for i, want := range []int{1, 0, 0} {
		if got := tabs[i].sockets(); got != want {
			t.Errorf("tab %d opened %d streams, want %d", i, got, want)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	var want []string
	var writing sync.WaitGroup
	defer writing.Wait()
	defer stop()
	writing.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			text := fmt.Sprintf("flow %d", i)
			if err := say(t.Context(), server, writer, room, text); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			want = append(want, text)
			<-tick.C
		}
	})
	var silent time.Duration
	for i := range 10 {
		tabs[1].watchesSilence()
		tabs[0].gone()
		tabs = tabs[1:]
		mark := fmt.Sprintf("flow and mark %d", i)
		tabs[0].write(mark) // it sends by itself, and has it back over the new stream
		tabs[1].sees(mark)
		tabs[0].settled()
		silent = max(silent, time.Duration(eval[float64](tabs[0], `window.silence.longest`)*float64(time.Millisecond)))
		tabs = append(tabs, another(t, b, server.Base(), "/r/"+string(room)))
	}
	stop()
	writing.Wait()
	t.Logf("messages came every 50ms; in ten changes of the leader the tab that went on got none for %v at the most", silent.Round(time.Millisecond))
	for i, p := range tabs {
		p.sees(want[len(want)-1])
		got := slices.DeleteFunc(p.said(), func(s string) bool { return strings.HasPrefix(s, "flow and mark") || !strings.HasPrefix(s, "flow") })
		if n := len(got); n < 20 || n > len(want) {
			t.Fatalf("tab %d shows %d of %d messages", i, n, len(want))
		}
		if d := cmp.Diff(want[len(want)-len(got):], got); d != "" {
			t.Errorf("tab %d (-want +got):\n%s", i, d)
		}
		if n := p.sockets(); n != []int{1, 0, 0}[i] {
			t.Errorf("tab %d opened %d streams", i, n)
		}
	}
	tabs[2].use(chat.LongPoll) // a choice holds everywhere
	for _, p := range tabs {
		p.carriedBy(chat.LongPoll)
	}
}

// What is typed in two tabs is there after both were closed; who signs out in one
// is signed out in both, and nothing of it stays.
func TestTabsKeepAndForget(t *testing.T) {
	server, b := serve(t), browser(t)
	first := openIn(t, b, server.Base(), desk)
	owner(t, first, "ana")
	room := first.room()
	writer := program(t, server, "writer")
	me := eval[string](first, `fetch("/api/snapshot").then((r) => r.json()).then((s) => s.you)`)
	den := found(t, server, writer, chat.Private, "Den", chat.UserID(me))
	second := another(t, b, server.Base(), "/r/"+string(den))
	first.fill("#composer", "half a thought")
	second.fill("#composer", "another half")
	first.keeps("half a thought")
	second.keeps("another half")
	third := another(t, b, server.Base(), "/r/"+string(room))
	first.gone()
	second.gone()
	third.visit("/r/" + string(room))
	third.until("the first draft is back", `document.querySelector("#composer").value === "half a thought"`)
	third.visit("/r/" + string(den))
	third.until("the second draft is back", `document.querySelector("#composer").value === "another half"`)

	fourth := another(t, b, server.Base(), "/r/"+string(room))
	for _, p := range []*tab{third, fourth} {
		p.quiet = true // the server has the browser clear its storage, perhaps under a write
	}
	third.signOut()
	fourth.until("the front door is shown", `document.querySelector("#door-password")`)
	for _, p := range []*tab{third, fourth} {
		p.until("nothing stays", onDisk+`.then((all) => !all.includes("half"))`)
	}
}
