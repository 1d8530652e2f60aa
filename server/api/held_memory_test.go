//go:build !race

package api_test

import (
	"net"
	"runtime"
	"testing"

	"parley/app/chat"
)

// The race detector makes stacks larger; this is of the program as it is run.

// held is the memory that is in use, once what is not has been collected.
func held() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// bare is what one end of a connection takes of this process.
func bare(t *testing.T, n int) int64 {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	conns := make([]net.Conn, 0, 2*n)
	before := held()
	for range n {
		near, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		must(t, err)
		far, err := l.Accept()
		must(t, err)
		conns = append(conns, near, far)
	}
	took := held() - before
	for _, c := range conns {
		_ = c.Close()
	}
	return took / int64(2*n)
}

// The owner is told how much memory sessions hold: within a quarter of what is measured.
func TestHeldMemory(t *testing.T) {
	const many = 500 // fewer than there may be of long polls that wait with net/http
	end := bare(t, many)
	heldBy(t, many, func(t *testing.T, open func(), cost func() chat.WayCost) {
		before := held()
		open()
		cost() // and with it whoever opened a session has had a moment to leave
		took := (held()-before)/many - end
		told := cost().Memory / many
		t.Logf("a session holds %d bytes; %d are told", took, told)
		if told < took*3/4 || told > took*5/4 {
			t.Errorf("a session holds %d bytes, and it tells of %d", took, told)
		}
	})
}
