// Package child runs the real server as a child process, for the tools that load and kill it.
//
// A [Server] lives and dies many times on one port of loopback and one data directory. An
// [Account] is a user of it, made by the commands that an administrator has. What is asked of it goes over plain
// HTTP, as any program outside would ask.
package child

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait for the server to do what it must.
const patience = time.Minute

// A Server is a binary, an address and a directory. Start, Kill and the like are for one
// goroutine at a time, except Kill, which is for any, as the requests are.
type Server struct {
	Env   []string // more variables for the binary, set before it is first called
	Under []string // what "serve" is started under, if anything: a command that becomes the server's process

	UnderAll bool // Under is for the administrative commands too

	Starting time.Duration // how long it may take to start; as long as anything else when 0

	binary, dir string
	addr        string // host:port on loopback
	output      *os.File
	client      *http.Client

	mu    sync.Mutex
	child *life // the newest
}

// life is one life of the server.
type life struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
	err  error         // how; read after done
}

// Build builds the server into the file path, with the build tags given, if any.
func Build(ctx context.Context, path, tags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", path, "parley/server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the server: %w\n%s", err, out)
	}
	return nil
}

// New prepares to run binary with its data and its output in dir, at an address that is free now.
func New(ctx context.Context, binary, dir string) (*Server, error) {
	addr, err := FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	output, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	return &Server{binary: binary, dir: dir, addr: addr, output: output,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}, nil
}

// Addr is the server's address, host:port.
func (s *Server) Addr() string { return s.addr }

// Base is the server's address as the beginning of a URL.
func (s *Server) Base() string { return "http://" + s.addr }

// PID is the process of the server's newest life.
func (s *Server) PID() int { return s.current().cmd.Process.Pid }

// FreeAddr is an address on loopback that nobody listens at now.
func FreeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// env configures every call of the binary; the limits are out of the way of the load.
func (s *Server) env() []string {
	env := append(os.Environ(),
		"PARLEY_ADDR="+s.addr, "PARLEY_DATA="+filepath.Join(s.dir, "data"),
		"PARLEY_SEND_RATE=100000", "PARLEY_SEND_BURST=100000",
		"PARLEY_READ_RATE=100000", "PARLEY_READ_BURST=100000",
		"PARLEY_STREAMS_PER_ACCOUNT=100000", "PARLEY_STREAMS_PER_ADDRESS=100000", "PARLEY_STREAMS=100000",
		"PARLEY_LOG=warn")
	return append(env, s.Env...)
}

// command runs an administrative command and returns what it printed.
func (s *Server) command(ctx context.Context, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args = append([]string{s.binary}, args...)
	if s.UnderAll {
		args = append(slices.Clone(s.Under), args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin = s.env(), strings.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("parley %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Start starts the server, waits until it is ready, and returns how long that took.
func (s *Server) Start(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	// The server outlives the start, whatever ctx bounds: Close ends it.
	args := append(slices.Clone(s.Under), s.binary, "serve")
	c := &life{cmd: exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...), done: make(chan struct{})}
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = s.env(), s.output, s.output
	if err := c.cmd.Start(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	s.child = c
	s.mu.Unlock()
	go func() { c.err = c.cmd.Wait(); close(c.done) }() // ends with the process, which Close ends

	bound := cmp.Or(s.Starting, patience)
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.ready(ctx) {
			return time.Since(began), nil
		}
		select {
		case <-tick.C:
		case <-c.done:
			return 0, fmt.Errorf("the server ended while starting: %w\n%s", c.err, s.tail())
		case <-ctx.Done():
			return 0, fmt.Errorf("the server was not ready in %v\n%s", bound, s.tail())
		}
	}
}

func (s *Server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Base()+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := s.client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Kill kills the server, at once and without waiting.
func (s *Server) Kill() {
	_ = s.current().cmd.Process.Kill() // it may have ended already: Gone tells
}

// Freeze stops the server where it is, as a machine does that is out of memory or moved elsewhere; until Thaw.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	if err := s.current().cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("the server ended by itself: %w\n%s", err, s.tail())
	}
	return nil
}

// Gone waits for the end of a server that was killed. One that ended otherwise is an error.
func (s *Server) Gone(ctx context.Context) error {
	c := s.current()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		return errors.New("a killed server did not end")
	}
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the server ended by itself: %w\n%s", c.err, s.tail())
	}
	return nil
}

// Stop ends the server as its host would, which it must do cleanly.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.Terminate(); err != nil {
		return err
	}
	return s.Stopped(ctx)
}

// Terminate asks the server to end, as its host would, and does not wait.
func (s *Server) Terminate() error {
	return s.signal(syscall.SIGTERM)
}

// Stopped waits for the end of a server that was asked to end, which must be a clean one.
func (s *Server) Stopped(ctx context.Context) error {
	c := s.current()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		return fmt.Errorf("the server did not end %v after SIGTERM\n%s", patience, s.tail())
	}
	if c.err != nil {
		return fmt.Errorf("the server ended badly after SIGTERM: %w\n%s", c.err, s.tail())
	}
	return nil
}

// Done is closed once the newest life has ended.
func (s *Server) Done() <-chan struct{} { return s.current().done }

// Exit is how a life that is done has ended: nil if well.
func (s *Server) Exit() error { return s.current().err }

// Said is the end of what the server printed, in all its lives.
func (s *Server) Said() string { return s.tail() }

// HangUp closes the connections that are kept for the next question.
func (s *Server) HangUp() { s.client.CloseIdleConnections() }

// Close makes sure that nothing of the server is left.
func (s *Server) Close() error {
	if c := s.current(); c != nil {
		s.Kill()
		<-c.done
	}
	s.HangUp()
	return s.output.Close()
}

func (s *Server) current() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

// tail is the end of what the server printed.
func (s *Server) tail() string {
	b, err := os.ReadFile(s.output.Name())
	if err != nil {
		return err.Error()
	}
	return "its log ends:\n" + string(b[max(0, len(b)-4<<10):])
}
