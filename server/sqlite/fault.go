//go:build fault

package sqlite

import (
	"context"
	"database/sql"
	"os"
)

// breaks names the promise that this process breaks, if any; see fault_none.go.
var breaks = os.Getenv("PARLEY_FAULT")

var ignoreNonce = breaks == "nonce"

func skipSync(ctx context.Context, db *sql.DB) error {
	if breaks != "sync" {
		return nil
	}
	_, err := db.ExecContext(ctx, "PRAGMA synchronous = OFF")
	return err
}
