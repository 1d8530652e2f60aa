package model_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// wrote is a model of a user who wrote something in a room and began something else.
func wrote(t *testing.T, you chat.UserID, n int, draft string) *model.Model {
	t.Helper()
	m := model.New(time.UTC)
	m.Reset(chat.Snapshot{You: you, Cursor: "c"})
	for i := range n {
		d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: "den", Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint(you, i)}}}
		if !m.Queue(d, time.Now()) {
			t.Fatalf("%d were too many", i)
		}
	}
	m.SaveDraft("den", draft)
	return m
}

func own(t *testing.T, m *model.Model) []byte {
	t.Helper()
	b, err := m.SaveOwn()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAdopt(t *testing.T) {
	ana := wrote(t, "ana", 2, "")
	other := own(t, wrote(t, "ana", 3, "a thought"))
	for range 2 { // twice is once
		if rest := ana.Adopt(other); rest != nil {
			t.Errorf("left over: %s", rest)
		}
	}
	if n := len(ana.Outbox()); n != 5 || ana.Draft("den") != "a thought" {
		t.Errorf("%d wait, and the draft is %q", n, ana.Draft("den"))
	}
	if ben := own(t, wrote(t, "ben", 1, "")); !bytes.Equal(ben, ana.Adopt(ben)) {
		t.Error("what is another's was not left whole")
	}
	for _, rubbish := range []string{"", "{", "null", "[1]", `{"version":1}`} {
		if rest := ana.Adopt([]byte(rubbish)); rest != nil {
			t.Errorf("of %q is left %s", rubbish, rest)
		}
	}
	if newer := []byte(`{"version":2,"you":"ana"}`); !bytes.Equal(newer, ana.Adopt(newer)) {
		t.Error("what another version of the program keeps was not left whole")
	}
	if n := len(ana.Outbox()); n != 5 {
		t.Errorf("%d wait after rubbish", n)
	}
}

// What there is no place for is the rest, and can be taken in later.
func TestAdoptTheRest(t *testing.T) {
	ana := wrote(t, "ana", model.MaxOutbox-1, "one thought")
	rest := ana.Adopt(own(t, wrote(t, "ana", 3, "another thought")))
	if n := len(ana.Outbox()); n != model.MaxOutbox || ana.Draft("den") != "one thought" {
		t.Errorf("%d wait, and the draft is %q", n, ana.Draft("den"))
	}
	if again := ana.Adopt(rest); !bytes.Equal(rest, again) {
		t.Errorf("without place, of %s is left %s", rest, again)
	}
	for _, i := range slices.Clone(ana.Outbox()) {
		ana.Discard(i.Draft.Nonce)
	}
	ana.SaveDraft("den", "")
	ana.Open("den")
	rest = ana.Adopt(rest)
	if len(ana.Outbox()) != 2 || rest == nil || ana.Draft("den") != "" {
		t.Errorf("%d wait, %s is left, and the draft of the open room is %q", len(ana.Outbox()), rest, ana.Draft("den"))
	}
	ana.Open("")
	if rest = ana.Adopt(rest); rest != nil || ana.Draft("den") != "another thought" {
		t.Errorf("%s is left, and the draft is %q", rest, ana.Draft("den"))
	}
}
