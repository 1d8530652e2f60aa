package api_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"parley/app/chat"
	"parley/server/auth"
)

func (v *visitor) digest(room chat.RoomID, query string) (d chat.Digest) {
	v.t.Helper()
	v.ask("GET", "/api/rooms/"+string(room)+"/digest"+query, nil, &d)
	return d
}

// held is the digest that who reads the room's history comes to.
func (v *visitor) held(room chat.RoomID, from, to chat.Seq) (d chat.Digest) {
	v.t.Helper()
	var h chat.History
	v.ask("GET", "/api/rooms/"+string(room)+"/events", nil, &h)
	d = chat.Digest{From: from, To: to, Head: h.Events[len(h.Events)-1].Seq}
	for _, e := range h.Events {
		if from <= e.Seq && e.Seq <= to {
			must(v.t, d.Add(e))
		}
	}
	return d
}

// TestDigest: what the server says of a room is what its reader comes to, also of one
// who may read only a part of it, and after an edit and a deletion.
func TestDigest(t *testing.T) {
	w := newWorld(t)
	ana := w.owner()
	ben, ming := ana.guest("ben"), ana.guest("小明")
	var room chat.Room
	ana.ask("POST", "/api/rooms", chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: "den", Members: []chat.UserID{ben.user.ID}}, &room)
	first := ana.say(room.ID, "<before> & 之前")
	ana.ask("POST", "/api/send", member1(room.ID, ming.user.ID, chat.Joined), nil)
	said := ana.say(room.ID, "after")
	compare := func(head chat.Seq) {
		t.Helper()
		for _, v := range []*visitor{ana, ben, ming, ming.program()} {
			for query, r := range map[string][2]chat.Seq{"": {1, head}, "?from=3&to=5": {3, 5}, "?from=2&to=900": {2, head}, "?to=4": {1, 4}} {
				if want, got := v.held(room.ID, r[0], r[1]), v.digest(room.ID, query); got != want {
					t.Errorf("the digest of %q for %s: %+v, want %+v", query, v.user.Name, got, want)
				}
			}
		}
	}
	compare(said.Seq)
	if got := ming.digest(room.ID, ""); got.Count != 2 || got.Head != said.Seq {
		t.Errorf("a newcomer compares %+v", got)
	}
	if got := ming.digest(room.ID, fmt.Sprint("?to=", first.Seq)); got.Count != 0 || got.Hash != (chat.Hash{}) {
		t.Errorf("of what was before them, a newcomer learns %+v", got)
	}
	if got := ben.digest(room.ID, fmt.Sprint("?from=", said.Seq+1)); got != (chat.Digest{From: said.Seq + 1, To: said.Seq, Head: said.Seq}) {
		t.Errorf("after the head is %+v", got)
	}
	ana.ask("POST", "/api/send", draft(room.ID, chat.Body{Edit: &chat.Edit{Seq: said.Seq, Text: "later"}}), nil)
	compare(said.Seq + 1)
	ana.ask("POST", "/api/send", draft(room.ID, chat.Body{Delete: &chat.Delete{Seq: said.Seq}}), nil)
	compare(said.Seq + 2)
	for _, query := range []string{"from=-1", "from=x", "to=1e3", "to=9999999999999999999", "from=" + url.QueryEscape("1 or 1=1")} {
		if a := ana.do(ana.request("GET", "/api/rooms/"+string(room.ID)+"/digest?"+query, nil)); a.StatusCode != 400 {
			t.Errorf("%s: %v", query, a)
		}
	}
}

// TestDigestCounts: who compares thousands of events asks as much as with several small questions.
func TestDigestCounts(t *testing.T) {
	w := newWorld(t, setting{accounts: func(o *auth.Options) { o.Rates.Read, o.Rates.ReadBurst = 1e-6, 40 }})
	ana := w.owner()
	ben, ming := ana.guest("ben"), ana.guest("小明")
	var writers sync.WaitGroup
	for range 64 {
		writers.Go(func() {
			for range 32 {
				if _, err := w.hub.Send(t.Context(), ana.user.ID, message(w.room, "x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	until := func(v *visitor, query string) (n int) {
		t.Helper()
		for ; n <= 40; n++ {
			a := v.do(v.request("GET", "/api/rooms/"+string(w.room)+"/digest"+query, nil))
			if a.StatusCode == 429 {
				return n
			}
			if a.StatusCode != 200 {
				t.Fatalf("a digest: %v", a)
			}
		}
		return n
	}
	small, large := until(ben, "?from=1&to=900"), until(ming, "")
	if small < 10 || large != (small+2)/3 {
		t.Errorf("%d small questions and %d large ones were answered", small, large)
	}
}
