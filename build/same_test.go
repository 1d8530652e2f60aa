package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

var whole = flag.Bool("whole", false, "compare builds pressed as for a release, one of them with nothing compiled before: minutes")

// made is what builds, tests and a server leave in the tree. It is no source.
var made = []string{".git", "bin", "build/tools", "build/e2e/shots", "build/web/out/web", "build/web/out/index.json", "parley-data"}

// TestSameBytes: the same source makes the same bytes, wherever it is and whenever, with one processor or several, and as a commit of
// git as well as out of an archive. Neither of the two is this tree itself, which is git's to some and an archive to others.
//
// What the go command has compiled before, for whatever folder, it uses again here, as it does for everyone: so this is of what
// paths, flags, git and our own steps make of it. With -whole it is of the compiler too.
func TestSameBytes(t *testing.T) {
	level := "-quick=true"
	cold := []string{"GOMAXPROCS=1", "TZ=Pacific/Auckland", "LC_ALL=C"}
	if *whole {
		level = "-quick=false"
		cold = append(cold, "GOCACHE="+filepath.Join(t.TempDir(), "cache"))
	}
	archive, commit := filepath.Join(t.TempDir(), "archive"), filepath.Join(t.TempDir(), "somewhere", "else")
	var g errgroup.Group
	g.Go(func() error {
		if err := copySource(archive); err != nil {
			return err
		}
		return in(t, archive, nil, "go", "run", "./build", level)
	})
	g.Go(func() error {
		if err := copySource(commit); err != nil {
			return err
		}
		if err := committed(t, commit); err != nil {
			return err
		}
		return in(t, commit, cold, "go", "run", "./build", level)
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	a, b := sums(t, archive), sums(t, commit)
	if len(a) < 10 || a["bin/parley"] == "" || a["build/web/out/index.json"] == "" {
		t.Fatalf("this test looks in the wrong place: it found %v", a)
	}
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two builds of the same source differ, by SHA-256: %s", d)
	}
}

// copySource copies what is not made, without asking git, which an archive knows nothing of.
func copySource(to string) error {
	tree := os.DirFS("..")
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(made, name) && d.IsDir():
			return fs.SkipDir
		case slices.Contains(made, name): // of a worktree, .git is a file
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, info.Mode().Perm())
	})
}

// committed makes what is in dir a commit, where there is git.
func committed(t *testing.T, dir string) error {
	if _, err := exec.LookPath("git"); err != nil {
		t.Log("there is no git here: both are built as an archive")
		return nil
	}
	alone := []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=-", "-c", "user.email=-", "commit", "-q", "-m", "-"}} {
		if err := in(t, dir, alone, "git", args...); err != nil {
			return err
		}
	}
	return nil
}

// in runs a command in dir.
func in(t *testing.T, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	t.Logf("%s %v in %s:\n%s", name, args, dir, out)
	return nil
}

// sums are the SHA-256 of all that a build made, by the file's name: more than the program, so that it is seen what differs.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, root := range []string{"bin", "build/tools/app.wasm", "build/web/out"} {
		err := fs.WalkDir(os.DirFS(dir), root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(filepath.Join(dir, name))
			sum := sha256.Sum256(b)
			all[name] = hex.EncodeToString(sum[:])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
