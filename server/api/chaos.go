package api

import (
	"parley/app/chat"
	"parley/server/toxic"
)

// errNoChaos is what the chaos switch says where it is not.
func errNoChaos() error {
	return chat.Errorf(chat.CodeForbidden, "this server can not make its network bad on purpose; start it with --dev for that")
}

// chaosOf returns the network of a server that was started to have a bad one, for its owner.
func (s *Server) chaosOf(x *exchange) (*toxic.Net, error) {
	switch {
	case !x.who.User.Owner:
		return nil, chat.Errorf(chat.CodeForbidden, "only the owner of the server may do this")
	case s.Chaos == nil:
		return nil, errNoChaos()
	}
	return s.Chaos, nil
}

func (s *Server) chaos(x *exchange) error {
	n, err := s.chaosOf(x)
	if err != nil {
		return err
	}
	return x.reply(chat.Chaos{Faults: n.Faults(), Sessions: s.followers.list(x)})
}

func (s *Server) setChaos(x *exchange) error {
	n, err := s.chaosOf(x)
	if err != nil {
		return err
	}
	var c chat.Chaos
	if err := x.read(&c); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	n.Set(c.Faults)
	s.Log.Warn("chaos", "faults", len(c.Faults), "by", string(x.who.User.ID))
	return x.reply(chat.Chaos{Faults: n.Faults(), Sessions: s.followers.list(x)})
}

// strike has a request suffer what there is for it: only feeds and sends do, so that
// faults can always be taken away.
func (s *Server) strike(x *exchange, rt route) {
	if s.Chaos == nil {
		return
	}
	switch ctx := x.r.Context(); {
	case rt.cost == feeding:
		via := chat.Via(x.r.URL.Query().Get("via"))
		s.followers.add(x, via)
		s.Chaos.Strike(ctx, via, x.who.Grant)
	case rt.pattern == sendPattern:
		s.Chaos.Strike(ctx, "", x.who.Grant)
	default:
		s.Chaos.Spare(ctx)
	}
}
