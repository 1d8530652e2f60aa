package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"nhooyr.io/websocket"

	"parley/app/chat"
)

// A webSocket follows, sends and pings over one socket. What is sent while none is open
// goes by POST.
type webSocket struct {
	*Caller
	mu   sync.Mutex
	open []*socket // one for each Follow that goes on
}

// A socket is one connection, in the hands of one Follow.
type socket struct {
	conn    *websocket.Conn
	gate    *Gate
	box     *mailbox
	gone    chan struct{} // closed when nothing more will be read
	mu      sync.Mutex
	last    int64 // id of a request
	waiting map[int64]chan chat.Frame
}

type dialOptions = websocket.DialOptions

// browser says that the socket is the page's own, which differs in what one must not do:
// close it with most codes, read it with a deadline, or wait until it has closed.
const browser = runtime.GOOS == "js"

const (
	maxFrame  = 4 << 20          // bytes in a frame from the server
	writeWait = 10 * time.Second // for one request to leave
)

func (w *webSocket) Name() chat.Via { return chat.WebSocket }

func (w *webSocket) Follow(ctx context.Context, after chat.Cursor) iter.Seq2[chat.Batch, error] {
	return func(yield func(chat.Batch, error) bool) {
		s, err := w.dial(ctx, after)
		if err != nil {
			if ctx.Err() == nil {
				yield(chat.Batch{}, w.explain(ctx, after, err))
			}
			return
		}
		done := w.hold(s)
		defer done()
		for {
			b, err := s.box.take(ctx, w.Quiet)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(chat.Batch{}, w.explain(ctx, after, err))
				return
			}
			after = b.Cursor
			if !yield(b, nil) {
				return
			}
		}
	}
}

// explain finds out why a socket failed where the browser keeps it to itself.
func (w *webSocket) explain(ctx context.Context, after chat.Cursor, err error) error {
	if _, told := errors.AsType[*chat.Error](err); told || !browser || errors.Is(err, ErrSilent) {
		return err
	}
	return w.why(ctx, after, err)
}

func (w *webSocket) dial(ctx context.Context, after chat.Cursor) (*socket, error) {
	if err := w.Gate.pass(); err != nil {
		return nil, err
	}
	conn, err := w.connect(ctx, w.Base+w.feed(chat.WebSocket, after))
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	return &socket{conn: conn, gate: w.Gate, box: newMailbox(), gone: make(chan struct{}), waiting: map[int64]chan chat.Frame{}}, nil
}

