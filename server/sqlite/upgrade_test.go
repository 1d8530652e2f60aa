package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/sqlite"
)

// diesAt names the variable that makes the test binary upgrade a database and die on the way.
const diesAt = "PARLEY_TEST_DIES_AT"

// upgradeAndDie upgrades a database and kills itself at the nth step, if there are so many.
func upgradeAndDie(file, at string) error {
	n, err := strconv.Atoi(at)
	if err != nil {
		return err
	}
	c, err := sqlite.NewConnector(dsn(file, writing, "journal_mode(WAL)"))
	if err != nil {
		return err
	}
	db := sql.OpenDB(mortal{c, &n})
	db.SetMaxOpenConns(1)
	return errors.Join(migrate(context.Background(), db, file, "test"), db.Close())
}

// mortal is a connector whose process dies when its connection has made so many steps: each statement, and each
// commit before it and after it.
type mortal struct {
	driver.Connector
	left *int
}

func (m mortal) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := m.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return mortalConn{c, m}, nil
}

func (m mortal) step() {
	if *m.left--; *m.left > 0 {
		return
	}
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until it is dead
}

type mortalConn struct {
	driver.Conn
	mortal
}

func (c mortalConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.step()
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c mortalConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.step()
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c mortalConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.step()
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return mortalTx{tx, c.mortal}, err
}

type mortalTx struct {
	driver.Tx
	mortal
}

func (t mortalTx) Commit() error {
	t.step()
	err := t.Tx.Commit()
	t.step()
	return err
}

// TestUpgradeKilled kills an upgrade from each schema at each of its steps, and from nothing at every fourth, as nothing can
// be lost there: the next start goes on, and what the database held is what it holds.
func TestUpgradeKilled(t *testing.T) {
	all := fixtures(t)
	for _, from := range append([]int64{0}, all[:len(all)-1]...) {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			const most = 1000
			stride := 1
			if from == 0 {
				stride = 4
			}
			for n := 1; ; n += stride {
				if n > most {
					t.Fatalf("an upgrade has more than %d steps", most)
				}
				dir := start(t, from)
				killed := die(t, filepath.Join(dir, dbName), n)
				checkUpgraded(t, dir, from)
				if t.Failed() {
					t.Fatalf("killed at step %d", n)
				}
				if !killed {
					t.Logf("killed %d times", (n-1)/stride)
					if n < 10 {
						t.Errorf("there are only %d steps or fewer", n-1)
					}
					return
				}
			}
		})
	}
}

func start(t *testing.T, from int64) string {
	t.Helper()
	if from > 0 {
		return load(t, from)
	}
	dir := t.TempDir()
	if _, err := prepareDir(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// die upgrades in a process of its own, and reports whether it was killed.
func die(t *testing.T, file string, n int) (killed bool) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := osexec.CommandContext(t.Context(), exe, file)
	c.Env = append(os.Environ(), diesAt+"="+strconv.Itoa(n))
	out, err := c.CombinedOutput()
	if err == nil {
		return false
	}
	if !c.ProcessState.Exited() { // by a signal: its own
		return true
	}
	t.Fatalf("the upgrade failed by itself: %v\n%s", err, out)
	return false
}

// checkUpgraded opens what an upgrade left, and holds it against what it was made of.
func checkUpgraded(t *testing.T, dir string, from int64) {
	t.Helper()
	got := export(t, dir)
	if from > 0 {
		if d := cmp.Diff(golden(t, from), got); d != "" {
			t.Errorf("it holds something else now: %s", d)
		}
	}
	f, err := prove(t.Context(), filepath.Join(dir, dbName))
	newest, kerr := knows()
	if err := errors.Join(err, kerr); err != nil || f.Schema != newest || f.Events != f.Head {
		t.Errorf("the database afterwards: %v, %v", f, err)
	}
	parts, err := filepath.Glob(filepath.Join(dir, ".*.part*"))
	if err != nil || len(parts) > 0 {
		t.Errorf("left in the directory: %q, %v", parts, err)
	}
}
