package client_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// A server that answers everything with an error is asked once in each step of the back-off by
// each who asks, is given the time it asks for, and is not the cause of endless drawing. What was
// written meanwhile is sent once when it is over. (T25)
func TestErrorStorms(t *testing.T) {
	const lasts, half = time.Minute, 0.5
	steps := 1 // the first try, and those that begin before it is over
	for at, span := time.Duration(0), backoffFirst; at < lasts; steps++ {
		at += time.Duration(half * float64(span))
		span = min(2*span, backoffMost)
	}
	for name, storm := range map[string]error{
		"500":               &chat.Error{Code: chat.CodeInternal},
		"503":               &chat.Error{Code: chat.CodeUnavailable},
		"507":               &chat.Error{Code: chat.CodeStorageFull},
		"429":               &chat.Error{Code: chat.CodeRateLimited},
		"429, and when":     &chat.Error{Code: chat.CodeRateLimited, RetryAfterMS: 25_000},
		"503, and when":     &chat.Error{Code: chat.CodeUnavailable, RetryAfterMS: 25_000},
		"413":               &chat.Error{Code: chat.CodeTooLarge},
		"a page and 200":    errPage,
		"nothing at all":    errDown,
		"an unknown answer": fmt.Errorf("status 418 without an error"),
	} {
		for _, c := range []model.Choice{{Auto: true}, {Via: chat.WebSocket}, {Via: chat.EventSource}, {Via: chat.LongPoll}, {Via: chat.Poll, Every: time.Second}} {
			t.Run(fmt.Sprint(name, " over ", c.Via, c.Auto), func(t *testing.T) {
				in(t, func(w *world) {
					w.random = half
					w.begin()
					w.engine.Use(c)
					w.pass(2 * time.Minute)
					views := 0
					defer w.engine.Watch(func(*model.View) { views++ })()
					w.view()
					w.set(func() {
						w.storm = storm
						w.follows = nil
						clear(w.asked)
					})
					refused := chat.Final(storm)
					if !refused { // else it would rightly be given up
						w.engine.Send(w.room, "meanwhile")
					}
					w.say("also meanwhile")
					w.pass(lasts)

					most := steps
					if e, ok := errors.AsType[*chat.Error](storm); ok && e.RetryAfterMS > 0 {
						most = int(lasts/e.RetryAfter()) + 2
					}
					w.mu.Lock()
					if n := len(w.follows); n > most {
						t.Errorf("followed %d times in %v, more than the %d steps", n, lasts, most)
					}
					for what, n := range w.asked {
						if n > most {
							t.Errorf("%s was asked %d times in %v, more than the %d steps", what, n, lasts, most)
						}
					}
					w.mu.Unlock()
					if views > 5*steps {
						t.Errorf("%d views were made", views)
					}

					w.set(func() { w.storm = nil })
					w.pass(2 * backoffMost)
					shown, pending := shown(w.view())
					want := []string{"also meanwhile"}
					if !refused {
						want = append(want, "meanwhile")
					}
					w.want("shown", want, shown)
					w.want("pending", []string(nil), pending)
				})
			})
		}
	}
}
