package power

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Attach makes calls of a running process fail, or take longer, until detach: faults in strace's own
// words. What it sees goes to file.
func Attach(ctx context.Context, pid int, file string, faults ...string) (detach func() error, err error) {
	args := []string{"--follow-forks", "--attach=" + strconv.Itoa(pid), "--signal=kill", "--output=" + file}
	var traced []string
	for _, f := range faults {
		call, _, _ := strings.Cut(f, ":")
		traced = append(traced, call)
		args = append(args, "--inject="+f)
	}
	args = append(args, "--trace="+strings.Join(traced, ","))
	cmd := exec.CommandContext(ctx, "strace", args...)
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(said)
	first, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(first, "attached") {
		return nil, errors.Join(fmt.Errorf("strace can not attach to a process of the same user: %q; "+
			"on a system that forbids it: sysctl kernel.yama.ptrace_scope=0, or run as root", first), cmd.Process.Kill(), ignore(cmd.Wait()))
	}
	rest := make(chan struct{})
	go func() { // ends with strace, which detach or ctx ends
		defer close(rest)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-rest
		return ignore(cmd.Wait())
	}, nil
}

// ignore passes over how a process ended that was told to end.
func ignore(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}
