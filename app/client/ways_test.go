package client_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/model"
)

// TestAnyNetwork lets everything happen to one browser in any order: messages both ways, batches
// dropped, doubled and turned round, answers lost, ways that break in each manner, switches,
// crashes, nights asleep. Once the network is well again, the screen has exactly the log, and the log
// has each message once.
//
// The tests run a hundred of these on each of two processors; `make model` runs 10,000 on each.
func TestAnyNetwork(t *testing.T) {
	for _, half := range []string{"one half", "the other"} {
		t.Run(half, func(t *testing.T) {
			t.Parallel()
			anyNetwork(t)
		})
	}
}

func anyNetwork(t *testing.T) {
	faults := []way{{refuse: errDown}, {hang: true}, {cut: 50 * time.Millisecond}, {cut: 3 * time.Second}, {silent: true}, {hush: 5 * time.Second}}
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			do   string
			n    int
			wait time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"say", "say", "say", "send", "send", "send", "edit", "delete", "break", "mend", "drop", "double", "turn", "lose",
					"switch", "switch", "auto", "crash", "sleep", "offline", "older"}).Draw(r, "do"),
				rapid.IntRange(0, 27).Draw(r, "n"),
				rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, time.Second, 7 * time.Second}).Draw(r, "wait"),
			}
		}), 10, 60).Draw(r, "steps")
		wrong := ""
		in(t, func(w *world) {
			b := client.NewMemoryBrowser()
			p := w.open(b)
			owed := map[string]bool{} // what was sent, and not by a program that crashed since
			var own []chat.Seq
			for i, s := range steps {
				switch s.do {
				case "say":
					w.say(fmt.Sprint("ana ", i))
				case "send":
					if p.view().Room == nil {
						break // nobody can write in a room that is not on the screen yet
					}
					text := fmt.Sprint("you ", i)
					owed[text] = true
					p.engine.Send(w.room, text)
				case "edit", "delete": // by ana, of her own
					own = append(own, w.say(fmt.Sprint("first ", i)).Seq)
					d := chat.Draft{Room: w.room, Body: chat.Body{Edit: &chat.Edit{Seq: own[s.n%len(own)], Text: fmt.Sprint("edited ", i)}}}
					if s.do == "delete" {
						d.Body = chat.Body{Delete: &chat.Delete{Seq: own[len(own)-1]}}
						own = own[:len(own)-1]
					}
					if d.Delete != nil || len(own) > 0 {
						w.tell(w.ana.ID, d)
					}
				case "break":
					w.set(func() { w.ways[chat.Vias[s.n%4]] = faults[s.n%len(faults)] })
				case "mend":
					w.set(func() { w.ways, w.twist, w.sending = map[chat.Via]way{}, nil, nil })
				case "drop", "double", "turn":
					w.set(func() { w.twist = twisted(s.do, s.n) })
				case "lose":
					k := 0
					w.set(func() {
						w.sending = func(chat.Draft) (before, after error) {
							if k++; k%3 == 0 {
								return errDown, nil
							}
							return nil, [2]error{nil, errDown}[k%2]
						}
					})
				case "switch":
					p.engine.Use(model.Choice{Via: chat.Vias[s.n%4], Every: time.Second})
				case "auto":
					p.engine.Use(model.Choice{Auto: true})
				case "crash":
					clear(owed)
					p.kill()
					p = w.open(b)
				case "sleep":
					w.pass(time.Duration(s.n) * time.Minute)
				case "offline":
					p.engine.SetOnline(false)
					w.pass(time.Duration(s.n) * time.Second)
					p.engine.SetOnline(true)
				case "older":
					p.engine.LoadOlder(w.room)
				}
				w.pass(s.wait)
			}
			w.set(func() { w.ways, w.twist, w.sending = map[chat.Via]way{}, nil, nil })
			p.engine.SetOnline(true)
			p.engine.TryNow()
			w.pass(15 * time.Minute) // longer than any back-off, and than what was mended in vain is left alone
			p.engine.Check()
			w.pass(2 * time.Minute) // two signs of life without the rest show what is lost at the end

			log := w.log(w.room)
			for _, text := range log {
				delete(owed, text)
			}
			if len(owed) > 0 {
				wrong += fmt.Sprintf("never sent: %v\n", owed)
			}
			if once := slices.Compact(slices.Sorted(slices.Values(log))); len(once) != len(log) {
				wrong += fmt.Sprintf("twice in the log: %q\n", log)
			}
			shown, pending := shown(p.view())
			if len(pending) > 0 {
				wrong += fmt.Sprintf("still pending: %q\n", pending)
			}
			// As far back as it goes, what is shown is the log as it reads now.
			if now := w.edited(); len(shown) < min(len(now), 10) || !slices.Equal(shown, now[len(now)-len(shown):]) {
				wrong += fmt.Sprintf("shown %q\nlog   %q\n", shown, now)
			}
			p.close()
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// edited is the log of the room with its edits carried out.
func (w *world) edited() (texts []string) {
	at := map[chat.Seq]int{}
	for _, e := range w.server.Log(w.ana.ID, w.room) {
		switch {
		case e.Message != nil:
			at[e.Seq] = len(texts)
			texts = append(texts, e.Message.Text)
		case e.Edit != nil:
			texts[at[e.Edit.Seq]] = e.Edit.Text
		}
	}
	return texts
}

// twisted harms one batch in a few.
func twisted(how string, n int) func(chat.Batch) chat.Batch {
	seen := 0
	return func(b chat.Batch) chat.Batch {
		if seen++; len(b.Events) == 0 || seen%(1+n%3) != 0 {
			return b
		}
		switch b.Events = slices.Clone(b.Events); how {
		case "drop":
			b.Events = slices.Delete(b.Events, n%len(b.Events), n%len(b.Events)+1)
		case "double":
			b.Events = append(b.Events, b.Events...)
		case "turn":
			slices.Reverse(b.Events)
		}
		return b
	}
}
