package client_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// lose has the next event that is asked for lost on the way, once.
func (w *world) lose(which func(chat.Event) bool) {
	w.set(func() {
		w.twist = func(b chat.Batch) chat.Batch {
			if i := slices.IndexFunc(b.Events, which); i >= 0 {
				b.Events = slices.Delete(slices.Clone(b.Events), i, i+1)
				w.twist = nil
			}
			return b
		}
	})
}

func says(text string) func(chat.Event) bool {
	return func(e chat.Event) bool { return e.Message != nil && e.Message.Text == text }
}

// whole is what the page says of whether anything is missing, when it has been looked into.
func (w *world) whole() model.Integrity {
	w.t.Helper()
	v := w.view().Connection.Whole
	if v.Running {
		w.t.Fatalf("it is still being compared: %+v", v)
	}
	return v
}

// all is how many events there are that the user may read.
func (w *world) all() (n int) {
	for _, r := range w.server.Snapshot(w.you.ID, 10_000).Rooms {
		n += len(r.Events)
	}
	return n
}

// After a connection opened, what is known is compared, edits and deletions too, and what came since
// after the next one.
func TestNothingMissing(t *testing.T) {
	in(t, func(w *world) {
		w.random = 0 // of a second, this user waits no more
		w.begin()
		w.want("before anything was compared", model.Integrity{}, w.view().Connection.Whole)
		w.pass(2 * time.Second)
		began := time.Now()
		v := w.whole()
		w.want("the same", true, v.OK)
		w.want("events compared", w.all(), v.Checked)
		if ago := began.Sub(v.At); ago < 0 || ago > 3*time.Second {
			w.t.Errorf("it was compared %v ago", ago)
		}
		for i := range 30 {
			w.say(fmt.Sprint(i))
		}
		for _, b := range []chat.Body{{Edit: &chat.Edit{Seq: 5, Text: "edited"}}, {Delete: &chat.Delete{Seq: 6}}, {Edit: &chat.Edit{Seq: 7, Text: "x"}}, {Delete: &chat.Delete{Seq: 7}}} {
			w.tell(w.ana.ID, chat.Draft{Room: w.room, Body: b})
		}
		w.pass(time.Minute)
		w.want("not compared again", v, w.whole())
		for _, via := range chat.Vias {
			w.set(func() { w.asked["digest"] = 0 })
			w.say("over " + string(via))
			w.engine.Use(model.Choice{Via: via, Every: 2 * time.Second})
			w.pass(10 * time.Second)
			v = w.whole()
			w.want("the same", true, v.OK)
			w.want("events compared", w.all(), v.Checked)
			w.want("questions, one a room", 2, w.asked["digest"])
		}
		w.engine.Check()
		w.pass(5 * time.Second)
		v = w.whole()
		w.want("events compared", w.all(), v.Checked)
		w.want("gaps and repairs", 0, v.Gaps+v.Repaired)
		w.want("pages read", 0, w.asked["history"])

		w.begin() // what was kept on disk is compared anew
		w.pass(10 * time.Second)
		v = w.whole()
		w.want("the same", true, v.OK)
		if v.Checked == 0 || v.Checked > w.all() {
			w.t.Errorf("after a reload, %d events are the same", v.Checked)
		}
	})
}

// An event that is lost on the way is missed when the next one comes, read again, and all that it
// meant is known, on all four ways.
func TestLostOnTheWay(t *testing.T) {
	for _, via := range chat.Vias {
		in(t, func(w *world) {
			w.choice = model.Choice{Via: via, Every: time.Second}
			w.begin()
			w.engine.Use(w.choice)
			w.pass(10 * time.Second)
			w.lose(says("lost"))
			for _, text := range []string{"one", "lost", "three"} {
				w.say(text)
				w.pass(2 * time.Second)
			}
			w.pass(20 * time.Second)
			v := w.view()
			texts, _ := shown(v)
			w.want("log", w.log(w.room), texts)
			w.want("unread", 3, v.Unread)
			w.want("gaps", 1, v.Connection.Whole.Gaps)
			w.want("repairs", 1, v.Connection.Whole.Repaired)
			w.want("the same", true, w.whole().OK)
			w.want("events compared", w.all(), w.whole().Checked)

			// What is lost may say more than a text.
			w.lose(func(e chat.Event) bool { return e.Change != nil })
			w.tell(w.ana.ID, chat.Draft{Room: w.room, Body: chat.Body{Change: &chat.Change{Kind: chat.Public, Name: "Market"}}})
			w.pass(2 * time.Second)
			w.want("name, which is not known yet", "Square", w.view().Room.Name)
			w.say("four")
			w.pass(20 * time.Second)
			w.want("name", "Market", w.view().Room.Name)
			w.want("gaps", 2, w.whole().Gaps)
			w.want("via", via, w.view().Connection.Via)
			w.want("state", model.Open, w.view().Connection.State)
		})
	}
}

