package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/sqlite"
)

type world struct {
	*testing.T
	*auth.Accounts
	store *sqlite.Store
	now   time.Time
}

func open(t *testing.T) *world {
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, store: s, now: time.Now()}
	w.Accounts = auth.New(s, auth.Options{Now: func() time.Time { return w.now }, Password: auth.Params{MemoryKiB: 64, Passes: 1}})
	return w
}

var local = auth.Visitor{Local: true}

const password = "correct horse battery"

func (w *world) claim() chat.User {
	u, err := w.Claim(w.Context(), local, chat.SetUp{Name: "ana", Password: password})
	w.must(err)
	return u
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// session signs u in and returns the secret and who it is.
func (w *world) session(u chat.User) (string, auth.Identity) {
	s, err := w.Begin(w.Context(), u.ID, "a browser")
	w.must(err)
	id, err := w.Authenticate(w.Context(), s, false)
	w.must(err)
	return s, id
}

func TestOneOwnerWhoeverIsFirst(t *testing.T) {
	w := open(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	owners := 0
	for i := range 20 {
		all.Go(func() {
			u, err := w.Claim(t.Context(), local, chat.SetUp{Name: fmt.Sprint("user", i), Password: password})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && u.Owner:
				owners++
			case err == nil || chat.CodeOf(err) != chat.CodeGone && chat.CodeOf(err) != chat.CodeRateLimited:
				t.Errorf("got %+v, %v", u, err)
			}
		})
	}
	all.Wait()
	if owners != 1 {
		t.Errorf("%d owners", owners)
	}
	if code, err := w.NewCode(t.Context()); code != "" || err != nil {
		t.Errorf("a code after set-up: %q, %v", code, err)
	}
	if _, err := w.Add(t.Context(), "other", password, true); chat.CodeOf(err) != chat.CodeGone {
		t.Errorf("another owner: %v", err)
	}
}

// TestS14InviteRunsOut: an invite is good a hundred times, also when many come at once, and for seven days.
// Whoever is refused is told which field it is for, or they would change the other one.
func TestRefusedFields(t *testing.T) {
	w := open(t)
	w.claim()
	for name, want := range map[string]string{"admin": chat.FieldName, "a\u200bna": chat.FieldName, "annabella": chat.FieldPassword} {
		_, err := w.SignUp(t.Context(), local, chat.SignUp{Name: name, Password: "annabella1"})
		if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != chat.CodeInvalid || e.Field != want {
			t.Errorf("%q is refused for its %+v, not for its %s", name, err, want)
		}
	}
}

func TestS14InviteRunsOut(t *testing.T) {
	w := open(t)
	_, owner := w.session(w.claim())
	code, _, err := w.NewInvite(t.Context(), owner)
	w.must(err)
	in := func(code, name string) error {
		_, err := w.SignUp(t.Context(), local, chat.SignUp{Invite: code, Name: name, Password: password})
		return err
	}
	for i := range 95 {
		w.must(in(code, fmt.Sprint("user", i)))
	}
	late := make(chan error, 12) // no more than the throttle lets one address try
	for i := range cap(late) {
		go func() { late <- in(code, fmt.Sprint("late", i)) }()
	}
	came := 0
	for range cap(late) {
		if err := <-late; err == nil {
			came++
		} else if chat.CodeOf(err) != chat.CodeGone {
			t.Errorf("one of many: %v", err)
		}
	}
	if came != 5 {
		t.Errorf("%d of 12 came in by the last 5 uses", came)
	}
	w.now = w.now.Add(16 * time.Minute)
	if err := in(code, "one more"); chat.CodeOf(err) != chat.CodeGone {
		t.Errorf("a use too many: %v", err)
	}
	code, expires, err := w.NewInvite(t.Context(), owner)
	w.must(err)
	if err := in(code, "ANA"); chat.CodeOf(err) != chat.CodeConflict {
		t.Errorf("a name that is taken: %v", err)
	}
	w.must(in(code, "late"))
	w.now = expires.Add(time.Second)
	if err := in(code, "too late"); chat.CodeOf(err) != chat.CodeGone {
		t.Errorf("after its time: %v", err)
	}
}

// fullStore is on a disk without space, when it is told so.
type fullStore struct {
	*sqlite.Store
	full  bool
	tries int
}

func (s *fullStore) Touch(ctx context.Context, at time.Time, ids ...string) (gone []string, err error) {
	if s.full {
		s.tries++
		return nil, chat.Errorf(chat.CodeStorageFull, "the disk is full")
	}
	return s.Store.Touch(ctx, at, ids...)
}

// On a full disk people go on reading, however long that lasts; that they do is noted again once it can be.
func TestFullDiskSignsNobodyOut(t *testing.T) {
	w := open(t)
	secret, id := w.session(w.claim())
	full := &fullStore{Store: w.store, full: true}
	a := auth.New(full, auth.Options{Now: func() time.Time { return w.now }, Password: auth.Params{MemoryKiB: 64, Passes: 1}})
	w.now = w.now.Add(11 * time.Minute)
	for range 20 {
		if _, err := a.Authenticate(t.Context(), secret, false); err != nil {
			t.Fatal(err)
		}
	}
	if full.tries != 1 {
		t.Errorf("it was tried %d times in one moment", full.tries)
	}
	full.full, w.now = false, w.now.Add(time.Minute)
	_, err := a.Authenticate(t.Context(), secret, false)
	w.must(err)
	grants, err := w.store.Grants(t.Context(), id.User.ID)
	w.must(err)
	if len(grants) != 1 || !grants[0].Seen.Equal(w.now.Truncate(time.Millisecond)) {
		t.Errorf("seen %v, it is %v", grants, w.now)
	}
}

func TestSessionsEnd(t *testing.T) {
	w := open(t)
	u := w.claim()
	secret, first := w.session(u)
	token, err := w.NewToken(t.Context(), first, "bot")
	w.must(err)
	good := func(s string, token bool) bool {
		_, err := w.Authenticate(t.Context(), s, token)
		if err != nil && !errors.Is(err, chat.ErrUnauthorized) {
			t.Fatal(err)
		}
		return err == nil
	}
	// In use, a session lasts longer than it does unused, but not for ever.
	for range 8 {
		w.now = w.now.Add(10 * 24 * time.Hour)
		if !good(secret, false) {
			t.Fatalf("over after %v", w.now)
		}
	}
	w.now = w.now.Add(11 * 24 * time.Hour)
	if good(secret, false) {
		t.Error("good after 91 days")
	}
	if !good(token.Token, true) {
		t.Error("a token ended by itself")
	}
	idle, _ := w.session(u)
	w.now = w.now.Add(15 * 24 * time.Hour)
	if good(idle, false) {
		t.Error("good after 15 days of rest")
	}
	w.must(w.Tend(t.Context()))
	// The clock going back wakes nothing up again.
	w.now = w.now.Add(-30 * 24 * time.Hour)
	if good(secret, false) || good(idle, false) {
		t.Error("a session came back")
	}
}

func TestTheOldestSessionMakesRoom(t *testing.T) {
	w := open(t)
	u := w.claim()
	var secrets []string
	for range 21 {
		w.now = w.now.Add(time.Second)
		s, _ := w.session(u)
		secrets = append(secrets, s)
	}
	for i, s := range secrets {
		if _, err := w.Authenticate(t.Context(), s, false); (err == nil) != (i > 0) {
			t.Errorf("session %d: %v", i, err)
		}
	}
	_, id := w.session(u)
	list, err := w.Sessions(t.Context(), id)
	w.must(err)
	current := 0
	for _, s := range list {
		if s.Current {
			current++
		}
	}
	if len(list) != 20 || current != 1 {
		t.Errorf("%d sessions, %d of them current", len(list), current)
	}
	for i := range 51 {
		_, err := w.NewToken(t.Context(), id, fmt.Sprint("bot", i))
		if (err == nil) != (i < 50) || err != nil && chat.CodeOf(err) != chat.CodeTooLarge {
			t.Errorf("token %d: %v", i, err)
		}
	}
}
