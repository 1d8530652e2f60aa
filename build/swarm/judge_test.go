package swarm

import (
	"context"
	"fmt"
	"math"
	"slices"

	"parley/app/chat"
)

// A judge knows from the logs who may have been given what.
type judge struct {
	logs map[chat.RoomID][]chat.Event
	sent map[event]int64 // the moment at which each message began to be sent
	kept map[chat.UserID]map[chat.RoomID][]stay
}

// judge reads the logs, when all is over.
func (ws *writers) judge(ctx context.Context) (*judge, error) {
	j := &judge{logs: map[chat.RoomID][]chat.Event{}, sent: map[event]int64{}, kept: map[chat.UserID]map[chat.RoomID][]stay{}}
	for _, room := range ws.w.rooms {
		log, err := ws.w.srv.Log(ctx, ws.w.host, room)
		if err != nil {
			return nil, err
		}
		j.logs[room] = log
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for nonce, e := range ws.acked {
		j.sent[event{e.Room, e.Seq}] = ws.began[nonce]
	}
	return j, nil
}

// A stay is one membership, from the event of joining to that of leaving.
type stay struct{ from, to chat.Seq }

// stays finds the memberships of u in a room, and keeps them.
func (j *judge) stays(u chat.UserID, room chat.RoomID) []stay {
	if j.kept[u] == nil {
		j.kept[u] = map[chat.RoomID][]stay{}
	}
	all, ok := j.kept[u][room]
	if ok {
		return all
	}
	for _, e := range j.logs[room] {
		switch m := e.Member; {
		case m == nil || m.User != u:
		case m.State == chat.Joined:
			all = append(all, stay{e.Seq, math.MaxInt64})
		default:
			all[len(all)-1].to = e.Seq
		}
	}
	j.kept[u][room] = all
	return all
}

// may reports whether u may be given an event.
func (j *judge) may(u chat.UserID, e event) bool {
	return slices.ContainsFunc(j.stays(u, e.room), func(s stay) bool { return s.from <= e.seq && e.seq <= s.to })
}

// wanted is all that u must be given after begin.
func (j *judge) wanted(u chat.UserID, begin place) map[event]bool {
	want := map[event]bool{}
	for room, log := range j.logs {
		stays := j.stays(u, room)
		for _, e := range log {
			if e.Seq > begin.heads[room] && slices.ContainsFunc(stays, func(s stay) bool { return s.from <= e.Seq && e.Seq <= s.to }) {
				want[event{room, e.Seq}] = true
			}
		}
	}
	return want
}

// whole judges a witness that nobody cut off: what it was given is what its user may read, once, in order.
func (j *judge) whole(v *witness, u chat.UserID, want map[event]bool) error {
	if err := j.ordered(v, u); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.given {
		delete(want, e)
	}
	for e := range want {
		return fmt.Errorf("%s over %s was never given %s/%d, and %d more", v.acct.Name, v.via, e.room, e.seq, len(want)-1)
	}
	return nil
}

// ended judges a witness whose grant ended: nothing was sent after that.
func (j *judge) ended(v *witness, u chat.UserID) error {
	if err := j.ordered(v, u); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.given {
		if j.sent[e] > v.cut {
			return fmt.Errorf("leaked: %s over %s was given %s/%d, which was sent after the end of what it followed by", v.acct.Name, v.via, e.room, e.seq)
		}
	}
	return nil
}

// ordered judges what every witness was given: nothing but what its user may read, and each room in order.
func (j *judge) ordered(v *witness, u chat.UserID) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	heads := map[chat.RoomID]chat.Seq{}
	for _, e := range v.given {
		if !j.may(u, e) {
			return fmt.Errorf("leaked: %s over %s was given %s/%d, outside of %v", v.acct.Name, v.via, e.room, e.seq, j.stays(u, e.room))
		}
		if e.seq <= heads[e.room] {
			return fmt.Errorf("%s over %s was given %s/%d after %d", v.acct.Name, v.via, e.room, e.seq, heads[e.room])
		}
		heads[e.room] = e.seq
	}
	return nil
}
