package child

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"
)

// A Gauge is what a server holds, in bytes, once all that is not in use has been collected.
type Gauge struct{ Heap, Stacks int64 }

// Gauged makes a server, which is of a build with the tag "gauge", tell what it holds. It is for before the start.
func (s *Server) Gauged() { s.Env = append(s.Env, "PARLEY_GAUGE="+s.gauge()) }

func (s *Server) gauge() string { return filepath.Join(s.dir, "gauge") }

// Gauge asks a server that was Gauged.
func (s *Server) Gauge(ctx context.Context) (g Gauge, err error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", s.gauge())
	if err != nil {
		return g, err
	}
	defer func() { _ = c.Close() }() // only read
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	return g, json.NewDecoder(c).Decode(&g)
}
