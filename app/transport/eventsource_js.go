package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"syscall/js"

	"parley/app/chat"
)

// An eventSource follows by the page's own EventSource.
type eventSource struct{ *Caller }

func (s eventSource) Name() chat.Via { return chat.EventSource }

func (s eventSource) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		if err := s.Gate.pass(); err != nil {
			yield(chat.Batch{}, err)
			return
		}
		box := newMailbox()
		stop := listen(s.Base+s.feed(chat.EventSource, after), box, s.Gate)
		defer stop()
		for {
			b, err := box.take(ctx, s.Quiet)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				// An EventSource would try again by itself, at its own pace and
				// without a word about what happened: close it at its first error.
				stop()
				if _, told := errors.AsType[*chat.Error](err); !told && !errors.Is(err, ErrSilent) {
					err = s.why(ctx, after, err)
				}
				yield(chat.Batch{}, err)
				return
			}
			after = b.Cursor
			if !yield(b, nil) {
				return
			}
		}
	}
}

// listen opens an EventSource that fills the mailbox, until stop.
func listen(url string, box *mailbox, gate *Gate) (stop func()) {
	defer box.rescue()
	var source js.Value
	var funcs []js.Func
	stop = func() {
		if funcs == nil {
			return
		}
		source.Call("close")
		for _, f := range funcs {
			f.Release()
		}
		funcs = nil
	}
	source = js.Global().Get("EventSource").New(url)
	on := func(event string, f func(data string)) {
		g := js.FuncOf(func(_ js.Value, args []js.Value) any {
			defer box.rescue()
			data := ""
			if v := args[0].Get("data"); v.Type() == js.TypeString {
				data = v.String()
			}
			f(data)
			return nil
		})
		funcs = append(funcs, g)
		source.Call("addEventListener", event, g)
	}
	on("batch", func(data string) {
		gate.got(len(data))
		var b chat.Batch
		if err := json.Unmarshal([]byte(data), &b); err != nil || b.Cursor == "" {
			box.end(fmt.Errorf("the server sent what is not a batch: %.100q", data))
		} else if !box.put(b) {
			box.end(fmt.Errorf("%w: what came was not read in time", ErrCut))
		}
	})
	for _, last := range [...]string{"reset", "bye"} {
		on(last, func(data string) { box.end(farewell(last, []byte(data))) })
	}
	on("error", func(string) { box.end(ErrCut) })
	return stop
}
