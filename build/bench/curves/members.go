package curves

import (
	"context"
	"errors"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// members is the curve over the members of a room, up to as many as there may be.
func members(ctx context.Context, o Options, w *world) ([]Table, error) {
	t := Table{Title: "members of a room, of whom one watches", Over: "members"}
	var others []chat.UserID
	for _, n := range append([]int{2}, decades(10, chat.MaxMembers)...) {
		o.Progress("%d members", n)
		more, err := w.people(ctx, n-1-len(others))
		if err != nil {
			return nil, err
		}
		others = append(others, more...)
		// A watcher of this row alone, who is in no other room.
		watcher, err := w.people(ctx, 1)
		if err != nil {
			return nil, err
		}
		made, err := w.create(ctx, 1, watcher[0], others...)
		if err != nil {
			return nil, err
		}
		row, err := w.membersRow(ctx, made[0], watcher[0], others[0])
		if err != nil {
			return nil, err
		}
		t.add(n, row...)
	}
	return []Table{t}, nil
}

func (w *world) membersRow(ctx context.Context, room chat.RoomID, watcher, guest chat.UserID) (row []reading, err error) {
	change, err := w.comeAndGo(ctx, room, watcher, guest)
	if err != nil {
		return nil, err
	}
	err = w.serve(ctx, hub.Options{}, func(h *hub.Hub) error {
		each, from, err := grow(ctx, h, 4096, watcher, func(int) (chat.UserID, chat.Draft) { return watcher, message(room) })
		if err != nil {
			return err
		}
		// Before the deliveries, whose signals take the place of the events in memory.
		back, err1 := comeBack(ctx, h, watcher, from, behind)
		one, err2 := delivery(ctx, h, watcher, watcher, room)
		newest, err3 := page(ctx, h, watcher, room, 0)
		snap, err4 := snapshot(ctx, h, watcher, 1)
		row = []reading{
			{"append µs", micros(each)},
			{"delivery µs", micros(one)},
			{"1,000 behind ms", millis(back)},
			{"newest page ms", millis(newest)},
			{"snapshot ms", millis(snap)},
			{"coming and going µs", micros(change)},
		}
		return errors.Join(err1, err2, err3, err4)
	})
	return row, err
}

// comeAndGo is what it takes to append that somebody is sent out of a room, and brought in again: half of both.
func (w *world) comeAndGo(ctx context.Context, room chat.RoomID, host, guest chat.UserID) (time.Duration, error) {
	const many = 256
	change := func(state chat.MemberState) hub.Append {
		return hub.Append{From: host, Draft: chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room,
			Body: chat.Body{Member: &chat.Member{User: guest, State: state}}}}
	}
	each, err := cost(ctx, func() error {
		_, err := w.fill(ctx, many, func(i int) hub.Append {
			if i%2 == 0 {
				return change(chat.Left)
			}
			return change(chat.Joined)
		})
		return err
	})
	return each / many, err
}
