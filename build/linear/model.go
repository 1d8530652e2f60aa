// Package linear asks whether a server under kill -9 could be one log that does one thing at a time.
//
// Clients of one room say things, say them again, say others under the same nonce, and read, all at once,
// while the real server is killed and stopped. What each was told, and between which two moments, must
// fit one order in which a plain list would have answered the same (linearizability, Herlihy and Wing
// 1990); porcupine looks for it, room by room. What was never answered may have happened at any later
// time, or not at all.
package linear

import (
	"math"
	"strings"

	"github.com/anishathalye/porcupine"

	"parley/app/chat"
)

// never is when an operation returns that was not answered.
const never = math.MaxInt64

// asked is the input of an operation: a message under a nonce, or, without a nonce, a look at the room.
type asked struct {
	Nonce chat.Nonce
	Text  string
	Head  bool // only how long the room is
}

// told is its output.
type told struct {
	Lost bool      // no answer came
	Code chat.Code // it was refused
	Seq  chat.Seq  // of the message; of a look at the head, the newest
	Log  string    // of a look: what the room has, as a state
}

// room is the list that a room should be, which had base events before anyone began. Its state is what
// was said, in order, a line each.
func room(base chat.Seq) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			log, in, out := state.(string), input.(asked), output.(told)
			if in.Nonce == "" {
				return look(base, log, in, out), log
			}
			seq := base
			for old := range strings.Lines(log) {
				seq++
				if nonce, _, _ := strings.Cut(old, " "); nonce != string(in.Nonce) {
					continue
				}
				if old != line(in.Nonce, in.Text) {
					return out.Lost || out.Code == chat.CodeConflict, log
				}
				return out.Lost || out.Code == "" && out.Seq == seq, log
			}
			return out.Lost || out.Code == "" && out.Seq == seq+1, log + line(in.Nonce, in.Text)
		},
	}
}

// look reports whether a room that is log could be seen so.
func look(base chat.Seq, log string, in asked, out told) bool {
	switch {
	case out.Lost:
		return true
	case in.Head:
		return out.Code == "" && out.Seq == base+chat.Seq(strings.Count(log, "\n"))
	}
	return out.Code == "" && out.Log == log
}

// line is a message in a state. Neither part has a space or a line break.
func line(n chat.Nonce, text string) string { return string(n) + " " + text + "\n" }

// bounded takes from a history what makes the search long and decides nothing: looks without an answer; messages
// without one that were never seen, which did nothing or nothing that shows. One that was seen had its effect, or
// another under its nonce had, before whoever first told of it returned.
func bounded(ops []porcupine.Operation) (out []porcupine.Operation) {
	seen := map[string]int64{} // the lines, and by when
	see := func(line string, by int64) {
		if old, ok := seen[line]; !ok || by < old {
			seen[line] = by
		}
	}
	for _, o := range ops {
		in, told := o.Input.(asked), o.Output.(told)
		if in.Nonce != "" && !told.Lost && told.Code == "" {
			see(line(in.Nonce, in.Text), o.Return)
		}
		for l := range strings.Lines(told.Log) {
			see(l, o.Return)
		}
	}
	for _, o := range ops {
		if in := o.Input.(asked); o.Output.(told).Lost {
			by, ok := seen[line(in.Nonce, in.Text)]
			if !ok || by < o.Call {
				continue
			}
			o.Return = by
		}
		out = append(out, o)
	}
	return out
}
