package api

import (
	"fmt"
	"testing"
	"time"

	"parley/app/chat"
)

// Who is gone for long is forgotten, but for who has a stream, and of a crowd those who asked first.
func TestFollowersAreFew(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := &followers{seen: make(map[string]follower)}
	at := func(grant string, at time.Time) {
		f.seen[grant] = follower{chat.Follower{Session: grant}, at}
	}
	open := func(grant string) bool { return grant == "streams" }
	at("gone", now.Add(-followed))
	at("streams", now.Add(-time.Hour))
	at("here", now.Add(-followed+1))
	if list := f.trim(now, open); len(list) != 2 || list[0].Session != "here" || list[1].Session != "streams" {
		t.Errorf("there are %+v", list)
	}
	for i := range 3 * chat.MaxFollowers {
		at(fmt.Sprint(i), now.Add(time.Duration(i)))
	}
	list := f.trim(now, open)
	if len(list) != chat.MaxFollowers || len(f.seen) != chat.MaxFollowers || list[0].Session != "299" || list[99].Session != "200" {
		t.Errorf("of a crowd there are %d: %+v", len(list), list)
	}
}
