// Package backup tests backups of the real server under load, some of them killed in the middle, and what becomes of its
// clients when one is restored. It has no code of its own.
package backup

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

var (
	backups = flag.Int("backups", 5, "make so many backups")
	killed  = flag.Int("killed", 2, "and kill so many more in the middle")
	rate    = flag.Float64("rate", 300, "messages a second meanwhile")
	seed    = flag.Uint64("seed", 0, "replay the plan of this seed; 0 draws one")
)

const patience = 60 * time.Second

// TestBackupAndRestore: each backup of a server in use is exactly the beginning of its log, one that was killed is none, and
// who comes back to a restored server with a cursor from before is told to begin again.
func TestBackupAndRestore(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	ctx := t.Context()
	if end, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-10*time.Second))
		defer cancel()
	}
	binary := filepath.Join(t.TempDir(), "parley")
	must(t, child.Build(ctx, binary, ""))
	srv := serve(t, ctx, binary)
	l := settle(t, ctx, srv)

	stop, ended := make(chan struct{}), make(chan error, 1)
	loading, end := context.WithCancel(ctx)
	defer end()
	go func() { ended <- l.run(loading, *seed, *rate, stop) }()
	b := &backing{load: l, dir: filepath.Join(t.TempDir(), "backups"), ended: ended, rand: rand.New(rand.NewPCG(*seed, 1<<32)), made: map[string]map[chat.RoomID]chat.Seq{}, tried: map[string]bool{}}
	b.all(t, ctx)
	must(t, l.more(ctx, 300, ended)) // which no backup has
	close(stop)
	must(t, <-ended)

	shown := l.shown(t, ctx, srv)
	must(t, srv.Stop(ctx))
	final := events(t, ctx, filepath.Join(srv.Data(), "parley.db"))
	for room, log := range shown {
		same(t, room, log, final)
	}
	newest := b.judge(t, ctx, final)
	if t.Failed() {
		return
	}
	comeBack(t, ctx, binary, l, newest)
}

// serve prepares a server, which ends with the test at the latest.
func serve(t *testing.T, ctx context.Context, binary string) *child.Server {
	t.Helper()
	srv, err := child.New(ctx, binary, t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, srv.Close()) })
	return srv
}

// backing makes backups of a load.
type backing struct {
	*load
	dir   string
	ended <-chan error
	rand  *rand.Rand
	made  map[string]map[chat.RoomID]chat.Seq // for each backup, how far the answers were before it began
	tried map[string]bool                     // what is no backup
	took  time.Duration                       // by the newest one
}

// all makes backups and kills others, in an order drawn.
func (b *backing) all(t *testing.T, ctx context.Context) {
	t.Helper()
	plan := slices.Concat(slices.Repeat([]bool{false}, *backups-1), slices.Repeat([]bool{true}, *killed))
	b.rand.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	plan = append([]bool{false}, plan...) // the first tells how long one takes
	struck, late := 0, 0
	for _, kill := range plan {
		must(t, b.more(ctx, 20+b.rand.IntN(100), b.ended))
		if !kill {
			b.make(t, ctx)
			continue
		}
		for !b.strike(t, ctx) {
			if late++; late > 10**killed {
				t.Fatalf("%d backups ended before they were killed", late)
			}
		}
		struck++
		b.none(t, ctx)
	}
	t.Logf("%d backups were made, the last in %v, and %d killed; %d more ended before they could be killed", *backups, b.took.Round(time.Millisecond), struck, late)
}

