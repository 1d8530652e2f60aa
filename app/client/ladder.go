package client

import (
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// A ladder decides, for Auto, which transport to use and why. It knows nothing of
// time or network: it is told what happened and answers what to do. Its rungs are chat.Vias.
//
// A way is given up when something on the way refused it, when it did not open twice in a row, when
// it went silent or was held back, or when it was cut three times without lasting; but only while
// the server answers otherwise, since else nothing is the way's fault. After growing pauses the
// way above is tried again, beside the one in use.
//
// A way that is cut twice after the same silence is not at fault: something on the way
// closes what is silent. Then the server is asked for signs of life that are closer together, whatever the way.
type ladder struct {
	learnt
	misses  int           // times in a row that it did not open
	cuts    int           // times in a row that it was cut before it had lasted
	silence time.Duration // before the last cut
	age     time.Duration // at the last cut
}

// What was learnt of a network. It is kept for a while.
type learnt struct {
	Rung  int
	Why   [len(chat.Vias)]model.Reason // why the rung of that index was given up
	Pause time.Duration                // before the next try upwards
	Limit time.Duration                // of silence on this network, after which it cuts; 0: none is known
	Beat  time.Duration                // the silence that the server is asked not to exceed, because of Limit
}

// A failure is how a transport failed.
type failure struct {
	kind    kind
	age     time.Duration // since it opened
	silence time.Duration // since it last brought something
}

type kind int

const (
	neverOpened kind = iota
	refused          // something on the way said no
	held             // nothing comes, or late: something on the way keeps it
	died             // open, but silent
	wasCut           // open, then not
)

const (
	missesMost = 2
	cutsMost   = 3
	pauseFirst = time.Minute
	pauseMost  = 30 * time.Minute
	pauseNew   = 2 * time.Second  // on a network of which nothing is known
	lasting    = 90 * time.Second // what is cut later than this has not failed
	hushLeast  = 2 * time.Second  // a shorter silence can be chance
	beatLeast  = time.Second
)

func (l *ladder) via() chat.Via { return chat.Vias[l.Rung] }

// above is the next better way; there is none on the first rung.
func (l *ladder) above() (chat.Via, bool) {
	if l.Rung == 0 {
		return "", false
	}
	return chat.Vias[l.Rung-1], true
}

// reason is why this way is in use.
func (l *ladder) reason() model.Reason {
	switch {
	case l.Rung > 0:
		return l.Why[l.Rung-1]
	case l.Beat > 0:
		return model.Reason{Code: model.ReasonKept, After: l.Limit, Every: l.Beat}
	}
	return model.Reason{Code: model.ReasonBest}
}

func (l *ladder) opened() { l.misses = 0 }

// lasted says that the way in use proved good.
func (l *ladder) lasted() { l.misses, l.cuts, l.silence, l.age = 0, 0, 0, 0 }

// failed says that the way in use failed through its own fault, and reports whether something is
// to be done differently at once: another way, or other silences.
func (l *ladder) failed(f failure) (changed bool) {
	why := model.Reason{Failed: l.via()}
	switch f.kind {
	case neverOpened, held:
		l.misses++
		why.Code, changed = model.ReasonNeverOpened, l.misses >= missesMost
		if f.kind == held {
			why.Code, changed = model.ReasonHeld, changed || f.age > 0
		}
	case refused:
		why.Code, changed = model.ReasonBlocked, true
	case died:
		why.Code, changed = model.ReasonDied, true
	case wasCut:
		if l.hushed(f) {
			return true
		}
		l.cuts++
		why.Code, changed = model.ReasonCut, l.cuts >= cutsMost
		if alike(f.age, l.age) {
			why.After = f.age.Round(time.Second)
		}
		l.age = f.age
		if l.Beat > 0 && alike(f.age, l.Limit) { // it was not the silence
			why.After, changed, l.Limit, l.Beat = l.Limit, true, 0, 0
		}
		// The same was seen before, of this way or of the one above.
		for _, rung := range [...]int{l.Rung, l.Rung - 1} {
			if rung >= 0 && alike(f.age, l.Why[rung].After) && l.Why[rung].Code == model.ReasonCut {
				why.After, changed = l.Why[rung].After, true
			}
		}
	}
	if !changed || l.Rung == len(chat.Vias)-1 {
		return false
	}
	l.Why[l.Rung] = why
	l.Rung++
	l.lasted()
	l.grow()
	return true
}

// hushed reports whether a cut showed that silence is what is cut on this network, and
// has a remedy for it.
func (l *ladder) hushed(f failure) bool {
	before := l.silence
	l.silence = f.silence
	if f.silence < hushLeast || !alike(f.silence, before) || l.Beat > 0 && l.Beat <= f.silence/2 {
		return false
	}
	l.Limit = f.silence.Round(time.Second)
	l.Beat = max(beatLeast, (l.Limit * 2 / 5).Truncate(time.Second))
	l.lasted()
	return true
}

// alike reports whether two spans may be the same limit of the same proxy.
func alike(a, b time.Duration) bool {
	return a >= hushLeast && b >= hushLeast && (a-b).Abs() <= max(time.Second, b/10)
}

// grow makes the pause longer.
func (l *ladder) grow() { l.Pause = min(max(pauseFirst, 2*l.Pause), pauseMost) }

// up says that the way above opened and is in use.
func (l *ladder) up() {
	l.Rung--
	l.lasted()
}

// stayed says that the way above was tried and failed.
func (l *ladder) stayed() { l.grow() }

// moved says that the network is another one: what is in use may go on, but nothing
// keeps from trying what is better.
func (l *ladder) moved() {
	l.lasted()
	l.Pause, l.Limit, l.Beat = 0, 0, 0
	for i := range l.Why {
		l.Why[i].After = 0
	}
}
