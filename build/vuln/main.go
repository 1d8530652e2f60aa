// Command vuln asks the Go vulnerability database about all that parley calls, on the server and in the browser. It fails
// on what nobody has looked at: what is called and not in the list of [known].
//
// The database is a copy of one day, which comes as a module like all else that parley is made of and is
// checked as one. -db asks another, such as today's (https://vuln.go.dev).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// module is the database as it was on the day in its version. Its form is golang/vulndb's.
const module = "golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018"

func main() {
	log.SetFlags(0)
	log.SetPrefix("vuln: ")
	tool := flag.String("govulncheck", "", "the program that asks")
	tools := flag.String("tools", "build/tools", "where the database is kept")
	db := flag.String("db", "", "another database: an address that begins with https:// or file://")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *tool, *tools, *db)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, tool, tools, db string) error {
	if db == "" {
		var err error
		if db, err = fetch(ctx, tools); err != nil {
			return fmt.Errorf("the database did not come: %w; see that the Go module proxy can be reached, or give another with -db", err)
		}
	}
	called := make(map[string]weakness)
	for _, target := range []struct {
		what string
		env  []string
	}{{"./...", nil}, {"./wasm", []string{"GOOS=js", "GOARCH=wasm"}}} {
		found, err := ask(ctx, tool, db, target.what, target.env)
		if err != nil {
			return err
		}
		maps.Copy(called, found)
	}
	for _, w := range slices.SortedFunc(maps.Values(called), func(a, b weakness) int { return strings.Compare(a.ID, b.ID) }) {
		log.Print(w)
	}
	if strange := unknown(called); len(strange) > 0 {
		return fmt.Errorf("nobody has looked at %s: raise what has it, or, if it can do no harm here, say why in build/vuln/known.go", strings.Join(strange, ", "))
	}
	log.Printf("%d are called, and all are looked at", len(called))
	return nil
}

// A weakness is an entry of the database about something that parley calls.
type weakness struct {
	ID     string
	Module string // stdlib is Go's own library
	Has    string // the version in use
	Fixed  string // the first that is mended; empty: none
	Call   string // what is called
}

func (w weakness) String() string {
	fixed := "not mended yet"
	if w.Fixed != "" {
		fixed = "mended in " + w.Fixed
	}
	return fmt.Sprintf("https://pkg.go.dev/vuln/%s in %s %s, %s, by %s: %s", w.ID, w.Module, w.Has, fixed, w.Call, or(known[w.ID], "NOT KNOWN"))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// ask has one target looked through.
func ask(ctx context.Context, tool, db, target string, env []string) (map[string]weakness, error) {
	cmd := exec.CommandContext(ctx, tool, "-format", "json", "-db", db, target)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("govulncheck does not start: %w; \"make vuln\" fetches it", err)
	}
	found, err := read(out)
	return found, errors.Join(err, cmd.Wait())
}

// read reads what govulncheck says, which is one JSON value after another, and keeps what is called.
func read(r io.Reader) (map[string]weakness, error) {
	found := make(map[string]weakness)
	whole := false
	for d := json.NewDecoder(r); ; {
		var m struct {
			Config  *struct{}
			SBOM    *struct{}
			Finding *struct {
				OSV          string
				FixedVersion string `json:"fixed_version"`
				Trace        []struct{ Module, Version, Package, Function, Receiver string }
			}
		}
		switch err := d.Decode(&m); {
		case errors.Is(err, io.EOF) && !whole:
			return nil, errors.New("govulncheck looked at nothing")
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("what govulncheck says is not what it said when this was written: %w", err)
		}
		whole = whole || m.SBOM != nil
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			at := f.Trace[0]
			call := at.Package + "." + at.Function
			if at.Receiver != "" {
				call = at.Package + "." + at.Receiver + "." + at.Function
			}
			found[f.OSV] = weakness{ID: f.OSV, Module: at.Module, Has: at.Version, Fixed: f.FixedVersion, Call: call}
		}
	}
}

// unknown are those that nobody has looked at, and those of modules, which can be raised.
func unknown(called map[string]weakness) (ids []string) {
	for id, w := range called {
		if w.Module != "stdlib" || known[id] == "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
