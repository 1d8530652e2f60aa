package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"
)

// dump is every row of every table, to see whether anything changed.
func (w *world) dump() map[string][]string {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "parley.db")+"?mode=ro")
	must(w.t, err)
	defer func() { must(w.t, db.Close()) }()
	all := map[string][]string{}
	for _, name := range rows(w.t, db, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		var table string
		_, err := fmt.Sscanf(name, "[%s", &table)
		must(w.t, err)
		table = table[:len(table)-1]
		all[table] = rows(w.t, db, `SELECT * FROM "`+table+`"`)
	}
	return all
}

func rows(t testing.TB, db *sql.DB, query string) (list []string) {
	t.Helper()
	r, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { _ = r.Close() }()
	cols, err := r.Columns()
	must(t, err)
	for r.Next() {
		values := make([]any, len(cols))
		into := make([]any, len(cols))
		for i := range values {
			into[i] = &values[i]
		}
		must(t, r.Scan(into...))
		list = append(list, fmt.Sprint(values))
	}
	must(t, r.Err())
	return list
}

func jsonOf(a answer, v any) error { return json.Unmarshal(a.body, v) }
