package child

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/app/chat"
)

// An Account is a user of the server, and what they show to prove it.
type Account struct {
	Name    string
	ID      chat.UserID // of those made by AddUsers
	Token   string      // of a program
	Session string      // the cookie of a browser, which is shown instead if it is set
}

// AddUser makes a user and a token, whether the server runs or not. A name that is there already is an error.
func (s *Server) AddUser(ctx context.Context, name string) (*Account, error) {
	if _, err := s.command(ctx, "correct horse "+name+"\n", "user", "add", name); err != nil {
		return nil, err
	}
	token, err := s.command(ctx, "", "token", name)
	if err != nil {
		return nil, err
	}
	return &Account{Name: name, Token: token}, nil
}

// Proof is the headers that say who asks.
func (s *Server) Proof(a *Account) map[string]string {
	if a.Session == "" {
		return map[string]string{"Authorization": "Bearer " + a.Token}
	}
	_, port, _ := strings.Cut(s.addr, ":")
	return map[string]string{"Cookie": "sid" + port + "=" + a.Session, "Sec-Fetch-Site": "same-origin"}
}

// Ask does one request over plain HTTP; what is neither 200 nor 204 is an *chat.Error. out may be nil.
func (s *Server) Ask(ctx context.Context, a *Account, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var body io.Reader
	if in != nil {
		j, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Base()+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.Proof(a) {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent {
		fault := &chat.Error{}
		if err := json.Unmarshal(b, fault); err != nil || fault.Code == "" {
			return fmt.Errorf("%s %s: %s: %.200q", method, path, res.Status, b)
		}
		return fmt.Errorf("%s %s: %s: %w", method, path, res.Status, fault)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// persist asks until the server answers: it may be down just now.
func (s *Server) persist(ctx context.Context, a *Account, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.Ask(ctx, a, method, path, in, out)
		if err == nil || chat.Final(err) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Snapshot asks for what a knows.
func (s *Server) Snapshot(ctx context.Context, a *Account) (chat.Snapshot, error) {
	var snap chat.Snapshot
	err := s.persist(ctx, a, http.MethodGet, "/api/snapshot", nil, &snap)
	return snap, err
}

// CreateRoom asks for a room.
func (s *Server) CreateRoom(ctx context.Context, a *Account, n chat.NewRoom) error {
	var room chat.Room // which a server that is broken on purpose need not know
	return s.persist(ctx, a, http.MethodPost, "/api/rooms", n, &room)
}

// Log reads a room from its newest event back to its first, and returns it in order.
func (s *Server) Log(ctx context.Context, a *Account, room chat.RoomID) ([]chat.Event, error) {
	var pages [][]chat.Event
	before := chat.Seq(0)
	for {
		q := url.Values{"limit": {strconv.Itoa(chat.MaxPage)}}
		if before > 0 {
			q.Set("before", strconv.FormatInt(int64(before), 10))
		}
		var page chat.History
		if err := s.persist(ctx, a, http.MethodGet, "/api/rooms/"+string(room)+"/events?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		pages = append(pages, page.Events)
		if !page.More {
			break
		}
		if len(page.Events) == 0 || before > 0 && page.Events[0].Seq >= before {
			return nil, fmt.Errorf("the page of %s before %d leads nowhere", room, before)
		}
		before = page.Events[0].Seq
	}
	slices.Reverse(pages)
	return slices.Concat(pages...), nil
}
