package transport

import (
	"context"
	"iter"
	"time"

	"parley/app/chat"
)

// A poll asks and asks again: at intervals, or, as LongPoll, at once, the
// server holding back an answer that has nothing to say.
type poll struct {
	*Caller
	via chat.Via
}

func (p poll) Name() chat.Via { return p.via }

func (p poll) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		// The first question is one that is answered at once: the first batch
		// says that the way is open.
		via := chat.Poll
		for ctx.Err() == nil {
			asked := time.Now()
			b, err := p.ask(ctx, via, after)
			if ctx.Err() != nil {
				return
			}
			if !yield(b, err) || err != nil {
				return
			}
			if len(b.Events) == 0 {
				wait(ctx, p.pause(via, time.Since(asked)))
			}
			after, via = b.Cursor, p.via
		}
	}
}

// pause is how long to wait after an empty answer that took so long. A long poll
// answered empty at once was not held: something on the way answers for the
// server, and must not be asked in a tight circle.
func (p poll) pause(via chat.Via, took time.Duration) time.Duration {
	switch {
	case p.via == chat.Poll:
		return p.Every
	case via == chat.LongPoll && took < 20*time.Millisecond:
		return time.Second
	default:
		return 0
	}
}

func wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
