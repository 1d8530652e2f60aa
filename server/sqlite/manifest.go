package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Manifest stands beside a backup and says what it is, so that it can be told later
// whether it still is that.
type Manifest struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Facts
	App  string    `json:"app"` // the version of the program that made it
	Made time.Time `json:"made"`
}

// The names of a backup and of its manifest end so.
const (
	backupEnd   = ".db"
	manifestEnd = ".json"
)

// maxManifest bounds the manifest that is read.
const maxManifest = 64 << 10

// ReadManifest reads the manifest of a backup.
func ReadManifest(backup string) (m Manifest, err error) {
	path := strings.TrimSuffix(backup, backupEnd) + manifestEnd
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s has no manifest beside it (%s): either it is not a backup that \"parley backup\" finished, or only one of its two files was copied", backup, filepath.Base(path))
	}
	if err != nil {
		return m, fmt.Errorf("reading the manifest of %s: %w", backup, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return m, fmt.Errorf("reading the manifest of %s: %w", backup, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&m); err != nil || m.SHA256 == "" || m.Epoch == "" {
		return m, errors.Join(fmt.Errorf("%s is not a manifest of \"parley backup\": copy it from the backup again, or use another backup", path), err)
	}
	return m, nil
}

// write writes the manifest of a backup, whole or not at all.
func (m Manifest) write(path string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	part := partOf(path)
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, removed(part))
	}
	return nil
}

// same reports whether a copy of the backup, of this size and sum, is what the manifest says.
func (m Manifest) same(size int64, sum string) error {
	if size != m.Size || sum != m.SHA256 {
		return fmt.Errorf("it is not what its manifest says (%d bytes, SHA-256 %s; it has %d bytes, SHA-256 %s), so it was altered after it was made: use another backup", m.Size, m.SHA256, size, sum)
	}
	return nil
}

// Verify reads a backup and reports whether it is what its manifest says, and whole.
func Verify(ctx context.Context, backup string) (Manifest, error) {
	m, err := ReadManifest(backup)
	if err != nil {
		return m, err
	}
	size, sum, err := summed(backup, io.Discard)
	if err == nil {
		err = m.same(size, sum)
	}
	if err != nil {
		return m, fmt.Errorf("the backup %s: %w", backup, err)
	}
	return m, m.prove(ctx, backup)
}

// prove holds what a file says of itself against the manifest.
func (m Manifest) prove(ctx context.Context, file string) error {
	facts, err := prove(ctx, file)
	if err == nil && facts != m.Facts {
		err = fmt.Errorf("it holds %s, but its manifest says %s", facts, m.Facts)
	}
	if err != nil {
		return fmt.Errorf("the backup can not be used: use another one: %w", err)
	}
	return nil
}

// summed copies a file to w and returns its size and its SHA-256.
func summed(path string, w io.Writer) (size int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(w, h), f)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

// partOf names the file that becomes path when it is whole. Whatever has this name is no backup.
func partOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
}

// removed removes a file that may not be there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
