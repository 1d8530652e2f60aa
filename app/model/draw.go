package model

import (
	"slices"
	"time"

	"parley/app/chat"
)

// drawn is what of a room's timeline is made for the screen already.
type drawn struct {
	chunks  map[int]*drawnChunk
	touched map[int]bool // chunks to make anew
	all     bool         // … or all of them
	last    string       // the newest message, for the sidebar
	lastAt  time.Time
	lastOld bool
}

type drawnChunk struct {
	Chunk
	after, end tail
}

// A tail is what the rows that follow must know of those before.
type tail struct {
	day     int         // the day that the last divider names; 0 at the beginning
	from    chat.UserID // the author of the last row, if it is a message
	at      time.Time   // and when
	divided bool        // the unread divider was drawn
}

// groupFor is how long after a message the next of its author still belongs to it.
const groupFor = 5 * time.Minute

// touch says that the row of seq is not what it was.
func (d *drawn) touch(seq chat.Seq) {
	if d.touched == nil {
		d.touched = map[int]bool{}
	}
	d.touched[slot(seq)] = true
	d.lastOld = true
}

// redraw says that any row may not be what it was.
func (d *drawn) redraw() { d.all, d.lastOld = true, true }

// undraw forgets what was drawn, to save space.
func (d *drawn) undraw() { *d = drawn{lastOld: true} }

func slot(seq chat.Seq) int { return int(seq / ChunkSize) }

// draw makes the chunks of a room, and shares those that are as they were.
func (m *Model) draw(r *room) ([]Chunk, tail) {
	if r.chunks == nil {
		r.chunks = map[int]*drawnChunk{}
	}
	over := m.overlays(r.id)
	var chunks []Chunk
	var end tail
	present := map[int]bool{}
	for lo := 0; lo < len(r.log); {
		index := slot(r.log[lo].Seq)
		n, _ := r.find(chat.Seq(index+1) * ChunkSize)
		present[index] = true
		c := r.chunks[index]
		if c == nil || r.all || r.touched[index] || c.after != end {
			was := c
			c = &drawnChunk{Chunk: Chunk{Index: index}, after: end}
			c.Rows, c.end = m.rows(r, r.log[lo:n], end, over)
			if was != nil && slices.Equal(was.Rows, c.Rows) {
				c.Chunk = was.Chunk
			} else {
				c.Version = m.next()
			}
			r.chunks[index] = c
		}
		if len(c.Rows) > 0 {
			chunks = append(chunks, c.Chunk)
		}
		end = c.end
		lo = n
	}
	for index := range r.chunks {
		if !present[index] {
			delete(r.chunks, index)
		}
	}
	r.touched, r.all = nil, false
	return chunks, end
}

// rows makes the rows of a run of events.
func (m *Model) rows(r *room, events []chat.Event, at tail, over map[chat.Seq]*Item) ([]Row, tail) {
	var rows []Row
	for _, e := range events {
		row, ok := m.row(r, e, over[e.Seq])
		if !ok {
			continue
		}
		local := e.At.In(m.zone)
		if day := local.Year()*1000 + local.YearDay(); day != at.day {
			rows = append(rows, Row{Kind: RowDay, Seq: e.Seq, At: e.At})
			at.day, at.from = day, ""
		}
		if r.newest != 0 && !at.divided && e.Seq >= r.newest {
			rows = append(rows, Row{Kind: RowNew, Seq: e.Seq, At: e.At})
			at.divided, at.from = true, ""
		}
		if row.Kind == RowMessage {
			row.First = at.from != e.From || e.At.Sub(at.at) >= groupFor
			at.from, at.at = e.From, e.At
		} else {
			at.from = ""
		}
		rows = append(rows, row)
	}
	return rows, at
}

// row makes the row of an event, if it has one. i is the user's own change to it that
// waits to be appended, or nil.
func (m *Model) row(r *room, e chat.Event, i *Item) (Row, bool) {
	row := Row{Seq: e.Seq, Nonce: e.Nonce, From: e.From, Name: m.users[e.From].Name, Mine: e.From == m.you, At: e.At}
	switch {
	case r.gone[e.Seq]:
		row.Deleted = true
	case e.Message != nil:
		row.Text, row.Edited = r.text(e)
		if i == nil {
			break
		}
		row.Nonce, row.State, row.Fault = i.Draft.Nonce, i.State, i.Fault
		switch {
		case i.Draft.Edit != nil:
			row.Text, row.Edited = i.Draft.Edit.Text, true
		case i.State != Failed:
			row.Deleted, row.Text, row.Edited = true, "", false
		}
	case e.Member != nil && r.kind != chat.Direct && !(e.Seq == 2 && e.Member.User == r.creator):
		row.Kind, row.User = RowJoined, m.users[e.Member.User].Name
		if e.Member.State == chat.Left {
			row.Kind = RowLeft
		}
		if row.User == "" {
			row.User = e.Member.Name
		}
		if e.From != e.Member.User {
			row.By = row.Name
		}
	case e.Change != nil && e.Seq == 1:
		row.Kind = RowCreated
	case e.Change != nil:
		row.Kind, row.User = RowChanged, e.Change.Name
	default:
		return row, false
	}
	return row, true
}

// overlays are the user's own changes to messages that wait, the last of each.
func (m *Model) overlays(id chat.RoomID) map[chat.Seq]*Item {
	var over map[chat.Seq]*Item
	for _, i := range m.out {
		var seq chat.Seq
		switch {
		case i.Draft.Room != id || i.Doomed:
			continue
		case i.Draft.Edit != nil:
			seq = i.Draft.Edit.Seq
		case i.Draft.Delete != nil:
			seq = i.Draft.Delete.Seq
		default:
			continue
		}
		if over == nil {
			over = map[chat.Seq]*Item{}
		}
		over[seq] = i
	}
	return over
}

// pendingRows makes the rows of what is in no log yet.
func (m *Model) pendingRows(r *room, at tail) []Row {
	var rows []Row
	for _, i := range m.out {
		if i.Draft.Room != r.id || i.Draft.Message == nil || i.Doomed {
			continue
		}
		row := Row{
			Nonce: i.Draft.Nonce, From: m.you, Name: m.users[m.you].Name, Mine: true, At: i.At,
			Text: i.Draft.Message.Text, State: i.State, Fault: i.Fault,
			First: at.from != m.you || i.At.Sub(at.at) >= groupFor,
		}
		at.from, at.at = m.you, i.At
		rows = append(rows, row)
	}
	return rows
}
