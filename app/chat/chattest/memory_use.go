package chattest

import "runtime"

// Allocated is how many bytes f takes from memory, in all: for bounds in terms of what f was given. Nothing else
// may run meanwhile.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
