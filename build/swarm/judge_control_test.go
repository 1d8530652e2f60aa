package swarm

import (
	"testing"

	"parley/app/chat"
	"parley/build/child"
)

// TestJudge holds that the judge would have noticed: what no server may do is found in what a witness was given.
func TestJudge(t *testing.T) {
	const room, ana = chat.RoomID("room"), chat.UserID("ana")
	member := func(state chat.MemberState) chat.Body {
		return chat.Body{Member: &chat.Member{User: ana, State: state}}
	}
	message := chat.Body{Message: &chat.Message{Text: "."}}
	j := &judge{kept: map[chat.UserID]map[chat.RoomID][]stay{}, sent: map[event]int64{{room, 3}: 10, {room, 5}: 20, {room, 7}: 30}, logs: map[chat.RoomID][]chat.Event{room: {
		{Seq: 1, Body: message}, {Seq: 2, Body: member(chat.Joined)}, {Seq: 3, Body: message}, {Seq: 4, Body: member(chat.Left)},
		{Seq: 5, Body: message}, {Seq: 6, Body: member(chat.Joined)}, {Seq: 7, Body: message},
	}}}
	begin := place{heads: map[chat.RoomID]chat.Seq{room: 2}}
	for _, tt := range []struct {
		name  string
		given []chat.Seq
		cut   int64
		whole bool // all is well with one that nobody cut off
		ended bool // … with one that was cut off at cut
	}{
		{"all that is theirs", []chat.Seq{3, 4, 6, 7}, 40, true, true},
		{"sent after the end", []chat.Seq{3, 4, 6, 7}, 25, true, false},
		{"given while out", []chat.Seq{3, 4, 5, 6, 7}, 40, false, false},
		{"given before they came", []chat.Seq{1, 3, 4, 6, 7}, 40, false, false},
		{"not given the farewell", []chat.Seq{3, 6, 7}, 40, false, true},
		{"not given the last", []chat.Seq{3, 4, 6}, 40, false, true},
		{"given twice", []chat.Seq{3, 3, 4, 6, 7}, 40, false, false},
		{"given out of order", []chat.Seq{4, 3, 6, 7}, 40, false, false},
	} {
		v := &witness{reader: &reader{acct: &child.Account{Name: "ana"}, via: chat.Poll}, cut: tt.cut}
		for _, seq := range tt.given {
			v.given = append(v.given, event{room, seq})
		}
		if err := j.whole(v, ana, j.wanted(ana, begin)); (err == nil) != tt.whole {
			t.Errorf("%s: judged whole with %v", tt.name, err)
		}
		if err := j.ended(v, ana); (err == nil) != tt.ended {
			t.Errorf("%s: judged ended with %v", tt.name, err)
		}
	}
}

// TestReaderNotices holds that a reader would have noticed what is lost, repeated or not its own.
func TestReaderNotices(t *testing.T) {
	const a, b = "AAAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	frame := func(room, seq string) string {
		return `{"events":[{"room":"` + room + `","seq":` + seq + `,"message":{"text":"."}}],"cursor":"c` + seq + `"}`
	}
	for _, tt := range []struct {
		name   string
		frames []string
		head   chat.Seq // of room a, in the end
		wrong  bool
	}{
		{"in order", []string{frame(a, "4"), `{"cursor":"c4"}`, frame(a, "5")}, 5, false},
		{"several at once", []string{frame(a, "4") + frame(a, "5")}, 5, false},
		{"a signal", []string{`{"events":[{"room":"` + a + `","typing":{}}],"cursor":"c3"}`}, 3, false},
		{"a gap", []string{frame(a, "5")}, 3, true},
		{"again", []string{frame(a, "4"), frame(a, "4")}, 4, true},
		{"of another room", []string{frame(b, "1")}, 3, true},
		{"half a batch", []string{`{"events":[{"room":"` + a + `","seq":4`}, 3, false},
	} {
		r := newReader(nil, &child.Account{Name: "ana"}, chat.Poll, place{heads: map[chat.RoomID]chat.Seq{a: 3}})
		for _, f := range tt.frames {
			r.take([]byte(f))
		}
		if p, _, _ := r.state(); p.heads[a] != tt.head || (r.fault != nil) != tt.wrong {
			t.Errorf("%s: the reader is at %d with %v", tt.name, p.heads[a], r.fault)
		}
	}
}
