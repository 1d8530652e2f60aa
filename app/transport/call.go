package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/app/chat"
)

// A Caller asks the server over HTTP, one question at a time.
type Caller struct{ Config }

// NewCaller returns a Caller; of c it needs Base, Token and Wire, and Quiet to Peek.
func NewCaller(c Config) *Caller {
	if c.Quiet == 0 {
		c.Quiet = 45 * time.Second
	}
	c.Base = strings.TrimRight(c.Base, "/")
	c.Wire = c.Wire.ready()
	return &Caller{c}
}

// An answer is what came back.
type answer struct {
	status     int
	retryAfter string
	body       []byte
}

// maxAnswer bounds what is read of an answer; the largest is a Snapshot.
const maxAnswer = 64 << 20

// Call sends in as JSON, unless it is nil, and reads the answer into out, unless
// it is nil. A refusal is a *chat.Error; any other error is trouble on the way.
func (c *Caller) Call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return chat.Errorf(chat.CodeInvalid, "this can not be sent: %v", err)
		}
	}
	if err := c.Gate.pass(); err != nil {
		return err
	}
	c.Gate.sent(len(body))
	a, err := c.do(ctx, c.Token, method, c.Base+path, body)
	c.Gate.got(len(a.body))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("no answer from the server: %w", err)
	case a.status/100 != 2:
		return a.fault()
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return &Astray{Status: a.status, Page: a.page()}
	}
	return nil
}

// An Astray is an answer that is not the server's, or not whole: something on the way gave it.
type Astray struct {
	Status int
	Page   bool        // it is a page for people, such as networks show that want one to sign in
	Fault  *chat.Error // what it means, where the status says so
}

func (a *Astray) Error() string {
	if a.Fault != nil {
		return a.Fault.Message
	}
	return "the answer did not come from the server, or not whole"
}

// Unwrap lets the code of the fault be seen.
func (a *Astray) Unwrap() error {
	if a.Fault == nil {
		return nil
	}
	return a.Fault
}

// page reports whether the body is a page for people.
func (a answer) page() bool {
	return strings.HasPrefix(strings.TrimSpace(string(a.body[:min(len(a.body), 64)])), "<")
}

// fault is the error that an answer carries. Only the server's own words may say that
// something is final: what lies between here and there also answers 401 and 404.
func (a answer) fault() error {
	e := &chat.Error{}
	if json.Unmarshal(a.body, e) == nil && e.Code != "" {
		return e
	}
	e = chat.Errorf(chat.CodeUnavailable, "something on the way to the server answered with status %d", a.status)
	switch a.status {
	case 413:
		e.Code = chat.CodeTooLarge
	case 429:
		e.Code = chat.CodeRateLimited
	}
	if s, err := strconv.Atoi(a.retryAfter); err == nil && s > 0 && s <= 3600 {
		e.RetryAfterMS = int64(s) * 1000
	}
	return &Astray{Status: a.status, Page: a.page(), Fault: e}
}

// Send appends d by POST.
func (c *Caller) Send(ctx context.Context, d chat.Draft) (chat.Event, error) {
	var e chat.Event
	if err := c.Call(ctx, "POST", "/api/send", d, &e); err != nil {
		return chat.Event{}, err
	}
	if e.Room != d.Room {
		return chat.Event{}, errors.New("the answer to a draft is not its event")
	}
	return e, nil
}

// Ping measures the way there and back by a request that costs the server nothing.
func (c *Caller) Ping(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	err := c.Live(ctx)
	return time.Since(start), err
}

// Live asks whether the server answers, and nobody in its place.
func (c *Caller) Live(ctx context.Context) error {
	var out struct{ Alive bool }
	err := c.Call(ctx, "GET", "/livez", nil, &out)
	if err == nil && !out.Alive {
		err = &Astray{Status: 200}
	}
	return err
}

// Peek asks once for what there is after a cursor.
func (c *Caller) Peek(ctx context.Context, after chat.Cursor) (chat.Batch, error) {
	return c.put(ctx, c.feed(chat.Poll, after)+"&peek=1")
}

// feed is the path of a feed.
func (c *Caller) feed(via chat.Via, after chat.Cursor) string {
	path := "/api/feed?via=" + string(via) + "&after=" + url.QueryEscape(string(after))
	if c.Beat > 0 && via != chat.Poll {
		path += "&beat=" + strconv.Itoa(max(1, int(c.Beat/time.Second)))
	}
	return path
}

// ask puts the question of a poll.
func (c *Caller) ask(ctx context.Context, via chat.Via, after chat.Cursor) (chat.Batch, error) {
	return c.put(ctx, c.feed(via, after))
}

func (c *Caller) put(ctx context.Context, feed string) (chat.Batch, error) {
	ctx, cancel := Patient(ctx, c.Quiet, ErrSilent)
	defer cancel()
	var b chat.Batch
	if err := c.Call(ctx, "GET", feed, nil, &b); err != nil {
		return chat.Batch{}, err
	}
	if b.Cursor == "" {
		return chat.Batch{}, errors.New("the answer is not a batch: it has no cursor")
	}
	return b, nil
}

// why asks what a browser does not tell of a stream that failed: whether the
// server refused it. It returns that refusal, or what was said in its place, or err.
func (c *Caller) why(ctx context.Context, after chat.Cursor, err error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, told := c.ask(ctx, chat.Poll, after); told != nil {
		if e, ok := errors.AsType[*Astray](told); ok {
			return e
		}
		if e, ok := errors.AsType[*chat.Error](told); ok {
			return e
		}
	}
	return err
}
