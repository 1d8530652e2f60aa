package check

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// send is one draft and what its sender was told of it.
type send struct {
	who, room, nonce, hash string
	tries, lost            int
	refused                bool
	acks                   []int64 // the seqs it was answered with, each once
	logged                 []int64 // where the log has its body
}

// An event is one that a log has, or that was delivered.
type event struct {
	seq         int64
	nonce, hash string
	user        string // who came or left, in a log
	left        bool
}

// checker gathers a history and then judges it.
type checker struct {
	rep       Report
	base      map[string]int64 // heads before the first send
	sends     map[[2]string]*send
	byHash    map[string]*send
	logs      map[string][]event
	bySeq     map[string]map[int64]event
	consumers map[string]*consumer
	words     map[string]string // each word of the history, once: they come again and again
}

// Check judges a history. An error means that the history can not be judged: it is cut, contradicts
// itself, or says too little to prove anything. What the server did wrong is in the Report.
func Check(history iter.Seq2[Record, error]) (*Report, error) {
	c := &checker{
		rep:       Report{Strikes: map[string]int{}, Faults: map[Category]int{}, Examples: map[Category][]string{}},
		base:      map[string]int64{},
		sends:     map[[2]string]*send{},
		byHash:    map[string]*send{},
		logs:      map[string][]event{},
		bySeq:     map[string]map[int64]event{},
		consumers: map[string]*consumer{},
		words:     map[string]string{},
	}
	for rec, err := range history {
		if err != nil {
			return nil, err
		}
		if err := c.take(rec); err != nil {
			return nil, err
		}
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	c.checkLogs()
	c.checkSends()
	c.checkConsumers()
	return &c.rep, nil
}

// take notes one record.
func (c *checker) take(r Record) error {
	switch r.Op {
	case Room:
		c.base[r.Room] = r.Seq
	case Invoke:
		return c.invoke(r)
	case OK, Fail, Unknown:
		return c.outcome(r)
	case Clash:
		return c.clash(r)
	case Begin:
		who := c.consumer(r.Who)
		who.user = r.User
		if old, ok := who.begin[r.Room]; !ok {
			who.begin[r.Room] = r.Seq
		} else if r.Seq < old {
			return fmt.Errorf("%s begins again in %s at %d, before %d", r.Who, r.Room, r.Seq, old)
		}
	case Follow:
		who := c.consumer(r.Who)
		if _, ok := who.wires[r.Wire]; ok || r.Wire == 0 {
			return fmt.Errorf("%s opens its connection %d again, or does not number it", r.Who, r.Wire)
		}
		who.wires[r.Wire] = r.Heads
		c.rep.Follows++
	case Deliver:
		return c.delivery(r)
	case Reset:
		c.consumer(r.Who)
		c.rep.fault(WasReset, 1, "%s was told to begin again: %s", r.Who, r.Note)
	case Strike:
		c.rep.Strikes[r.Kind]++
	case Log:
		room := c.word(r.Room)
		e := event{r.Seq, c.word(r.Nonce), c.word(r.Hash), r.User, r.Left}
		c.logs[room] = append(c.logs[room], e)
		if c.bySeq[room] == nil {
			c.bySeq[room] = map[int64]event{}
		}
		c.bySeq[room][r.Seq] = e
	default:
		return fmt.Errorf("a record with the unknown op %q", r.Op)
	}
	return nil
}

// word keeps s once.
func (c *checker) word(s string) string {
	if known, ok := c.words[s]; ok {
		return known
	}
	c.words[s] = s
	return s
}

func (c *checker) delivery(r Record) error {
	who := c.consumer(r.Who)
	if _, ok := who.wires[r.Wire]; !ok {
		return fmt.Errorf("%s was given something on its connection %d, which it never opened", r.Who, r.Wire)
	}
	if _, ok := who.begin[r.Room]; !ok {
		// A room that the consumer never had: judged against a log that does not hold it.
		who.begin[r.Room] = 0
	}
	who.got = append(who.got, delivery{r.Wire, c.word(r.Room), r.Dropped, event{seq: r.Seq, nonce: c.word(r.Nonce), hash: c.word(r.Hash)}})
	return nil
}

// clash judges what came of sending something else under a known nonce.
func (c *checker) clash(r Record) error {
	s, ok := c.sends[[2]string{r.Who, r.Nonce}]
	if !ok || s.hash == r.Hash {
		return fmt.Errorf("%s clashes with its %s, which it never sent or sends again", r.Who, r.Nonce)
	}
	c.rep.Clashes++
	if r.Note != Conflict {
		c.rep.fault(Clashed, 1, "%s sent something else under its nonce %s, and was told: %s", r.Who, r.Nonce, r.Note)
	}
	return nil
}

func (c *checker) consumer(name string) *consumer {
	who, ok := c.consumers[name]
	if !ok {
		who = &consumer{name: name, begin: map[string]int64{}, wires: map[int]map[string]int64{}}
		c.consumers[name] = who
	}
	return who
}

func (c *checker) invoke(r Record) error {
	key := [2]string{r.Who, r.Nonce}
	s, ok := c.sends[key]
	if !ok {
		if other, ok := c.byHash[r.Hash]; ok {
			return fmt.Errorf("%s and %s send the same body: each must be unique", other.nonce, r.Nonce)
		}
		s = &send{who: r.Who, room: r.Room, nonce: r.Nonce, hash: r.Hash}
		c.sends[key], c.byHash[r.Hash] = s, s
	} else if s.room != r.Room || s.hash != r.Hash {
		return fmt.Errorf("%s sends another draft under its nonce %s", r.Who, r.Nonce)
	}
	s.tries++
	return nil
}

func (c *checker) outcome(r Record) error {
	s, ok := c.sends[[2]string{r.Who, r.Nonce}]
	if !ok {
		return fmt.Errorf("%s has an outcome of %s, which it never sent", r.Who, r.Nonce)
	}
	switch r.Op {
	case OK:
		if r.Hash != s.hash {
			c.rep.fault(Unexpected, 1, "%s of %s was answered with another event: %s, not %s", r.Nonce, r.Who, r.Hash, s.hash)
		}
		if !slices.Contains(s.acks, r.Seq) {
			s.acks = append(s.acks, r.Seq)
		}
	case Fail:
		s.refused = true
	case Unknown:
		s.lost++
	default: // not an outcome
	}
	return nil
}

// complete refuses a history that could not show a fault if there was one.
func (c *checker) complete() error {
	switch {
	case len(c.base) == 0:
		return errors.New("the history names no rooms")
	case len(c.sends) == 0:
		return errors.New("the history has no sends")
	case len(c.consumers) == 0:
		return errors.New("the history has no consumers")
	}
	for room := range c.base {
		if len(c.logs[room]) == 0 {
			return fmt.Errorf("the history does not have the log of %s", room)
		}
		for _, who := range c.consumers {
			if _, ok := who.begin[room]; !ok {
				return fmt.Errorf("the history does not say where %s begins in %s", who.name, room)
			}
		}
	}
	c.rep.Rooms, c.rep.Consumers = len(c.base), len(c.consumers)
	return nil
}

// checkLogs holds each room's log against what was sent.
func (c *checker) checkLogs() {
	for _, room := range slices.Sorted(maps.Keys(c.logs)) {
		base, known := c.base[room]
		high := int64(0)
		for _, e := range c.logs[room] {
			switch {
			case e.seq <= high:
				c.rep.fault(Reordered, 1, "the log of %s has %d after %d", room, e.seq, high)
			case e.seq > high+1:
				c.rep.fault(SeqGap, int(e.seq-high-1), "the log of %s goes from %d to %d", room, high, e.seq)
			}
			high = max(high, e.seq)
			if known && e.seq <= base {
				continue
			}
			c.rep.Logged++
			s, ok := c.byHash[e.hash]
			switch {
			case !ok:
				c.rep.fault(Unexpected, 1, "%s/%d in the log was sent by nobody", room, e.seq)
				continue
			case s.room != room:
				c.rep.fault(Unexpected, 1, "%s of %s was sent to %s but is %s/%d", s.nonce, s.who, s.room, room, e.seq)
			case s.nonce != e.nonce:
				c.rep.fault(Unexpected, 1, "%s of %s is %s/%d under the nonce %q", s.nonce, s.who, room, e.seq, e.nonce)
			}
			s.logged = append(s.logged, e.seq)
		}
	}
}

// checkSends holds what each sender was told against the logs.
func (c *checker) checkSends() {
	for _, s := range c.sends {
		c.rep.Attempted++
		c.rep.Tries += s.tries
		c.rep.LostAnswers += s.lost
		switch {
		case len(s.acks) > 0:
			c.rep.Acked++
		case s.refused:
			c.rep.Refused++
		default:
			c.rep.Unknown++
		}
		if len(s.logged) > 1 {
			c.rep.fault(Duplicated, len(s.logged)-1, "%s of %s is in %s at %v", s.nonce, s.who, s.room, s.logged)
		}
		if len(s.acks) > 1 {
			c.rep.fault(Duplicated, len(s.acks)-1, "%s of %s was acknowledged as %v of %s", s.nonce, s.who, s.acks, s.room)
		}
		switch {
		case len(s.acks) == 0 && len(s.logged) > 0 && s.refused:
			c.rep.fault(Unexpected, 1, "%s of %s was refused but is in %s at %v", s.nonce, s.who, s.room, s.logged)
		case len(s.acks) == 0 && len(s.logged) > 0:
			c.rep.Recovered++
		case len(s.acks) > 0 && len(s.logged) == 0:
			c.rep.fault(Lost, 1, "%s of %s was acknowledged as %s/%d but is not in the log", s.nonce, s.who, s.room, s.acks[0])
			if log := c.logs[s.room]; len(log) > 0 && log[len(log)-1].seq > s.acks[0] {
				c.rep.fault(LostMiddle, 1, "%s of %s was %s/%d, and the log goes on to %d", s.nonce, s.who, s.room, s.acks[0], log[len(log)-1].seq)
			}
		case len(s.acks) > 0:
			for _, seq := range s.acks {
				if !slices.Contains(s.logged, seq) {
					c.rep.fault(Reordered, 1, "%s of %s was acknowledged as %s/%d but the log has it at %v", s.nonce, s.who, s.room, seq, s.logged)
				}
			}
		}
	}
}
