//go:build !js

package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"parley/app/chat"
)

// An eventSource follows by one answer that never ends.
type eventSource struct{ *Caller }

func (s eventSource) Name() chat.Via { return chat.EventSource }

func (s eventSource) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		if err := s.follow(ctx, after, yield); err != nil && ctx.Err() == nil {
			yield(chat.Batch{}, err)
		}
	}
}

// errEnough says that the reader has had enough.
var errEnough = errors.New("enough")

func (s eventSource) follow(parent context.Context, after chat.Cursor, yield func(chat.Batch, error) bool) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	silent := time.AfterFunc(s.Quiet, func() { cancel(ErrSilent) })
	defer silent.Stop()

	r, err := s.request(ctx, s.Token, http.MethodGet, s.Base+s.feed(chat.EventSource, after), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/event-stream")
	if err := s.Gate.pass(); err != nil {
		return err
	}
	resp, err := s.HTTP.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("no answer from the server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		a, err := read(ctx, resp)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
		return a.fault()
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return &Astray{Status: resp.StatusCode, Page: strings.HasPrefix(kind, "text/html")}
	}
	for e, err := range events(resp.Body) {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
		// The reader's own time is not silence.
		silent.Stop()
		s.Gate.got(len(e.data))
		if err := handle(e, yield); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		silent.Reset(s.Quiet)
	}
	return fmt.Errorf("%w: %w", ErrCut, io.ErrUnexpectedEOF)
}

func handle(e sseEvent, yield func(chat.Batch, error) bool) error {
	switch e.name {
	case "batch":
		var b chat.Batch
		if err := json.Unmarshal(e.data, &b); err != nil {
			return fmt.Errorf("the server sent what is not a batch: %w", err)
		}
		if b.Cursor == "" {
			return errors.New("the server sent a batch without a cursor")
		}
		if !yield(b, nil) {
			return errEnough
		}
	case "reset", "bye":
		return farewell(e.name, e.data)
	}
	return nil
}
