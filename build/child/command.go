package child

import (
	"context"
	"os/exec"
	"path/filepath"
)

// Data is the server's data directory.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Command prepares an administrative command on the server's data, for who starts it, or kills it, by themselves.
func (s *Server) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = s.env()
	return cmd
}
