package power

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// A disk is what a traced run has put into one directory and below: of each file what is sure to be on the disk,
// and the changes since, of which a loss of power may leave any part.
//
// It promises as little as POSIX does. A change is safe once a sync of its file that began after it had
// returned has returned itself; that a file exists, or not, once the same is so of its directory. Of the
// others each sector may be there or not, whatever the order; a file may have grown and not been filled.
// Changes of one directory get there in their order, as in the journal of a file system.
type disk struct {
	root  string
	names map[string]*inode   // what a process sees now, by path
	dirs  map[string]*entries // of root and each directory below it
}

// An inode is a file or, with no content, a directory.
type inode struct {
	safe    []byte
	changes []*change
	dir     bool
}

// A change of a file: bytes at a place, or a new length.
type change struct {
	at       int64
	data     []byte // nil: the file's length becomes at
	returned bool
}

// entries are the names in a directory.
type entries struct {
	safe    map[string]*inode
	changes []*renaming
}

// A renaming binds a name of a directory to an inode, or to none.
type renaming struct {
	name     string
	inode    *inode
	returned bool
}

func newDisk(root string) *disk {
	return &disk{root: root, names: map[string]*inode{}, dirs: map[string]*entries{root: {safe: map[string]*inode{}}}}
}

// moments are what a trace does to a disk, in order: each call when it begins and when it returns.
type moment struct {
	line int
	do   func() error
}

// replay lists the moments of a trace. Whoever does them in order may stop anywhere and cut the power.
func (d *disk) replay(trace []Call) []moment {
	var all []moment
	for _, c := range trace {
		var after func()
		all = append(all, moment{c.Begin, func() (err error) {
			after, err = d.begin(c)
			return err
		}})
		all = append(all, moment{c.End, func() error {
			if after != nil {
				after()
			}
			return nil
		}})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.line - b.line })
	return all
}

func (d *disk) ours(path string) bool { return strings.HasPrefix(path, d.root+"/") }

// begin begins a call, and returns what its return does. One that fails changes nothing. One that was cut is taken
// as done: had it not been, whoever went on with the file would have written to the same place again.
func (d *disk) begin(c Call) (after func(), err error) {
	about := append([]string{c.File}, c.Paths...)
	if c.Result < 0 && !c.Cut || !slices.ContainsFunc(about, func(p string) bool { return p == d.root || d.ours(p) }) {
		return nil, nil
	}
	switch c.Name {
	case "open", "openat", "creat":
		return d.open(c)
	case "mkdir", "mkdirat":
		path := c.Paths[0]
		if !d.ours(path) {
			return nil, nil
		}
		d.dirs[path] = &entries{safe: map[string]*inode{}}
		return d.bind(path, &inode{dir: true})
	case "unlink", "unlinkat":
		return d.bind(c.Paths[0], nil)
	case "write", "pwrite64", "ftruncate":
		f := d.names[c.File]
		if strings.HasSuffix(c.File, " (deleted)") || strings.HasSuffix(c.File, ".log") && c.Name == "write" {
			return nil, nil
		}
		if f == nil {
			return nil, fmt.Errorf("line %d: %s of %s, which is not there", c.Begin+1, c.Name, c.File)
		}
		ch := &change{data: c.Data}
		switch {
		case c.Name == "ftruncate" && len(c.Num) == 2:
			ch.at = c.Num[1]
		case c.Name == "pwrite64" && len(c.Num) == 3 && (c.Result == int64(len(c.Data)) || c.Cut):
			ch.at = c.Num[2]
		default:
			return nil, fmt.Errorf("line %d: a %s of %s that this does not know", c.Begin+1, c.Name, c.File)
		}
		f.changes = append(f.changes, ch)
		return func() { ch.returned = true }, nil
	case "fsync", "fdatasync":
		after, err := d.sync(c)
		if c.Cut {
			after = nil
		}
		return after, err
	}
	return nil, fmt.Errorf("line %d: %s of %q, which this does not know", c.Begin+1, c.Name, about)
}

func (d *disk) open(c Call) (after func(), err error) {
	path := c.File
	if c.Cut {
		path = c.Paths[0] // it may or may not have been made
	}
	if !d.ours(path) || !strings.Contains(c.Flags, "O_CREAT") && c.Name != "creat" {
		return nil, nil
	}
	if d.names[path] == nil {
		return d.bind(path, &inode{})
	}
	if strings.Contains(c.Flags, "O_TRUNC") {
		ch := &change{}
		d.names[path].changes = append(d.names[path].changes, ch)
		return func() { ch.returned = true }, nil
	}
	return nil, nil
}

// bind makes a name stand for f.
func (d *disk) bind(path string, f *inode) (after func(), err error) {
	dir := d.dirs[filepath.Dir(path)]
	if dir == nil {
		return nil, fmt.Errorf("%s is in no directory", path)
	}
	if f == nil {
		delete(d.names, path)
	} else {
		d.names[path] = f
	}
	r := &renaming{name: filepath.Base(path), inode: f}
	dir.changes = append(dir.changes, r)
	return func() { r.returned = true }, nil
}

// sync makes safe, when it returns, what had returned when it began.
func (d *disk) sync(c Call) (after func(), err error) {
	if dir := d.dirs[c.File]; dir != nil {
		n := 0 // changes of a directory get there in order
		for n < len(dir.changes) && dir.changes[n].returned {
			n++
		}
		covered := slices.Clone(dir.changes[:n])
		return func() {
			for _, r := range covered {
				dir.put(dir.safe, r)
			}
			dir.changes = slices.DeleteFunc(dir.changes, func(r *renaming) bool { return slices.Contains(covered, r) })
		}, nil
	}
	f := d.names[c.File]
	if f == nil {
		return nil, fmt.Errorf("line %d: a sync of %s, which is not there", c.Begin+1, c.File)
	}
	covered := map[*change]bool{}
	for _, ch := range f.changes {
		if ch.returned {
			covered[ch] = true
		}
	}
	return func() {
		f.changes = slices.DeleteFunc(f.changes, func(ch *change) bool {
			if covered[ch] {
				f.safe = ch.apply(f.safe, nil)
			}
			return covered[ch]
		})
	}, nil
}

func (e *entries) put(names map[string]*inode, r *renaming) {
	if r.inode == nil {
		delete(names, r.name)
	} else {
		names[r.name] = r.inode
	}
}

// apply makes the change in b, but only in the sectors that keep holds, if there is a keep.
func (ch *change) apply(b []byte, keep func() bool) []byte {
	if ch.data == nil {
		if keep == nil || keep() {
			return resize(b, ch.at)
		}
		return b
	}
	for from := ch.at; from < ch.at+int64(len(ch.data)); {
		to := min((from/sector+1)*sector, ch.at+int64(len(ch.data)))
		if keep == nil || keep() {
			if int64(len(b)) < to {
				b = resize(b, to)
			}
			copy(b[from:to], ch.data[from-ch.at:to-ch.at])
		}
		from = to
	}
	return b
}

func resize(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// holds reports whether the file at path is to the byte what the trace says of it.
func (d *disk) holds(path string) (bool, error) {
	f := d.names[path]
	real, err := os.ReadFile(path)
	if err != nil || f == nil {
		return false, err
	}
	b := slices.Clone(f.safe)
	for _, ch := range f.changes {
		b = ch.apply(b, nil)
	}
	return bytes.Equal(b, real), nil
}
