package chaos

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/build/chaos/check"
	"parley/build/child"
)

// A detector tries to catch a server that breaks one promise. It returns what it saw, "" if nothing.
type detector func(t *testing.T, binary string, env []string) string

// always is how many of broken, the first, are tried each time.
const always = 3

// broken are the promises that a build with the tag "fault" can be told to break, and what has to notice.
var broken = []struct {
	fault, says string
	by          detector
}{
	{"ack", "messages are acknowledged before they are committed", byRun(check.Lost, func(c *Config) { c.Strikes.Kills = 16 })},
	{"skip", "a cursor is off by one, forwards", byRun(check.SeqGap, nil)},
	{"nonce", "a draft sent twice is appended twice", byRun(check.Duplicated, func(c *Config) { c.Guests = 0 })},
	{"repeat", "a cursor is off by one, backwards", byRun(check.Repeated, nil)},
	{"drop", "one delivery in 10,000 is lost", byRun(check.SeqGap, func(c *Config) { c.Deliveries, c.Consumers = 60_000, 3 })},
	{"swap", "two events are swapped now and then", byRun(check.Reordered, nil)},
	{"removed", "who was sent out of a room goes on reading", byRun(check.Leaked, nil)},
	{"more", "a full page is taken for the last", byRun(check.SeqGap, nil)},
	{"epoch", "a cursor is taken that is of another log", byOtherLog},
	{"queue", "a reader that does not keep up is queued for without end", byStoppedReaders},
	{"sync", "commits return before they are on disk", bySyncs},
}

// TestBrokenBuilds (T23) holds that what is claimed of the server could be found wrong: of each promise there is
// a server that breaks it, and each is caught, for the right reason. The short form tries the three that matter most, and one of the others at random.
func TestBrokenBuilds(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "parley")
	must(t, child.Build(t.Context(), binary, "fault"))
	r := rand.New(rand.NewPCG(drawn(t), 5))
	chosen := slices.Clone(broken)
	others := chosen[always:]
	r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	if !*full {
		chosen = chosen[:always+1]
	} else {
		t.Run("none", func(t *testing.T) { // it is the fault that is caught, and not the build that has them
			cfg := probe(t, binary, nil)
			rep, res := run(t, cfg)
			t.Logf("%s\n%s", rep, res)
			sound(t, rep, res, cfg)
		})
	}
	for _, b := range chosen {
		t.Run(b.fault, func(t *testing.T) {
			// Some are caught by what meets what, which is up to the machine: a few rounds, of one plan each.
			const rounds = 8
			for round := range rounds {
				if saw := b.by(t, binary, []string{"PARLEY_FAULT=" + b.fault}); saw != "" {
					t.Logf("%s: caught in round %d: %s", b.says, round+1, saw)
					return
				}
			}
			t.Errorf("%s, and nobody noticed in %d rounds", b.says, rounds)
		})
	}
}

// probe is a short run with all that catches a broken server.
func probe(t *testing.T, binary string, env []string) Config {
	t.Helper()
	cfg := config(t, binary)
	cfg.Env = env
	cfg.Strikes = Strikes{Kills: 8, Switches: 5, Stales: 5}
	cfg.Deliveries, cfg.Rate, cfg.Accounts, cfg.Rooms, cfg.Consumers, cfg.Guests = 20_000, 2000, 3, 5, 1, 1
	cfg.Away, cfg.Pause, cfg.Settle = time.Second, 100*time.Millisecond, 2*time.Second
	return cfg
}

// byRun catches a server by what the checker finds in the history of a probe, changed to the purpose:
// what happens at a kill needs many; what is rare needs many deliveries; and sending a guest out a second time,
// as a server does that forgets nonces, is refused, which ends a run.
func byRun(want check.Category, change func(*Config)) detector {
	return func(t *testing.T, binary string, env []string) string {
		cfg := probe(t, binary, env)
		if change != nil {
			change(&cfg)
		}
		rep, _ := run(t, cfg)
		if rep.Faults[want] > 0 {
			return rep.String()
		}
		t.Logf("no %s: %s", want, strings.SplitN(rep.String(), "\n", 2)[0])
		return ""
	}
}
