package sqlite

import (
	"container/heap"
	"context"
	"math"

	"parley/app/chat"
	"parley/server/hub"
)

// Head implements hub.Store.
func (s *Store) Head(ctx context.Context) (head hub.Pos, err error) {
	err = s.view(ctx, "reading the head of the log", func(v *view) error {
		head, err = v.head()
		return err
	})
	return head, err
}

// After implements hub.Store.
func (s *Store) After(ctx context.Context, pos hub.Pos, limit int) (out []hub.Logged, err error) {
	err = s.view(ctx, "reading the log", func(v *view) error {
		out, err = v.events(sqlEvents+`WHERE e.pos > ? ORDER BY e.pos LIMIT ?`, int64(pos), max(0, limit))
		return err
	})
	return out, err
}

// events reads all that a query beginning with sqlEvents finds.
func (v *view) events(text string, args ...any) (out []hub.Logged, err error) {
	rows, err := v.query(text, args...)
	err = each(rows, err, func(s scan) error {
		l, err := scanEvent(s)
		out = append(out, l)
		return err
	})
	return out, err
}

// AfterFor implements hub.Store. It merges what the user may read of each room, by
// position: the cost is that of finding the place in each of their rooms, and of
// what is read, whatever else the log holds.
func (s *Store) AfterFor(ctx context.Context, u chat.UserID, pos hub.Pos, limit int) (out []hub.Logged, seen hub.Pos, err error) {
	err = s.view(ctx, "reading a user's log", func(v *view) error {
		head, err := v.head()
		if err != nil {
			return err
		}
		who, err := v.user(u)
		if err != nil {
			return err
		}
		rs, err := v.runsAfter(who, pos)
		if err != nil {
			return err
		}
		out, seen = nil, max(pos, head)
		at := max(1, limit)
		chunk := min(at, max(8, 2*at/max(1, len(rs))))
		for len(rs) > 0 && len(out) < at {
			if len(rs[0].ready) == 0 {
				if err := v.refill(&rs, chunk); err != nil {
					return err
				}
				continue
			}
			out = rs.take(out, at)
		}
		if len(out) == at {
			seen = out[at-1].Pos
		}
		return nil
	})
	return out, seen, err
}

// A run is what one span of membership holds after a place.
type run struct {
	room    int64
	next    hub.Pos // nothing of the run is before
	to      hub.Pos // nor here and after
	ready   []hub.Logged
	drained bool // nothing beyond ready
}

// runs is a heap, the run with the smallest next first.
type runs []*run

func (r runs) Len() int           { return len(r) }
func (r runs) Less(i, j int) bool { return r[i].next < r[j].next }
func (r runs) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *runs) Push(x any)        { *r = append(*r, x.(*run)) }
func (r *runs) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// runsAfter finds the runs of the user that hold anything after pos.
func (v *view) runsAfter(who int64, pos hub.Pos) (rs runs, err error) {
	rows, err := v.query(`
		SELECT s.room, s.to_pos,
		  (SELECT e.pos FROM events e WHERE e.room = s.room AND e.pos >= max(s.from_pos, ?2) ORDER BY e.pos LIMIT 1)
		FROM spans s WHERE s.user = ?1 AND (s.to_pos = 0 OR s.to_pos > ?2)`, who, int64(pos+1))
	err = each(rows, err, func(s scan) error {
		r := &run{}
		var next *int64
		if err := s(&r.room, &r.to, &next); err != nil {
			return err
		}
		if r.to == 0 {
			r.to = math.MaxInt64
		}
		if next != nil && hub.Pos(*next) < r.to {
			r.next = hub.Pos(*next)
			rs = append(rs, r)
		}
		return nil
	})
	heap.Init(&rs)
	return rs, err
}

// refill reads on in the first run, or drops it when it is at its end.
func (v *view) refill(rs *runs, n int) (err error) {
	r := (*rs)[0]
	if !r.drained {
		r.ready, err = v.events(sqlEvents+`WHERE e.room = ? AND e.pos >= ? AND e.pos < ? ORDER BY e.pos LIMIT ?`,
			r.room, int64(r.next), int64(r.to), n)
		if err != nil {
			return err
		}
		r.drained = len(r.ready) < n
	}
	if len(r.ready) == 0 {
		heap.Pop(rs)
		return nil
	}
	r.next = r.ready[0].Pos
	heap.Fix(rs, 0)
	return nil
}

// take moves what is ready of the first run to out, as far as no other run has
// anything before it, and up to limit in all.
func (rs *runs) take(out []hub.Logged, limit int) []hub.Logged {
	r := (*rs)[0]
	other := hub.Pos(math.MaxInt64)
	for _, next := range (*rs)[1:min(3, len(*rs))] {
		other = min(other, next.next)
	}
	for len(r.ready) > 0 && r.ready[0].Pos < other && len(out) < limit {
		out = append(out, r.ready[0])
		r.next = r.ready[0].Pos + 1
		r.ready = r.ready[1:]
	}
	if len(r.ready) > 0 {
		r.next = r.ready[0].Pos
	}
	heap.Fix(rs, 0)
	return out
}
