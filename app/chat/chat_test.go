package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const (
	room RoomID = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	ana  UserID = "BBBBBBBBBBBBBBBBBBBBBBBBBB"
)

func TestDraftValidate(t *testing.T) {
	say := func(s string) Body { return Body{Message: &Message{Text: s}} }
	tests := []struct {
		name  string
		draft Draft
		code  Code // "" is valid
	}{
		{"message", Draft{"n1", room, say("hello")}, ""},
		{"one code point less than the bound", Draft{"n1", room, say(strings.Repeat("x", MaxText-1))}, ""},
		{"at the bound", Draft{"n1", room, say(strings.Repeat("x", MaxText))}, ""},
		{"one more", Draft{"n1", room, say(strings.Repeat("x", MaxText+1))}, CodeTooLarge},
		{"ten times", Draft{"n1", room, say(strings.Repeat("x", 10*MaxText))}, CodeTooLarge},
		{"bytes at the bound", Draft{"n1", room, say(strings.Repeat("字", MaxText))}, ""},
		{"too many bytes", Draft{"n1", room, say(strings.Repeat("😀", MaxText) + "x")}, CodeTooLarge},
		{"empty", Draft{"n1", room, say("")}, CodeInvalid},
		{"only spaces and zero-width", Draft{"n1", room, say(" \n\u200b\t")}, CodeInvalid},
		{"not UTF-8", Draft{"n1", room, say("a\xff")}, CodeInvalid},
		{"no nonce", Draft{"", room, say("x")}, CodeInvalid},
		{"nonce with a space", Draft{"a b", room, say("x")}, CodeInvalid},
		{"nonce of 64", Draft{Nonce(strings.Repeat("n", 64)), room, say("x")}, ""},
		{"nonce of 65", Draft{Nonce(strings.Repeat("n", 65)), room, say("x")}, CodeInvalid},
		{"no room", Draft{"n1", "", say("x")}, CodeInvalid},
		{"room in lower case", Draft{"n1", RoomID(strings.ToLower(string(room))), say("x")}, CodeInvalid},
		{"nothing said", Draft{"n1", room, Body{}}, CodeInvalid},
		{"two things said", Draft{"n1", room, Body{Message: &Message{"x"}, Typing: &Typing{}}}, CodeInvalid},
		{"edit of nothing", Draft{"n1", room, Body{Edit: &Edit{0, "x"}}}, CodeInvalid},
		{"edit to nothing", Draft{"n1", room, Body{Edit: &Edit{1, " "}}}, CodeInvalid},
		{"edit", Draft{"n1", room, Body{Edit: &Edit{1, "x"}}}, ""},
		{"delete of nothing", Draft{"n1", room, Body{Delete: &Delete{-1}}}, CodeInvalid},
		{"delete", Draft{"n1", room, Body{Delete: &Delete{1}}}, ""},
		{"member", Draft{"n1", room, Body{Member: &Member{User: ana, State: Joined}}}, ""},
		{"member in no state", Draft{"n1", room, Body{Member: &Member{User: ana, State: "king"}}}, CodeInvalid},
		{"change", Draft{"n1", room, Body{Change: &Change{Kind: Public, Name: "大厅"}}}, ""},
		{"change to a name of two lines", Draft{"n1", room, Body{Change: &Change{Kind: Public, Name: "a\nb"}}}, CodeInvalid},
		{"change to a long name", Draft{"n1", room, Body{Change: &Change{Kind: Public, Name: strings.Repeat("x", MaxRoomName+1)}}}, CodeTooLarge},
		{"read", Draft{"n1", room, Body{Read: &Read{room, 3}}}, ""},
		{"read of nowhere", Draft{"n1", room, Body{Read: &Read{"x", 3}}}, CodeInvalid},
		{"typing needs no nonce", Draft{"", room, Body{Typing: &Typing{}}}, ""},
		{"presence is not a client's", Draft{"n1", room, Body{Presence: &Presence{}}}, CodeInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.draft.Validate()
			if tt.code == "" {
				if err != nil {
					t.Fatalf("Validate() = %v, want nil", err)
				}
				return
			}
			if err == nil || CodeOf(err) != tt.code {
				t.Fatalf("Validate() = %v, want code %s", err, tt.code)
			}
		})
	}
}

