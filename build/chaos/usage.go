package chaos

import (
	"context"
	"net/http"
	"time"

	"parley/app/chat"
	"parley/build/child"
)

// weigh notes how much memory of the server was resident at the most in this life. Linux says.
func (w *world) weigh() error {
	kib, err := child.Peak(w.srv.PID())
	w.peak = max(w.peak, kib)
	return err
}

// goroutines asks the server, as its owner, how many it has.
func (w *world) goroutines(ctx context.Context) (int, error) {
	var costs chat.Costs
	err := w.srv.Ask(ctx, w.owner, http.MethodGet, "/api/lab", nil, &costs)
	return costs.Goroutines, err
}

// slack is how many goroutines more than before there may be: those of connections that are kept open.
const slack = 10

// rest waits until the server's goroutines are as few as before, or patience ends, and returns how many
// there are then.
func (w *world) rest(ctx context.Context, base int, patience time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := w.goroutines(context.WithoutCancel(ctx))
		if err != nil || n <= base+slack {
			return n, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return n, nil
		}
	}
}
