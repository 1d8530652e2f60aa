package linear

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"parley/build/child"
)

var (
	seed  = flag.Uint64("seed", 0, "replay the plan of this seed; 0 draws one")
	rooms = flag.Int("rooms", 40, "how many rooms; the full run has 500")
)

// Whatever is killed and stopped when, the server does one thing at a time. (T13)
func TestOneThingAtATime(t *testing.T) {
	res := run(t, "", *rooms)
	for _, what := range res.Impossible {
		t.Error(what)
	}
	if res.Kills < 3 || res.Lost == 0 || res.Conflicts == 0 {
		t.Errorf("%+v proves too little", res)
	}
}

// A server that forgets nonces is found out.
func TestForgetfulServer(t *testing.T) {
	if res := run(t, "fault", 5, "PARLEY_FAULT=nonce"); len(res.Impossible) == 0 {
		t.Errorf("it was not noticed: %+v", res)
	}
}

func run(t *testing.T, tag string, rooms int, env ...string) Result {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "parley")
	if err := child.Build(t.Context(), bin, tag); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Binary: bin, Env: env, Dir: t.TempDir(), Seed: *seed, Rooms: rooms, Clients: 5, Ops: 10, AtOnce: 8}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	res, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("seed %d: %v", cfg.Seed, err)
	}
	t.Logf("seed %d: %d operations in %d rooms, %d not answered, %d refused as conflicts, %d kills, %d stops: %d rooms fit no order",
		cfg.Seed, res.Ops, rooms, res.Lost, res.Conflicts, res.Kills, res.Stops, len(res.Impossible))
	return res
}
