//go:build fault

package hub

import (
	"bytes"
	"math/rand/v2"
	"os"

	"parley/app/chat"
)

// breaks names the promise that this process breaks, if any; see fault_none.go.
var breaks = os.Getenv("PARLEY_FAULT")

var (
	skipOne     = breaks == "skip"
	repeatOne   = breaks == "repeat"
	anyEpoch    = breaks == "epoch"
	forgetMore  = breaks == "more"
	keepRemoved = breaks == "removed"
	unbounded   = breaks == "queue"
)

func answerEarly(group []*request) {
	if breaks != "ack" {
		return
	}
	for _, r := range group {
		if r.Draft.Message != nil {
			r.done <- Appended{Event: chat.Event{Room: r.Draft.Room, From: r.From, At: r.At, Nonce: r.Draft.Nonce, Body: r.Draft.Body}}
		}
	}
}

func lose() bool { return breaks == "drop" && rand.IntN(10_000) == 0 }

func shuffle(entries []*Entry) {
	if breaks != "swap" || rand.IntN(100) > 0 {
		return
	}
	for i, a := range entries {
		for j := i + 1; j < len(entries); j++ {
			if b := entries[j]; b.Event.Room == a.Event.Room && !a.Event.Signal() && !b.Event.Signal() {
				entries[i], entries[j] = b, a
				return
			}
		}
	}
}

func own(e *Entry) *Entry {
	if !unbounded {
		return e
	}
	return &Entry{Pos: e.Pos, Event: e.Event, JSON: bytes.Clone(e.JSON), place: e.place, cursor: e.cursor, since: e.since, made: e.made}
}
