package chat

import (
	"time"
	"unicode/utf8"
)

type (
	// A RoomID names a room: 128 random bits as 26 letters and digits.
	RoomID string
	// A UserID names a user, for ever, in the same form as a RoomID.
	UserID string
	// A Nonce names one draft of one user for ever: 1 to 64 of A-Z a-z 0-9 _ and -.
	// Its maker should draw 128 random bits.
	Nonce string
	// A Seq numbers the events of one room: 1, 2, 3 … without gaps.
	Seq int64
)

// An Event is one entry in a room's log. Once appended it changes in one way
// only: deletion blanks its body, and the bodies of its edits.
type Event struct {
	Room  RoomID    `json:"room,omitzero"`  // empty for presence, which concerns every room
	Seq   Seq       `json:"seq,omitzero"`   // 0 for a signal
	From  UserID    `json:"from,omitzero"`  // empty when the server itself speaks
	At    time.Time `json:"at,omitzero"`    // when appended, by the server's clock; decides nothing
	Nonce Nonce     `json:"nonce,omitzero"` // the draft's; lets its sender know its own event
	Body
}

// Signal reports whether e is a signal: never stored, perhaps lost.
func (e Event) Signal() bool { return e.Seq == 0 }

// A Body says what happened: exactly one of its fields is set. A kind that a
// program does not know decodes to none set and is passed over, and so does a
// body blanked by deletion.
type Body struct {
	Message  *Message  `json:"message,omitempty"`
	Edit     *Edit     `json:"edit,omitempty"`
	Delete   *Delete   `json:"delete,omitempty"`
	Member   *Member   `json:"member,omitempty"`
	Change   *Change   `json:"change,omitempty"`
	Read     *Read     `json:"read,omitempty"`
	Typing   *Typing   `json:"typing,omitempty"`
	Presence *Presence `json:"presence,omitempty"`
}

type (
	// A Message is text that someone wrote, in Markdown.
	Message struct {
		Text string `json:"text"`
	}

	// An Edit replaces the text of a message of the same author and room.
	Edit struct {
		Seq  Seq    `json:"seq"` // of the message
		Text string `json:"text"`
	}

	// A Delete blanks a message of the same author and room.
	Delete struct {
		Seq Seq `json:"seq"` // of the message
	}

	// A Member says that a user came or went. A draft names User and State;
	// the server adds the name, so that a reader need not ask who it is. Anyone may
	// let themselves into a public room and out of any room but a direct one;
	// a member may bring others into a room; whoever created a room may
	// send others out. The event of leaving is the last that the leaver sees.
	Member struct {
		User  UserID      `json:"user"`
		Name  string      `json:"name,omitzero"`
		State MemberState `json:"state"`
	}

	// A Change says what a room now is. It is the first event of every room.
	Change struct {
		Kind  RoomKind `json:"kind"`
		Name  string   `json:"name,omitzero"`
		Topic string   `json:"topic,omitzero"`
	}

	// A Read says that its sender has read Room up to Seq. It is appended to
	// the sender's self room, so that all their devices learn of it.
	Read struct {
		Room RoomID `json:"room"`
		Seq  Seq    `json:"seq"`
	}

	// Typing is a signal: its sender is writing in the room, for about 6 seconds.
	Typing struct{}

	// Presence is a signal from the server: who came and who went.
	Presence struct {
		Anew    bool     `json:"anew,omitzero"` // nobody is here but those named now and from now on
		Online  []UserID `json:"online,omitempty"`
		Offline []UserID `json:"offline,omitempty"`
	}
)

// MemberState is what a Member event says of a user.
type MemberState string

const (
	Joined MemberState = "joined"
	Left   MemberState = "left"
)

// A Draft is an event not appended yet. For a signal the nonce may be empty.
type Draft struct {
	Nonce Nonce  `json:"nonce,omitzero"`
	Room  RoomID `json:"room"`
	Body
}

// Signal reports whether d asks for a signal.
func (d Draft) Signal() bool { return d.Typing != nil }

// Bounds of what a client may say. Lengths of names and text count Unicode
// code points.
const (
	MaxText      = 8_000    // code points in a message
	MaxTextBytes = 32 << 10 // bytes in a message
	MaxFrame     = 64 << 10 // bytes in a request body or a frame from a client
	MaxBatch     = 256      // events in one batch
	MaxName      = 64       // code points in a user's name
	MaxRoomName  = 80       // code points in a room's name
	MaxTopic     = 500      // code points in a room's topic
	MaxMembers   = 5_000    // members of one room
	MaxPage      = 100      // events in one page of history
)

// Validate reports what is wrong with the form of d, as an *Error, or nil. What
// the sender may do is the hub's to decide.
func (d Draft) Validate() error {
	if n := d.Body.count(); n != 1 {
		return Errorf(CodeInvalid, "a draft says exactly one thing, this one says %d", n)
	}
	if !validID(string(d.Room)) {
		return Errorf(CodeInvalid, "the draft names no room")
	}
	if !(d.Nonce == "" && d.Signal()) && !d.Nonce.Valid() {
		return Errorf(CodeInvalid, "a nonce has 1 to 64 letters, digits, _ or -")
	}
	switch {
	case d.Message != nil:
		return validText(d.Message.Text)
	case d.Edit != nil:
		if d.Edit.Seq < 1 {
			return Errorf(CodeInvalid, "an edit names the message it edits")
		}
		return validText(d.Edit.Text)
	case d.Delete != nil:
		if d.Delete.Seq < 1 {
			return Errorf(CodeInvalid, "a deletion names the message it deletes")
		}
	case d.Member != nil:
		if !validID(string(d.Member.User)) || d.Member.State != Joined && d.Member.State != Left {
			return Errorf(CodeInvalid, "a membership names a user, and joined or left")
		}
	case d.Change != nil:
		return d.Change.validate()
	case d.Read != nil:
		if !validID(string(d.Read.Room)) || d.Read.Seq < 1 {
			return Errorf(CodeInvalid, "a read mark names a room and an event in it")
		}
	case d.Presence != nil:
		return Errorf(CodeInvalid, "presence is the server's to tell")
	}
	return nil
}

func (b Body) count() int {
	n := 0
	for _, set := range [...]bool{b.Message != nil, b.Edit != nil, b.Delete != nil, b.Member != nil,
		b.Change != nil, b.Read != nil, b.Typing != nil, b.Presence != nil} {
		if set {
			n++
		}
	}
	return n
}

// Blank reports whether b says nothing: a kind unknown here, or deleted.
func (b Body) Blank() bool { return b.count() == 0 }

// Valid reports whether n has the form of a nonce.
func (n Nonce) Valid() bool {
	if len(n) == 0 || len(n) > 64 {
		return false
	}
	for _, c := range []byte(n) {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

func validText(s string) error {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return Errorf(CodeInvalid, "the text is not valid UTF-8")
	case n > MaxText:
		return &Error{Code: CodeTooLarge, Message: "the message is too long", Max: MaxText, Got: n}
	case len(s) > MaxTextBytes:
		return &Error{Code: CodeTooLarge, Message: "the message is too long", Max: MaxTextBytes, Got: len(s)}
	case blank(s):
		return Errorf(CodeInvalid, "the message is empty")
	}
	return nil
}
