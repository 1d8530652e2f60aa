package power

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A loss says what a cut takes of the changes that were not safe.
type loss int

const (
	lossAll  loss = iota // of them
	lossTorn             // of each, some sectors
	lossFill             // all, but the files are as long as they had become
	lossSome             // some of them whole
	losses
)

// cut writes to dir what is left of root after a loss of power now.
func (d *disk) cut(dir string, rnd *rand.Rand, how loss) error {
	return d.leave(d.root, dir, rnd, how)
}

func (d *disk) leave(path, to string, rnd *rand.Rand, how loss) error {
	e := d.dirs[path]
	names := maps.Clone(e.safe)
	n := rnd.IntN(len(e.changes) + 1)
	if how == lossAll {
		n = 0
	}
	for _, r := range e.changes[:n] {
		e.put(names, r)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f, at := names[name], filepath.Join(to, name)
		if f.dir {
			if err := os.Mkdir(at, 0o700); err != nil {
				return err
			}
			if err := d.leave(filepath.Join(path, name), at, rnd, how); err != nil {
				return err
			}
			continue
		}
		left := f.left(rnd, how)
		if strings.HasSuffix(name, "-shm") { // is mapped, so no call says what is in it
			for i := range left {
				left[i] = byte(rnd.Uint32())
			}
		}
		if err := os.WriteFile(at, left, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// left is what a loss of power leaves of a file.
func (f *inode) left(rnd *rand.Rand, how loss) []byte {
	b := slices.Clone(f.safe)
	most := 0.1 + 0.9*rnd.Float64() // how much gets there differs from cut to cut
	for _, ch := range f.changes {
		switch how {
		case lossAll:
		case lossTorn:
			b = ch.apply(b, func() bool { return rnd.Float64() < most })
		case lossFill:
			if end := ch.at + int64(len(ch.data)); ch.data != nil && int64(len(b)) < end {
				b = resize(b, end)
			}
		default:
			if rnd.Float64() < most {
				b = ch.apply(b, nil)
			}
		}
	}
	return b
}
