package curves

import (
	"context"
	"errors"
	"time"

	"parley/app/chat"
	"parley/server/hub"
)

// crowd is the curve over people who come at once: what all of them are told of each other.
func crowd(ctx context.Context, o Options, w *world) ([]Table, error) {
	t := Table{Title: "people who come at once: until everyone was told that everyone is here", Over: "people"}
	var people []chat.UserID
	for _, n := range decades(10, 3_000) {
		o.Progress("%d people who come at once", n)
		more, err := w.people(ctx, n-len(people))
		if err != nil {
			return nil, err
		}
		people = append(people, more...)
		err = w.serve(ctx, hub.Options{}, func(h *hub.Hub) error {
			row, err := crowdRow(ctx, h, people)
			t.add(n, row...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return []Table{t}, nil
}

// crowdRow lets all people watch and adds up what is told, of which everyone is handed the same.
func crowdRow(ctx context.Context, h *hub.Hub, people []chat.UserID) ([]reading, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	wake := make(chan struct{}, 1)
	var first *hub.Watcher
	for _, u := range people {
		w, err := h.Watch(ctx, u, "", hub.WatchOptions{Wake: func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		}})
		if err != nil {
			return nil, err
		}
		defer w.Close()
		if first == nil {
			first = w
		}
	}
	began := time.Now()
	told, bytes, most := 0, 0, 0
	for told < len(people) {
		entries, _, late := first.Take()
		if late {
			return nil, errors.New("who takes what comes fell behind")
		}
		for _, e := range entries {
			if p := e.Event.Presence; p != nil {
				told += len(p.Online)
				bytes += len(e.JSON)
				most = max(most, len(e.JSON))
			}
		}
		if len(entries) > 0 {
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	all := float64(len(people)) / (1 << 20)
	return []reading{
		{"seconds", time.Since(began).Seconds()},
		{"KiB to each", float64(bytes) / (1 << 10)},
		{"MiB to all", float64(bytes) * all},
		{"MiB in one second", float64(most) * all},
	}, nil
}
