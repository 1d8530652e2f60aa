//go:build !race

package api_test

import (
	"net"
	"runtime"
	"testing"

	"parley/app/chat"
)

// The race detector makes stacks larger; this is of the program as it is run.

// held is the heap and the stacks that are in use, once who leaves has left and what is not in use has been collected.
func held(t *testing.T) (heap, stacks int64) {
	settled(t)
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// bare is what one end of a connection takes of this process's heap.
func bare(t *testing.T, n int) int64 {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	conns := make([]net.Conn, 0, 2*n)
	before, _ := held(t)
	for range n {
		near, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		must(t, err)
		far, err := l.Accept()
		must(t, err)
		conns = append(conns, near, far)
	}
	after, _ := held(t)
	for _, c := range conns {
		_ = c.Close()
	}
	return (after - before) / int64(2*n)
}

// The owner is told how much memory sessions hold: within a quarter of what is measured.
func TestHeldMemory(t *testing.T) {
	// The runtime keeps stacks that were left, and timers that were stopped, for each processor until
	// that has work again. With one there is always work, and it is the same on every machine.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const many = 500 // fewer than there may be of long polls that wait with net/http
	end := bare(t, many)
	heldBy(t, many, func(t *testing.T, open func(), cost func() chat.WayCost) {
		heap, stacks := held(t)
		open()
		heapThen, stacksThen := held(t)
		c := cost()
		took := heapThen - heap
		// Who has no goroutine has no stack. If there is more of stacks then, it is none of theirs: sixteen
		// share a piece of memory, which is kept while one of them is in use.
		if c.Goroutines > 0 {
			took += stacksThen - stacks
		}
		took, told := took/many-end, c.Memory/many
		t.Logf("a session holds %d bytes, with %d of stacks; %d are told", took, (stacksThen-stacks)/many, told)
		if told < took*3/4 || told > took*5/4 {
			t.Errorf("a session holds %d bytes, and it tells of %d", took, told)
		}
	})
}
