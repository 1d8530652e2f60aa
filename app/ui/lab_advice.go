package ui

import (
	"strings"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// An advice is what a lab comes to. With way it says which to use, other is the one that is spoken
// of beside it.
type advice struct {
	kind       adviceKind
	way, other chat.Via
}

type adviceKind uint8

const (
	adviseAgain   adviceKind = iota // too little was measured
	adviseNobody                    // no way brought everything
	adviseAsking                    // only polling did; other might if the network let it
	adviseBest                      // way is the best there is; other is the slowest
	adviseFaster                    // way is much faster here than other, which would do too
	adviseInstead                   // other would be better but does not work well
)

const (
	labFewest = 5                     // messages, below which nothing can be said
	labClose  = 20 * time.Millisecond // nobody feels a difference of less
)

// advise weighs the ways: of those that brought everything and did not break, the first of the ladder
// that is not much slower than the fastest.
func advise(m *model.Lab) advice {
	if m.Sent < labFewest {
		return advice{kind: adviseAgain}
	}
	by := map[chat.Via]*model.LabWay{}
	var fastest, slowest *model.LabWay
	for i := range m.Ways {
		w := &m.Ways[i]
		if w.State != model.LabOpen || w.Came < m.Sent || w.Breaks > 0 {
			continue
		}
		by[w.Via] = w
		if fastest == nil || w.Median < fastest.Median {
			fastest = w
		}
		if slowest == nil || w.Median > slowest.Median {
			slowest = w
		}
	}
	if fastest == nil {
		return advice{kind: adviseNobody}
	}
	good := fastest
	for _, v := range chat.Vias {
		if w := by[v]; w != nil && (w.Median-fastest.Median < labClose || w.Median*2 < fastest.Median*3) {
			good = w
			break
		}
	}
	best := chat.Vias[0]
	switch {
	case len(by) == 1 && good.Via == chat.Poll:
		return advice{adviseAsking, chat.Poll, best}
	case good.Via != best && by[best] == nil:
		return advice{adviseInstead, good.Via, best}
	case good.Via != best:
		return advice{adviseFaster, good.Via, best}
	case slowest == good: // alone
		return advice{adviseBest, best, best}
	}
	return advice{adviseBest, best, slowest.Via}
}

// advice says it in a sentence.
func (w *Words) advice(m *model.Lab) string {
	a := advise(m)
	text := map[adviceKind]string{
		adviseAgain: w.Lab.Few, adviseNobody: w.Lab.None, adviseAsking: w.Lab.OnlyPoll,
		adviseBest: w.Lab.Best, adviseFaster: w.Lab.Faster, adviseInstead: w.Lab.Instead,
	}[a.kind]
	if a.kind == adviseBest && a.other == a.way {
		text = w.Lab.Only
	}
	var took, other string
	for i := range m.Ways {
		l := &m.Ways[i]
		if l.Via == a.way {
			took = w.unbroken(l.Median)
		}
		if l.Via == a.other {
			other = w.unbroken(l.Median)
		}
	}
	return spaced(sentence(say(text, "way", w.within(a.way), "other", w.within(a.other), "time", took, "slowest", other)))
}

// unbroken is a delay within a sentence: its number and its unit stay on one line.
func (w *Words) unbroken(d time.Duration) string {
	return strings.ReplaceAll(w.labTime(d), " ", "\u00a0")
}

// finding is what a way taught, in its card: each answers for what the one before it costs.
func (w *Words) finding(m *model.Lab, l *model.LabWay) string {
	if l.Came == 0 {
		return w.Lab.NotHere
	}
	text := map[chat.Via]string{
		chat.Poll: w.Lab.FindPoll, chat.LongPoll: w.Lab.FindLongPoll, chat.EventSource: w.Lab.FindEventSource, chat.WebSocket: w.Lab.FindWebSocket,
	}[l.Via]
	stream := &m.Ways[2]
	if l.Via == chat.WebSocket && (l.Answer == 0 || stream.Came == 0) {
		return "" // nothing to compare it with
	}
	n := l.Came
	if l.Via == chat.WebSocket {
		n = int(l.Requests)
	}
	return say(text, "empty", itoa(l.Empty), "asked", itoa(int(l.Asked)), "n", itoa(n), "m", itoa(int(stream.Requests)),
		"time", w.unbroken(l.Median), "answer", w.unbroken(l.Answer), "post", w.unbroken(stream.Answer))
}
