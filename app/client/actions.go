package client

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// pageSize is how many older events are loaded at once.
const pageSize = 50

// Open shows a room; "" shows none.
func (e *Engine) Open(room chat.RoomID) {
	e.post(func() {
		e.model.Open(room)
		e.dirty = true
	})
}

// Send queues a message.
func (e *Engine) Send(room chat.RoomID, text string) {
	e.queue(chat.Draft{Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}})
}

// Edit queues a change of a message of one's own.
func (e *Engine) Edit(room chat.RoomID, seq chat.Seq, text string) {
	e.queue(chat.Draft{Room: room, Body: chat.Body{Edit: &chat.Edit{Seq: seq, Text: text}}})
}

// Delete queues the deletion of a message of one's own.
func (e *Engine) Delete(room chat.RoomID, seq chat.Seq) {
	e.queue(chat.Draft{Room: room, Body: chat.Body{Delete: &chat.Delete{Seq: seq}}})
}

func (e *Engine) queue(d chat.Draft) {
	d.Nonce = chat.NewID[chat.Nonce]()
	e.post(func() {
		if e.model.You() == "" {
			return
		}
		text := ""
		if d.Message != nil {
			text = d.Message.Text
		}
		if !e.model.Queue(d, e.c.Now()) {
			e.model.SaveDraft(d.Room, text) // too many wait: at least it is not lost
		} else {
			if d.Message != nil {
				e.model.SaveDraft(d.Room, "")
			}
			if err := d.Validate(); err != nil {
				e.model.Fail(d.Nonce, chat.CodeOf(err))
			}
		}
		e.wrote()
		e.in(alarmOwn, 0) // what was sent does not wait for more, as the page may be gone the next moment
		e.pump()
	})
}

// Retry sends a failed draft again.
func (e *Engine) Retry(nonce chat.Nonce) {
	e.post(func() {
		e.model.Requeue(nonce)
		e.out.again()
		e.wrote()
		e.pump()
	})
}

// Discard takes a pending or failed draft back and returns its text.
func (e *Engine) Discard(nonce chat.Nonce) string {
	text := make(chan string, 1)
	ok := e.post(func() {
		text <- e.model.Discard(nonce)
		e.wrote()
		e.pump()
	})
	if !ok {
		return ""
	}
	select {
	case s := <-text:
		return s
	case <-e.done:
		return ""
	}
}

// Typing says that the person is writing in a room.
func (e *Engine) Typing(room chat.RoomID) { e.post(func() { e.typing(room) }) }

// SaveDraft keeps what was typed in a room.
func (e *Engine) SaveDraft(room chat.RoomID, text string) {
	e.post(func() {
		if e.model.SaveDraft(room, text) {
			e.wrote()
		}
	})
}

// Read says that the person has seen a room up to seq.
func (e *Engine) Read(room chat.RoomID, seq chat.Seq) {
	e.post(func() {
		if e.model.Read(room, seq) {
			e.changed()
			e.mark(room, seq)
		}
	})
}

// LoadOlder loads a page of older events of a room.
func (e *Engine) LoadOlder(room chat.RoomID) {
	e.post(func() {
		before, ok := e.model.Older(room)
		if !ok {
			return
		}
		e.dirty = true
		era := e.era
		ask(e, askPatience, func(ctx context.Context) (chat.History, error) {
			return e.c.API.History(ctx, room, before, pageSize)
		}, func(h chat.History, err error) {
			if era == e.era {
				e.model.Page(room, before, h, err == nil)
				e.dirty = true
			}
		})
	})
}

// Use switches the transport and remembers it.
func (e *Engine) Use(c model.Choice) {
	if !valid(&c) {
		return
	}
	e.post(func() {
		if e.choose(c) {
			e.saveChoice()
			e.say(note{Kind: noteChoice, Choice: &c})
		}
	})
}

// choose switches the transport, and reports whether that is another.
func (e *Engine) choose(c model.Choice) bool {
	if c == e.conn.Choice {
		return false
	}
	e.conn.Choice = c
	e.ladder = ladder{}
	e.learnt()
	e.off(alarmUp)
	e.dirty = true
	if e.session == model.SignedIn && !e.want {
		e.connect()
	}
	return true
}

// TryNow cuts a back-off short.
func (e *Engine) TryNow() { e.post(e.hurry) }

// SetVisible says whether the page is seen.
func (e *Engine) SetVisible(v bool) {
	e.post(func() {
		if v == e.visible {
			return
		}
		e.visible = v
		if !v {
			e.flush()
		} else {
			e.model.Divide()
			e.dirty = true
			e.hurry()
		}
		if e.now != nil && e.now.via == chat.Poll && e.new == nil && e.session == model.SignedIn && !e.want {
			e.connect() // at the pace that fits now
		}
	})
}

// SetOnline says what the browser thinks of the network.
func (e *Engine) SetOnline(v bool) {
	e.post(func() {
		if v == e.online {
			return
		}
		e.online = v
		e.note(map[bool]model.TurnKind{true: model.TurnOnline, false: model.TurnOffline}[v])
		switch {
		case v:
			e.moved()
			e.hurry()
		case e.set(alarmBegin) && (e.now == nil || e.now.opened.IsZero()): // else only a snapshot waits
			e.state(model.Offline)
		default:
			// The browser may be wrong: a server on this machine or in this house needs no
			// network that it knows of.
			e.ping(true)
			if e.now != nil && e.now.opened.IsZero() {
				e.in(alarmOpen, min(time.Until(e.agenda[alarmOpen]), openPatience))
			}
		}
	})
}