// make makes a backup.
func (b *backing) make(t *testing.T, ctx context.Context) {
	t.Helper()
	_, heads, _ := b.so()
	began := time.Now()
	out, err := b.srv.Command(ctx, "backup", b.dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.took = time.Since(began)
	path, _, _ := strings.Cut(string(out), " is a checked backup of ")
	b.made[path] = heads
}

// strike begins a backup and kills it once it has begun to write, and reports whether that came in time.
func (b *backing) strike(t *testing.T, ctx context.Context) bool {
	t.Helper()
	_, heads, _ := b.so()
	before := files(t, b.dir)
	c := b.srv.Command(ctx, "backup", b.dir)
	must(t, c.Start())
	done := make(chan error, 1)
	go func() { done <- c.Wait() }() // ends with the process
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	var wait <-chan time.Time
	for {
		select {
		case <-tick.C:
			if wait == nil && len(parts(t, b.dir)) > 0 {
				wait = time.After(time.Duration(b.rand.Int64N(int64(b.took/4 + 1))))
			}
		case <-wait:
			_ = c.Process.Kill() // it may have ended meanwhile: Wait tells
			wait = nil
		case err := <-done:
			var exit *exec.ExitError
			if errors.As(err, &exit) && !exit.Exited() {
				// It may have had the time to give the file its name: then it is a backup.
				for _, path := range files(t, b.dir) {
					if strings.HasSuffix(path, ".db") && !slices.Contains(before, path) {
						b.made[path] = heads
					}
				}
				return true
			}
			must(t, err)
			for _, path := range files(t, b.dir) {
				if strings.HasSuffix(path, ".db") && !slices.Contains(before, path) {
					b.made[path] = heads
				}
			}
			return false
		case <-late.C:
			t.Fatal("a backup does not end")
		}
	}
}

func parts(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, ".*.db.part"))
	must(t, err)
	return all
}

// none holds that nothing but backups can be restored from what is in the directory now.
func (b *backing) none(t *testing.T, ctx context.Context) {
	t.Helper()
	for _, path := range files(t, b.dir) {
		stem := strings.TrimSuffix(path, filepath.Ext(path))
		if _, ok := b.made[stem+".db"]; ok || b.tried[path] { // a backup or its manifest
			continue
		}
		b.tried[path] = true
		target := filepath.Join(t.TempDir(), "never")
		out, err := b.srv.Command(ctx, "restore", path, "--data", target).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("restore took %s, which is no backup: %v: %s", path, err, out)
		}
		if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("restoring %s left something: %v", path, err)
		}
	}
}

// judge holds each backup against the log as it became, and returns the newest.
func (b *backing) judge(t *testing.T, ctx context.Context, final []row) (newest string) {
	t.Helper()
	var least, most int64
	for _, path := range files(t, b.dir) { // in the order of time
		if !strings.HasSuffix(path, ".db") {
			continue
		}
		answered, ok := b.made[path]
		if !ok {
			t.Errorf("nobody made %s", path)
			continue
		}
		delete(b.made, path)
		m, log := manifestOf(t, path), events(t, ctx, path)
		if err := isPrefix(log, final, m.Head); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		heads := map[string]int64{}
		for _, r := range log {
			heads[r.room] = r.seq
		}
		for room, seq := range answered {
			if heads[string(room)] < int64(seq) {
				t.Errorf("%s has room %s up to %d, but %d was answered before", path, room, heads[string(room)], seq)
			}
		}
		if m.Head < most {
			t.Errorf("%s ends at %d, an older one at %d", path, m.Head, most)
		}
		if least == 0 {
			least = m.Head
		}
		newest, most = path, m.Head
	}
	for path := range b.made {
		t.Errorf("%s is gone", path)
	}
	if most >= int64(len(final)) || least == most {
		t.Errorf("backups from %d to %d of a log of %d prove too little", least, most, len(final))
	}
	t.Logf("the log has %d events; backups end from %d to %d", len(final), least, most)
	return newest
}

