package api

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back once for each crowd, when it is in, and not for a few.
func TestTrimAfterACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed atomic.Int64
		r := &trimmer{free: func() { freed.Add(1) }}
		come := func(n int) {
			for range n {
				r.arrived()
			}
		}
		want := func(n int64, when string) {
			t.Helper()
			synctest.Wait()
			if got := freed.Load(); got != n {
				t.Errorf("%s: memory was given back %d times, want %d", when, got, n)
			}
		}
		come(crowd - 1)
		<-time.After(time.Hour)
		want(0, "a few")
		for range 10 {
			come(crowd)
			<-time.After(lookWait * 9 / 10)
		}
		want(0, "while they come")
		<-time.After(2 * lookWait)
		want(1, "when all are in")
		<-time.After(time.Hour)
		want(1, "long after")
		come(crowd)
		<-time.After(2*lookWait + time.Millisecond)
		want(2, "after another crowd")
	})
}
