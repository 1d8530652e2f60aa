package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fetch gets the database, once, and returns its address.
func fetch(ctx context.Context, tools string) (string, error) {
	tools, err := filepath.Abs(tools)
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(module, "@")
	dir := filepath.Join(tools, "vulndb-"+version)
	address := "file://" + filepath.ToSlash(dir)
	if _, err := os.Stat(dir); err == nil {
		return address, nil
	}
	var from struct{ Dir, Error string }
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // it is no part of parley's own modules
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, &from); jsonErr != nil || from.Error != "" || err != nil {
		return "", errors.Join(errors.New(from.Error), jsonErr, err)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(tools, "vulndb-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(made) }() // it has another name by then if all went well
	if err := arrange(os.DirFS(filepath.Join(from.Dir, "data", "osv")), made); err != nil {
		return "", err
	}
	return address, os.Rename(made, dir)
}

// An entry is what the index needs to know of one entry; the form is https://go.dev/doc/security/vuln/database.
type entry struct {
	ID        string `json:"id"`
	Modified  string `json:"modified"`
	Withdrawn string `json:"withdrawn"`
	Affected  []struct {
		Package struct{ Name string }
	}
}

type indexed struct {
	Path  string    `json:"path"`
	Vulns []vulnRef `json:"vulns"`
}

type vulnRef struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
}

// arrange writes the entries as a database that govulncheck can ask, with an index by module.
func arrange(entries fs.FS, dir string) error {
	byModule := make(map[string]*indexed)
	var modules []*indexed
	names, err := fs.Glob(entries, "GO-*.json")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("it has no entries")
	}
	for _, sub := range []string{"ID", "index"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for _, name := range names { // by ID
		text, err := fs.ReadFile(entries, name)
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if e.ID+".json" != name {
			return fmt.Errorf("%s says that it is %s", name, e.ID)
		}
		if e.Withdrawn != "" {
			continue
		}
		for _, a := range e.Affected {
			m := byModule[a.Package.Name]
			if m == nil {
				m = &indexed{Path: a.Package.Name}
				byModule[m.Path] = m
				modules = append(modules, m)
			}
			if n := len(m.Vulns); n == 0 || m.Vulns[n-1].ID != e.ID {
				m.Vulns = append(m.Vulns, vulnRef{e.ID, e.Modified})
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "ID", name), text, 0o644); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(dir, "index", "modules.json"), modules); err != nil {
		return err
	}
	return write(filepath.Join(dir, "index", "db.json"), map[string]string{"modified": "2026-11-05T23:49:57Z"})
}

func write(file string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
