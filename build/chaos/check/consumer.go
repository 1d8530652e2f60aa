package check

import (
	"maps"
	"math"
	"slices"
)

// A delivery is one event that came on a connection.
type delivery struct {
	wire    int
	room    string
	dropped bool
	event
}

// A consumer is one reader: what a history says of it.
type consumer struct {
	name, user string
	begin      map[string]int64         // where it began, by room
	wires      map[int]map[string]int64 // where its connections began
	got        []delivery
}

// progress is how far something is in one room: one connection, or what a consumer shows.
type progress struct {
	high    int64
	skipped map[int64]bool // passed over on the way to high, and not seen since
}

// pass goes on to seq, and says whether that was seen before, and what was passed over on the way.
func (p *progress) pass(seq int64, v *view) (seen, late bool, skipped int) {
	if seq <= p.high {
		late = p.skipped[seq]
		delete(p.skipped, seq)
		return !late, late, 0
	}
	for _, e := range v.between(p.high, seq) {
		if p.skipped == nil {
			p.skipped = map[int64]bool{}
		}
		p.skipped[e.seq] = true
		skipped++
	}
	p.high = seq
	return false, false, skipped
}

// checkConsumers holds what each consumer was given against the logs: on each connection, from where
// that began, every event of every room that its user may read, once, in order, and nothing else; and
// in all, each once.
func (c *checker) checkConsumers() {
	all := &views{logs: c.logs, base: c.base, made: map[[2]string]*view{}}
	for _, name := range slices.Sorted(maps.Keys(c.consumers)) {
		who := c.consumers[name]
		shown := map[string]*progress{}
		for room, seq := range who.begin {
			shown[room] = &progress{high: seq}
		}
		wires := map[int]map[string]*progress{}
		for _, d := range who.got {
			on := wires[d.wire]
			if on == nil {
				on = map[string]*progress{}
				wires[d.wire] = on
			}
			if on[d.room] == nil {
				on[d.room] = &progress{high: who.wires[d.wire][d.room]}
			}
			v := all.of(d.room, who.user)
			c.deliver(name, d, on[d.room], shown[d.room], v)
		}
		for _, room := range slices.Sorted(maps.Keys(shown)) {
			c.missing(name, room, shown[room], all.of(room, who.user))
		}
	}
}

// deliver judges one delivery: on its connection, and what the consumer made of it.
func (c *checker) deliver(name string, d delivery, wire, shown *progress, v *view) {
	e, ok := c.bySeq[d.room][d.seq]
	switch _, may := v.index[d.seq]; {
	case !ok:
		c.rep.fault(Unexpected, 1, "%s was given %s/%d, which the log does not have", name, d.room, d.seq)
		return
	case !may:
		c.rep.fault(Leaked, 1, "%s was given %s/%d when %s was not in the room", name, d.room, d.seq, c.consumers[name].user)
		return
	case e.nonce != d.nonce || e.hash != d.hash:
		c.rep.fault(Unexpected, 1, "%s was given another %s/%d than the log has: %s %s, not %s %s",
			name, d.room, d.seq, d.nonce, d.hash, e.nonce, e.hash)
	}
	high := wire.high
	seen, disorder, skipped := wire.pass(d.seq, v)
	switch {
	case seen:
		c.rep.fault(Repeated, 1, "%s was given %s/%d on a connection that was at %d", name, d.room, d.seq, high)
	case disorder:
		c.rep.fault(Reordered, 1, "%s was given %s/%d after %d", name, d.room, d.seq, high)
	case skipped > 0:
		c.rep.fault(SeqGap, skipped, "%s was given %s/%d after %d", name, d.room, d.seq, high)
	}
	high = shown.high
	if d.dropped && (d.seq > high || shown.skipped[d.seq]) {
		return // it will count as missed, unless it comes again
	}
	seen, late, _ := shown.pass(d.seq, v)
	switch {
	case d.dropped:
		c.rep.Dropped++
		return
	case seen:
		c.rep.fault(Shown, 1, "%s showed %s/%d again", name, d.room, d.seq)
	case late && !disorder:
		c.rep.fault(Reordered, 1, "%s showed %s/%d after %d", name, d.room, d.seq, high)
	}
	c.rep.Delivered++
}

// missing counts what a consumer should have shown and did not.
func (c *checker) missing(name, room string, p *progress, v *view) {
	for _, e := range v.between(p.high, math.MaxInt64) {
		c.rep.fault(Missed, 1, "%s never showed %s/%d, but %d", name, room, e.seq, p.high)
	}
	for _, seq := range slices.Sorted(maps.Keys(p.skipped)) {
		c.rep.fault(Missed, 1, "%s never showed %s/%d, but %d", name, room, seq, p.high)
	}
}
