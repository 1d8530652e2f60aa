package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/build/chaos/check"
	"parley/build/child"
)

var (
	full = flag.Bool("full", false, "the full form: a million deliveries, 200 strikes, every broken build")
	seed = flag.Uint64("seed", 0, "replay the plan of this seed; 0 draws one")
	keep = flag.String("keep", "", "keep the history and the server's log in this directory")
)

// binary is the server under test, built from the tree as it is.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "parley-chaos-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "parley")
		if err := child.Build(context.Background(), binary, ""); err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
			return 1
		}
		return m.Run()
	}())
}

// most is how much memory of the server may be resident.
const most = 256 << 10 // KiB

// TestDelivery is the promise (T1): whatever is struck when, nothing is lost, repeated, reordered, skipped or
// leaked, and the server holds a bounded amount of everything.
func TestDelivery(t *testing.T) {
	cfg := config(t, binary)
	cfg.Strikes = Strikes{Kills: 20, Freezes: 6, Networks: 3, Switches: 18, Stales: 12}
	cfg.Deliveries = 200_000
	if *full {
		cfg.Strikes = Strikes{Kills: 20, Freezes: 20, Networks: 10, Switches: 60, Stales: 40}
		cfg.Deliveries = 1_000_000
	}
	cfg.Away = 3 * time.Second // time for more than the server keeps at hand for one reader
	rep, res := run(t, cfg)
	t.Logf("seed %d: %s\n%s", cfg.Seed, rep, res)
	sound(t, rep, res, cfg)
	if rep.Delivered < cfg.Deliveries || rep.LostAnswers == 0 || rep.Dropped == 0 || rep.Clashes == 0 {
		t.Errorf("%d deliveries, %d lost answers, %d events that came again and %d clashes prove too little", rep.Delivered, rep.LostAnswers, rep.Dropped, rep.Clashes)
	}
	if res.Peak > most {
		t.Errorf("the server had %d KiB resident, more than %d", res.Peak, most)
	}
	if res.Rest > res.Base+slack {
		t.Errorf("the server had %d goroutines before, and has %d after the last reader left", res.Base, res.Rest)
	}
}

// TestIdempotentSends (T2) destroys three answers in ten, sends some drafts twice at the same instant, and
// something else under the nonces of others: each nonce is one event, at one place, for ever.
func TestIdempotentSends(t *testing.T) {
	cfg := config(t, binary)
	cfg.Sends, cfg.Strikes = 10_000, Strikes{Kills: 3}
	if *full {
		cfg.Sends, cfg.Strikes = 100_000, Strikes{Kills: 10}
	}
	cfg.Rate, cfg.Consumers, cfg.Guests = 0, 2, 0
	cfg.Deliveries = cfg.Sends * 2 * (len(chat.Vias) + 1) // as many consumers are given each, so that the kills come all along
	cfg.Ruin = Ruin{Early: 0.02, Late: 0.30, Again: 0.02, Twice: 0.05, Clash: 0.01}
	rep, res := run(t, cfg)
	t.Logf("seed %d: %s\n%s", cfg.Seed, rep, res)
	sound(t, rep, res, cfg)
	// The checker has held that each send is one event at most, in the place that every answer named.
	if rep.Attempted < cfg.Sends || rep.Logged != rep.Attempted || rep.Acked != rep.Attempted {
		t.Errorf("%d sends, %d acknowledged, %d events in the logs; want the same, and %d at least", rep.Attempted, rep.Acked, rep.Logged, cfg.Sends)
	}
	if part := float64(rep.LostAnswers) / float64(rep.Attempted); part < 0.25 {
		t.Errorf("%.3f of the answers were lost, which proves too little", part)
	}
	if part := float64(rep.Clashes) / float64(rep.Attempted); part < 0.005 {
		t.Errorf("%.4f of the sends were clashed with, which proves too little", part)
	}
}

