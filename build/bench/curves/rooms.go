package curves

import (
	"context"
	"errors"

	"parley/app/chat"
	"parley/server/hub"
)

// rooms is the curve over the rooms of a server: for a user of one of them, and for one who is in all.
func rooms(ctx context.Context, o Options, w *world) ([]Table, error) {
	t := Table{Title: "rooms, of which one reader is in one and another in all; the last five messages of each are there", Over: "rooms"}
	people, err := w.people(ctx, 3)
	if err != nil {
		return nil, err
	}
	one, all, writer := people[0], people[1], people[2]
	rooms, err := w.create(ctx, 1, all, one, writer)
	if err != nil {
		return nil, err
	}
	for _, n := range decades(1, 10_000) {
		o.Progress("%d rooms", n)
		more, err := w.create(ctx, n-len(rooms), all, writer)
		if err != nil {
			return nil, err
		}
		const said = 5
		if _, err := w.fill(ctx, said*len(more), func(i int) hub.Append { return say(writer, more[i/said]) }); err != nil {
			return nil, err
		}
		rooms = append(rooms, more...)
		err = w.serve(ctx, hub.Options{}, func(h *hub.Hub) error {
			row, err := roomsRow(ctx, h, rooms, one, all, writer)
			t.add(n, row...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return []Table{t}, nil
}

func roomsRow(ctx context.Context, h *hub.Hub, rooms []chat.RoomID, one, all, writer chat.UserID) ([]reading, error) {
	const appends = 4096
	last := rooms[len(rooms)-1]
	each, from, err := grow(ctx, h, appends, one, func(i int) (chat.UserID, chat.Draft) { return writer, message(rooms[i%len(rooms)]) })
	if err != nil {
		return nil, err
	}
	theirs := 0 // of the last, for who is in one room
	for i := appends - behind; i < appends; i++ {
		if i%len(rooms) == 0 {
			theirs++
		}
	}
	// Before the deliveries, whose signals take the place of the events in memory.
	backOne, err1 := comeBack(ctx, h, one, from, theirs)
	backAll, err2 := comeBack(ctx, h, all, from, behind)
	toOne, err3 := delivery(ctx, h, writer, one, rooms[0])
	toAll, err4 := delivery(ctx, h, writer, all, last)
	snapOne, err5 := snapshot(ctx, h, one, 1)
	snapAll, err6 := snapshot(ctx, h, all, len(rooms))
	return []reading{
		{"append µs", micros(each)},
		{"delivery µs", micros(toOne)},
		{"… of all", micros(toAll)},
		{"1,000 behind ms", millis(backOne)},
		{"… of all", millis(backAll)},
		{"snapshot ms", millis(snapOne)},
		{"… of all", millis(snapAll)},
	}, errors.Join(err1, err2, err3, err4, err5, err6)
}
