package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"

	"parley/app/chat"
	"parley/build/child"
)

// A stage is a server with one room, a person who is signed in, and a program that writes.
type stage struct {
	*child.Server
	person, writer *child.Account
	room           chat.RoomID
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{Server: serve(t)}
	var err error
	if s.person, err = s.AddOwner(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Snapshot(t.Context(), s.person)
	if err != nil {
		t.Fatal(err)
	}
	first := slices.IndexFunc(snap.Rooms, func(r chat.Room) bool { return r.Kind == chat.Public })
	if first < 0 {
		t.Fatalf("there is no room for everybody: %v", snap.Rooms)
	}
	s.room, s.writer = snap.Rooms[first].ID, program(t, s.Server, "writer")
	join(t, s.Server, s.writer, s.room)
	return s
}

// say has the program write.
func (s *stage) say(t testing.TB, text string) {
	if err := say(t.Context(), s.Server, s.writer, s.room, text); err != nil {
		t.Error(err)
	}
}

// signIn gives the tab the person's session, and nothing else.
func (s *stage) signIn(p *tab) {
	p.t.Helper()
	name, value, _ := strings.Cut(s.Proof(s.person)["Cookie"], "=")
	httpOnly := true
	call(p, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: s.Base(), HTTPOnly: &httpOnly, SameSite: network.CookieSameSiteLax})
}

// enter has the person in the room.
func (s *stage) enter(p *tab) {
	p.t.Helper()
	s.signIn(p)
	p.visit("/r/" + string(s.room))
	p.inRoom()
}

// before runs a script in the pages to come, before any of their own.
func (p *tab) before(js string) {
	p.t.Helper()
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: js})
}

// quantile is the value that the part q of the samples does not exceed.
func quantile(samples []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

// interactive is, in milliseconds since the navigation began, when the page first answered to what was
// typed into the composer of a room: the button to send became one that can be pressed.
const interactive = `window.interactive = new Promise((yes) => {
	const type = (box, text) => { box.value = text; box.dispatchEvent(new Event("input", { bubbles: true })); };
	const timer = setInterval(() => {
		const box = document.querySelector("#composer");
		if (!box) return;
		if (document.querySelector("#send:enabled")) {
			clearInterval(timer);
			yes(performance.now());
			type(box, "");
		} else {
			type(box, "typed");
		}
	}, 5);
});`

// How long a person waits for the app. Cold: nothing is kept but the session. Warm: the worker has the shell.
func BenchmarkStart(b *testing.B) {
	const rounds = 7
	s, br := newStage(b), browser(b)
	s.say(b, "something to show")
	load := func(p *tab) float64 {
		p.do("load", chromedp.Navigate(s.Base()+"/r/"+string(s.room)))
		return eval[float64](p, `window.interactive`)
	}
	var wasm transfer
	cold := func(conditions *network.Conditions) float64 {
		p := openIn(b, br, s.Base(), desk, chromedp.WithNewBrowserContext(), chromedp.WithListener(wasm.listen))
		defer p.gone()
		p.before(interactive)
		s.signIn(p)
		if conditions != nil {
			call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{conditions}})
		}
		return load(p)
	}
	kept := openIn(b, br, s.Base(), desk)
	kept.before(interactive)
	s.signIn(kept)
	load(kept)
	kept.until("the worker keeps the shell", workerReady)
	var figures [3][]float64
	for range rounds {
		const mbit = 1e6 / 8
		figures[0] = append(figures[0], cold(nil))
		figures[1] = append(figures[1], load(kept))
		figures[2] = append(figures[2], cold(&network.Conditions{Latency: 40, DownloadThroughput: 9 * mbit, UploadThroughput: 9 * mbit}))
		kept.until("the worker served the page", `navigator.serviceWorker.controller`)
	}
	for i, name := range []string{"cold-ms", "warm-ms", "cold-9Mbit-40ms-ms"} {
		b.Logf("%-20s %.0f", name, figures[i])
		b.ReportMetric(quantile(figures[i], 0.5), name)
	}
	b.ReportMetric(wasm.bytes()/1e6, "wasm-MB")
	b.ReportMetric(0, "ns/op")
}

// A transfer counts what the last load of the program took on the wire, headers included.
type transfer struct {
	mu   sync.Mutex
	id   network.RequestID
	took float64
}

func (x *transfer) listen(ev any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasSuffix(ev.Request.URL, ".wasm") {
			x.id = ev.RequestID
		}
	case *network.EventLoadingFinished:
		if ev.RequestID == x.id {
			x.took = ev.EncodedDataLength
		}
	}
}

func (x *transfer) bytes() float64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.took
}

// What a page costs that is open in a room while messages arrive there: the page keeps at most 4,000 of them.
func BenchmarkMemory(b *testing.B) {
	s, br := newStage(b), browser(b)
	p := open(b, br, s.Base(), desk)
	p.before(`{
		const start = WebAssembly.instantiateStreaming;
		WebAssembly.instantiateStreaming = async (...args) => {
			const program = await start.apply(WebAssembly, args);
			window.programMemory = program.instance.exports.mem;
			return program;
		};
	}`)
	s.enter(p)
	sent := 0
	b.Log("messages   rows  elements  heap MB  wasm MB  process MB")
	for _, n := range []int{0, 1_000, 5_000, 9_900, 10_000} {
		for ; sent < n; sent++ {
			s.say(b, fmt.Sprintf("message %d, about as long as what people write to each other on a working day", sent+1))
			if sent%100 == 99 { // it is about what was shown, not about how fast
				p.until("they are shown", fmt.Sprintf(`[...document.querySelectorAll("#timeline article.row")].at(-1)?.textContent.includes("message %d,")`, sent+1))
			}
		}
		call(p, heapprofiler.CollectGarbage, cdp.Empty{})
		heap := call(p, runtime.GetHeapUsage, cdp.Empty{})
		counts := eval[[]float64](p, `[document.querySelectorAll("#timeline .row").length, document.querySelectorAll("*").length, programMemory.buffer.byteLength / 1e6]`)
		used, resident := (heap.UsedSize+heap.EmbedderHeapUsedSize)/1e6, resident(p)
		b.Logf("%8d %6.0f %9.0f %8.1f %8.1f %11.1f", n, counts[0], counts[1], used, counts[2], resident)
		if n == 0 || n == 10_000 {
			for unit, v := range map[string]float64{"heap": used, "wasm": counts[2], "process": resident} {
				b.ReportMetric(v, fmt.Sprintf("%s-MB-after-%d", unit, n))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}

// resident is the memory of the page's process in MB, its share of what processes share included. It is the largest of the
// browser's renderers: there is one page.
func resident(p *tab) (most float64) {
	p.t.Helper()
	all, err := chromedp.CallBrowser(p.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, process := range all.ProcessInfo {
		if process.Type != "renderer" {
			continue
		}
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", process.ID))
		if err != nil {
			p.t.Fatalf("what a process has in memory is read as Linux tells it: %v", err)
		}
		for line := range strings.Lines(string(rollup)) {
			if f := strings.Fields(line); f[0] == "Pss:" {
				kib, err := strconv.ParseFloat(f[1], 64)
				if err != nil {
					p.t.Fatal(err)
				}
				most = max(most, kib*1024/1e6)
			}
		}
	}
	return most
}
