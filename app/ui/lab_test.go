package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
)

// compared is a lab that is over, with these medians; a negative one is of a way that does not open.
func compared(poll, long, events, socket time.Duration) *model.Lab {
	m := &model.Lab{Version: 9, Over: true, Span: model.LabSpan, Spent: model.LabSpan, Every: 3 * time.Second, Sent: 20, HeadUp: 600, HeadDown: 400}
	for i, d := range [...]time.Duration{poll, long, events, socket} {
		w := &m.Ways[i]
		*w = model.LabWay{Via: model.LabOrder[i], State: model.LabShut, Delays: []time.Duration{-1}}
		if d >= 0 {
			*w = model.LabWay{Via: model.LabOrder[i], State: model.LabOpen, Came: 20, Events: 20, Median: d, Slow: 2 * d, Answer: 4 * time.Millisecond,
				Delays: []time.Duration{d, 2 * d}, Requests: 30, Asked: 20, Empty: 7, Up: 12_000, Down: 24_000}
			w.Histogram[3] = 20
		}
	}
	return m
}

func TestAdvise(t *testing.T) {
	const ms = time.Millisecond
	with := func(m *model.Lab, change func(*model.Lab)) *model.Lab {
		change(m)
		return m
	}
	for _, c := range []struct {
		name string
		m    *model.Lab
		want advice
	}{
		{"as it should be", compared(1500*ms, 9*ms, 6*ms, 5*ms), advice{adviseBest, chat.WebSocket, chat.Poll}},
		{"a little slower is not slower", compared(1500*ms, 9*ms, 6*ms, 25*ms), advice{adviseBest, chat.WebSocket, chat.Poll}},
		{"nor is it on a slow network", compared(1900*ms, 500*ms, 400*ms, 550*ms), advice{adviseBest, chat.WebSocket, chat.Poll}},
		{"WebSocket is held up", compared(1500*ms, 9*ms, 6*ms, 300*ms), advice{adviseFaster, chat.EventSource, chat.WebSocket}},
		{"no WebSocket", compared(1500*ms, 9*ms, 6*ms, -1), advice{adviseInstead, chat.EventSource, chat.WebSocket}},
		{"no streams", compared(1500*ms, 9*ms, -1, -1), advice{adviseInstead, chat.LongPoll, chat.WebSocket}},
		{"only polling", compared(1500*ms, -1, -1, -1), advice{adviseAsking, chat.Poll, chat.WebSocket}},
		{"only WebSocket", compared(-1, -1, -1, 5*ms), advice{adviseBest, chat.WebSocket, chat.WebSocket}},
		{"nothing", compared(-1, -1, -1, -1), advice{kind: adviseNobody}},
		{"WebSocket breaks", with(compared(1500*ms, 9*ms, 6*ms, 5*ms), func(m *model.Lab) { m.Ways[3].Breaks = 2 }), advice{adviseInstead, chat.EventSource, chat.WebSocket}},
		{"EventSource loses something", with(compared(1500*ms, 9*ms, 6*ms, -1), func(m *model.Lab) { m.Ways[2].Came-- }), advice{adviseInstead, chat.LongPoll, chat.WebSocket}},
		{"hardly anything was sent", with(compared(1500*ms, 9*ms, 6*ms, 5*ms), func(m *model.Lab) { m.Sent = 4 }), advice{kind: adviseAgain}},
	} {
		got := advise(c.m)
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(advice{})); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		for _, w := range []*Words{en(), zh()} {
			if s := w.advice(c.m); strings.ContainsAny(s, "{}–") || s == "" {
				t.Errorf("%s: it says %q", c.name, s)
			}
		}
	}
	for lang, want := range map[string]string{
		"en": "Use WebSocket: a message typically takes 5\u00a0ms, against 1.5\u00a0s by polling.",
		"zh": "请使用 WebSocket：一条消息通常只需 5\u00a0ms，而轮询需要 1.5\u00a0秒。",
	} {
		if got := wordsFor(lang).advice(compared(1500*ms, 9*ms, 6*ms, 5*ms)); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

// What is on the page is in the copy too, for the owner with what the server spent; and the copy names nobody.
func TestLabIsShownAndCopied(t *testing.T) {
	m := compared(1500*time.Millisecond, 9*time.Millisecond, 6*time.Millisecond, -1)
	m.Costs = &chat.Costs{CPU: 300 * time.Millisecond, Heap: 5_000_000, Goroutines: 31,
		Ways: []chat.WayCost{{Via: chat.EventSource, Work: 7 * time.Millisecond, Bytes: 9_100, Writes: 23, Open: 4, Goroutines: 6, Memory: 13_600}}}
	for lang, wants := range map[string][]string{
		"en": {"WebSocket does not work well here. Use EventSource", "7 of 20 answers", "20 of 20", "0 of 20", "1.5 s", "9.1 kB", "7 ms", "31 goroutines", "1.5", "3.4 kB", "what one open session holds", "1,200", "600 B"},
		"zh": {"WebSocket 在这里不够可靠。请使用 EventSource", "20 次回答中有 7 次", "20 / 20", "1.5 秒", "9.1 kB", "31 个 goroutine", "1.5", "3.4 kB", "每个打开的会话所占用", "1,200"},
	} {
		s := opened(view(), lang, place{kind: atLab})
		s.bench.now = m
		for what, got := range map[string]string{"page": plain(s), "copy": s.labReport(m, time.Now())} {
			for _, want := range wants {
				if !strings.Contains(got, want) {
					t.Errorf("%s: %q is not in the %s:\n%s", lang, want, what, got)
				}
			}
			if strings.ContainsAny(got, "{}") {
				t.Errorf("%s: something was not filled in:\n%s", lang, got)
			}
			if what == "copy" && (strings.Contains(got, "ana") || strings.Contains(got, "General")) {
				t.Errorf("the copy names someone:\n%s", got)
			}
		}
		s.bench = labRun{now: &model.Lab{Ways: m.Ways}}
		if got := plain(s); strings.Contains(got, s.w.Lab.Table) || !strings.Contains(got, s.w.Lab.Early) {
			t.Errorf("%s: what was stopped early is shown as if it were not:\n%s", lang, got)
		}
	}
}

func TestLabPictures(t *testing.T) {
	if got := stems([]time.Duration{time.Millisecond, 100 * time.Millisecond, -1, time.Minute}, 4); got != "M30.0 80V77.6M90.0 80V40.0M210.0 80V0.0" {
		t.Errorf("stems are %s", got)
	}
	var h [labBars]int
	h[0], h[labBars-1] = 1, 4
	if got := columns(h, 4); strings.Count(got, "M") != 2 || !strings.Contains(got, "v-76.0") || !strings.Contains(got, "v-19.0") {
		t.Errorf("columns are %s", got)
	}
	for d, want := range map[time.Duration]string{0: "–", 300 * time.Microsecond: "0.3 ms", 2400 * time.Microsecond: "2.4 ms", 10 * time.Millisecond: "10 ms", 1520 * time.Millisecond: "1.5 s", 2 * time.Second: "2 s"} {
		if got := en().labTime(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
