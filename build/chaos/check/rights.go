package check

import (
	"cmp"
	"slices"
	"sort"
)

// A view is what one user may read of one room, in order. It begins as a member's.
type view struct {
	events []event
	index  map[int64]int // of a seq in events
}

// views are the views of everyone, made when first asked for.
type views struct {
	logs map[string][]event
	base map[string]int64
	made map[[2]string]*view
}

// of is what user may read of room.
func (v *views) of(room, user string) *view {
	key := [2]string{room, user}
	if made, ok := v.made[key]; ok {
		return made
	}
	made := &view{index: map[int64]int{}}
	in := true
	log := slices.SortedStableFunc(slices.Values(v.logs[room]), func(a, b event) int { return cmp.Compare(a.seq, b.seq) })
	for _, e := range log {
		about := e.user == user && user != "" && e.seq > v.base[room]
		if about && !e.left {
			in = true
		}
		if in {
			made.index[e.seq] = len(made.events)
			made.events = append(made.events, e)
		}
		if about && e.left {
			in = false
		}
	}
	v.made[key] = made
	return made
}

// between lists what there is after one seq and before another.
func (v *view) between(after, before int64) []event {
	from := sort.Search(len(v.events), func(i int) bool { return v.events[i].seq > after })
	to := sort.Search(len(v.events), func(i int) bool { return v.events[i].seq >= before })
	return v.events[from:max(from, to)]
}
