package ui

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
)

var update = flag.Bool("update", false, "write what reports say now into testdata")

// measured is a connection to which a lot has happened.
func measured() model.Connection {
	at := time.Date(2026, 3, 1, 14, 3, 20, 0, time.UTC)
	cut := model.Reason{Code: model.ReasonCut, Failed: chat.WebSocket, After: time.Minute}
	st := &model.Stats{
		At: at, Median: 12 * time.Millisecond, Slow: 31 * time.Millisecond, Samples: 280,
		Last: at.Add(-3 * time.Second), Buffers: model.Yes,
		Server: chat.Server{Version: "0.1.0", SetUp: chat.SetUpDone, Node: "7GHT2K4A", Protocol: "HTTP/2.0", Proxies: []string{"nginx", "cloudflare"}, Hops: 3},
		Turns: []model.Turn{
			{Kind: model.TurnSwitched, At: at.Add(-1 * time.Minute), Via: chat.LongPoll, From: chat.EventSource, Why: model.Reason{Code: model.ReasonHeld, Failed: chat.EventSource}, Times: 1},
			{Kind: model.TurnTried, At: at.Add(-2 * time.Minute), Via: chat.WebSocket, Times: 2},
			{Kind: model.TurnOpened, At: at.Add(-5 * time.Minute), Via: chat.EventSource, Why: cut, Times: 1},
			{Kind: model.TurnLost, At: at.Add(-6 * time.Minute), Via: chat.WebSocket, Why: cut, Age: time.Minute, Times: 3},
			{Kind: model.TurnReturned, At: at.Add(-20 * time.Minute), Times: 1},
			{Kind: model.TurnPretend, At: at.Add(-21 * time.Minute), Times: 1},
			{Kind: model.TurnWoke, At: at.Add(-30 * time.Minute), Times: 1},
			{Kind: model.TurnOpened, At: at.Add(-50 * time.Minute), Via: chat.WebSocket, Why: model.Reason{Code: model.ReasonBest}, Times: 1},
		},
	}
	for i := range st.Trips {
		st.Trips[i] = model.Trip{Median: time.Duration(10+i%5) * time.Millisecond, Slow: time.Duration(20+i%12) * time.Millisecond}
		st.Messages[i], st.Requests[i] = i%7, 2
		st.Received[i], st.Sent[i], st.Reconnects[i], st.Lag[i] = 400*(i%7)+90, 300, i/58, i%3
	}
	return model.Connection{
		Version: 2, Choice: model.Choice{Auto: true}, Via: chat.LongPoll, State: model.Open, RTT: 12 * time.Millisecond,
		Since: at.Add(-time.Minute), Reason: model.Reason{Code: model.ReasonHeld, Failed: chat.EventSource}, Stats: st,
	}
}

// A report says what happened on the connection, and nothing of who and what was on it.
func TestReport(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		v := view()
		v.Connection = measured()
		s := opened(v, lang, place{kind: atSettings, page: "connection"})
		got := s.report(v.Connection)
		file := filepath.Join("testdata", "report-"+lang+".md")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s; if it is meant so, run this test with -update:\n%s", file, d)
		}
		private := []string{string(v.Me.ID), string(v.Room.ID)}
		for _, p := range v.People {
			private = append(private, p.Name, string(p.ID))
		}
		for _, r := range v.Rooms {
			private = append(private, r.Name, string(r.ID))
		}
		for _, c := range v.Room.Chunks {
			for _, r := range c.Rows {
				if r.Text != "" {
					private = append(private, r.Text)
				}
			}
		}
		for _, p := range private {
			if regexp.MustCompile(`(^|\P{L})` + regexp.QuoteMeta(p) + `($|\P{L})`).MatchString(got) {
				t.Errorf("%s: %q is in the report", lang, p)
			}
		}
	}
}

