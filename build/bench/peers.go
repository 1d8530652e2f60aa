package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peers/socketio
var socketioFiles embed.FS

// peers are where the programs of others are.
type peers struct {
	centrifugo string // the binary
	socketio   string // the folder of its server
}

// without says how to go on where a peer can not be had.
const without = "; or measure without: go run ./build/bench"

// fetchCentrifugo builds Centrifugo into dir, once.
func fetchCentrifugo(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "centrifugo-"+centrifugoVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintln(os.Stderr, "bench: building Centrifugo", centrifugoVersion, "which takes some minutes, once")
	into, err := os.MkdirTemp(dir, "install")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(into) }()
	cmd := exec.CommandContext(ctx, "go", "install", "github.com/centrifugal/centrifugo/v6@"+centrifugoVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+into, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building Centrifugo %s: %w\n%.2000s\nLet the Go module proxy be reached (GOPROXY)%s", centrifugoVersion, err, out, without)
	}
	return path, os.Rename(filepath.Join(into, "centrifugo"), path)
}

// fetchSocketio installs socket.io into dir, once, and writes its server there.
func fetchSocketio(ctx context.Context, dir string) (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("%w: install Node.js 18 or newer, with npm%s", err, without)
	}
	path := filepath.Join(dir, "socketio-"+socketioVersion)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	const from = "peers/socketio"
	files, err := socketioFiles.ReadDir(from)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		b, err := socketioFiles.ReadFile(from + "/" + f.Name())
		if err == nil {
			err = os.WriteFile(filepath.Join(path, f.Name()), b, 0o644)
		}
		if err != nil {
			return "", err
		}
	}
	const done = "node_modules/.package-lock.json" // npm writes it last
	if _, err := os.Stat(filepath.Join(path, done)); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = path
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing socket.io %s: %w\n%.2000s\nLet the npm registry be reached%s", socketioVersion, err, out, without)
	}
	return path, nil
}
