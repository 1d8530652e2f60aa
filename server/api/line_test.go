package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"parley/app/chat"
)

// A line is a feed as it is on the wire: each read gives the next batch, or how
// it ended. It knows of transports only what package chat documents.
type line interface {
	// next returns a batch, or an *chat.Error for an end that was said, or another for one that was not.
	next() (chat.Batch, error)
	// raw is what the last next read, as it came.
	raw() []byte
	close()
}

// dial opens v's feed; edit may change the request. An answer that is no feed is
// returned as the *chat.Error in it.
func (v *visitor) dial(via chat.Via, after chat.Cursor, edit ...func(*http.Request)) (line, error) {
	v.t.Helper()
	q := v.request("GET", fmt.Sprintf("/api/feed?via=%s&after=%s", via, after), nil)
	for _, e := range edit {
		e(q)
	}
	switch via {
	case chat.WebSocket:
		return v.dialSocket(q)
	case chat.EventSource:
		return v.dialEvents(q)
	default:
		l := &polls{v: v, q: q, via: via}
		b, err := l.once()
		if err != nil {
			return nil, err
		}
		l.held = &b
		return l, nil
	}
}

type polls struct {
	v    *visitor
	q    *http.Request
	via  chat.Via
	held *chat.Batch
	last []byte
}

func (p *polls) once() (chat.Batch, error) {
	res, err := p.v.client.Do(p.q.Clone(p.q.Context())) // the jar adds its cookies to what it is given
	if err != nil {
		return chat.Batch{}, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return chat.Batch{}, refusal(res)
	}
	var b chat.Batch
	if p.last, err = io.ReadAll(res.Body); err == nil {
		err = json.Unmarshal(p.last, &b)
	}
	if err != nil {
		return b, err
	}
	u := p.q.URL.Query()
	u.Set("after", string(b.Cursor))
	p.q = p.q.Clone(p.q.Context())
	p.q.URL.RawQuery = u.Encode()
	return b, nil
}

func (p *polls) next() (chat.Batch, error) {
	if p.held != nil {
		b := *p.held
		p.held = nil
		return b, nil
	}
	return p.once()
}

func (p *polls) raw() []byte { return p.last }

func (p *polls) close() {}

func refusal(res *http.Response) error {
	var e chat.Error
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Code.Status() != res.StatusCode {
		return fmt.Errorf("status %s without an error: %w", res.Status, errors.Join(err))
	}
	return &e
}

type events struct {
	res *http.Response
	in  *bufio.Scanner
	end context.CancelFunc

	last []byte
}

func (v *visitor) dialEvents(q *http.Request) (line, error) {
	ctx, cancel := context.WithCancel(q.Context())
	res, err := v.client.Do(q.WithContext(ctx))
	if err == nil && res.StatusCode != http.StatusOK {
		err = refusal(res)
		_ = res.Body.Close()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 4<<20)
	return &events{res: res, in: in, end: cancel}, nil
}

func (e *events) next() (chat.Batch, error) {
	var name, id, data string
	for e.in.Scan() {
		key, value, _ := strings.Cut(e.in.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data, e.last = value, []byte(value)
		case "":
			if name == "" { // retry
				continue
			}
			if name != "batch" {
				var fault chat.Error
				if err := json.Unmarshal([]byte(data), &fault); err != nil {
					return chat.Batch{}, err
				}
				return chat.Batch{}, &fault
			}
			var b chat.Batch
			if err := json.Unmarshal([]byte(data), &b); err != nil {
				return b, err
			}
			if id != string(b.Cursor) {
				return b, fmt.Errorf("id %q is not the cursor %q", id, b.Cursor)
			}
			return b, nil
		}
	}
	return chat.Batch{}, errors.Join(io.EOF, e.in.Err())
}

func (e *events) raw() []byte { return e.last }

func (e *events) close() {
	e.end()
	_ = e.res.Body.Close()
}

// A socket also sends; answers that come between batches are kept.
type socket struct {
	c       *websocket.Conn
	answers []chat.Frame
	last    []byte
}

func (v *visitor) dialSocket(q *http.Request) (line, error) {
	// nhooyr's client must not be given a transport that speaks HTTP/2.
	tr := v.client.Transport.(*http.Transport).Clone()
	if tr.TLSClientConfig != nil {
		tr.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP1(true)
	v.t.Cleanup(tr.CloseIdleConnections)
	o := &websocket.DialOptions{HTTPHeader: q.Header, HTTPClient: &http.Client{Transport: tr, Jar: v.client.Jar}, Host: q.Host}
	c, res, err := websocket.Dial( //nolint:bodyclose // there is none to close: see Dial
		q.Context(), q.URL.String(), o)
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return nil, refusal(res)
		}
		return nil, err
	}
	c.SetReadLimit(4 << 20)
	return &socket{c: c}, nil
}

// closes are what close codes mean.
var closes = map[websocket.StatusCode]*chat.Error{
	chat.CloseReset: chat.ErrReset, chat.CloseUnauthorized: chat.ErrUnauthorized, chat.CloseRestart: chat.ErrUnavailable,
}

func (s *socket) frame() (f chat.Frame, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := s.c.Read(ctx)
	if e := closes[websocket.CloseStatus(err)]; e != nil {
		return f, e
	}
	if err != nil {
		return f, err
	}
	s.last = b
	return f, json.Unmarshal(b, &f)
}

func (s *socket) next() (chat.Batch, error) {
	for {
		f, err := s.frame()
		if err == nil && f.ID == 0 && f.Error != nil {
			return chat.Batch{}, f.Error
		}
		if err != nil || f.Cursor != "" {
			return chat.Batch{Events: f.Events, Cursor: f.Cursor}, err
		}
		s.answers = append(s.answers, f)
	}
}

// ask sends a request and waits for its answer; batches meanwhile are dropped.
func (s *socket) ask(t testing.TB, q any) chat.Frame {
	t.Helper()
	b, ok := q.(string)
	if !ok {
		j, err := json.Marshal(q)
		must(t, err)
		b = string(j)
	}
	must(t, s.c.Write(t.Context(), websocket.MessageText, []byte(b)))
	for {
		f, err := s.frame()
		must(t, err)
		if f.Cursor == "" {
			return f
		}
	}
}

func (s *socket) raw() []byte { return s.last }

func (s *socket) close() { _ = s.c.CloseNow() }

// until reads batches until one has an event that is wanted, or the feed ends.
func until(l line, want func(chat.Event) bool) (seen []chat.Event, err error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		b, err := l.next()
		if err != nil {
			return seen, err
		}
		for _, e := range b.Events {
			seen = append(seen, e)
			if want(e) {
				return seen, nil
			}
		}
	}
	return seen, errors.New("it did not come in time")
}

func texts(events []chat.Event) (list []string) {
	for _, e := range events {
		if e.Message != nil {
			list = append(list, e.Message.Text)
		}
	}
	return list
}
