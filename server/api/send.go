package api

import (
	"context"
	"time"

	"parley/app/chat"
	"parley/server/auth"
)

// sendTime bounds how long a commit may take before its sender is told to ask again.
const sendTime = 10 * time.Second

// send appends a draft for someone who has been authenticated. It is the one way in: of a
// POST and of the socket alike.
func (s *Server) send(ctx context.Context, who auth.Identity, d chat.Draft) (chat.Event, error) {
	if err := s.Accounts.Limits.Send(who.User.ID); err != nil {
		return chat.Event{}, err
	}
	if err := d.Validate(); err != nil {
		return chat.Event{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	e, err := s.Hub.Send(ctx, who.User.ID, d)
	return e, s.unclear(ctx, err)
}

// unclear turns the end of patience into what it means: nobody knows whether it was appended.
func (s *Server) unclear(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &chat.Error{Code: chat.CodeUnavailable, Message: "the server did not finish in time; send the same again", RetryAfterMS: 1_000}
	}
	return err
}

func (s *Server) post(x *exchange) error {
	var d chat.Draft
	if err := x.read(&d); err != nil {
		return err
	}
	e, err := s.send(x.r.Context(), x.who, d)
	if err != nil {
		return err
	}
	return x.reply(e)
}
