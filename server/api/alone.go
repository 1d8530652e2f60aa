package api

import (
	"errors"
	"os"
	"time"

	"parley/app/chat"
)

// leave makes st alone. mu is held, on a goroutine of the server's.
func (st *stream) leave() {
	st.alone = true
	st.srv.running.Go(st.run)
}

// run is a stream alone. It returns when the stream is its shard's, or over.
func (st *stream) run() {
	st.bill.hold(1, 0)
	defer st.bill.hold(-1, 0)
	beat := time.NewTimer(st.beat)
	defer beat.Stop()
	st.mu.Lock()
	due := st.wrote.IsZero() // a stream begins with a batch, if need be an empty one
	st.mu.Unlock()
	for {
		st.mu.Lock()
		out, ended := st.rest, st.ended
		st.rest = nil
		st.mu.Unlock()
		switch {
		case len(out) > 0:
			if !st.push(out) {
				return
			}
			continue
		case ended:
			st.wire.part()
			return
		}
		st.dirty.Store(false)
		from := time.Now()
		entries, cursor, err := take(st.srv.ctx, st.watch)
		if err != nil {
			st.broken(err)
			continue
		}
		if len(entries) > 0 {
			st.given()
		}
		if st.form.whole != nil && (len(entries) > 0 || due) {
			st.mu.Lock()
			if !st.ended {
				st.conclude(st.form.whole(nil, entries, cursor))
			}
			st.mu.Unlock()
			continue
		}
		if out = st.frames(nil, entries); len(out) == 0 && due {
			out = st.form.beat(cursor)
		}
		st.bill.work.Add(int64(time.Since(from)))
		if len(out) > 0 {
			if !st.push(out) {
				return
			}
			due = false
			beat.Reset(st.beat)
			continue
		}
		if st.join() {
			return
		}
		select {
		case <-st.poke:
		case <-st.over:
		case <-beat.C:
			due = true
		}
	}
}

// push writes all of out, in pieces small enough for a slow reader to take each in
// time. It reports whether the stream goes on.
func (st *stream) push(out []byte) bool {
	st.pushing.Store(int64(cap(out)))
	defer st.pushing.Store(0)
	var last time.Time // for all that is left, however slowly it is taken, once the stream is over
	for len(out) > 0 {
		from := time.Now()
		until := from.Add(st.srv.Stall)
		select {
		case <-st.over:
			if st.form.whole == nil {
				if last.IsZero() {
					last = from.Add(min(st.srv.Stall, partTime))
				}
				until = last
			}
		default:
		}
		n, err := st.wire.write(out[:min(len(out), 8<<10)], until)
		// What takes longer than this waits for its reader.
		st.bill.work.Add(int64(min(time.Since(from), time.Millisecond)))
		st.bill.wrote(n)
		out = out[n:]
		if errors.Is(err, os.ErrDeadlineExceeded) && st.end(errSlow) {
			// Why it is over is for when it reads again. Its socket is as full as before, but now there may be more in it.
			st.wire.widen()
			err = nil
		}
		if err != nil {
			st.wire.cut()
			return false
		}
	}
	st.mu.Lock()
	st.wrote = time.Now()
	st.mu.Unlock()
	return true
}

// join gives st, which is level, to its shard; false when it has none or something came
// up.
func (st *stream) join() bool {
	sh := st.shard.Load()
	if sh == nil {
		return false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.rest) > 0 || st.ended {
		return false
	}
	st.alone = false
	// What came in the meantime found st alone: let the shard look.
	st.dirty.Store(true)
	sh.mark(st)
	return true
}

func (st *stream) broken(err error) {
	if st.srv.ctx.Err() == nil {
		st.srv.Log.Error("feed", "err", clip(err.Error(), 1_000))
	}
	st.end(&chat.Error{Code: chat.CodeUnavailable, Message: "the server can not read its log just now; come back with the cursor", RetryAfterMS: 2_000})
}