// comeBack restores a backup, and has clients come back to it with the cursors they were given before.
func comeBack(t *testing.T, ctx context.Context, binary string, l *load, backup string) {
	old := manifestOf(t, backup)
	var cursors []chat.Cursor // of all ways, spread over the time, the newest among them
	beyond := 0
	for _, via := range chat.Vias {
		all := l.cursors[via]
		if len(all) < 10 {
			t.Fatalf("only %d cursors came over %s", len(all), via)
		}
		for i := range 10 {
			c := all[(len(all)-1)*i/9]
			cursors = append(cursors, c)
			if position(t, c, old.Epoch) > old.Head {
				beyond++
			}
		}
	}
	if beyond == 0 || beyond == len(cursors) {
		t.Errorf("%d of %d cursors are from after the backup: that proves too little", beyond, len(cursors))
	}

	// Without restoring, a copy would take them: the control of what follows.
	plain := serve(t, ctx, binary)
	must(t, os.Mkdir(plain.Data(), 0o700))
	b, err := os.ReadFile(backup)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(plain.Data(), "parley.db"), b, 0o600))
	_, err = plain.Start(ctx)
	must(t, err)
	if resumed, _ := l.present(t, ctx, plain, cursors[:4]); resumed != 4*len(chat.Vias) {
		t.Errorf("%d resumed where all should: this test would not notice a wrong one", resumed)
	}
	must(t, plain.Stop(ctx))

	srv := serve(t, ctx, binary)
	out, err := srv.Command(ctx, "restore", backup).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err = srv.Start(ctx)
	must(t, err)
	resumed, reset := l.present(t, ctx, srv, cursors)
	if resumed != 0 || reset != len(cursors)*len(chat.Vias) {
		t.Errorf("of %d that came back, %d were told to begin again and %d resumed", len(cursors)*len(chat.Vias), reset, resumed)
	}
	t.Logf("%d came back with cursors of before, %d of them from after the backup; %d were told to begin again, %d resumed",
		len(cursors)*len(chat.Vias), beyond*len(chat.Vias), reset, resumed)
	l.goOn(t, ctx, srv)
	shown := l.shown(t, ctx, srv)
	must(t, srv.Stop(ctx))
	log := events(t, ctx, filepath.Join(srv.Data(), "parley.db"))
	for room, events := range shown {
		same(t, room, events, log)
	}
	if err := isPrefix(events(t, ctx, backup), log, old.Head); err != nil {
		t.Errorf("what was restored is not what was backed up: %v", err)
	}
	if want := old.Head + int64(len(chat.Vias)); int64(len(log)) != want {
		t.Errorf("the log goes on to %d; want %d", len(log), want)
	}
}

// position is what a cursor says, which only the server should know.
func position(t *testing.T, c chat.Cursor, epoch string) int64 {
	t.Helper()
	parts := strings.Split(string(c), ".")
	if len(parts) < 2 || len(parts[0]) < 8 || !strings.HasPrefix(epoch, parts[0]) { // it holds enough of the epoch to tell it
		t.Fatalf("the cursor %s is not of the epoch %s", c, epoch)
	}
	pos, err := strconv.ParseInt(parts[1], 36, 64)
	must(t, err)
	return pos
}

// present has a client come back with each of the cursors, over each way, and counts those that went on from
// there, and those that were told to begin again.
func (l *load) present(t *testing.T, ctx context.Context, srv *child.Server, cursors []chat.Cursor) (resumed, reset int) {
	t.Helper()
	for i, cursor := range cursors {
		for _, via := range chat.Vias {
			once, cancel := context.WithTimeout(ctx, patience)
			for _, err := range reach(srv, via, l.accts[i%people]).Follow(once, cursor) {
				switch {
				case err == nil:
					resumed++
				case errors.Is(err, chat.ErrReset):
					reset++
				default:
					t.Errorf("coming back over %s: %v", via, err)
				}
				break
			}
			cancel()
		}
	}
	return resumed, reset
}

// goOn has someone begin again over each way, and each send a message, which all of them get.
func (l *load) goOn(t *testing.T, ctx context.Context, srv *child.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got := make(chan error, len(chat.Vias))
	var begin [len(chat.Vias)]chat.Cursor // of all before anyone sends
	for i := range chat.Vias {
		snap, err := srv.Snapshot(ctx, l.accts[i])
		must(t, err)
		begin[i] = snap.Cursor
	}
	for i, via := range chat.Vias {
		link := reach(srv, via, l.accts[i])
		go func() { // ends with ctx
			missing := map[chat.Nonce]bool{}
			for _, v := range chat.Vias {
				missing[chat.Nonce("again-over-"+v)] = true
			}
			sent := false
			for batch, err := range link.Follow(ctx, begin[i]) {
				if err == nil && !sent {
					sent = true
					d := chat.Draft{Nonce: chat.Nonce("again-over-" + via), Room: l.rooms[0], Body: chat.Body{Message: &chat.Message{Text: "we are back"}}}
					_, err = link.Send(ctx, d)
				}
				if err != nil {
					got <- fmt.Errorf("over %s: %w", via, err)
					return
				}
				for _, e := range batch.Events {
					delete(missing, e.Nonce)
				}
				if len(missing) == 0 {
					break
				}
			}
			got <- nil
		}()
	}
	for range chat.Vias {
		must(t, <-got)
	}
}
