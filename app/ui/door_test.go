package ui

import (
	"testing"

	"parley/app/chat"
)

// What a door says of a refusal is what to change: a name that is refused is not answered with advice about passwords.
func TestDoorExplains(t *testing.T) {
	for _, c := range []struct {
		way  doorway
		err  *chat.Error
		want func(*Words) string
	}{
		{signUpWay, &chat.Error{Code: chat.CodeInvalid, Field: chat.FieldName}, func(w *Words) string { return w.Door.RefusedName }},
		{setUpWay, &chat.Error{Code: chat.CodeInvalid, Field: chat.FieldName}, func(w *Words) string { return w.Door.RefusedName }},
		{signUpWay, &chat.Error{Code: chat.CodeInvalid, Field: chat.FieldPassword}, func(w *Words) string { return w.Door.Refused }},
		{signUpWay, &chat.Error{Code: chat.CodeInvalid, Message: "this is no JSON"}, func(w *Words) string { return say(w.Fault.Invalid, "detail", "this is no JSON") }},
		{signUpWay, &chat.Error{Code: chat.CodeConflict}, func(w *Words) string { return w.Door.NameTaken }},
		{signUpWay, &chat.Error{Code: chat.CodeGone}, func(w *Words) string { return w.Door.WrongInvite }},
		{setUpWay, &chat.Error{Code: chat.CodeGone}, func(w *Words) string { return w.Door.AlreadySetUp }},
		{setUpWay, &chat.Error{Code: chat.CodeForbidden}, func(w *Words) string { return w.Door.WrongCode }},
		{signInWay, &chat.Error{Code: chat.CodeUnauthorized}, func(w *Words) string { return w.Door.WrongPassword }},
	} {
		for _, lang := range []string{"en", "zh"} {
			w := wordsFor(lang)
			d := &door{s: &shell{w: w}}
			if got, want := d.explain(c.way, c.err), c.want(w); got != want || got == "" {
				t.Errorf("%s: %v at door %v is explained by %q, want %q", lang, c.err, c.way, got, want)
			}
		}
	}
}
