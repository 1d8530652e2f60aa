package client

import (
	"context"
	"encoding/json"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// Tabs is what the tabs of one browser have in common, beside the Disk. An engine of which there is
// one needs none.
type Tabs interface {
	// Hold waits for a lock, which one tab has at a time, and takes it. It is let go of with
	// release, and when the tab ends, however it ends. An error other than ctx's says that there are no
	// locks here.
	Hold(ctx context.Context, name string) (release func(), err error)
	// Try takes a lock that nobody has; else ok is false.
	Try(ctx context.Context, name string) (release func(), ok bool, err error)
	// Succeed says who runs in this tab now, and returns who did before: an engine that ended, or is about
	// to, as when a page is loaded again. Without one it returns nothing.
	Succeed(id string) (before string)
	// Say tells all other tabs. It does not wait.
	Say(note []byte)
	// Heard is what other tabs said since the engine began, in order for each of them. What
	// comes while it is full is lost.
	Heard() <-chan []byte
}

// heardMost bounds what other tabs said and was not listened to yet.
const heardMost = 256

// tabs is what the engine knows of itself as a tab among others.
//
// Of the tabs of one account and one version of the program, one leads: the one that holds the lock of
// that name. It alone follows the server, and passes on what comes; the others follow through it
// (see relay). When it ends, the lock and with it the lead goes to the next.
type tabs struct {
	own      string // the key of this tab's record
	id       string // of this tab; empty when tabs can not be told from each other
	before   string // the key of the record of who was in this tab before
	release  func() // lets go of the own record
	took     []legacy
	lockless bool // every tab follows by itself

	account chat.UserID // whose lead this tab has or waits for; empty: nobody's
	quit    context.CancelFunc
	leads   bool

	// Of a tab that leads.
	place   place     // of what it passed on last
	asked   time.Time // when another tab asked last
	watcher string    // the tab that the person saw last
	watched time.Time // … and when
	pace    time.Duration

	// Of a tab that does not.
	alone      bool // who leads is silent: it follows by itself for now
	unanswered bool
	missed     int
	said       standing
	relay      relay
}

// A place is what was passed on up to here: the Nth batch of one stream of one tab.
type place struct {
	Tab string
	Leg uint64 // counts the tab's streams: between two there may be a snapshot, which is not passed on
	N   uint64
}

func (p place) leg() place { p.N = 0; return p }

// A note is what one tab says to all others.
type note struct {
	Kind    noteKind
	From    string      // the tab
	Version string      // of the program
	You     chat.UserID // whose tab
	At      place
	Seen    bool          `json:",omitempty"` // with noteHello: the person sees the tab
	Batch   *chat.Batch   `json:",omitempty"`
	Stands  *standing     `json:",omitempty"`
	Choice  *model.Choice `json:",omitempty"`
}

// A standing is how the tab that leads stands with the server.
type standing struct {
	Open   bool // something is passed on
	Via    chat.Via
	State  model.ConnState
	Reason model.Reason
	RTT    time.Duration
	Next   int64 // when it tries again, in milliseconds since 1970
	Learnt learnt
}

type noteKind string

const (
	noteHello   noteKind = "hello"   // to who leads: how are things?
	noteHurry   noteKind = "hurry"   // the same, and things may be better than they were
	noteStands  noteKind = "stands"  // from who leads
	noteBatch   noteKind = "batch"   // the same
	noteDrop    noteKind = "drop"    // the person wants the stream that they share cut
	noteChoice  noteKind = "choice"  // the person chose a way
	noteIn      noteKind = "in"      // a session began
	noteOut     noteKind = "out"     // the person signed out
	noteCleared noteKind = "cleared" // the disk was
)

const (
	helloEvery = 3 * time.Second
	missedMost = 2                // hellos in a row without an answer
	adoptEvery = 15 * time.Second // looking for what ended tabs left
	askedFor   = 2 * time.Minute  // after a question, answers go on: browsers wake unseen tabs once a minute
	watchedFor = 3 * helloEvery
)

// say tells the other tabs.
func (e *Engine) say(n note) {
	if e.c.Tabs == nil {
		return
	}
	n.From, n.Version, n.You = e.tabs.id, e.c.Version, e.model.You()
	b, err := json.Marshal(n)
	if err != nil {
		e.c.Report(err.Error())
		return
	}
	e.c.Tabs.Say(b)
}

// hearTabs listens to the other tabs as long as the engine runs.
func (e *Engine) hearTabs() {
	if e.c.Tabs == nil {
		return
	}
	e.spawn(func() {
		for {
			select {
			case b := <-e.c.Tabs.Heard():
				e.post(func() { e.hearTab(b) })
			case <-e.ctx.Done():
				return
			}
		}
	})
}

func (e *Engine) hearTab(b []byte) {
	var n note
	if json.Unmarshal(b, &n) != nil {
		return
	}
	you := e.model.You()
	switch n.Kind {
	case noteChoice:
		if n.Choice != nil && valid(n.Choice) {
			e.choose(*n.Choice)
		}
	case noteIn:
		// Here too then, unless this tab has it already.
		if you != "" && you != n.You || e.session != model.SignedIn && e.session != model.SessionUnknown {
			if e.session != model.SignedIn {
				e.session = model.SessionUnknown
			}
			e.want, e.dirty = true, true
			e.fetch()
		}
	case noteOut:
		if you != "" && you == n.You {
			e.erase(func(error) {})
		}
	case noteCleared: // perhaps more than was meant
		if you != "" && e.session == model.SignedIn {
			e.wrote()
			e.changed()
		}
	case noteHello, noteHurry, noteStands, noteBatch, noteDrop:
		if you == "" || you != n.You || you != e.tabs.account || n.Version != e.c.Version {
			return // it is not of those that follow together
		}
		switch n.Kind {
		case noteHello, noteHurry:
			e.hearFollower(n)
		case noteDrop:
			if e.tabs.leads || e.through() {
				e.dropped()
			}
		default:
			e.hearLeader(n)
		}
	}
}

// part is to be done when the session ends: what is left is nobody's.
func (e *Engine) part() {
	t := &e.tabs
	if t.quit != nil {
		t.quit()
	}
	t.account, t.quit, t.leads, t.alone, t.relay = "", nil, false, false, relay{}
	t.unanswered, t.missed, t.said = false, 0, standing{}
	e.off(alarmTabs)
	e.off(alarmLevel)
}

// disown lets go of what was taken from ended tabs: it is not theirs who is here now.
func (t *tabs) disown() {
	letGo(t.took)
	t.took = nil
}

// end lets go of all that the tab held. Nothing is written any more.
func (t *tabs) end() {
	t.disown()
	if t.release != nil {
		t.release()
	}
}
