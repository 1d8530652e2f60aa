package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/app/chat"
	"parley/server/hub"
)

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a new", "folder?#%41 大厅")
	s := open(t, dir, true)
	defer s.Close()
	for name, want := range map[string]os.FileMode{
		"": 0o700, dbName: 0o600, dbName + "-wal": 0o600, dbName + "-shm": 0o600, "serve.lock": 0o600, "opening.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has mode %o; want %o", name, got, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("the data directory holds %v, %v", entries, err)
	}
}

func TestPermissionsTightened(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir, true))
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, dbName), 0o644)); err != nil {
		t.Fatal(err)
	}
	shut(t, open(t, dir, true))
	for _, name := range []string{"", dbName} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q has mode %o, %v", name, info.Mode().Perm(), err)
		}
	}
}

func TestForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "letter"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Dir: dir}, "holds other files")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("somebody else's folder was changed to %o, %v", info.Mode().Perm(), err)
	}
}

// refused opens what can not be opened, and holds the error against what it has to say.
func refused(t *testing.T, o Options, say ...string) {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err == nil {
		shut(t, s)
		t.Fatal("Open succeeded")
	}
	for _, words := range say {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("the error does not say %q: %v", words, err)
		}
	}
}

func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, true)
	refused(t, Options{Dir: dir, Serve: true}, fmt.Sprintf("process %d", os.Getpid()), dir, "--data")

	// A command beside the server writes accounts, and the server goes on.
	command := open(t, dir, false)
	ana := addUser(t, command, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	if err := command.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := s.Append(t.Context(), []hub.Append{{From: ana.ID, Create: &chat.NewRoom{Nonce: "n", Kind: chat.Self}}})
	if err != nil || r[0].Err != nil {
		t.Fatalf("Append = %+v, %v", r, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	shut(t, open(t, dir, true))
}

// TestClosing closes the store while it is in use: what is under way ends, what comes later is
// told to come back.
func TestClosing(t *testing.T) {
	s := open(t, t.TempDir(), true)
	ana := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	closed := make(chan error, 1)
	err := s.view(t.Context(), "looking", func(v *view) error {
		go func() { closed <- s.Close() }()
		<-s.r.done // Close has begun, and waits for this view
		_, err := v.user(ana.ID)
		return err
	})
	if err != nil {
		t.Fatalf("the view ended with %v", err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	_, err = s.User(t.Context(), ana.ID)
	_, err2 := s.Append(t.Context(), nil)
	if !errors.Is(err, chat.ErrUnavailable) || !errors.Is(err2, chat.ErrUnavailable) {
		t.Fatalf("afterwards: %v and %v", err, err2)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClosedInOrder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, true)
	addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, dbName+"-wal")); err == nil && info.Size() > 0 {
		t.Errorf("the write-ahead log holds %d bytes", info.Size())
	}
}

// TestNotClosed starts again after a server that was killed: nothing is lost,
// and the file is checked.
func TestNotClosed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, true)
	ana := addUser(t, s, chat.User{ID: chat.NewID[chat.UserID](), Name: "ana"})
	// What a killed process leaves is what is on disk now.
	killed := t.TempDir()
	for _, name := range []string{dbName, dbName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(killed, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	again := open(t, killed, true)
	if u, err := again.User(t.Context(), ana.ID); err != nil || u.Name != "ana" {
		t.Fatalf("User = %+v, %v", u, err)
	}
	if err := again.release(t.Context(), false); err != nil { // which leaves it as not stopped in order
		t.Fatal(err)
	}
	// Now with damage that a quick check sees, in the page that begins the users.
	file := filepath.Join(killed, dbName)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte(ana.ID))
	if i < 0 {
		t.Fatal("the user is not in the file")
	}
	page := i / 4096 * 4096
	copy(b[page+8:page+200], bytes.Repeat([]byte{0xfe}, 192))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Dir: killed, Serve: true}, "restore a backup")
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir, true))
	exec(t, dir, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	refused(t, Options{Dir: dir, Serve: true}, "newer parley", "schema 99")
	refused(t, Options{Dir: dir}, "newer parley")
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, dbName), bytes.Repeat([]byte("no "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Dir: dir, Serve: true}, dbName, "not a database")
}

// exec runs SQL on a database that nobody has open.
func exec(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, dbName), writing))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func TestProfile(t *testing.T) {
	s := open(t, t.TempDir(), true)
	defer s.Close()
	all := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "mmap_size": "0",
		"trusted_schema": "0", "cell_size_check": "1", "journal_size_limit": "67108864",
	}
	p := <-s.r.free
	defer func() { s.r.free <- p }()
	for name, conn := range map[string]*sql.Conn{"writer": s.w.conn, "reader": p.conn} {
		all["query_only"] = map[string]string{"writer": "0", "reader": "1"}[name]
		for pragma, want := range all {
			var got string
			rows, err := conn.QueryContext(t.Context(), "PRAGMA "+pragma)
			if ok, err := first(rows, err, []any{&got}); err != nil {
				t.Fatal(err)
			} else if !ok && pragma == "mmap_size" {
				got = "0" // built without
			}
			if got != want {
				t.Errorf("%s of the %s is %q; want %q", pragma, name, got, want)
			}
		}
	}
	var secure string
	rows, err := s.w.conn.QueryContext(t.Context(), "PRAGMA secure_delete")
	if _, err := first(rows, err, []any{&secure}); err != nil || secure != "1" {
		t.Errorf("secure_delete is %q, %v", secure, err)
	}
}

func TestFloor(t *testing.T) {
	for version, want := range map[string]bool{
		"3.51.3": true, "3.51.10": true, "3.52.0": true, "4.0.0": true, "3.51.3.1": true,
		"3.51.2": false, "3.9.99": false, "2.99.99": false, "": false, "3": false, "3.51": false, "3.x.4": false,
	} {
		if sound(version) != want {
			t.Errorf("sound(%q) = %t", version, !want)
		}
	}
}

// TestUnsafe holds that a database which would not keep what it promises is not opened, and that the error says what to do.
func TestUnsafe(t *testing.T) {
	for _, tt := range []struct {
		version, journal string
		synchronous      int
		say              string // nothing: it is fine
	}{
		{"3.51.3", "wal", 2, ""},
		{"3.51.2", "wal", 2, "build it with 3.51.3 or newer"},
		{"3.51.3", "delete", 2, "choose a data directory on a local disk"},
		{"3.51.3", "wal", 1, "choose a data directory on a local disk"},
	} {
		err := judge(tt.version, tt.journal, tt.synchronous, "parley.db")
		if (err == nil) != (tt.say == "") || err != nil && !strings.Contains(err.Error(), tt.say) {
			t.Errorf("judge(%q, %q, %d) = %v; want %q", tt.version, tt.journal, tt.synchronous, err, tt.say)
		}
	}
}
