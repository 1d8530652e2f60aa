package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

// backedUp makes a data directory of the newest fixture, and a backup of it.
func backedUp(t *testing.T) (data, backup string) {
	t.Helper()
	all := fixtures(t)
	data = load(t, all[len(all)-1])
	backup, _, _, err := Backup{Data: data, Dir: filepath.Join(t.TempDir(), "b"), App: "test"}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return data, backup
}

// rewrite changes the manifest of a backup.
func rewrite(t *testing.T, backup string, change func(*Manifest)) {
	t.Helper()
	m, err := ReadManifest(backup)
	if err != nil {
		t.Fatal(err)
	}
	change(&m)
	b, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(strings.TrimSuffix(backup, ".db")+".json", b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestRestoreIsAnotherEpoch: what was restored holds the same, and calls itself something else.
func TestRestoreIsAnotherEpoch(t *testing.T) {
	data, backup := backedUp(t)
	before := open(t, data, true)
	epoch := before.Epoch()
	shut(t, before)
	seen := map[string]bool{epoch: true}
	for i := range 3 {
		dir := filepath.Join(t.TempDir(), fmt.Sprint(i))
		m, err := Restore{Backup: backup, Data: dir}.Make(t.Context())
		if err != nil || m.Epoch != epoch {
			t.Fatalf("%+v, %v", m, err)
		}
		s := open(t, dir, true)
		if seen[s.Epoch()] {
			t.Errorf("the epoch %s is not new", s.Epoch())
		}
		seen[s.Epoch()] = true
		shut(t, s)
		if got, want := export(t, dir), golden(t, m.Schema); got != want {
			t.Errorf("restored: %s\nwant %s", got, want)
		}
	}
}

func TestRestoreSignsOut(t *testing.T) {
	data, backup := backedUp(t)
	for _, out := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "new")
		if _, err := (Restore{Backup: backup, Data: dir, SignOut: out}).Make(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, dir, `SELECT count(*) FROM grants`); (n == 0) != out {
			t.Errorf("signed out: %t; %d sessions and tokens", out, n)
		}
	}
	if n := count(t, data, `SELECT count(*) FROM grants`); n == 0 {
		t.Error("the sessions of what was backed up are gone")
	}
	// The first schema had no sessions.
	first, _, _, err := Backup{Data: load(t, 1), Dir: t.TempDir()}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Restore{Backup: first, Data: filepath.Join(t.TempDir(), "new"), SignOut: true}).Make(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, dir, text string) (n int) {
	t.Helper()
	db, err := openFile(filepath.Join(dir, dbName), reading)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRestoreRefuses: what is not exactly the backup that was made is not restored, and leaves nothing.
func TestRestoreRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, backup string)
		say   string
	}{
		"a byte altered": {func(t *testing.T, backup string) {
			b, err := os.ReadFile(backup)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(backup, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "altered after it was made"},
		"cut": {func(t *testing.T, backup string) {
			if err := os.Truncate(backup, 8192); err != nil {
				t.Fatal(err)
			}
		}, "altered after it was made"},
		"no manifest": {func(t *testing.T, backup string) {
			if err := os.Remove(strings.TrimSuffix(backup, ".db") + ".json"); err != nil {
				t.Fatal(err)
			}
		}, "has no manifest"},
		"another head": {func(t *testing.T, backup string) {
			rewrite(t, backup, func(m *Manifest) { m.Head++ })
		}, "but its manifest says"},
		"another epoch": {func(t *testing.T, backup string) {
			rewrite(t, backup, func(m *Manifest) { m.Epoch = "other" })
		}, "but its manifest says"},
		"damage that the manifest agrees with": {func(t *testing.T, backup string) {
			b, err := os.ReadFile(backup)
			if err != nil {
				t.Fatal(err)
			}
			copy(b[len(b)/2/4096*4096:], strings.Repeat("\xfe", 4096))
			if err := os.WriteFile(backup, b, 0o600); err != nil {
				t.Fatal(err)
			}
			rewrite(t, backup, func(m *Manifest) {
				if m.Size, m.SHA256, err = summed(backup, &strings.Builder{}); err != nil {
					t.Fatal(err)
				}
			})
		}, "damaged"},
		"a newer schema": {func(t *testing.T, backup string) {
			rewrite(t, backup, func(m *Manifest) { m.Schema = 99 })
		}, "written by a newer parley (schema 99"},
	} {
		t.Run(name, func(t *testing.T) {
			_, backup := backedUp(t)
			tt.spoil(t, backup)
			parent := t.TempDir()
			_, err := Restore{Backup: backup, Data: filepath.Join(parent, "new")}.Make(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.say) {
				t.Errorf("Make = %v; want: %s", err, tt.say)
			}
			if left := names(t, parent); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			if _, err := Verify(t.Context(), backup); name != "a newer schema" && (err == nil || !strings.Contains(err.Error(), tt.say)) {
				t.Errorf("Verify = %v; want: %s", err, tt.say)
			}
		})
	}
}

// TestRestoreKilled: what a restore left that was killed is no data directory, and the next one takes it over.
func TestRestoreKilled(t *testing.T) {
	_, backup := backedUp(t)
	dir := t.TempDir()
	for _, name := range []string{restoringName, restoringName + "-journal", lockName} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, Options{Dir: dir, Serve: true}, "is being restored", `run "parley restore" again`)
	refused(t, Options{Dir: dir}, "is being restored")
	m, err := Restore{Backup: backup, Data: dir}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := export(t, dir), golden(t, m.Schema); got != want {
		t.Errorf("restored: %s\nwant %s", got, want)
	}
}

