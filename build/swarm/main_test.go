// Package swarm lets many clients loose on the real server, over all four transports, and holds what happens to
// them against what is promised: readers that are slow or have stopped, a crowd that comes back after a crash, restarts
// under load, connections that nobody uses, and people who are cut off while they read.
//
//	go test ./build/swarm                   # the short forms, about a minute and a half
//	go test ./build/swarm -full -v          # the full forms, which print figures
//	go test ./build/swarm -full -clients N  # with crowds of N, for a smaller machine
//	go test ./build/swarm -seed 7           # replays what was random
//
// # The words
//
// A world is a server with its users and rooms. A reader follows as one user over one way, as cheaply as it
// can, so that ten thousand fit beside the server; it notes the head of each room and that every event came once and in order.
// A crowd is many readers. A writer sends messages at a steady pace, each until it is acknowledged.
// To be level is to have everything that the rooms hold.
//
// Nothing here asserts how fast the server is: bounds on time are what a broken server exceeds and a busy machine does not. One test
// compares it with itself, in the full form only.
package swarm

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/build/child"
)

var (
	full    = flag.Bool("full", false, "run the full forms, which take about a quarter of an hour")
	clients = flag.Int("clients", 10_000, "how many there are in the full form of a crowd")
	seed    = flag.Uint64("seed", 0, "replay the plan of this seed; 0 draws one")
)

// patience bounds every wait for what must happen. It is long: what does not happen in it does not happen.
const patience = 5 * time.Minute

// program is the program under test, built from the tree as it is. The tag has it tell what it holds, where it is asked to.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "parley-swarm-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "swarm:", err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		program = filepath.Join(dir, "parley")
		if err := child.Build(context.Background(), program, "gauge"); err != nil {
			fmt.Fprintln(os.Stderr, "swarm:", err)
			return 1
		}
		return m.Run()
	}())
}

// plan is what is random in a test. Its seed is printed and replays it.
func plan(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// pick is short, or, in the full form, long.
func pick[T any](short, long T) T {
	if *full {
		return long
	}
	return short
}