// The last event is missed by nothing that comes after. It is when someone looks.
func TestLostAtTheEnd(t *testing.T) {
	for _, via := range chat.Vias {
		in(t, func(w *world) {
			w.begin()
			w.engine.Use(model.Choice{Via: via, Every: time.Second})
			w.pass(10 * time.Second)
			w.lose(says("lost"))
			w.say("lost")
			w.pass(2 * time.Second)
			texts, _ := shown(w.view())
			w.want("shown", []string(nil), texts)
			w.engine.Check()
			w.pass(time.Minute)
			texts, _ = shown(w.view())
			w.want("log", w.log(w.room), texts)
			v := w.whole()
			w.want("the same", true, v.OK)
			w.want("gaps", 1, v.Gaps)
			w.want("repairs", 1, v.Repaired)
			w.want("events compared", w.all(), v.Checked)
		})
	}
}

// A text that came other than it was sent is found when someone looks.
func TestAltered(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.pass(10 * time.Second)
		w.set(func() {
			w.twist = func(b chat.Batch) chat.Batch {
				for i, e := range b.Events {
					if e.Message != nil {
						b.Events[i].Message = &chat.Message{Text: "No."}
					}
				}
				return b
			}
		})
		w.say("Yes.")
		w.pass(time.Second)
		w.set(func() { w.twist = nil })
		texts, _ := shown(w.view())
		w.want("shown", []string{"No."}, texts)
		w.engine.Check()
		w.pass(20 * time.Second)
		texts, _ = shown(w.view())
		w.want("log", []string{"Yes."}, texts)
		v := w.whole()
		w.want("the same", true, v.OK)
		w.want("gaps", 0, v.Gaps)
		w.want("repairs", 1, v.Repaired)
	})
}

// What can not be mended is said, and not tried again and again.
func TestDiffersForGood(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.say("one")
		w.set(func() { w.lying = true })
		w.pass(9 * time.Minute)
		v := w.whole()
		w.want("the same", false, v.OK)
		w.want("repairs, one a room", 2, v.Repaired)
		w.want("snapshots", 3, w.asked["snapshot"])
		if n := w.asked["digest"]; n > 8 {
			w.t.Errorf("%d questions", n)
		}
		texts, _ := shown(w.view())
		w.want("log", w.log(w.room), texts)
		w.set(func() { w.lying = false })
		w.engine.Check()
		w.pass(10 * time.Second)
		w.want("the same", true, w.whole().OK)
	})
}

// A long absence is not taken for a loss, nor is a slow way.
func TestSlowIsNotLost(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.engine.Use(model.Choice{Via: chat.Poll, Every: time.Minute})
		w.pass(90 * time.Second)
		for i := range 5 {
			w.say(fmt.Sprint(i))
			w.engine.Check()
			w.pass(17 * time.Second)
		}
		w.pass(3 * time.Minute)
		v := w.whole()
		w.want("the same", true, v.OK)
		w.want("gaps and repairs", 0, v.Gaps+v.Repaired)
		w.want("events compared", w.all(), v.Checked)
	})
}

// Comparing gives way to trouble, and goes on after it.
func TestCheckInTrouble(t *testing.T) {
	in(t, func(w *world) {
		w.begin()
		w.view()
		w.set(func() { w.dead = true })
		w.say("cut")
		w.engine.Check()
		w.pass(time.Minute)
		v := w.view().Connection
		w.want("state", model.Waiting, v.State)
		w.want("running", false, v.Whole.Running)
		w.want("when", true, v.Whole.At.IsZero())
		w.set(func() { w.dead = false })
		w.pass(time.Minute)
		w.want("the same", true, w.whole().OK)
		w.want("events compared", w.all(), w.whole().Checked)

		if err := w.engine.SignOut(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.pass(time.Minute)
		w.want("signed out", model.Integrity{}, w.view().Connection.Whole)
	})
}
