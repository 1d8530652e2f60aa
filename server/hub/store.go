package hub

import (
	"context"
	"time"

	"parley/app/chat"
)

// Pos is a place in the one order of the whole log: 1, 2, 3 … It appears outside only inside
// a chat.Cursor.
type Pos int64

// Logged is an event and its place in the log.
type Logged struct {
	Pos   Pos
	Event chat.Event
}

// A Span is one interval of membership: its user may read the room's events
// at From ≤ pos < To. To is 0 while the membership lasts. The event of leaving
// is the last inside.
type Span struct {
	Room     chat.RoomID
	From, To Pos
}

// An Append asks for one draft, or for one room, to be appended.
type Append struct {
	From   chat.UserID
	At     time.Time // of the event
	Draft  chat.Draft
	Create *chat.NewRoom // when set, Draft is unused
}

// Appended is what became of an Append.
type Appended struct {
	Event chat.Event  // of the draft; for a room, its first
	Room  chat.RoomID // the room created, or found
	New   []Logged    // what was appended, in order; none when the nonce was known
	Err   error       // an *chat.Error: why it was refused; nothing was appended
}

// A Store keeps the log. What a returned write says is on disk. Once a reader has
// seen position p, nothing at or below p can appear. Methods may be called by
// many at once, except Append, which has one caller, the hub's writer.
type Store interface {
	// Epoch names this incarnation of the log; it changes when a backup is restored.
	Epoch() string

	// Head is the position of the newest event, 0 when there is none.
	Head(ctx context.Context) (Pos, error)

	// Append appends a group in one transaction, in order, each to be allowed by
	// Allow, or refused on its own, and idempotent by (From, nonce): a known nonce with the
	// same body answers the event of then, with another body it is
	// chat.ErrConflict. An error returned concerns the whole group: nothing was appended.
	Append(ctx context.Context, group []Append) ([]Appended, error)

	// After reads the whole log after pos, in order.
	After(ctx context.Context, pos Pos, limit int) ([]Logged, error)

	// AfterFor reads one user's view of the log after pos, and returns how far it looked:
	// the place to go on from, also when nothing was found. Having looked as far
	// as the head, it returns the head.
	AfterFor(ctx context.Context, u chat.UserID, pos Pos, limit int) ([]Logged, Pos, error)

	// Before reads a page of a room's events with Seq < seq (0: from the newest) that u may
	// read: in a public room all of them, else those within u's spans. A room
	// that u is not in now is chat.ErrNotFound.
	Before(ctx context.Context, u chat.UserID, room chat.RoomID, seq chat.Seq, limit int) (chat.History, error)

	// Digest is of the events with from ≤ Seq ≤ to that u may read, as Before says, to being no
	// further than the head. More than chat.MaxDigest numbers are chat.CodeTooLarge.
	Digest(ctx context.Context, u chat.UserID, room chat.RoomID, from, to chat.Seq) (chat.Digest, error)

	// Snapshot reads what u knows, without the cursor and who is online, and the position it holds at.
	Snapshot(ctx context.Context, u chat.UserID) (chat.Snapshot, Pos, error)

	// Spans reads all memberships of u, past ones too.
	Spans(ctx context.Context, u chat.UserID) ([]Span, error)

	// Room reads one room as u knows it; one u is not in is chat.ErrNotFound.
	Room(ctx context.Context, u chat.UserID, room chat.RoomID) (chat.Room, error)

	// Public reads the public rooms that u is not in, with Members left empty.
	Public(ctx context.Context, u chat.UserID, limit int) ([]chat.Room, error)

	// First is the first public room ever made, where newcomers begin; chat.ErrNotFound when there is none.
	First(ctx context.Context) (chat.RoomID, error)
}

// Facts are what a Store knows, inside the transaction, of what a draft is about.
type Facts struct {
	Kind    chat.RoomKind // "" when there is no such room
	Creator chat.UserID
	Members int
	Sender  bool        // the sender is a member now
	User    bool        // Draft.Member.User exists
	IsIn    bool        // … and is a member now
	Target  *chat.Event // what Edit.Seq or Delete.Seq names in this room; nil when nothing
	Head    chat.Seq    // of the room that Draft.Read names, 0 when the sender is not in it
}

// Allow is the one place that says what a user may append. It returns nil
// or a *chat.Error. What may not be seen is answered like what is not there.
func Allow(from chat.UserID, d chat.Draft, f Facts) error {
	if f.Kind == "" {
		return chat.ErrNotFound
	}
	if m := d.Member; m != nil {
		return allowMember(from, m, f)
	}
	if !f.Sender {
		return chat.ErrNotFound
	}
	switch {
	case d.Message != nil, d.Typing != nil:
		return nil
	case d.Edit != nil, d.Delete != nil:
		if f.Target == nil || f.Target.Message == nil {
			return chat.ErrNotFound
		}
		if f.Target.From != from {
			return chat.ErrForbidden
		}
		return nil
	case d.Change != nil:
		if f.Kind == chat.Direct || f.Kind == chat.Self || f.Creator != from || d.Change.Kind != f.Kind {
			return chat.ErrForbidden
		}
		return nil
	case d.Read != nil:
		if f.Kind != chat.Self {
			return chat.Errorf(chat.CodeInvalid, "read marks belong to one's self room")
		}
		if f.Head == 0 || d.Read.Seq > f.Head {
			return chat.ErrNotFound
		}
		return nil
	}
	return chat.ErrForbidden
}

func allowMember(from chat.UserID, m *chat.Member, f Facts) error {
	self := m.User == from
	switch {
	case !f.Sender && !(self && f.Kind == chat.Public && m.State == chat.Joined):
		return chat.ErrNotFound
	case f.Kind == chat.Direct || f.Kind == chat.Self:
		return chat.ErrForbidden
	case m.State == chat.Left:
		if !self && f.Creator != from {
			return chat.ErrForbidden
		}
		if !f.IsIn {
			return chat.Errorf(chat.CodeConflict, "they are not in this room")
		}
		return nil
	case !f.User:
		return chat.ErrNotFound
	case f.IsIn:
		return chat.Errorf(chat.CodeConflict, "they are in this room already")
	case f.Members >= chat.MaxMembers:
		return &chat.Error{Code: chat.CodeTooLarge, Message: "the room is full", Max: chat.MaxMembers, Got: f.Members + 1}
	}
	return nil
}
