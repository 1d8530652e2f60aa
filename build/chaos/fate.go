package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"parley/app/chat"
	"parley/build/chaos/proxy"
)

// Ruin says which part of all drafts meets what.
type Ruin struct {
	Early float64 // the connection is cut once the draft is written
	Late  float64 // … when the answer begins to arrive
	Again float64 // the answer is read; then the same is sent again, as if it had not been
	Twice float64 // the same is sent at the same instant over two connections
	Clash float64 // something else is sent under the same nonce, afterwards
}

// A fate is what becomes of the first try of a draft.
type fate int

const (
	none fate = iota
	early
	late
	again
	twice
)

func (s *sender) fate() fate {
	x := s.rand.Float64()
	for _, f := range []struct {
		fate fate
		part float64
	}{{early, s.ruin.Early}, {late, s.ruin.Late}, {again, s.ruin.Again}, {twice, s.ruin.Twice}} {
		if x -= f.part; x < 0 {
			return f.fate
		}
	}
	return none
}

var errRuined = errors.New("the answer was destroyed on purpose")

// tryTime is how long one try may take.
const tryTime = 10 * time.Second

// try sends a draft once, over the sender's link or by itself.
func (s *sender) try(ctx context.Context, d chat.Draft, body []byte, f fate) (chat.Event, error) {
	if s.link == nil {
		return s.post(ctx, body, f)
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	if f == early || f == late {
		// The answer, or the event itself, which is no earlier, is among the first to come: it is cut in the middle.
		defer s.line.Suffer(proxy.Fault{Cut: 1 + s.rand.IntN(100)})()
	}
	return s.link.Send(ctx, d)
}

// post sends a draft once, by a request of its own.
func (s *sender) post(ctx context.Context, body []byte, f fate) (chat.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	switch f {
	case early:
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }})
	case late:
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: cancel})
	default: // it is left alone
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.w.srv.Base()+"/api/send", bytes.NewReader(body))
	if err != nil {
		return chat.Event{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.acct.Token)
	res, err := s.http.Do(req)
	if f == early || f == late {
		if err == nil {
			_ = res.Body.Close()
		}
		return chat.Event{}, errRuined
	}
	if err != nil {
		return chat.Event{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return chat.Event{}, err
	}
	if res.StatusCode != http.StatusOK {
		fault := &chat.Error{}
		if json.Unmarshal(b, fault) != nil || fault.Code.Status() != res.StatusCode {
			return chat.Event{}, fmt.Errorf("%s: %.200q", res.Status, b)
		}
		return chat.Event{}, fault
	}
	var e chat.Event
	if err := json.Unmarshal(b, &e); err != nil {
		return chat.Event{}, fmt.Errorf("an answer that is cut: %w", err)
	}
	return e, nil
}
