package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // reads the files, apart from the code that is judged

	"parley/app/chat"
	"parley/build/child"
)

// A row is an event as it is in a file.
type row struct {
	pos, seq, at, target            int64
	room, sender, nonce, kind, body string
}

// events reads the log of a database file that nobody writes, and what SQLite thinks of the file.
func events(t *testing.T, ctx context.Context, path string) (log []row) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	must(t, err)
	defer db.Close()
	var verdict string
	must(t, db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict))
	if verdict != "ok" {
		t.Errorf("%s: %s", path, verdict)
	}
	rows, err := db.QueryContext(ctx, `
		SELECT e.pos, e.seq, e.at, coalesce(e.target, 0), r.id, u.id, coalesce(e.nonce, ''), e.kind, coalesce(e.body, '')
		FROM events e JOIN rooms r ON r.num = e.room JOIN users u ON u.num = e.sender ORDER BY e.pos`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var r row
		must(t, rows.Scan(&r.pos, &r.seq, &r.at, &r.target, &r.room, &r.sender, &r.nonce, &r.kind, &r.body))
		log = append(log, r)
	}
	must(t, rows.Err())
	return log
}

// manifest is what a backup says of itself, read by other code than wrote it.
type manifest struct {
	Head, Events, Schema int64
	Epoch                string
}

func manifestOf(t *testing.T, backup string) (m manifest) {
	t.Helper()
	b, err := os.ReadFile(strings.TrimSuffix(backup, ".db") + ".json")
	must(t, err)
	must(t, json.Unmarshal(b, &m))
	return m
}

// isPrefix returns what is wrong with a backup as the beginning of the log up to head: an event that is missing, one too many, a
// room with a gap, or one that differs. What was deleted later may still be there.
func isPrefix(backup, final []row, head int64) error {
	if int64(len(backup)) != head {
		return fmt.Errorf("it holds %d events and its head is %d", len(backup), head)
	}
	deleted := map[string]int64{} // the position of the deletion of each event
	for _, r := range final {
		var b chat.Body
		if r.kind != "delete" {
			continue
		}
		if err := json.Unmarshal([]byte(r.body), &b); err != nil || b.Delete == nil {
			return fmt.Errorf("the deletion at %d: %w", r.pos, err)
		}
		deleted[fmt.Sprint(r.room, " ", b.Delete.Seq)] = r.pos
	}
	heads := map[string]int64{}
	for i, r := range backup {
		if r.pos != int64(i)+1 {
			return fmt.Errorf("after position %d comes %d", i, r.pos)
		}
		if r.seq != heads[r.room]+1 {
			return fmt.Errorf("in room %s, %d comes after %d", r.room, r.seq, heads[r.room])
		}
		heads[r.room] = r.seq
		if i >= len(final) {
			return fmt.Errorf("position %d is not in the log", r.pos)
		}
		then := final[i]
		if then.kind == "deleted" && r.kind != "deleted" {
			of := r.seq
			if r.target > 0 {
				of = r.target
			}
			if at := deleted[fmt.Sprint(r.room, " ", of)]; at <= head {
				return fmt.Errorf("the event at %d was deleted at %d, and is in the backup up to %d", r.pos, at, head)
			}
			then.kind, then.body = r.kind, r.body
		}
		if r != then {
			return fmt.Errorf("position %d is %+v, but in the log %+v", r.pos, r, final[i])
		}
	}
	return nil
}

// TestJudge: what is not the beginning of a log is told from what is.
func TestJudge(t *testing.T) {
	log := []row{
		{pos: 1, seq: 1, room: "a", kind: "message", body: `{"message":{"text":"x"}}`, nonce: "1"},
		{pos: 2, seq: 1, room: "b", kind: "deleted", nonce: "2"},
		{pos: 3, seq: 2, room: "a", kind: "message", body: `{"message":{"text":"y"}}`, nonce: "3"},
		{pos: 4, seq: 2, room: "b", kind: "delete", body: `{"delete":{"seq":1}}`, nonce: "4"},
	}
	not := func(i int, change func(*row)) []row {
		l := append([]row(nil), log...)
		change(&l[i])
		return l
	}
	before := not(1, func(r *row) { r.kind, r.body = "message", "{}" })
	for name, tt := range map[string]struct {
		backup []row
		head   int64
		good   bool
	}{
		"all":                         {log, 4, true},
		"nothing":                     {nil, 0, true},
		"a part":                      {log[:2], 2, true},
		"not deleted yet":             {before[:3], 3, true},
		"deleted, and still there":    {before, 4, false},
		"one missing at the end":      {log[:2], 3, false},
		"one above the head":          {log[:3], 2, false},
		"one missing in the middle":   {append(append([]row(nil), log[:1]...), log[2]), 2, false},
		"more than the log":           {append(append([]row(nil), log...), row{pos: 5, seq: 3, room: "a"}), 5, false},
		"another text":                {not(2, func(r *row) { r.body = "{}" }), 4, false},
		"a gap in a room":             {not(2, func(r *row) { r.seq = 3 }), 4, false},
		"of somebody else":            {not(0, func(r *row) { r.sender = "z" }), 4, false},
		"in another room of the same": {not(2, func(r *row) { r.room, r.seq = "b", 2 }), 4, false},
	} {
		if err := isPrefix(tt.backup, log, tt.head); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// shown reads every room as a reader is shown it.
func (l *load) shown(t *testing.T, ctx context.Context, srv *child.Server) map[chat.RoomID][]chat.Event {
	t.Helper()
	all := map[chat.RoomID][]chat.Event{}
	for _, room := range l.rooms {
		var err error
		all[room], err = srv.Log(ctx, l.accts[0], room)
		must(t, err)
	}
	return all
}

// same holds what a reader was shown of a room against its events in a file.
func same(t *testing.T, room chat.RoomID, shown []chat.Event, log []row) {
	t.Helper()
	n := 0
	for _, r := range log {
		if r.room != string(room) {
			continue
		}
		if n >= len(shown) {
			t.Errorf("room %s is shown up to %d only", room, n)
			return
		}
		if e := shown[n]; int64(e.Seq) != r.seq || string(e.Nonce) != r.nonce || string(e.From) != r.sender || e.At.UnixMilli() != r.at {
			t.Errorf("room %s shows %+v where the file has %+v", room, e, r)
			return
		}
		n++
	}
	if n != len(shown) {
		t.Errorf("room %s shows %d events, the file has %d", room, len(shown), n)
	}
}

// files lists the names in a directory.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
