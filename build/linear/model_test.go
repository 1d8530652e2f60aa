package linear

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"parley/app/chat"
)

// What can not be is found to be impossible; what can, possible.
func TestModel(t *testing.T) {
	say := func(n, text string, seq chat.Seq, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{Nonce: chat.Nonce(n), Text: text}, Output: told{Seq: seq, Lost: end == never}, Call: call, Return: end}
	}
	refused := func(n, text string, code chat.Code, call, end int64) porcupine.Operation {
		o := say(n, text, 0, call, end)
		o.Output = told{Code: code}
		return o
	}
	see := func(log string, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{}, Output: told{Log: log}, Call: call, Return: end}
	}
	head := func(seq chat.Seq, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{Head: true}, Output: told{Seq: seq}, Call: call, Return: end}
	}
	for _, c := range []struct {
		name string
		can  bool
		ops  []porcupine.Operation
	}{
		{"one after the other", true, []porcupine.Operation{say("a", "1", 3, 1, 2), say("b", "2", 4, 3, 4), see("a 1\nb 2\n", 5, 6), head(4, 5, 6)}},
		{"at once, in the other order", true, []porcupine.Operation{say("a", "1", 4, 1, 4), say("b", "2", 3, 2, 3)}},
		{"a number twice", false, []porcupine.Operation{say("a", "1", 3, 1, 4), say("b", "2", 3, 2, 3)}},
		{"a number left out", false, []porcupine.Operation{say("a", "1", 3, 1, 2), say("b", "2", 5, 3, 4)}},
		{"an order against time", false, []porcupine.Operation{say("a", "1", 4, 1, 2), say("b", "2", 3, 3, 4)}},
		{"not seen though acknowledged", false, []porcupine.Operation{say("a", "1", 3, 1, 2), see("", 3, 4)}},
		{"a head that is behind", false, []porcupine.Operation{say("a", "1", 3, 1, 2), head(2, 3, 4)}},
		{"seen before it is acknowledged", true, []porcupine.Operation{say("a", "1", 3, 1, 9), see("a 1\n", 3, 4)}},
		{"seen, then not", false, []porcupine.Operation{say("a", "1", 3, 1, 9), see("a 1\n", 2, 3), see("", 4, 5)}},
		{"again, the same", true, []porcupine.Operation{say("a", "1", 3, 1, 2), say("a", "1", 3, 3, 4)}},
		{"again, anew", false, []porcupine.Operation{say("a", "1", 3, 1, 2), say("a", "1", 4, 3, 4)}},
		{"again, refused", false, []porcupine.Operation{say("a", "1", 3, 1, 2), refused("a", "1", chat.CodeConflict, 3, 4)}},
		{"other under the nonce", true, []porcupine.Operation{say("a", "1", 3, 1, 2), refused("a", "2", chat.CodeConflict, 3, 4), see("a 1\n", 5, 6)}},
		{"other under the nonce, taken", false, []porcupine.Operation{say("a", "1", 3, 1, 2), say("a", "2", 4, 3, 4)}},
		{"unanswered and done", true, []porcupine.Operation{say("a", "1", 0, 1, never), see("", 2, 3), see("a 1\n", 4, 5)}},
		{"unanswered and not done", true, []porcupine.Operation{say("a", "1", 0, 1, never), see("", 2, 3), say("b", "2", 3, 4, 5)}},
		{"unanswered, and again", true, []porcupine.Operation{say("a", "1", 0, 1, never), say("a", "1", 3, 4, 5), see("a 1\n", 6, 7)}},
		{"unanswered, and another took its nonce", true, []porcupine.Operation{say("a", "1", 0, 1, never), say("a", "2", 3, 4, 5), refused("a", "1", chat.CodeConflict, 6, 7), say("a", "1", 0, 8, never)}},
		{"unanswered, and both under its nonce", false, []porcupine.Operation{say("a", "1", 0, 1, never), say("a", "2", 3, 4, 5), see("a 1\na 2\n", 6, 7)}},
		{"unanswered and done twice", false, []porcupine.Operation{say("a", "1", 0, 1, never), see("a 1\na 1\n", 2, 3)}},
	} {
		if got := porcupine.CheckOperations(room(2), c.ops); got != c.can {
			t.Errorf("%s: possible is %v", c.name, got)
		}
		if got := porcupine.CheckOperations(room(2), bounded(c.ops)); got != c.can {
			t.Errorf("%s, bounded: possible is %v", c.name, got)
		}
	}
}