// TestRestoreBeside: two do not restore into one directory at once.
func TestRestoreBeside(t *testing.T) {
	_, backup := backedUp(t)
	dir := t.TempDir()
	other, err := holdDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, restoringName)
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Restore{Backup: backup, Data: dir}).Make(t.Context()); err == nil || !strings.Contains(err.Error(), "stop it first") {
		t.Errorf("Make = %v", err)
	}
	if b, err := os.ReadFile(half); err != nil || string(b) != "half" {
		t.Errorf("what the other does became %q, %v", b, err)
	}
	if err := other.release(); err != nil {
		t.Fatal(err)
	}
}

// TestBackupIsOneMoment: beside a writer that goes on, each backup is a beginning of the log.
func TestBackupIsOneMoment(t *testing.T) {
	dir, backups := t.TempDir(), filepath.Join(t.TempDir(), "b")
	s := open(t, dir, true)
	defer shut(t, s)
	ana := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	r, err := s.Append(t.Context(), []hub.Append{{From: ana.ID, Create: &chat.NewRoom{Nonce: "room", Kind: chat.Private}}})
	if err != nil || r[0].Err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	room := r[0].Room
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { // ends with ctx
		for n := 0; ; n++ {
			d := chat.Draft{Nonce: chat.Nonce(fmt.Sprint(n)), Room: room, Body: chat.Body{Message: &chat.Message{Text: strings.Repeat("x", 500)}}}
			if _, err := s.Append(ctx, []hub.Append{{From: ana.ID, Draft: d}}); err != nil || ctx.Err() != nil {
				done <- err
				return
			}
		}
	}()
	last := int64(0)
	for range 10 {
		path, m, _, err := Backup{Data: dir, Dir: backups}.Make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m.Head < last || m.Events != m.Head || m.Epoch != s.Epoch() {
			t.Errorf("after %d comes %+v", last, m)
		}
		last = m.Head
		if _, err := Verify(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// TestBackupLeavesNothing: a backup that is given up, and one that was killed, leave nothing in the end.
func TestBackupLeavesNothing(t *testing.T) {
	all := fixtures(t)
	b := Backup{Data: load(t, all[len(all)-1]), Dir: filepath.Join(t.TempDir(), "b")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := b.Make(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Make = %v", err)
	}
	for _, name := range []string{ // as a kill leaves them
		".parley-20260101T000000.000Z.db.part", ".parley-20260101T000000.000Z.db.part-journal",
		".parley-20260101T000000.000Z.json.part", "parley-20260101T000000.000Z.json",
	} {
		if err := os.WriteFile(filepath.Join(b.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(b.Dir, "parley.json") // not ours
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path, _, _, err := b.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	want := fmt.Sprint([]string{".backup.lock", name, strings.TrimSuffix(name, ".db") + ".json", "parley.json"})
	if got := fmt.Sprint(names(t, b.Dir)); got != want {
		t.Errorf("the directory holds %s; want %s", got, want)
	}
}

// TestBackupKeeps: the newest stay, those from before an upgrade are no concern of it.
func TestBackupKeeps(t *testing.T) {
	all := fixtures(t)
	b := Backup{Data: load(t, all[len(all)-1]), Dir: filepath.Join(t.TempDir(), "b"), Keep: 3}
	var made []string
	for i := range 5 {
		path, _, gone, err := b.Make(t.Context())
		if err != nil || gone != map[bool]int{true: 1}[i > 2] {
			t.Fatalf("%d are gone, %v", gone, err)
		}
		made = append(made, path)
	}
	got, err := Backups(b.Dir)
	if want := made[2:]; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("kept %q, %v; want %q", got, err, want)
	}
	if n := len(names(t, b.Dir)); n != 7 {
		t.Errorf("%d files are in the directory", n)
	}
}

func TestBackupOfOtherThings(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, dbName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"nothing": ``, "another program's tables": `CREATE TABLE letters (a)`} {
		exec(t, dir, text)
		b := filepath.Join(t.TempDir(), "b")
		_, _, _, err := Backup{Data: dir, Dir: b}.Make(t.Context())
		if err == nil || !strings.Contains(err.Error(), "not a database of parley") {
			t.Errorf("of %s: %v", what, err)
		}
		if got := names(t, b); len(got) != 1 { // the lock
			t.Errorf("of %s the directory holds %q", what, got)
		}
	}
}

// TestExamineLooksOnly: an examination of a directory that a killed server left changes nothing in it.
func TestExamineLooksOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, true)
	ana := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	if _, err := s.Append(t.Context(), []hub.Append{{From: ana.ID, Create: &chat.NewRoom{Nonce: "n", Kind: chat.Self}}}); err != nil {
		t.Fatal(err)
	}
	x, err := Examine(t.Context(), dir, true)
	if err != nil || !x.Served || x.Events != 2 || x.Head != 2 || x.Log == 0 || x.Damage != "" || len(x.Open) > 0 || len(x.Foreign) > 0 || !x.Sound {
		t.Errorf("served: %+v, %v", x, err)
	}
	if err := s.release(t.Context(), false); err != nil { // as a kill leaves it, but for the log that SQLite has taken in
		t.Fatal(err)
	}
	before := count(t, dir, `SELECT clean FROM log`)
	if x, err = Examine(t.Context(), dir, false); err != nil || x.Served || x.Events != 2 || x.Schema != x.Knows {
		t.Errorf("not served: %+v, %v", x, err)
	}
	if after := count(t, dir, `SELECT clean FROM log`); before != 0 || after != 0 {
		t.Errorf("the server not stopped in order left %d, and then it was %d", before, after)
	}
}
