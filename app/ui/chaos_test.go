package ui

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
)

// Only the owner of a server that was started for it is offered to make its network bad.
func TestChaosIsOffered(t *testing.T) {
	for _, c := range []struct{ owner, dev, want bool }{{true, true, true}, {true, false, false}, {false, true, false}} {
		v := view()
		v.Me.Owner = c.owner
		v.Connection.Stats = &model.Stats{Server: chat.Server{Dev: c.dev}}
		s := opened(v, "en", place{kind: atSettings, page: "connection"})
		if got := strings.Contains(plain(s), s.w.Chaos.Title); got != c.want {
			t.Errorf("owner %v, dev %v: it is offered: %v", c.owner, c.dev, got)
		}
	}
}

// The card says what is bad now, of whom, and how it ends.
func TestChaosIsSaid(t *testing.T) {
	faults := []chat.Fault{
		{Session: "MINE", Loss: 0.05}, {Session: "BENS", HalfOpen: true}, {Session: "ANOTHER", CutBytes: 2000}, {Via: chat.WebSocket, HalfOpen: true},
		{Via: chat.EventSource, HoldBytes: 4096}, {Via: chat.Poll, LatencyMS: 7}, {LatencyMS: 200, JitterMS: 800},
	}
	for lang, want := range map[string]string{
		"en": "The network is bad on purpose, until you choose “Clear all” or the server restarts. Only this session: One answer in 20 is lost; ben · Firefox, Linux · Long polling: Never answered; One session: Cut after 2,000 bytes; " +
			"WebSocket: Never answered; EventSource: Held back until there are 4 KB; Polling: As set by hand; All ways, everyone: Late by 200 ms to 1 s.",
		"zh": "网络目前被故意弄坏，直到您选择“全部清除”或服务器重启。仅此会话：每 20 个回答丢失 1 个；ben · Firefox, Linux · 长轮询：从不回答；某个会话：2,000 字节后切断；" +
			"WebSocket：从不回答；EventSource：积压到 4 KB 才发出；轮询：手动设定的故障；所有方式，所有人：延迟 200 ms 至 1 秒。",
	} {
		s := opened(view(), lang, place{})
		c := &chaos{Lang: lang, s: s}
		c.told(chat.Chaos{Faults: faults, Sessions: []chat.Follower{
			{Session: "BENS", User: "ben", Name: "Firefox, Linux", Via: chat.WebSocket}, {Session: "MINE", User: "ana", Name: "Chrome", Via: chat.Poll, Current: true},
		}})
		c.told(chat.Chaos{Faults: faults, Sessions: []chat.Follower{{Session: "BENS", User: "ben", Name: "Firefox, Linux", Via: chat.LongPoll}}}) // which leaves the first's choice in place
		if got := plain(c); !strings.Contains(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
		c.now = chat.Chaos{}
		if got := plain(c); !strings.Contains(got, s.w.Chaos.None) {
			t.Errorf("without a fault it says %q", got)
		}
		if d := cmp.Diff([]string{"BENS", "MINE"}, []string{c.whom[0].Session, c.whom[1].Session}); d != "" {
			t.Errorf("whom one can choose: %s", d)
		}
		for _, m := range s.w.maladies() {
			if err := (chat.Chaos{Faults: []chat.Fault{m.fault}}).Validate(); err != nil || m.fault == (chat.Fault{}) {
				t.Errorf("%q is %+v: %v", m.name, m.fault, err)
			}
		}
	}
}

// A fault takes the place of the same one's, and what is for few comes before what is for all.
func TestChaosIsAdded(t *testing.T) {
	c := &chaos{}
	for _, step := range []struct {
		whom  string
		fault chat.Fault
		want  []chat.Fault
	}{
		{"", chat.Fault{Loss: 0.05}, []chat.Fault{{Loss: 0.05}}},
		{"websocket", chat.Fault{HalfOpen: true}, []chat.Fault{{Via: chat.WebSocket, HalfOpen: true}, {Loss: 0.05}}},
		{"MINE", chat.Fault{HoldBytes: 4096}, []chat.Fault{{Session: "MINE", HoldBytes: 4096}, {Via: chat.WebSocket, HalfOpen: true}, {Loss: 0.05}}},
		{"websocket", chat.Fault{CutBytes: 2000}, []chat.Fault{{Via: chat.WebSocket, CutBytes: 2000}, {Session: "MINE", HoldBytes: 4096}, {Loss: 0.05}}},
		{"", chat.Fault{LatencyMS: 1}, []chat.Fault{{Via: chat.WebSocket, CutBytes: 2000}, {Session: "MINE", HoldBytes: 4096}, {LatencyMS: 1}}},
	} {
		c.now.Faults = c.with(step.whom, step.fault)
		if d := cmp.Diff(step.want, c.now.Faults); d != "" {
			t.Errorf("%q: %s", step.whom, d)
		}
	}
}