// sound holds what every run of a server that is not broken must come to.
func sound(t *testing.T, rep *check.Report, res *Result, cfg Config) {
	t.Helper()
	if !rep.OK() {
		t.Error("the server broke its promise")
	}
	if rep.Unknown > 0 || rep.Refused > 0 {
		t.Errorf("%d sends were refused and %d never answered; all must come through in the end", rep.Refused, rep.Unknown)
	}
	want := map[string]int{}
	for _, s := range newPlan(cfg, rand.New(rand.NewPCG(1, 1))) {
		want[string(s.kind)]++
	}
	if !reflect.DeepEqual(want, rep.Strikes) {
		t.Errorf("the strikes were %v, want %v", rep.Strikes, want)
	}
	if !res.Level {
		t.Errorf("some consumer was not level %v after the last send", cfg.Settle)
	}
}

// drawn is the seed of a test, from the flag or from nowhere.
func drawn(t *testing.T) uint64 {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("seed %d", s)
	return s
}

func config(t *testing.T, binary string) Config {
	t.Helper()
	cfg := Config{Binary: binary, Dir: t.TempDir(), Seed: drawn(t), Rate: 600, Accounts: 8, Rooms: 20, Consumers: 4, Guests: 4,
		Ruin:  Ruin{Early: 0.05, Late: 0.05, Again: 0.05, Twice: 0.02, Clash: 0.01},
		Pause: 500 * time.Millisecond, Settle: 10 * time.Second, Logf: t.Logf}
	if *keep != "" {
		cfg.Dir = filepath.Join(*keep, strings.ReplaceAll(t.Name(), "/", "-")+fmt.Sprintf("-%d", time.Now().UnixNano()))
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// run runs and judges.
func run(t *testing.T, cfg Config) (*check.Report, *Result) {
	t.Helper()
	ctx, cancel := bounded(t)
	defer cancel()
	res, err := Run(ctx, cfg)
	if err != nil {
		t.Fatalf("seed %d: %v", cfg.Seed, err)
	}
	rep, err := Judge(cfg)
	if err != nil {
		t.Fatalf("seed %d: %v", cfg.Seed, err)
	}
	return rep, res
}

// bounded leaves the test enough time to end its processes.
func bounded(t *testing.T) (context.Context, context.CancelFunc) {
	if end, ok := t.Deadline(); ok {
		return context.WithDeadline(t.Context(), end.Add(-10*time.Second))
	}
	return context.WithCancel(t.Context())
}

// TestPlan holds that a seed replays its plan, and that another does not.
func TestPlan(t *testing.T) {
	cfg := Config{Strikes: Strikes{Kills: 3, Freezes: 3, Networks: 3, Switches: 3, Stales: 3}, Pause: time.Second}
	draw := func(seed uint64) []strike { return newPlan(cfg, rand.New(rand.NewPCG(seed, 0))) }
	a, b, other := draw(7), draw(7), draw(8)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("one seed has two plans:\n%v\n%v", a, b)
	}
	if reflect.DeepEqual(a, other) {
		t.Errorf("two seeds have the same plan: %v", a)
	}
	if want := 3 * (4 + len(networks)); len(a) != want {
		t.Errorf("a plan has %d strikes, want %d", len(a), want)
	}
}

func TestHashTellsEventsApart(t *testing.T) {
	joined, left := &chat.Member{User: "u", State: chat.Joined}, &chat.Member{User: "u", State: chat.Left}
	seen := map[string]bool{}
	for _, e := range []struct {
		nonce chat.Nonce
		body  chat.Body
	}{
		{"a", chat.Body{}}, {"a", chat.Body{Message: &chat.Message{Text: "1"}}}, {"a", chat.Body{Message: &chat.Message{Text: "2"}}},
		{"a", chat.Body{Edit: &chat.Edit{Seq: 1, Text: "1"}}}, {"a", chat.Body{Edit: &chat.Edit{Seq: 2, Text: "1"}}},
		{"a", chat.Body{Member: joined}}, {"b", chat.Body{Member: joined}}, {"a", chat.Body{Member: left}},
	} {
		h := hash(e.nonce, e.body)
		if seen[h] {
			t.Errorf("%+v has the hash of another", e)
		}
		seen[h] = true
	}
	named := *joined
	named.Name = "Cy"
	if !seen[hash("a", chat.Body{Member: &named})] {
		t.Error("the name that the server adds makes another event")
	}
	if hash("a", chat.Body{Message: &chat.Message{Text: "1"}}) != hash("b", chat.Body{Message: &chat.Message{Text: "1"}}) {
		t.Error("the hash of a message is not of its body alone")
	}
}