// TestEveryKindIsCounted fails when a field is added to Body and count forgets it:
// such a draft would pass as saying nothing beside something.
func TestEveryKindIsCounted(t *testing.T) {
	v := reflect.TypeFor[Body]()
	for i := range v.NumField() {
		var b Body
		reflect.ValueOf(&b).Elem().Field(i).Set(reflect.New(v.Field(i).Type.Elem()))
		if b.count() != 1 || b.Blank() {
			t.Errorf("a body with %s counts %d", v.Field(i).Name, b.count())
		}
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"ana":                       "ana",
		"  ana \t\n b ":             "ana b",
		"小明":                        "小明",
		"a\u202ebc":                 "abc",
		"a\u200bb":                  "ab",
		"a\x00b\x1b[31m":            "ab[31m",
		"e\u0301\u0301\u0301\u0301": "e\u0301\u0301",
		"a\xffb":                    "ab",
		"\u2028":                    "",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestErrorsTravel(t *testing.T) {
	for code, status := range statuses {
		sent := &Error{Code: code, Message: "m", Max: 1, Got: 2, RetryAfterMS: 3, RequestID: "r"}
		b, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		var got Error
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		wrapped := fmt.Errorf("sending: %w", &got)
		if !errors.Is(wrapped, &Error{Code: code}) || CodeOf(wrapped) != code || code.Status() != status {
			t.Errorf("%s does not survive the wire: %+v", code, got)
		}
	}
	if CodeOf(errors.New("else")) != CodeInternal || Final(errors.New("else")) {
		t.Error("an unknown fault is internal and may pass")
	}
}

func TestNewID(t *testing.T) {
	a, b := NewID[RoomID](), NewID[RoomID]()
	if a == b || !validID(string(a)) || !Nonce(a).Valid() {
		t.Errorf("NewID gave %q and %q", a, b)
	}
}

// FuzzEvent: whatever arrives as an event decodes to something that encodes to the same again, and judging it
// as a draft does not panic.
func FuzzEvent(f *testing.F) {
	f.Add(`{"room":"AAAAAAAAAAAAAAAAAAAAAAAAAA","seq":3,"from":"BBBBBBBBBBBBBBBBBBBBBBBBBB","at":"2026-01-02T03:04:05.006Z","nonce":"n","message":{"text":"hi"}}`)
	f.Add(`{"typing":{},"room":"x"}`)
	f.Add(`{"reaction":{"emoji":"👍"},"seq":1}`)
	f.Add(`{"member":null,"read":{"seq":-1}}`)
	f.Add(`{"presence":{"online":["a"],"offline":[]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		var e Event
		if json.Unmarshal([]byte(s), &e) != nil {
			return
		}
		b, err := json.Marshal(e)
		if err != nil {
			return // a year beyond 9999 decodes, but can not be written
		}
		var again Event
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatalf("%s does not decode: %v", b, err)
		}
		b2, err := json.Marshal(again)
		if err != nil || string(b) != string(b2) {
			t.Fatalf("%s encodes as %s, %v: %s", b, b2, err, cmp.Diff(e, again))
		}
		if err := (Draft{Nonce: e.Nonce, Room: e.Room, Body: e.Body}).Validate(); err == nil && e.Message != nil && utf8.RuneCountInString(e.Message.Text) > MaxText {
			t.Fatal("a message beyond the bound is valid")
		}
	})
}

// FuzzDraft: what is valid says one thing, is within the bounds, and is the same and valid when it is written and read again.
func FuzzDraft(f *testing.F) {
	const ids = `"nonce":"n","room":"AAAAAAAAAAAAAAAAAAAAAAAAAA",`
	for _, s := range []string{`{` + ids + `"message":{"text":"hi"}}`, `{` + ids + `"edit":{"seq":1,"text":"x"}}`, `{` + ids + `"delete":{"seq":9223372036854775807}}`,
		`{` + ids + `"member":{"user":"AAAAAAAAAAAAAAAAAAAAAAAAAA","state":"joined"}}`, `{` + ids + `"change":{"kind":"public","name":"a","topic":"b"}}`, `{"room":"AAAAAAAAAAAAAAAAAAAAAAAAAA","typing":{}}`,
		`{` + ids + `"read":{"room":"AAAAAAAAAAAAAAAAAAAAAAAAAA","seq":1}}`, `{` + ids + `"presence":{}}`, `{` + ids + `"message":{"text":"x"},"typing":{}}`, `{` + ids + `"message":{"text":"\u200b"}}`,
		`{` + ids + `"message":{"text":"\ud800"}}`, `{"NONCE":"n","Room":"x"}`, `{` + ids + `"change":{"kind":"public","name":"a\u0000"}}`, `{` + ids + `"message":null,"edit":null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d Draft
		if json.Unmarshal([]byte(s), &d) != nil || d.Validate() != nil {
			return
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("%+v can not be written: %v", d, err)
		}
		var again Draft
		if err := json.Unmarshal(b, &again); err != nil || again.Validate() != nil || cmp.Diff(d, again) != "" {
			t.Fatalf("%s is not the same again: %v %v", b, err, again.Validate())
		}
		for _, text := range []string{says(d.Message), says(d.Edit)} {
			if utf8.RuneCountInString(text) > MaxText || len(text) > MaxTextBytes || !utf8.ValidString(text) {
				t.Fatalf("a text of %d bytes is valid", len(text))
			}
		}
		if d.Nonce != "" && !d.Nonce.Valid() || len(d.Room) != 26 || d.Body.count() != 1 {
			t.Fatalf("%s is valid", b)
		}
	})
}

// says is the text of what may be absent.
func says(b any) string {
	switch b := b.(type) {
	case *Message:
		if b != nil {
			return b.Text
		}
	case *Edit:
		if b != nil {
			return b.Text
		}
	}
	return ""
}
