// Command build makes the program from its source:
//
//	go run ./build          # bin/parley, with the web app inside
//	go run ./build -quick   # the same, compressed less: for trying things
//	go run ./build -size    # only the wasm, to hold it to its budget
//
// It compiles the wasm, names every file for the browser after its content,
// compresses what can be, puts all into build/web/out where package
// parley/build/web embeds it, and compiles the server. The same source, toolchain
// and flags make the same bytes, in any folder, of git or not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// budget is how large the program for the browser may be, in bytes, as brotli
// makes it: two seconds of a good mobile connection.
const budget = 2_000_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "compress less, to be done sooner")
	size := flags.Bool("size", false, "only measure the wasm against its budget")
	binary := flags.String("o", filepath.Join("bin", "parley"), "where to put the program, from the project's root")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b, err := newBuilder(ctx, out, *quick)
	if err != nil {
		return err
	}
	unlock, err := lock(b.path("build", "tools", "lock"))
	if err != nil {
		return err
	}
	defer unlock()

	wasm, err := b.wasm(ctx)
	if err != nil {
		return err
	}
	if *size {
		return b.measure(wasm)
	}
	if err := b.web(wasm); err != nil {
		return err
	}
	return b.server(ctx, *binary)
}

// A builder knows where things are.
type builder struct {
	root, goroot string
	out          io.Writer
	press        press
}

func newBuilder(ctx context.Context, out io.Writer, quick bool) (*builder, error) {
	env, err := exec.CommandContext(ctx, "go", "env", "GOMOD", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("ask the go command where things are: %w", err)
	}
	gomod, goroot, _ := strings.Cut(strings.TrimSpace(string(env)), "\n")
	if filepath.Base(gomod) != "go.mod" {
		return nil, errors.New("not inside the project: run this in the folder that has go.mod")
	}
	b := &builder{root: filepath.Dir(gomod), goroot: goroot, out: out}
	b.press = press{cache: b.path("build", "tools", "press"), level: best}
	if quick {
		b.press.level = fast
	}
	return b, nil
}

func (b *builder) path(elem ...string) string {
	return filepath.Join(append([]string{b.root}, elem...)...)
}

// smaller keeps calls as calls in what is ours and in the libraries above the standard
// one: 52 KB less to download, for a fifth more time in code that waits for the browser anyway.
var smaller = []string{"-gcflags=parley/...=-l", "-gcflags=github.com/...=-l"}

// compile runs go build with what makes a build repeatable. The commit stays out: the same program is to be the same bytes, and the
// app to have the same name, in every commit, and for whoever has the source as an archive.
func (b *builder) compile(ctx context.Context, pkg, to string, flags []string, env ...string) error {
	args := slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid="}, flags, []string{"-o", to, pkg})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	cmd.Stdout, cmd.Stderr = b.out, b.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile %s: %w", pkg, err)
	}
	return nil
}

func (b *builder) wasm(ctx context.Context) ([]byte, error) {
	began := time.Now()
	to := b.path("build", "tools", "app.wasm")
	if err := b.compile(ctx, "./wasm", to, smaller, "GOOS=js", "GOARCH=wasm"); err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(to)
	if err != nil {
		return nil, fmt.Errorf("read the wasm: %w", err)
	}
	b.say(began, "wasm: %.2f MB", mb(len(wasm)))
	return wasm, nil
}

// measure prints the size of the wasm, and fails when it is over the budget.
func (b *builder) measure(wasm []byte) error {
	b.press.level = best
	br, err := b.press.brotli(wasm)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "size: %d bytes of wasm, %d with brotli; the budget is %d, %.0f %% used\n",
		len(wasm), len(br), budget, 100*float64(len(br))/budget)
	if len(br) > budget {
		return fmt.Errorf("the wasm is %d bytes over its budget: see what was imported last (go list -deps ./wasm)", len(br)-budget)
	}
	return nil
}

// web makes the files for the browser and puts them where they are embedded.
func (b *builder) web(wasm []byte) error {
	began := time.Now()
	exec, err := os.ReadFile(filepath.Join(b.goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("read the toolchain's script for wasm: %w", err)
	}
	set, err := collect(os.DirFS(b.path("wasm", "web")), wasm, exec)
	if err != nil {
		return err
	}
	compressed, err := b.press.all(set.files)
	if err != nil {
		return err
	}
	if err := write(b.path("build", "web", "out"), set, b.press.level, compressed); err != nil {
		return err
	}
	b.say(began, "web: %d files, version %s, wasm %.2f MB with brotli", len(set.files), set.version, mb(compressed["/web/app.wasm"].brotli))
	return nil
}

// server compiles the binary, for whatever GOOS and GOARCH say.
func (b *builder) server(ctx context.Context, binary string) error {
	began := time.Now()
	to := b.path(binary)
	if filepath.IsAbs(binary) {
		to = binary
	}
	if err := b.compile(ctx, "./server", to, nil); err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return fmt.Errorf("look at the program: %w", err)
	}
	b.say(began, "%s: %.1f MB, %s", binary, mb(int(info.Size())), runtime.Version())
	return nil
}

func (b *builder) say(began time.Time, format string, args ...any) {
	fmt.Fprintf(b.out, "build: "+format+" (%.1f s)\n", append(args, time.Since(began).Seconds())...)
}

func mb(n int) float64 { return float64(n) / 1e6 }

// lock keeps two builds in one tree from writing over each other.
func lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for the build's tools: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the build's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for another build: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing gives the lock up
}