func TestMeasuresAreShown(t *testing.T) {
	with, without := view(), view()
	with.Connection = measured()
	for _, c := range []struct {
		v     *model.View
		lang  string
		wants []string
	}{
		{with, "en", []string{"12 ms typical", "1 in 20 takes longer than 31 ms", "120 in the last hour", "75.0 kB", "18.0 kB", "Yes. Last sign of life 3 s ago", "At least 3: nginx, cloudflare",
			"HTTP/2, as the server sees it", "7GHT2K4A", "WebSocket was cut after 1 min. (3 times)", "Pretend to be offline", "Copy report"}},
		{with, "zh", []string{"12 ms 通常", "最近一小时共 120", "至少 3 个：nginx, cloudflare", "WebSocket 在 1 分钟后被切断。（3 次）", "模拟离线", "复制报告"}},
		{without, "en", []string{"not measured yet", "Not known yet", "Nothing happened yet.", "0 in the last hour"}},
	} {
		got := plain(opened(c.v, c.lang, place{kind: atSettings, page: "connection"}))
		for _, want := range c.wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not on the screen:\n%s", c.lang, want, got)
			}
		}
	}
	pretending := view()
	pretending.Connection.Pretend, pretending.Connection.State = true, model.Offline
	for lang, want := range map[string]string{"en": "You are pretending to be offline.", "zh": "您正在模拟离线。"} {
		if got := plain(opened(pretending, lang, place{kind: atRoom, room: pretending.Room.ID})); !strings.Contains(got, want) {
			t.Errorf("%q is not on the screen:\n%s", want, got)
		}
	}
}

// Everything that can happen is a sentence of its own.
func TestTurnsAreSentences(t *testing.T) {
	codes := []model.ReasonCode{"", model.ReasonChosen, model.ReasonBest, model.ReasonNeverOpened, model.ReasonBlocked, model.ReasonHeld, model.ReasonDied,
		model.ReasonCut, model.ReasonKept, model.ReasonTrying, model.ReasonBetter, model.ReasonPortal}
	for _, w := range []*Words{en(), zh()} {
		seen := map[string]model.TurnKind{}
		for k := range model.TurnWoke + 1 {
			for _, code := range codes {
				got := w.turn(model.Turn{Kind: k, Via: chat.LongPoll, From: chat.Poll, Why: model.Reason{Code: code, Failed: chat.WebSocket}, Age: time.Minute, Times: 1})
				if !regexp.MustCompile(`^[\p{Lu}\p{Han}].*[.。]$`).MatchString(got) || placeholder.MatchString(got) {
					t.Errorf("%d, %s in %s: %q", k, code, w.Lang, got)
				}
				if other, ok := seen[got]; ok && other != k {
					t.Errorf("%q says both %d and %d", got, other, k)
				}
				seen[got] = k
			}
		}
	}
}

func TestSpans(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", 90 * time.Second: "1 min", 3 * time.Hour: "3 h"} {
		if got := en().span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 123_456: "123 kB", 5_000_000_000_000: "5000 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}

// A line stays in its picture, whatever was measured, and goes through what was.
func TestSparks(t *testing.T) {
	number := regexp.MustCompile(`-?[\d.]+`)
	for _, values := range [][]float64{{0, 1, 2}, {-1, -1, 5}, {5, -1, 5}, {-1, -1, -1}, {1e18, 0, 1}, slices.Repeat([]float64{7}, 60)} {
		s := spark{least: 4, lines: []sparkLine{{"x", values}}}
		scale := (sparkHeight - 4) / max(s.top(), s.least)
		corners := strings.Fields(points(values, scale))
		there := 0
		for _, v := range values {
			if v >= 0 {
				there++
			}
		}
		if there == 1 {
			there = 2
		}
		if len(corners) != there {
			t.Errorf("%v: %d corners, want %d", values, len(corners), there)
		}
		for i, n := range append(number.FindAllString(strings.Join(corners, " "), -1), number.FindAllString(bars(values, scale), -1)...) {
			v, err := strconv.ParseFloat(n, 64)
			if err != nil || v < 0 || v > sparkWidth || i < 2*len(corners) && i%2 == 1 && v > sparkHeight {
				t.Errorf("%v: %s is outside the picture", values, n)
			}
		}
	}
}
