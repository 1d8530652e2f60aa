package power

import (
	"flag"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"parley/build/child"
)

var (
	seed     = flag.Uint64("seed", 0, "replays a run; 0 takes a new one")
	messages = flag.Int("messages", 480, "to send to a traced server")
	points   = flag.Int("points", 150, "at which the power is cut")
)

// TestPowerLoss records one run and cuts its power everywhere.
func TestPowerLoss(t *testing.T) {
	rnd := source(t)
	rec := record(t, "", *messages, rnd)
	order, err := CheckOrder(rec.Trace)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(order)
	if len(order.Early) > 0 {
		t.Errorf("the first of them: %s", order.Early[0])
	}
	if acked := rec.acked(); order.Messages < acked || acked < *messages {
		t.Errorf("%d messages were acknowledged, and the trace tells of %d; want at least %d", acked, order.Messages, *messages)
	}
	if order.Syncs < order.Commits || order.Commits < *messages/8 {
		t.Errorf("%d syncs for %d commits", order.Syncs, order.Commits)
	}
	if order.Checkpoints == 0 {
		t.Error("no checkpoint was in the middle of it")
	}
	swept := sweep(t, rec, *points, rnd)
	for i, s := range swept.Bad {
		if i == 10 {
			break
		}
		t.Error(s)
	}
	if swept.Acked < *points*10 {
		t.Errorf("%d acknowledged messages prove too little", swept.Acked)
	}
}

// TestBrokenBuilds holds that builds which are broken on purpose are noticed.
func TestBrokenBuilds(t *testing.T) {
	t.Run("sync", func(t *testing.T) { // never flushes
		rnd := source(t)
		rec := record(t, "fault", 80, rnd, "PARLEY_FAULT=sync")
		order, err := CheckOrder(rec.Trace)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(order)
		if len(order.Early) < 80 || order.Syncs >= order.Commits {
			t.Error("that nothing is flushed was not noticed in the trace")
		}
		if swept := sweep(t, rec, 30, rnd); swept.Lost == 0 {
			t.Error("no loss of power cost a server anything that never flushes")
		}
	})
	t.Run("ack", func(t *testing.T) { // answers before the commit
		rec := record(t, "fault", 80, source(t), "PARLEY_FAULT=ack")
		order, err := CheckOrder(rec.Trace)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(order)
		if len(order.Early) == 0 {
			t.Error("that messages are acknowledged before their commit was not noticed")
		}
	})
}

func source(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d; again with: go test ./build/power -run '^%s$' -args -seed %d", s, t.Name(), s)
	return rand.New(rand.NewPCG(s, 0))
}

// build builds the server, with a fault when tags are not empty.
func build(t *testing.T, tags string) string {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("%v: run build/install-test-tools.sh", err)
	}
	bin := filepath.Join(t.TempDir(), "parley")
	if err := child.Build(t.Context(), bin, tags); err != nil {
		t.Fatal(err)
	}
	return bin
}

func record(t *testing.T, tags string, n int, rnd *rand.Rand, env ...string) *Recording {
	t.Helper()
	rec, err := Record(t.Context(), build(t, tags), t.TempDir(), n, rnd, env...)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (r *Recording) acked() int {
	n := 0
	for _, m := range r.Messages {
		if m.Seq != 0 {
			n++
		}
	}
	return n
}

// sweep cuts the power, and has the program that was recorded go on from some of the points.
func sweep(t *testing.T, rec *Recording, points int, rnd *rand.Rand) Swept {
	t.Helper()
	swept, err := Sweep{Recording: rec, Rand: rnd, Points: points, Scratch: t.TempDir(), Again: 50}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(swept)
	return swept
}
