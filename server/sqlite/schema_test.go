package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/auth"
)

var update = flag.Bool("update", false, "write a fixture of the newest schema, when it is missing, and what each fixture holds")

// For every schema there ever was, testdata/schemas holds a small database as it was then, in SQL, and
// what it holds, as text. A fixture is never changed, only its text when the export says more.
const schemas = "testdata/schemas"

// fixtures returns the number of every schema, and fails when one has no fixture.
func fixtures(t *testing.T) []int64 {
	t.Helper()
	newest, err := knows()
	if err != nil {
		t.Fatal(err)
	}
	var all []int64
	for n := int64(1); n <= newest; n++ {
		all = append(all, n)
		if _, err := os.Stat(fixture(n, ".sql")); err != nil {
			t.Fatalf("%v; run: go test ./server/sqlite -run TestFixtures -update, and insert rows for what is new", err)
		}
	}
	return all
}

func fixture(n int64, end string) string { return filepath.Join(schemas, fmt.Sprintf("%04d", n)+end) }

// load makes a data directory of a fixture.
func load(t *testing.T, n int64) (dir string) {
	t.Helper()
	text, err := os.ReadFile(fixture(n, ".sql"))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if _, err := prepareDir(dir); err != nil {
		t.Fatal(err)
	}
	exec(t, dir, string(text))
	return dir
}

// TestFixtures opens a database of every schema with this program: nothing of it is lost or altered, a backup of
// what was before is kept, and that can be restored.
func TestFixtures(t *testing.T) {
	if *update {
		writeFixture(t)
	}
	all := fixtures(t)
	newest := all[len(all)-1]
	for _, n := range all {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := load(t, n)
			got := export(t, dir)
			if *update {
				if err := os.WriteFile(fixture(n, ".txt"), []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want := golden(t, n)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("what schema %d held is not what it holds after the upgrade: %s", n, d)
			}
			before := filepath.Join(dir, fmt.Sprintf("before-schema-%04d.db", newest))
			if n == newest {
				if _, err := os.Stat(before); err == nil {
					t.Error("a backup was made though there was no upgrade")
				}
				return
			}
			m, err := Verify(t.Context(), before)
			if err != nil || m.Schema != n {
				t.Fatalf("the backup from before the upgrade: %+v, %v", m, err)
			}
			again := filepath.Join(t.TempDir(), "again")
			if _, err := (Restore{Backup: before, Data: again}).Make(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, export(t, again)); d != "" {
				t.Errorf("restored from before the upgrade: %s", d)
			}
		})
	}
}

// TestFirstIndexes opens databases of the days before the first release, when the tables were the
// same and the indexes of events were others.
func TestFirstIndexes(t *testing.T) {
	const first = `DROP INDEX events_seq; DROP INDEX events_pos;
		CREATE UNIQUE INDEX events_seq ON events (room, seq);
		CREATE INDEX events_room ON events (room);`
	for _, said := range []string{
		``,
		`CREATE INDEX events_said ON events (room, seq, sender) WHERE kind = 'message' AND body IS NOT NULL;`,
		`CREATE INDEX events_said ON events (room, seq, sender, kind) WHERE kind = 'message';`,
	} {
		dir := load(t, 1)
		exec(t, dir, first+said)
		if d := cmp.Diff(golden(t, 1), export(t, dir)); d != "" {
			t.Errorf("with %q: %s", said, d)
		}
	}
}

func golden(t *testing.T, n int64) string {
	t.Helper()
	b, err := os.ReadFile(fixture(n, ".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// export opens a data directory as a server does, and writes down all that it holds, but the epoch.
func export(t *testing.T, dir string) string {
	t.Helper()
	s := open(t, dir, true)
	defer shut(t, s)
	ctx := t.Context()
	var b strings.Builder
	put := func(what string, v any, err error) {
		t.Helper()
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			t.Fatalf("%s: %v", what, err)
		}
		j, jerr := json.Marshal(v)
		if jerr != nil {
			t.Fatal(jerr)
		}
		if err != nil {
			j = []byte("not found")
		}
		fmt.Fprintf(&b, "%s %s\n", what, j)
	}
	if s.Epoch() == "" {
		t.Error("there is no epoch")
	}
	head, err := s.Head(ctx)
	put("head", head, err)
	log, err := s.After(ctx, 0, 1<<20)
	for _, l := range log {
		put("event", l, err)
	}
	setup, err := s.SetUp(ctx)
	put("set-up", setup, err)
	for _, id := range userIDs(t, s) {
		u, err := s.User(ctx, id)
		put("user "+string(id), u, err)
		spans, err := s.Spans(ctx, id)
		put("spans", spans, err)
		snap, pos, err := s.Snapshot(ctx, id)
		put("snapshot", snap, err)
		put("position", pos, err)
		view, seen, err := s.AfterFor(ctx, id, 0, 1<<20)
		put("view", view, err)
		put("seen", seen, err)
		grants, err := s.Grants(ctx, id)
		put("grants", grants, err)
	}
	now := time.UnixMilli(1_767_225_600_000)
	eve := auth.User{User: chat.User{ID: "eve", Name: "Eve"}, Key: "eve", Hash: "x", Created: now}
	put("an invite is taken up", s.Redeem(ctx, auth.Digest{7}, eve, now) == nil, nil)
	return b.String()
}

func userIDs(t *testing.T, s *Store) (all []chat.UserID) {
	t.Helper()
	err := s.view(t.Context(), "reading users", func(v *view) error {
		rows, err := v.query(`SELECT id FROM users ORDER BY num`)
		return each(rows, err, func(s scan) error {
			var id chat.UserID
			err := s(&id)
			all = append(all, id)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// writeFixture writes a fixture of the newest schema that has the rows of the one before.
func writeFixture(t *testing.T) {
	t.Helper()
	newest, err := knows()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(fixture(newest, ".sql")); err == nil {
		return
	}
	dir := load(t, newest-1)
	shut(t, open(t, dir, true))
	if err := os.WriteFile(fixture(newest, ".sql"), []byte(dump(t, filepath.Join(dir, dbName))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// dump writes a database as SQL.
func dump(t *testing.T, file string) string {
	t.Helper()
	db, err := openFile(file, reading)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	var tables []string
	query(t, db, `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index', rowid`, func(r *sql.Rows) error {
		var kind, name, text string
		if err := r.Scan(&kind, &name, &text); err != nil {
			return err
		}
		if kind == "table" {
			tables = append(tables, name)
		}
		fmt.Fprintf(&b, "%s;\n", text)
		return nil
	})
	for _, table := range tables {
		var columns []string
		query(t, db, `SELECT name FROM pragma_table_info('`+table+`')`, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			columns = append(columns, `quote("`+name+`")`)
			return err
		})
		query(t, db, `SELECT concat_ws(', ', `+strings.Join(columns, ", ")+`) FROM "`+table+`"`, func(r *sql.Rows) error {
			var row string
			err := r.Scan(&row)
			fmt.Fprintf(&b, "INSERT INTO %s VALUES (%s);\n", table, row)
			return err
		})
	}
	return b.String()
}

func query(t *testing.T, db *sql.DB, text string, f func(*sql.Rows) error) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
