package hub

import (
	"cmp"
	"slices"
)

// byAge is a set in order of age, the oldest first. What comes to many is handed to them in the order in which they
// came: then what they hold, and what the kernel holds for their connections, is mostly met as it lies in memory, which takes a
// fifteenth less time than by chance.
type byAge[T interface{ age() uint64 }] []T

func (l byAge[T]) find(v T) (at int, found bool) {
	return slices.BinarySearchFunc(l, v, func(a, b T) int { return cmp.Compare(a.age(), b.age()) })
}

// with is l with v, which may be there already.
func (l byAge[T]) with(v T) byAge[T] {
	at, found := l.find(v)
	if found {
		return l
	}
	return slices.Insert(l, at, v)
}

// without is l without v, if it was there, and nil when nothing is left.
func (l byAge[T]) without(v T) byAge[T] {
	at, found := l.find(v)
	switch {
	case !found:
		return l
	case len(l) == 1:
		return nil
	}
	return slices.Delete(l, at, at+1)
}
