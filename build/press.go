package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"golang.org/x/sync/errgroup"
)

// A level says how hard to press.
type level struct {
	name         string
	brotli, gzip int
}

var (
	best = level{"best", brotli.BestCompression, gzip.BestCompression}
	fast = level{"fast", 5, gzip.DefaultCompression}
)

// A press compresses, and remembers what it made: pressing the whole program well takes
// half a minute, and most builds change a part of it only.
type press struct {
	cache string
	level level
}

// pressed is the compressed forms of one file; nil where the plain one is as good.
type pressed struct {
	br, gz []byte
	brotli int
}

// all compresses the files, by name, as many at a time as there are processors.
func (p press) all(files []file) (map[string]pressed, error) {
	began := time.Now()
	made := make([]pressed, len(files))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		if strings.HasSuffix(f.Name, ".png") {
			continue
		}
		g.Go(func() (err error) {
			br, err := p.brotli(f.content)
			if len(br) < len(f.content) {
				made[i].br = br
			}
			made[i].brotli = len(br)
			return err
		})
		g.Go(func() (err error) {
			gz, err := p.gzip(f.content)
			if len(gz) < len(f.content) {
				made[i].gz = gz
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	byName := map[string]pressed{}
	for i, f := range files {
		byName[f.Name] = made[i]
	}
	return byName, p.forget(began)
}

func (p press) brotli(b []byte) ([]byte, error) {
	return p.once(b, fmt.Sprintf("%s.br", p.level.name), func(w io.Writer) io.WriteCloser {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: p.level.brotli, LGWin: 24})
	})
}

func (p press) gzip(b []byte) ([]byte, error) {
	return p.once(b, fmt.Sprintf("%s.gz", p.level.name), func(w io.Writer) io.WriteCloser {
		z, err := gzip.NewWriterLevel(w, p.level.gzip)
		if err != nil {
			panic(err) // the level is a constant above
		}
		return z
	})
}

// once compresses what was not compressed before.
func (p press) once(b []byte, end string, open func(io.Writer) io.WriteCloser) ([]byte, error) {
	sum := sha256.Sum256(b)
	name := filepath.Join(p.cache, hex.EncodeToString(sum[:])+"."+end)
	if have, err := os.ReadFile(name); err == nil {
		now := time.Now()
		return have, os.Chtimes(name, now, now)
	}
	var to bytes.Buffer
	w := open(&to)
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	// Under another name first: a build that is stopped leaves no half file to be believed later.
	if err := writeFile(name+".new", to.Bytes()); err != nil {
		return nil, err
	}
	return to.Bytes(), os.Rename(name+".new", name)
}

// forget removes what no build used for a week.
func (p press) forget(now time.Time) error {
	kept, err := os.ReadDir(p.cache)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look through the compressed files: %w", err)
	}
	for _, e := range kept {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < 7*24*time.Hour {
			continue
		}
		if err := os.Remove(filepath.Join(p.cache, e.Name())); err != nil {
			return fmt.Errorf("remove an old compressed file: %w", err)
		}
	}
	return nil
}
