package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A process is a server that is no parley: a child on a core of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// start starts cmd and waits until something accepts connections at addr, or, if that is empty, until it has printed where.
func (p *process) start(ctx context.Context, dir string) error {
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		return err
	}
	defer func() { _ = said.Close() }()
	p.cmd.Stdout, p.cmd.Stderr = said, said
	if err := pinned(0, p.cmd.Start); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		line, err := os.ReadFile(said.Name())
		if err != nil {
			return errors.Join(err, p.close())
		}
		addr := p.addr
		if addr == "" && len(line) > 0 && line[len(line)-1] == '\n' {
			addr = string(line[:len(line)-1])
		}
		if addr != "" {
			if conn, err := dial(ctx, addr); err == nil {
				p.addr = addr
				return conn.Close()
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not serve; it said %.1000q", filepath.Base(p.cmd.Path), line), p.close())
		}
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) close() error {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // killed, as it should be
	return nil
}
