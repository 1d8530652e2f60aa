package chat

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// run draws events of a room from Seq 1 on, some of them blanked.
func run(t *rapid.T) []Event {
	events := make([]Event, rapid.IntRange(2, 40).Draw(t, "events"))
	for i := range events {
		e := Event{Room: room, Seq: Seq(i + 1), From: ana, At: time.UnixMilli(int64(1_700_000_000_000 + i)).UTC(), Nonce: Nonce(fmt.Sprint("n", i))}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			e.Edit = &Edit{Seq: 1, Text: rapid.String().Draw(t, "text")}
		case 1: // deleted
		default:
			e.Message = &Message{Text: rapid.String().Draw(t, "text")}
		}
		events[i] = e
	}
	return events
}

func digestOf(t interface{ Fatal(...any) }, events []Event) (d Digest) {
	for _, e := range events {
		if err := d.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// Whatever happens to a run of events on the way is seen in its digest: loss, repetition, two
// that changed places, another text, and a deletion or an edit that only one side knows of.
func TestDigestTellsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := run(t)
		want := digestOf(t, events)
		shuffled := rapid.Permutation(events).Draw(t, "order")
		if got := digestOf(t, shuffled); !got.Same(want) {
			t.Fatalf("the order of adding matters: %v, %v", got, want)
		}
		i := rapid.IntRange(0, len(events)-1).Draw(t, "where")
		j := rapid.IntRange(0, len(events)-1).Filter(func(j int) bool { return j != i }).Draw(t, "and where")
		e := &events[i]
		switch rapid.SampledFrom([]string{"lose", "repeat", "swap", "alter", "blank", "unblank", "author", "time"}).Draw(t, "what") {
		case "lose":
			events = slices.Delete(events, i, i+1)
		case "repeat":
			events = append(events, *e)
		case "swap": // the bodies, and with them all that a person sees
			if text(events[i]) == text(events[j]) {
				return
			}
			events[i].Body, events[j].Body = events[j].Body, events[i].Body
		case "alter":
			if e.Message == nil {
				return
			}
			e.Message = &Message{Text: e.Message.Text + "."}
		case "blank":
			if e.Blank() {
				return
			}
			e.Body = Body{}
		case "unblank":
			if !e.Blank() {
				return
			}
			e.Message = &Message{}
		case "author":
			e.From = "CCCCCCCCCCCCCCCCCCCCCCCCCC"
		case "time":
			e.At = e.At.Add(time.Millisecond)
		}
		if got := digestOf(t, events); got.Same(want) {
			t.Fatalf("the same digest for other events: %+v", got)
		}
	})
}

func text(e Event) string {
	b, err := json.Marshal(e.Body)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// A digest means the same after the wire, and so do the events it was made of.
func TestDigestTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := run(t)
		want := digestOf(t, events)
		want.From, want.To, want.Head = 1, 9, 12
		var back []Event
		var got Digest
		for _, way := range []struct{ from, to any }{{events, &back}, {want, &got}} {
			b, err := json.Marshal(way.from)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, way.to); err != nil {
				t.Fatal(err)
			}
		}
		again := digestOf(t, back)
		again.From, again.To, again.Head = 1, 9, 12
		if got != want || again != want {
			t.Fatalf("%v became %v, its events %v", want, got, again)
		}
	})
}

// A program in another language must come to the same number.
func TestDigestIsWhatIsWritten(t *testing.T) {
	e := Event{Room: room, Seq: 1, From: ana, At: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC), Nonce: "n", Body: Body{Message: &Message{Text: "<你好>"}}}
	f := e
	f.Seq, f.Body = 2, Body{}
	b, err := json.Marshal(digestOf(t, []Event{e, f}))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"from":0,"to":0,"head":0,"count":2,"hash":"41a11dc965023f6a68ca1fb634bffcf1"}`
	if string(b) != want {
		t.Errorf("the digest of two events is %s, want %s", b, want)
	}
}

func TestHashTakesNothingElse(t *testing.T) {
	for _, s := range []string{`""`, `"00"`, `"zz0102030405060708090a0b0c0d0e0f"`, `"000102030405060708090a0b0c0d0e0f00"`, `7`, `[]`} {
		var h Hash
		if err := json.Unmarshal([]byte(s), &h); err == nil {
			t.Errorf("%s was taken for a hash", s)
		}
	}
}
