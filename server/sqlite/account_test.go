package sqlite

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/server/auth"
)

// account is a user of that name and key.
func account(name string) auth.User {
	return auth.User{User: chat.User{ID: chat.NewID[chat.UserID](), Name: name}, Key: "key of " + name, Hash: "hash of " + name, Created: at(0)}
}

// at is a time, in whole milliseconds as all that is kept.
func at(d time.Duration) time.Time { return time.UnixMilli(1_767_225_600_123).Add(d).UTC() }

func wantCode(t *testing.T, what string, err error, code chat.Code) {
	t.Helper()
	if chat.CodeOf(err) != code {
		t.Fatalf("%s: %v; want %q", what, err, code)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func equal[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func TestUsers(t *testing.T) {
	s, ctx := open(t, t.TempDir(), true), t.Context()
	defer s.Close()
	ana := account("ana")
	ok(t, "AddUser", s.AddUser(ctx, ana))
	same := account("Ana")
	same.Key = ana.Key
	wantCode(t, "AddUser of the same key", s.AddUser(ctx, same), chat.CodeConflict)

	got, err := s.User(ctx, ana.ID)
	ok(t, "User", err)
	equal(t, "User", ana, got)
	got, err = s.UserByKey(ctx, ana.Key)
	ok(t, "UserByKey", err)
	equal(t, "UserByKey", ana, got)
	_, err = s.User(ctx, same.ID)
	wantCode(t, "User of nobody", err, chat.CodeNotFound)
	_, err = s.UserByKey(ctx, "ana")
	wantCode(t, "UserByKey of nobody", err, chat.CodeNotFound)

	ok(t, "SetPassword", s.SetPassword(ctx, ana.ID, "another", "x"))
	ok(t, "SetPassword", s.SetPassword(ctx, ana.ID, ana.Hash, "new"))
	got, err = s.User(ctx, ana.ID)
	if err != nil || got.Hash != "new" {
		t.Fatalf("the hash is %q, %v", got.Hash, err)
	}
}

func TestSetUp(t *testing.T) {
	dir := t.TempDir()
	s, ctx := open(t, dir, true), t.Context()
	state := func(want auth.SetUp) {
		t.Helper()
		got, err := s.SetUp(ctx)
		ok(t, "SetUp", err)
		equal(t, "SetUp", want, got)
	}
	state(auth.SetUp{})
	ok(t, "PutCode", s.PutCode(ctx, auth.Digest{1}))
	ok(t, "PutCode", s.PutCode(ctx, auth.Digest{2}))
	state(auth.SetUp{Code: auth.Digest{2}})

	// A claim that is refused leaves the server unclaimed.
	ben := account("ben")
	ok(t, "AddUser", s.AddUser(ctx, ben))
	wantCode(t, "Claim", s.Claim(ctx, ben), chat.CodeConflict)
	state(auth.SetUp{Code: auth.Digest{2}})

	// Of many at once, one is the owner.
	var claims sync.WaitGroup
	won := make(chan auth.User, 8)
	for i := range 8 {
		claims.Go(func() {
			u := account(fmt.Sprint("user ", i))
			if err := s.Claim(ctx, u); err == nil {
				won <- u
			} else if chat.CodeOf(err) != chat.CodeGone {
				t.Errorf("Claim: %v", err)
			}
		})
	}
	claims.Wait()
	if len(won) != 1 {
		t.Fatalf("%d own the server", len(won))
	}
	owner := <-won
	owner.Owner = true
	got, err := s.User(ctx, owner.ID)
	ok(t, "User", err)
	equal(t, "the owner", owner, got)
	state(auth.SetUp{Done: true})
	ok(t, "PutCode", s.PutCode(ctx, auth.Digest{3}))
	state(auth.SetUp{Done: true})

	// Not even without any user does set-up open again.
	ok(t, "Close", s.Close())
	exec(t, dir, `DELETE FROM users`)
	s = open(t, dir, true)
	defer s.Close()
	state(auth.SetUp{Done: true})
	wantCode(t, "Claim", s.Claim(ctx, account("late")), chat.CodeGone)
}

func TestInvites(t *testing.T) {
	s, ctx := open(t, t.TempDir(), true), t.Context()
	defer s.Close()
	ana := account("ana")
	ok(t, "AddUser", s.AddUser(ctx, ana))
	invite := auth.Invite{Secret: auth.Digest{1}, By: ana.ID, Expires: at(time.Hour), Uses: 3}
	ok(t, "AddInvite", s.AddInvite(ctx, invite, at(0)))
	wantCode(t, "AddInvite by nobody", s.AddInvite(ctx, auth.Invite{By: account("").ID}, at(0)), chat.CodeNotFound)

	wantCode(t, "Redeem of nothing", s.Redeem(ctx, auth.Digest{9}, account("ben"), at(0)), chat.CodeGone)
	wantCode(t, "Redeem too late", s.Redeem(ctx, invite.Secret, account("ben"), at(time.Hour)), chat.CodeGone)
	taken := account("ana")
	for range 5 { // takes no use
		wantCode(t, "Redeem for a name that is taken", s.Redeem(ctx, invite.Secret, taken, at(0)), chat.CodeConflict)
	}
	_, err := s.User(ctx, taken.ID)
	wantCode(t, "User", err, chat.CodeNotFound)

	var redeeming sync.WaitGroup
	in := make(chan struct{}, 8)
	for i := range 8 {
		redeeming.Go(func() {
			switch err := s.Redeem(ctx, invite.Secret, account(fmt.Sprint("user ", i)), at(0)); {
			case err == nil:
				in <- struct{}{}
			case chat.CodeOf(err) != chat.CodeGone:
				t.Errorf("Redeem: %v", err)
			}
		})
	}
	redeeming.Wait()
	if len(in) != 3 {
		t.Fatalf("an invite for 3 let %d in", len(in))
	}

	// A new invite sweeps out the old.
	ok(t, "AddInvite", s.AddInvite(ctx, auth.Invite{Secret: auth.Digest{2}, By: ana.ID, Expires: at(2 * time.Hour), Uses: 1}, at(time.Minute)))
	ok(t, "AddInvite", s.AddInvite(ctx, auth.Invite{Secret: auth.Digest{3}, By: ana.ID, Expires: at(9 * time.Hour), Uses: 1}, at(2*time.Hour)))
	var n int
	ok(t, "counting", s.view(ctx, "counting", func(v *view) error {
		_, err := v.row([]any{&n}, `SELECT count(*) FROM invites`)
		return err
	}))
	if n != 1 {
		t.Fatalf("%d invites are kept", n)
	}
}

func TestGrants(t *testing.T) {
	s, ctx := open(t, t.TempDir(), true), t.Context()
	defer s.Close()
	ana, ben := account("ana"), account("ben")
	ok(t, "AddUser", s.AddUser(ctx, ana))
	ok(t, "AddUser", s.AddUser(ctx, ben))
	add := func(i byte, u auth.User, token bool, seen time.Duration, keep int) (auth.Grant, []string, error) {
		g := auth.Grant{ID: fmt.Sprint("grant", i), Secret: auth.Digest{i}, User: u.ID, Token: token, Name: "of a 浏览器", Created: at(time.Duration(i)), Seen: at(seen)}
		g.Created = at(time.Duration(i) * time.Millisecond)
		ended, err := s.AddGrant(ctx, g, keep)
		return g, ended, err
	}
	one, _, err := add(1, ana, false, 5*time.Second, 3)
	ok(t, "AddGrant", err)
	_, _, err = add(2, ana, false, time.Second, 3)
	ok(t, "AddGrant", err)
	three, _, err := add(3, ana, false, 3*time.Second, 3)
	ok(t, "AddGrant", err)
	token, _, err := add(4, ana, true, 0, 1)
	ok(t, "AddGrant of a token", err)
	bens, ended, err := add(5, ben, false, 0, 1)
	if err != nil || len(ended) != 0 {
		t.Fatalf("AddGrant of another ended %v, %v", ended, err)
	}
	// The one seen longest ago ends; the new one never does, though it was seen before all.
	six, ended, err := add(6, ana, false, 0, 3)
	ok(t, "AddGrant", err)
	equal(t, "what ended", []string{"grant2"}, ended)
	_, _, err = add(7, ana, true, 0, 1)
	wantCode(t, "a token too many", err, chat.CodeTooLarge)
	_, _, err = add(8, account("nobody"), true, 0, 1)
	wantCode(t, "a grant of nobody", err, chat.CodeNotFound)

	grants, err := s.Grants(ctx, ana.ID)
	ok(t, "Grants", err)
	equal(t, "Grants", []auth.Grant{six, token, three, one}, grants)
	g, u, err := s.Grant(ctx, token.Secret)
	ok(t, "Grant", err)
	equal(t, "Grant", token, g)
	equal(t, "its user", ana, u)
	_, _, err = s.Grant(ctx, auth.Digest{2})
	wantCode(t, "Grant of one that ended", err, chat.CodeNotFound)

	gone, err := s.Touch(ctx, at(time.Minute), "grant99", "grant3")
	if err != nil || !slices.Equal(gone, []string{"grant99"}) {
		t.Errorf("Touch = %q, %v", gone, err)
	}
	gone, err = s.Touch(ctx, at(time.Second), "grant3") // late
	if err != nil || len(gone) != 0 {
		t.Errorf("Touch = %q, %v", gone, err)
	}
	g, _, err = s.Grant(ctx, three.Secret)
	if err != nil || !g.Seen.Equal(at(time.Minute)) {
		t.Fatalf("seen at %v, %v", g.Seen, err)
	}

	wantCode(t, "EndGrant of another's", s.EndGrant(ctx, ben.ID, token.ID), chat.CodeNotFound)
	ok(t, "EndGrant", s.EndGrant(ctx, ana.ID, token.ID))
	wantCode(t, "EndGrant again", s.EndGrant(ctx, ana.ID, token.ID), chat.CodeNotFound)
	_, _, err = s.Grant(ctx, token.Secret)
	wantCode(t, "Grant after its end", err, chat.CodeNotFound)

	_, _, err = add(9, ana, true, 0, 1)
	ok(t, "AddGrant of a token", err)
	ended, err = s.EndStale(ctx, at(time.Hour), at(4*time.Second), at(2*time.Millisecond))
	ok(t, "EndStale", err)
	if len(ended) != 3 { // grant1 by age; grant5 and grant6 by idleness; never a token
		t.Fatalf("EndStale ended %v", ended)
	}
	_, _, err = s.Grant(ctx, bens.Secret)
	wantCode(t, "Grant of a stale one", err, chat.CodeNotFound)
	if grants, err = s.Grants(ctx, ana.ID); err != nil || len(grants) != 2 {
		t.Fatalf("Grants = %v, %v", grants, err)
	}

	// The clock goes back: what was noted before is not from the future for ever.
	ended, err = s.EndStale(ctx, at(2*time.Second), at(0), at(0))
	if err != nil || len(ended) != 0 {
		t.Fatalf("EndStale ended %v, %v", ended, err)
	}
	g, _, err = s.Grant(ctx, three.Secret)
	if err != nil || !g.Seen.Equal(at(2*time.Second)) || !g.Created.Equal(three.Created) {
		t.Fatalf("seen at %v, of %v, %v", g.Seen, g.Created, err)
	}
}
