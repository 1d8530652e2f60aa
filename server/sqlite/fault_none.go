//go:build !fault

package sqlite

import (
	"context"
	"database/sql"
)

// A build with the tag "fault" can be told to break one promise, as that of package hub. In
// this one, the real one, nothing is broken.

// ignoreNonce: a draft sent twice is appended twice.
const ignoreNonce = false

// skipSync lets commits return before they are on disk.
func skipSync(context.Context, *sql.DB) error { return nil }
