package hub

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type old uint64

func (o old) age() uint64 { return uint64(o) }

// It is a set, and in order, whatever comes and goes.
func TestByAge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l byAge[old]
		in := map[old]bool{}
		for _, step := range rapid.SliceOf(rapid.IntRange(-20, 20)).Draw(t, "steps") {
			if v := old(max(step, -step)); step > 0 {
				l, in[v] = l.with(v), true
			} else {
				l = l.without(v)
				delete(in, v)
			}
			if (l == nil) != (len(in) == 0) {
				t.Fatalf("%v is nil: %t", l, l == nil)
			}
		}
		if len(l) != len(in) || !slices.IsSorted(l) {
			t.Fatalf("%v is not %v in order", l, in)
		}
		for v := range in {
			if at, found := l.find(v); !found || l[at] != v {
				t.Fatalf("%d is not found in %v", v, l)
			}
		}
	})
}
