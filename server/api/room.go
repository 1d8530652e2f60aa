package api

import (
	"context"
	"strconv"

	"parley/app/chat"
)

func (s *Server) snapshot(x *exchange) error {
	snap, err := s.Hub.Snapshot(x.r.Context(), x.who.User.ID)
	if err != nil {
		return err
	}
	return x.reply(snap)
}

func (s *Server) rooms(x *exchange) error {
	list, err := s.Hub.PublicRooms(x.r.Context(), x.who.User.ID)
	if err != nil {
		return err
	}
	if list == nil {
		list = []chat.Room{}
	}
	return x.reply(list)
}

func (s *Server) newRoom(x *exchange) error {
	var n chat.NewRoom
	if err := x.read(&n); err != nil {
		return err
	}
	if err := s.Accounts.Limits.Send(x.who.User.ID); err != nil {
		return err
	}
	if err := n.Validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), sendTime)
	defer cancel()
	room, err := s.Hub.CreateRoom(ctx, x.who.User.ID, n)
	if err != nil {
		return s.unclear(ctx, err)
	}
	return x.reply(room)
}

func (s *Server) history(x *exchange) error {
	q := x.r.URL.Query()
	before, err := number(q.Get("before"))
	if err != nil {
		return err
	}
	limit, err := number(q.Get("limit"))
	if err != nil {
		return err
	}
	if limit == 0 || limit > chat.MaxPage {
		limit = chat.MaxPage
	}
	h, err := s.Hub.History(x.r.Context(), x.who.User.ID, chat.RoomID(x.r.PathValue("room")), chat.Seq(before), int(limit))
	if err != nil {
		return err
	}
	if h.Events == nil {
		h.Events = []chat.Event{}
	}
	return x.reply(h)
}

func (s *Server) digest(x *exchange) error {
	q := x.r.URL.Query()
	from, err := number(q.Get("from"))
	if err != nil {
		return err
	}
	to, err := number(q.Get("to"))
	if err != nil {
		return err
	}
	d, err := s.Hub.Digest(x.r.Context(), x.who.User.ID, chat.RoomID(x.r.PathValue("room")), chat.Seq(from), chat.Seq(to))
	if err != nil {
		return err
	}
	// A thousand events cost about what another question does, and how many there were is known now.
	for range d.Count / 1_000 {
		if s.Accounts.Limits.Read(x.who.User.ID) != nil {
			break // the next question waits for it
		}
	}
	return x.reply(d)
}

// number reads a number of the query; without one it is 0.
func number(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, chat.Errorf(chat.CodeInvalid, "before, limit, from and to are whole numbers")
	}
	return n, nil
}
