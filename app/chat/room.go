package chat

import (
	"crypto/rand"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// RoomKind says who may see a room and who may let themselves in.
type RoomKind string

const (
	Public  RoomKind = "public"  // every user may join; members read all of its history
	Private RoomKind = "private" // members bring others in; a newcomer reads from there on
	Direct  RoomKind = "direct"  // two or more people, always the same
	Self    RoomKind = "self"    // one user's own: read marks, notes
)

// A User is someone with an account.
type User struct {
	ID    UserID `json:"id"`
	Name  string `json:"name"`
	Owner bool   `json:"owner,omitzero"` // of the server
}

// A Room is what one user knows of a room of theirs, at the cursor of the
// answer that carries it.
type Room struct {
	ID      RoomID   `json:"id"`
	Kind    RoomKind `json:"kind"`
	Name    string   `json:"name,omitzero"` // empty for direct and self
	Topic   string   `json:"topic,omitzero"`
	Creator UserID   `json:"creator,omitzero"`
	Members []UserID `json:"members,omitempty"`
	Size    int      `json:"size,omitzero"`    // how many members, where they are not listed
	Head    Seq      `json:"head"`             // of the newest event
	Read    Seq      `json:"read,omitzero"`    // up to where this user has read
	Unread  int      `json:"unread,omitzero"`  // messages of others after Read
	Events  []Event  `json:"events,omitempty"` // the newest, in order; signals never
	More    bool     `json:"more,omitzero"`    // the user may read older events than Events
}

// A Snapshot is where a client without a usable cursor begins.
type Snapshot struct {
	You    UserID   `json:"you"`
	Self   RoomID   `json:"self"` // the user's own room
	Rooms  []Room   `json:"rooms"`
	Users  []User   `json:"users"` // everyone in these rooms
	Online []UserID `json:"online,omitempty"`
	Cursor Cursor   `json:"cursor"`
}

// A History is one page of a room's older events, in order.
type History struct {
	Events []Event `json:"events"`
	More   bool    `json:"more"`            // there are older ones still; an empty page alone does not say so
	Users  []User  `json:"users,omitempty"` // those whose events these are and who are not in the room any more
}

// A NewRoom asks for a room. Asking again with the same nonce, or for a direct room
// with the same people, answers the room that is there.
type NewRoom struct {
	Nonce   Nonce    `json:"nonce"`
	Kind    RoomKind `json:"kind"`
	Name    string   `json:"name,omitzero"`
	Members []UserID `json:"members,omitempty"` // besides the creator
}

// Validate reports what is wrong with the form of n, as an *Error, or nil.
func (n NewRoom) Validate() error {
	if !n.Nonce.Valid() {
		return Errorf(CodeInvalid, "a nonce has 1 to 64 letters, digits, _ or -")
	}
	if len(n.Members) >= MaxMembers {
		return &Error{Code: CodeTooLarge, Message: "too many members", Max: MaxMembers, Got: len(n.Members) + 1}
	}
	for _, m := range n.Members {
		if !validID(string(m)) {
			return Errorf(CodeInvalid, "a member is named by their id")
		}
	}
	switch n.Kind {
	case Direct:
		if len(n.Members) == 0 || n.Name != "" {
			return Errorf(CodeInvalid, "a direct room has members and no name")
		}
		return nil
	case Public, Private:
		return Change{Kind: n.Kind, Name: n.Name}.validate()
	default:
		return Errorf(CodeInvalid, "a room is public, private or direct")
	}
}

func (c Change) validate() error {
	if name := CleanName(c.Name); name == "" || name != c.Name {
		return Errorf(CodeInvalid, "a room needs a name, in plain characters")
	}
	if n := utf8.RuneCountInString(c.Name); n > MaxRoomName {
		return &Error{Code: CodeTooLarge, Message: "the name is too long", Max: MaxRoomName, Got: n}
	}
	if n := utf8.RuneCountInString(c.Topic); n > MaxTopic || !utf8.ValidString(c.Topic) {
		return &Error{Code: CodeTooLarge, Message: "the topic is too long", Max: MaxTopic, Got: n}
	}
	return nil
}

// ValidUserName reports what is wrong with a user's name, as an *Error, or nil.
func ValidUserName(name string) error {
	if c := CleanName(name); c == "" || c != name {
		return Errorf(CodeInvalid, "a name has plain characters, and no space at its ends")
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return &Error{Code: CodeTooLarge, Message: "the name is too long", Max: MaxName, Got: n}
	}
	return nil
}

// CleanName returns s as a name may be shown: without control and formatting
// characters (line breaks, zero-width, direction overrides), with single spaces, at most
// two combining marks on a letter.
func CleanName(s string) string {
	var b strings.Builder
	marks, space := 0, false
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			continue
		case unicode.Is(unicode.M, r):
			if marks++; marks > 2 {
				continue
			}
		default:
			marks = 0
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return true
}

// NewID returns a fresh name for a room, a user or a draft: 128 random bits or
// more, as 26 letters and digits.
func NewID[ID ~string]() ID { return ID(rand.Text()) }

func validID(s string) bool {
	if len(s) != 26 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'A' && c <= 'Z' || c >= '2' && c <= '7') {
			return false
		}
	}
	return true
}

// What the account part of the protocol says.
type (
	// Server is what anyone may know of a server.
	Server struct {
		Version string     `json:"version"`
		SetUp   SetUpState `json:"setup"`
		Dev     bool       `json:"dev,omitzero"` // its owner may make its network bad: Chaos
		// What the server sees of the way to it, which whoever asks came.
		Node     string   `json:"node,omitzero"`     // random; another after each start
		Protocol string   `json:"protocol,omitzero"` // of the last stretch: "HTTP/1.1", "HTTP/2.0"
		Proxies  []string `json:"proxies,omitzero"`  // that named themselves; not by host
		Hops     int      `json:"hops,omitzero"`     // how many proxies can be told from the request
		// Bytes of the heads of this request and of its answer, as the server sees them: what comes
		// with every request besides its contents.
		HeadUp   int `json:"head_up,omitzero"`
		HeadDown int `json:"head_down,omitzero"`
	}
	// SetUp claims a new server. From the server's own machine Code may be empty.
	SetUp struct {
		Code     string `json:"code,omitzero"`
		Name     string `json:"name"`
		Password string `json:"password"`
		Room     string `json:"room,omitzero"` // the first room's name, in the owner's language
	}
	// SignUp joins a server by invite.
	SignUp struct {
		Invite   string `json:"invite"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	// SignIn opens a session.
	SignIn struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	// An Account is the answer to the three above, which also sets the session cookie.
	Account struct {
		User User `json:"user"`
	}
	// An Invite lets new people in; its code is told once and kept hashed.
	Invite struct {
		Code    string    `json:"code"`
		URL     string    `json:"url"`
		Expires time.Time `json:"expires"`
	}
	// A Session is one sign-in of a user, or a token of theirs.
	Session struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"` // of the token, or of the browser
		Token   bool      `json:"token,omitzero"`
		Current bool      `json:"current,omitzero"` // the one that asks
		Created time.Time `json:"created"`
		Seen    time.Time `json:"seen"`
	}
	// NewToken asks for a bearer token.
	NewToken struct {
		Name string `json:"name"`
	}
	// A Token lets a program act as a user; it is told once and kept hashed.
	Token struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Token string `json:"token"`
	}
)

// SetUpState says whether a server has an owner.
type SetUpState string

const (
	SetUpOpen SetUpState = "open" // this visitor may claim it
	SetUpCode SetUpState = "code" // this visitor needs the code that the terminal printed
	SetUpDone SetUpState = "done"
)
