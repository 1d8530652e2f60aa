package model

import (
	"maps"
	"slices"
	"time"

	"parley/app/chat"
)

// A room is one room and the newest part of its log.
type room struct {
	id          chat.RoomID
	kind        chat.RoomKind
	name, topic string
	creator     chat.UserID
	members     []chat.UserID
	head, read  chat.Seq
	unread      int
	more        bool // there are events before the log
	loading     bool
	loadErr     bool
	// log is what the user may read from some place on up to head, by Seq. Seqs are missing
	// where the user was not a member.
	log    []chat.Event
	edits  map[chat.Seq]edit // by the message's Seq, which may not be loaded
	gone   map[chat.Seq]bool // messages deleted, loaded or not
	typing map[chat.UserID]time.Time
	newest chat.Seq // the unread divider stands before it
	sure   sure
	drawn
}

type edit struct {
	seq  chat.Seq // of the edit
	text string
}

func newRoom(c chat.Room) *room {
	r := &room{
		id: c.ID, kind: c.Kind, name: c.Name, topic: c.Topic, creator: c.Creator,
		members: slices.Clone(c.Members), head: c.Head, read: c.Read, unread: c.Unread, more: c.More,
		log: slices.Clone(c.Events), typing: map[chat.UserID]time.Time{},
	}
	r.learn()
	return r
}

// first is the Seq of the oldest event of the log, or, of an empty one, what would be.
func (r *room) first() chat.Seq {
	if len(r.log) > 0 {
		return r.log[0].Seq
	}
	return r.head + 1
}

// find is the index of seq in the log.
func (r *room) find(seq chat.Seq) (int, bool) {
	return slices.BinarySearchFunc(r.log, seq, func(e chat.Event, s chat.Seq) int { return int(e.Seq - s) })
}

// append adds an event after head.
func (r *room) append(e chat.Event, you chat.UserID) {
	r.log = append(r.log, e)
	r.head = e.Seq
	r.learnOne(e)
	r.touch(e.Seq)
	switch {
	case e.Message != nil:
		delete(r.typing, e.From)
		if e.From != you && e.Seq > r.read {
			r.unread++
		}
	case e.Delete != nil:
		if i, ok := r.find(e.Delete.Seq); ok && r.log[i].From != you && r.log[i].Seq > r.read && r.log[i].Message != nil {
			r.unread = max(0, r.unread-1)
		}
		r.blank(e.Delete.Seq)
	}
}

// blank forgets what a message and its edits said, as the server does.
func (r *room) blank(seq chat.Seq) {
	for i := range r.log {
		if e := &r.log[i]; e.Seq == seq || e.Edit != nil && e.Edit.Seq == seq {
			e.Body = chat.Body{}
		}
	}
	delete(r.edits, seq)
}

// learn reads from the log what its events say of each other.
func (r *room) learn() {
	r.edits, r.gone = map[chat.Seq]edit{}, map[chat.Seq]bool{}
	for _, e := range r.log {
		r.learnOne(e)
	}
	r.redraw()
}

// relearn is learn for a log whose parts are of different times: what one tells to be deleted
// is blanked in the others.
func (r *room) relearn() {
	r.learn()
	for seq := range maps.Keys(r.gone) {
		r.blank(seq)
	}
}

func (r *room) learnOne(e chat.Event) {
	switch {
	case e.Edit != nil && e.Seq > r.edits[e.Edit.Seq].seq && !r.gone[e.Edit.Seq]:
		r.edits[e.Edit.Seq] = edit{e.Seq, e.Edit.Text}
		r.touch(e.Edit.Seq)
	case e.Delete != nil:
		r.gone[e.Delete.Seq] = true
		r.touch(e.Delete.Seq)
	}
}

// prepend adds a page of older events.
func (r *room) prepend(h chat.History) {
	older := slices.DeleteFunc(slices.Clone(h.Events), func(e chat.Event) bool { return e.Seq >= r.first() })
	for i := range older { // the page may have been read before a deletion that is known here
		if e := &older[i]; r.gone[e.Seq] || e.Edit != nil && r.gone[e.Edit.Seq] {
			e.Body = chat.Body{}
		}
	}
	if len(r.log) > 0 {
		r.touch(r.log[0].Seq) // its day and its author may now be said above
	}
	r.log = append(older, r.log...)
	r.more = h.More
	for _, e := range older {
		r.learnOne(e)
		r.touch(e.Seq)
	}
}

// inherit takes over from the same room before a snapshot what goes on from there.
func (r *room) inherit(was *room, you chat.UserID) {
	r.typing, r.newest, r.loading = was.typing, was.newest, was.loading
	r.drawn = was.drawn
	if i, _ := was.find(r.first()); i > 0 && (was.head >= r.first()-1 || was.head == r.head) {
		older := slices.Clone(was.log[:i])
		r.log, r.more = append(older, r.log...), was.more
		r.sure = was.sure
		r.sure.cut(r.head + 1)
		r.relearn() // deletions that the snapshot tells of reach back into what is kept
	}
	r.redraw()
	if was.read > r.read {
		r.mark(was.read, you)
	}
}

// trim cuts the log to keep events when it has more than most. Up to four times as many edits do not count: they stand in the row of
// another event, perhaps the first, and without it there would be nothing to see.
func (r *room) trim(keep, most int) {
	n := len(r.log)
	if n > most && n <= 4*most {
		for _, e := range r.log {
			if e.Edit != nil {
				n--
			}
		}
	}
	if n <= most {
		return
	}
	r.log = slices.Clone(r.log[len(r.log)-keep:])
	r.more = true
	r.learn()
	r.undraw()
}

// text is what the message with that event says now.
func (r *room) text(e chat.Event) (text string, edited bool) {
	if d, ok := r.edits[e.Seq]; ok {
		return d.text, true
	}
	return e.Message.Text, false
}
