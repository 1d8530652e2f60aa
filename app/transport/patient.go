package transport

import (
	"context"
	"time"
)

// longest is how long an answer may take in all, however much of it comes meanwhile.
const longest = 5 * time.Minute

type heardKey struct{}

// Patient returns a context that ends, because of cause, after so much silence: each piece of an answer that
// comes begins it anew, so that a long answer over a slow line arrives. It ends after five minutes in any case.
func Patient(parent context.Context, silence time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	over := time.Now().Add(longest)
	t := time.AfterFunc(silence, func() { cancel(cause) })
	ctx = context.WithValue(ctx, heardKey{}, func() {
		t.Reset(min(silence, time.Until(over)))
		heard(parent)
	})
	return ctx, func() {
		t.Stop()
		cancel(nil)
	}
}

// heard tells those who are patient that a piece came.
func heard(ctx context.Context) {
	if f, ok := ctx.Value(heardKey{}).(func()); ok {
		f()
	}
}
