//go:build gauge

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
)

// gauge tells whoever connects to the socket that PARLEY_GAUGE names what this process holds, once all that is not in use has been
// collected, until ctx ends. What is resident, or on the heap at any moment, is mostly what the collector has not come to yet, and says
// nothing about a few hundred KiB. build/child reads it.
func gauge(ctx context.Context) error {
	path := os.Getenv("PARLEY_GAUGE")
	if path == "" {
		return nil
	}
	_ = os.Remove(path) // of a life that was killed
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("gauge: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() { // ends with ctx
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			runtime.GC()
			runtime.GC() // what a sync.Pool gave up the first time is collected the second
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			_ = json.NewEncoder(c).Encode(map[string]uint64{"heap": m.HeapAlloc, "stacks": m.StackInuse}) // whoever went needs no answer
			_ = c.Close()
		}
	}()
	return nil
}