func (w *webSocket) connect(ctx context.Context, url string) (*websocket.Conn, error) {
	if !browser {
		conn, resp, err := websocket.Dial(ctx, url, w.options())
		if err != nil {
			if told := refusal(ctx, resp); told != nil {
				return nil, told
			}
			return nil, fmt.Errorf("no connection to the server: %w", err)
		}
		return conn, nil
	}
	// A browser's socket that is still connecting can not be given up: it is left to a
	// goroutine that closes it should it open after all. The browser ends the wait.
	type opened struct {
		conn *websocket.Conn
		err  error
	}
	result := make(chan opened)
	go func() {
		conn, _, err := websocket.Dial(context.WithoutCancel(ctx), url, w.options())
		select {
		case result <- opened{conn, err}:
		case <-ctx.Done():
			if err == nil {
				_ = conn.Close(websocket.StatusNormalClosure, "")
			}
		}
	}()
	select {
	case o := <-result:
		if o.err != nil {
			return nil, fmt.Errorf("no connection to the server: %w", o.err)
		}
		return o.conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hold starts reading s and offers it to Send and Ping, until done.
func (w *webSocket) hold(s *socket) (done func()) {
	var reading sync.WaitGroup
	reading.Go(s.read)
	w.mu.Lock()
	w.open = append(w.open, s)
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		for i, o := range w.open {
			if o == s {
				w.open = append(w.open[:i:i], w.open[i+1:]...)
				break
			}
		}
		w.mu.Unlock()
		if browser {
			// Closing waits for the other side, which may be out of reach for long; the
			// reader ends with it.
			go func() { _ = s.conn.Close(websocket.StatusNormalClosure, "") }()
			return
		}
		_ = s.conn.CloseNow()
		reading.Wait()
	}
}

// read puts what comes where it belongs until the socket fails.
func (s *socket) read() {
	defer close(s.gone)
	defer s.box.rescue()
	for {
		_, data, err := s.conn.Read(context.Background())
		if err != nil {
			s.box.end(closed(err))
			return
		}
		s.gate.got(len(data))
		var f chat.Frame
		if err := json.Unmarshal(data, &f); err != nil {
			s.box.end(fmt.Errorf("the server sent what is not a frame: %w", err))
			return
		}
		switch {
		case f.ID != 0:
			s.answer(f)
		case f.Error != nil:
			s.box.end(f.Error)
		case f.Cursor != "":
			b := chat.Batch{Events: f.Events, Cursor: f.Cursor}
			for !s.box.put(b) {
				select {
				case <-s.box.room:
				case <-time.After(writeWait):
					s.box.end(fmt.Errorf("%w: what came was not read in time", ErrCut))
					return
				}
			}
		}
	}
}

// closed is the error that the end of a socket means.
func closed(err error) error {
	switch websocket.CloseStatus(err) {
	case chat.CloseReset:
		return chat.ErrReset
	case chat.CloseUnauthorized:
		return chat.ErrUnauthorized
	case chat.CloseRestart:
		return chat.Errorf(chat.CodeUnavailable, "the server restarts")
	default:
		return fmt.Errorf("%w: %w", ErrCut, err)
	}
}

// answer hands f to whoever waits for it.
func (s *socket) answer(f chat.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.waiting[f.ID]; ok {
		c <- f
		delete(s.waiting, f.ID)
	}
}

// request asks over the socket and waits for the answer.
func (s *socket) request(ctx context.Context, d *chat.Draft) (chat.Frame, error) {
	c := make(chan chat.Frame, 1)
	s.mu.Lock()
	s.last++
	id := s.last
	s.waiting[id] = c
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
	}()
	data, err := json.Marshal(chat.Request{ID: id, Send: d})
	if err != nil {
		return chat.Frame{}, chat.Errorf(chat.CodeInvalid, "this can not be sent: %v", err)
	}
	// A write that is given up breaks the socket for everyone, so one caller's
	// impatience must not be its deadline.
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	if err := s.conn.Write(out, websocket.MessageText, data); err != nil {
		return chat.Frame{}, fmt.Errorf("%w: %w", ErrCut, err)
	}
	s.gate.sent(len(data))
	select {
	case f := <-c:
		if f.Error != nil {
			return f, f.Error
		}
		return f, nil
	case <-s.gone:
		return chat.Frame{}, fmt.Errorf("%w before the answer came", ErrCut)
	case <-ctx.Done():
		return chat.Frame{}, context.Cause(ctx)
	}
}

// current is the socket that was opened last, or nil.
func (w *webSocket) current() *socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.open); n > 0 {
		return w.open[n-1]
	}
	return nil
}

func (w *webSocket) Send(ctx context.Context, d chat.Draft) (chat.Event, error) {
	s := w.current()
	if s == nil {
		return w.Caller.Send(ctx, d)
	}
	f, err := s.request(ctx, &d)
	if err != nil {
		return chat.Event{}, err
	}
	if f.Event == nil {
		return chat.Event{}, errors.New("the answer to a draft is not its event")
	}
	return *f.Event, nil
}

func (w *webSocket) Ping(ctx context.Context) (time.Duration, error) {
	s := w.current()
	if s == nil {
		return w.Caller.Ping(ctx)
	}
	start := time.Now()
	_, err := s.request(ctx, nil)
	return time.Since(start), err
}
