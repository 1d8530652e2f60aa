package model

import (
	"time"

	"parley/app/chat"
)

// A View is all that a screen shows, at one moment. It is immutable: the engine
// makes a new one when something changed, and shares what did not.
// Whoever draws compares the Version of a part to know whether to draw it again.
type View struct {
	Version    uint64
	Session    Session
	Connection Connection
	Me         chat.User
	Rooms      []RoomItem // the sidebar, in its order, without the self room
	RoomsVer   uint64     // changes with Rooms
	Room       *RoomView  // the open room; nil when none is
	People     []Person   // everyone known, by name
	PeopleVer  uint64
	Unread     int // messages unread in all rooms
}

// Session says whether someone is signed in.
type Session string

const (
	SessionUnknown Session = ""      // not asked yet
	SignedOut      Session = "out"   // show the front door
	SignedIn       Session = "in"    //
	SessionEnded   Session = "ended" // was signed in; what was typed is kept
	SetUpNeeded    Session = "setup" // nobody owns this server: this visitor may claim it
	SetUpByCode    Session = "code"  // the same, but with the code from the terminal
)

// A Person is a user as a screen shows them.
type Person struct {
	chat.User
	Online bool
}

// A RoomItem is one row of the sidebar.
type RoomItem struct {
	ID      chat.RoomID
	Kind    chat.RoomKind
	Name    string      // for a direct room: the others' names
	Peer    chat.UserID // in a direct room of two: the other
	Online  bool        // the peer is
	Unread  int
	Last    string // text of the newest message, plain, short; "" when none is known
	LastAt  time.Time
	Draft   string // what was typed here and not sent; "" when nothing
	Current bool
}

// A RoomView is the open room.
type RoomView struct {
	ID       chat.RoomID
	Kind     chat.RoomKind
	Name     string
	Topic    string
	Creator  chat.UserID
	Members  []Person
	Chunks   []Chunk  // oldest first; the last may be growing
	Pending  Chunk    // not appended yet, in the order of sending
	More     bool     // older events can be loaded
	Loading  bool     // an older page is on its way
	LoadErr  bool     // the last try to load one failed
	Typing   []string // names of others who are writing
	Unread   int      // messages of others not read yet
	Draft    string   // what was typed here before; set the composer to it when the room opens
	First    chat.Seq // of the oldest event that is here, which need not be shown
	Head     chat.Seq
	FirstNew chat.Seq // the unread divider stands before this event; 0 is none. Fixed while the room is open.
}

// A Chunk is a fixed slot of a timeline: the events whose Seq/ChunkSize is Index.
// Slots never shift, so that a page loaded above moves nothing below.
type Chunk struct {
	Index   int
	Version uint64 // changes with Rows
	Rows    []Row
}

// ChunkSize is how many Seqs share a chunk.
const ChunkSize = 50

// A Row is one line of a timeline.
type Row struct {
	Kind    RowKind
	Seq     chat.Seq   // 0 while pending
	Nonce   chat.Nonce // of one's own messages
	From    chat.UserID
	Name    string // the author's
	Mine    bool
	At      time.Time
	First   bool   // first of its author's group: show avatar and name
	Text    string // Markdown
	Edited  bool
	Deleted bool
	State   SendState
	Fault   chat.Code // with Failed, or Queued after a try: why
	User    string    // RowJoined, RowLeft: who; RowChanged: the room's new name
	By      string    // RowJoined, RowLeft: who did it, when not the user themself
}

// RowKind says what a Row is.
type RowKind uint8

const (
	RowMessage RowKind = iota
	RowDay             // a divider: a new day begins; At is in it
	RowNew             // a divider: unread from here
	RowJoined
	RowLeft
	RowCreated // the room begins here
	RowChanged // the room was renamed
)

// SendState is where one's own message is on its way.
type SendState uint8

const (
	Sent    SendState = iota // appended; also every message of others
	Queued                   // waits for a way
	Sending                  // on its way
	Failed                   // refused; Retry, Edit or Delete
)

// Connection is what the chip and the banner show.
type Connection struct {
	Version uint64
	Choice  Choice   // what was chosen in settings
	Via     chat.Via // the transport in use, or being tried
	State   ConnState
	RTT     time.Duration // 0 is not measured yet
	Since   time.Time     // of State
	NextTry time.Time     // with Waiting
	Reason  Reason
	Batches uint64 // counts received batches: the chip's dot pulses
	Outbox  int    // messages not sent yet
	Trouble bool   // trouble has lasted long enough to say so (3 s)
	CatchUp bool   // a long absence is being read
	Whole   Integrity
	Pretend bool   // the person pretends to be offline: State is Offline
	Stats   *Stats // nil while nobody looks
}

// Integrity is whether anything is missing: what came of comparing what is known with what the
// server has.
type Integrity struct {
	Running  bool      // it is being compared
	At       time.Time // everything up to then was compared; zero: nothing yet
	OK       bool      // … and is the same
	Checked  int       // events that are the same, edits and deletions among them
	Gaps     int       // how often the feed passed over something, since the program began
	Repaired int       // how often something was read again because it was not the same
}

// ConnState is what the engine does about the connection.
type ConnState string

const (
	Connecting ConnState = "connecting"
	Open       ConnState = "open"    // the first batch arrived
	Waiting    ConnState = "waiting" // backing off until NextTry
	Offline    ConnState = "offline" // the browser says there is no network
)

// A Choice is what a person chose: Auto, or one transport and, for polling, its interval.
type Choice struct {
	Auto  bool          `json:"auto"`
	Via   chat.Via      `json:"via,omitzero"`
	Every time.Duration `json:"every,omitzero"` // for Poll: 1 to 60 s
}

// A Reason says in one sentence, which the catalogue writes, why this transport is in use.
type Reason struct {
	Code   ReasonCode
	Failed chat.Via      // the way that was given up, where one was
	After  time.Duration // ReasonCut: how old it was each time, 0 if not the same; ReasonKept: how long it was silent
	Every  time.Duration // ReasonKept: between signs of life
}

// ReasonCode names a sentence.
type ReasonCode string

const (
	ReasonChosen      ReasonCode = "chosen"      // the person chose it
	ReasonBest        ReasonCode = "best"        // the best there is, and it works
	ReasonNeverOpened ReasonCode = "neveropened" // Failed did not open here
	ReasonBlocked     ReasonCode = "blocked"     // something on the way refused Failed
	ReasonHeld        ReasonCode = "held"        // something on the way keeps back what Failed brings
	ReasonDied        ReasonCode = "died"        // Failed opened but went silent
	ReasonCut         ReasonCode = "cut"         // Failed was cut again and again
	ReasonKept        ReasonCode = "kept"        // the best, kept open by signs of life: this network closes what is silent
	ReasonTrying      ReasonCode = "trying"      // a better way is being tried again
	ReasonBetter      ReasonCode = "better"      // better than Failed, and works again
	ReasonPortal      ReasonCode = "portal"      // this network shows a page of its own in place of the server
)
