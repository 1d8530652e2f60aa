package hub

import (
	"context"
	"errors"
	"math"

	"parley/app/chat"
)

// CreateRoom makes a room for u, or finds the direct room of the same people, or
// the one made with the same nonce before.
func (h *Hub) CreateRoom(ctx context.Context, u chat.UserID, n chat.NewRoom) (chat.Room, error) {
	if err := n.Validate(); err != nil {
		return chat.Room{}, err
	}
	res, err := h.submit(ctx, Append{From: u, Create: &n})
	if err != nil {
		return chat.Room{}, err
	}
	return h.store.Room(ctx, u, res.Room)
}

// Admit gives u what every user has: a self room, and a place in the first public
// room, if there is one and it is not full. It may be called again, and does nothing then: who left
// that room is not brought back. Whoever asked may be gone meanwhile: both are done, or they would miss that room for good.
func (h *Hub) Admit(ctx context.Context, u chat.UserID) error {
	ctx = context.WithoutCancel(ctx)
	res, err := h.submit(ctx, Append{From: u, Create: &chat.NewRoom{Nonce: "parley-self", Kind: chat.Self}})
	if err != nil || len(res.New) == 0 {
		return err
	}
	first, err := h.store.First(ctx)
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = h.submit(ctx, Append{From: u, Draft: chat.Draft{Nonce: "parley-first", Room: first,
		Body: chat.Body{Member: &chat.Member{User: u, State: chat.Joined}}}})
	if chat.CodeOf(err) == chat.CodeTooLarge {
		return nil
	}
	return err
}

// Snapshot reads where u's client begins. Its cursor is not ahead of the feed.
func (h *Hub) Snapshot(ctx context.Context, u chat.UserID) (chat.Snapshot, error) {
	s, pos, err := h.store.Snapshot(ctx, u)
	if err != nil {
		return chat.Snapshot{}, err
	}
	if pos > h.head.Load().pos {
		if err := h.settle(ctx); err != nil {
			return chat.Snapshot{}, err
		}
	}
	var at place
	s.Online, at = h.online(s.Users, pos)
	s.Cursor = h.mint(at)
	return s, nil
}

// History reads a page of a room's events before seq, 0 for the newest.
func (h *Hub) History(ctx context.Context, u chat.UserID, room chat.RoomID, before chat.Seq, limit int) (chat.History, error) {
	return h.store.Before(ctx, u, room, before, min(max(limit, 1), chat.MaxPage))
}

// Digest says what u may read of a room from one Seq to another, 0 for the newest. It may
// be ahead of the feed, and says by how much.
func (h *Hub) Digest(ctx context.Context, u chat.UserID, room chat.RoomID, from, to chat.Seq) (chat.Digest, error) {
	if to == 0 {
		to = math.MaxInt64
	}
	return h.store.Digest(ctx, u, room, max(from, 1), to)
}

// PublicRooms lists the public rooms that u may join.
func (h *Hub) PublicRooms(ctx context.Context, u chat.UserID) ([]chat.Room, error) {
	return h.store.Public(ctx, u, 500)
}
