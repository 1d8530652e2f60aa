package model

import (
	"slices"
	"time"

	"parley/app/chat"
)

// An Item is a draft of the user that is in no log yet, as far as the model knows.
type Item struct {
	Draft  chat.Draft  `json:"draft"`
	At     time.Time   `json:"at"`              // when it was written
	State  SendState   `json:"state"`           //
	Fault  chat.Code   `json:"fault,omitzero"`  // with Failed, or Queued after a try: why
	Tried  bool        `json:"tried,omitzero"`  // it was sent at least once, so it may be in the log
	Doomed bool        `json:"doomed,omitzero"` // the user took it back after it was sent: not shown, and deleted should it turn up
	Event  *chat.Event `json:"event,omitempty"` // with Sent: the answer; the feed has not brought it yet
}

// MaxOutbox bounds the drafts that wait.
const MaxOutbox = 500

// Queue shows a draft as pending. It reports false when too many wait.
func (m *Model) Queue(d chat.Draft, at time.Time) bool {
	if len(m.out) >= MaxOutbox {
		return false
	}
	m.out = append(m.out, &Item{Draft: d, At: at, State: Queued})
	m.overlaid(d)
	return true
}

// Outbox returns what is not in a log yet, in the order of writing. Change it only through the Model.
func (m *Model) Outbox() []*Item { return slices.Clip(m.out) }

func (m *Model) item(n chat.Nonce) *Item {
	for _, i := range m.out {
		if i.Draft.Nonce == n {
			return i
		}
	}
	return nil
}

// Sending says that the draft is on its way.
func (m *Model) Sending(n chat.Nonce) {
	if i := m.item(n); i != nil {
		i.State, i.Tried = Sending, true
		m.overlaid(i.Draft)
	}
}

// Requeue says that the draft waits for a better moment; what became of it is not known.
func (m *Model) Requeue(n chat.Nonce) {
	if i := m.item(n); i != nil && i.State != Sent {
		i.State, i.Fault = Queued, ""
		m.overlaid(i.Draft)
	}
}

// Postpone is Requeue, with what the server said.
func (m *Model) Postpone(n chat.Nonce, why chat.Code) {
	m.Requeue(n)
	if i := m.item(n); i != nil && i.State == Queued {
		i.Fault = why
	}
}

// Settle says that the draft was appended as e.
func (m *Model) Settle(e chat.Event) {
	i := m.item(e.Nonce)
	if i == nil {
		return
	}
	if m.logged(e) {
		m.drop(i)
	} else {
		i.State, i.Fault, i.Event = Sent, "", &e
		m.overlaid(i.Draft)
	}
	if i.Doomed {
		m.undo(i, e)
	}
}

// Fail says that the draft was refused for good.
func (m *Model) Fail(n chat.Nonce, why chat.Code) {
	i := m.item(n)
	switch {
	case i == nil || i.State == Sent:
	case i.Doomed:
		m.drop(i)
	default:
		i.State, i.Fault = Failed, why
		m.overlaid(i.Draft)
	}
}

// Discard takes a draft back and returns its text. One that may have been
// appended already is sent to its end, unseen, and then deleted.
func (m *Model) Discard(n chat.Nonce) string {
	i := m.item(n)
	if i == nil || i.State == Sent {
		return ""
	}
	if i.Tried && i.State != Failed && i.Draft.Message != nil {
		i.Doomed = true
	} else {
		m.drop(i)
	}
	m.overlaid(i.Draft)
	switch {
	case i.Draft.Message != nil:
		return i.Draft.Message.Text
	case i.Draft.Edit != nil:
		return i.Draft.Edit.Text
	}
	return ""
}

// echo says that the feed brought an event of the user's own.
func (m *Model) echo(e chat.Event) {
	i := m.item(e.Nonce)
	if e.Nonce == "" || i == nil {
		return
	}
	m.drop(i)
	if i.Doomed {
		m.undo(i, e)
	}
}

func (m *Model) drop(i *Item) {
	m.out = slices.DeleteFunc(m.out, func(o *Item) bool { return o == i })
	m.overlaid(i.Draft)
}

// undo deletes what turned up although it was taken back. The nonce is made from the
// draft's own, so that doing it twice deletes once.
func (m *Model) undo(i *Item, e chat.Event) {
	n := chat.Nonce("undo-" + string(i.Draft.Nonce[:min(len(i.Draft.Nonce), 59)]))
	if m.item(n) == nil && e.Message != nil {
		m.out = append(m.out, &Item{Draft: chat.Draft{Nonce: n, Room: e.Room, Body: chat.Body{Delete: &chat.Delete{Seq: e.Seq}}}, At: i.At, State: Queued})
	}
}

// overlaid marks for drawing what a waiting edit or deletion is laid over.
func (m *Model) overlaid(d chat.Draft) {
	if r := m.rooms[d.Room]; r != nil {
		switch {
		case d.Edit != nil:
			r.touch(d.Edit.Seq)
		case d.Delete != nil:
			r.touch(d.Delete.Seq)
		}
	}
}
