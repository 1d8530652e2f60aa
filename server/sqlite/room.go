package sqlite

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"parley/app/chat"
	"parley/server/hub"
)

const (
	shown     = 50    // newest events of each room in a snapshot
	maxUnread = 1_000 // more unread messages than this are not counted
	maxLooked = 5_000 // of the newest events of a room, for what is unread
)

// Before implements hub.Store.
func (s *Store) Before(ctx context.Context, u chat.UserID, id chat.RoomID, seq chat.Seq, limit int) (page chat.History, err error) {
	err = s.view(ctx, "reading a room's history", func(v *view) error {
		who, num, kind, err := v.member(u, id)
		if err != nil {
			return err
		}
		if page, err = v.before(who, num, kind, seq, max(1, limit)); err == nil {
			page.Users, err = v.gone(num, page.Events)
		}
		return err
	})
	return page, err
}

// member finds a room that the user is in now.
func (v *view) member(u chat.UserID, id chat.RoomID) (who, num int64, kind chat.RoomKind, err error) {
	if who, err = v.user(u); err != nil {
		return 0, 0, "", err
	}
	ok, err := v.row([]any{&num, &kind}, `
		SELECT r.num, r.kind FROM rooms r CROSS JOIN spans s ON s.room = r.num AND s.user = ? AND s.to_pos = 0
		WHERE r.id = ?`, who, string(id))
	if err == nil && !ok {
		err = chat.ErrNotFound
	}
	return who, num, kind, err
}

// A stretch is events of a room that may be read: from ≤ Seq < to.
type stretch struct{ from, to chat.Seq }

// readable finds what a user who is in a room may read of it before seq, the newest first.
func (v *view) readable(who, room int64, kind chat.RoomKind, seq chat.Seq) (list []stretch, err error) {
	if kind == chat.Public {
		return []stretch{{1, seq}}, nil
	}
	rows, err := v.query(`SELECT from_seq, to_seq FROM spans WHERE user = ? AND room = ? ORDER BY from_pos DESC`, who, room)
	err = each(rows, err, func(s scan) error {
		var st stretch
		if err := s(&st.from, &st.to); err != nil {
			return err
		}
		if st.to == 0 || st.to > seq {
			st.to = seq
		}
		if st.from < st.to {
			list = append(list, st)
		}
		return nil
	})
	return list, err
}

// before reads a page of a room that the user is in, without its users.
func (v *view) before(who, room int64, kind chat.RoomKind, seq chat.Seq, limit int) (page chat.History, err error) {
	if seq <= 0 {
		seq = math.MaxInt64
	}
	readable, err := v.readable(who, room, kind, seq)
	if err != nil {
		return page, err
	}
	page.Events = []chat.Event{}
	for _, st := range readable {
		found, err := v.events(sqlEvents+`WHERE e.room = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`,
			room, int64(st.from), int64(st.to), limit+1-len(page.Events))
		if err != nil {
			return page, err
		}
		for _, l := range found {
			page.Events = append(page.Events, l.Event)
		}
		if len(page.Events) > limit {
			page.Events, page.More = page.Events[:limit], true
			break
		}
	}
	slices.Reverse(page.Events)
	return page, nil
}

// gone reads who wrote events of a page and is not in the room any more: the
// reader has not heard of them otherwise.
func (v *view) gone(room int64, page []chat.Event) (users []chat.User, err error) {
	if len(page) == 0 {
		return nil, nil
	}
	// By name, and not by what lies between the page's ends: between two memberships there may be any number of events that
	// are not for this reader.
	wrote, err := authors(page)
	if err != nil {
		return nil, err
	}
	rows, err := v.query(`
		SELECT u.id, u.name, u.owner FROM json_each(?1) CROSS JOIN users u ON u.id = value
		WHERE NOT EXISTS (SELECT 1 FROM spans s WHERE s.room = ?2 AND s.user = u.num AND s.to_pos = 0)
		ORDER BY u.num`, wrote, room)
	return users, each(rows, err, func(s scan) error {
		var u chat.User
		err := s(&u.ID, &u.Name, &u.Owner)
		users = append(users, u)
		return err
	})
}

// authors lists who wrote the events, each once, for json_each.
func authors(pages ...[]chat.Event) (list string, err error) {
	ids := make([]chat.UserID, 0, 8)
	seen := make(map[chat.UserID]bool)
	for _, page := range pages {
		for _, e := range page {
			if !seen[e.From] {
				seen[e.From] = true
				ids = append(ids, e.From)
			}
		}
	}
	b, err := json.Marshal(ids)
	return string(b), err
}

// Digest implements hub.Store.
func (s *Store) Digest(ctx context.Context, u chat.UserID, id chat.RoomID, from, to chat.Seq) (d chat.Digest, err error) {
	err = s.view(ctx, "comparing a room", func(v *view) error {
		who, num, kind, err := v.member(u, id)
		if err != nil {
			return err
		}
		d = chat.Digest{From: from}
		if _, err := v.row([]any{&d.Head}, `SELECT coalesce(max(seq), 0) FROM events WHERE room = ?`, num); err != nil {
			return err
		}
		d.To = min(to, d.Head)
		if n := d.To - from + 1; n > chat.MaxDigest {
			return &chat.Error{Code: chat.CodeTooLarge, Message: "too many events at once; ask for a part of them", Max: chat.MaxDigest, Got: int(n)}
		}
		readable, err := v.readable(who, num, kind, d.To+1)
		if err != nil {
			return err
		}
		for _, st := range readable {
			rows, err := v.query(sqlEvents+`WHERE e.room = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq`,
				num, int64(max(st.from, from)), int64(st.to))
			err = each(rows, err, func(s scan) error {
				l, err := scanEvent(s)
				if err != nil {
					return err
				}
				return d.Add(l.Event)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return d, err
}

// Snapshot implements hub.Store. Unread counts at most 1,000 messages of a room, of its newest 5,000 events.
func (s *Store) Snapshot(ctx context.Context, u chat.UserID) (snap chat.Snapshot, pos hub.Pos, err error) {
	err = s.view(ctx, "reading a snapshot", func(v *view) error {
		if pos, err = v.head(); err != nil {
			return err
		}
		who, err := v.user(u)
		if err != nil {
			return err
		}
		snap = chat.Snapshot{You: u}
		if snap.Rooms, err = v.rooms(who, ""); err != nil {
			return err
		}
		for _, r := range snap.Rooms {
			if r.Kind == chat.Self {
				snap.Self = r.ID
			}
		}
		snap.Users, err = v.users(who, snap.Rooms)
		return err
	})
	return snap, pos, err
}

// Room implements hub.Store.
func (s *Store) Room(ctx context.Context, u chat.UserID, id chat.RoomID) (room chat.Room, err error) {
	if id == "" { // which to rooms is all of them
		return room, chat.ErrNotFound
	}
	err = s.view(ctx, "reading a room", func(v *view) error {
		who, err := v.user(u)
		if err != nil {
			return err
		}
		rooms, err := v.rooms(who, id)
		if err != nil {
			return err
		}
		if len(rooms) == 0 {
			return chat.ErrNotFound
		}
		room = rooms[0]
		return nil
	})
	return room, err
}

// Public implements hub.Store.
func (s *Store) Public(ctx context.Context, u chat.UserID, limit int) (rooms []chat.Room, err error) {
	err = s.view(ctx, "reading the public rooms", func(v *view) error {
		who, err := v.user(u)
		if err != nil {
			return err
		}
		rooms = []chat.Room{}
		rows, err := v.query(`
			SELECT r.id, r.kind, r.name, r.topic, u.id, (SELECT coalesce(max(seq), 0) FROM events WHERE room = r.num),
			  (SELECT count(*) FROM spans s WHERE s.room = r.num AND s.to_pos = 0)
			FROM rooms r CROSS JOIN users u ON u.num = r.creator
			WHERE r.kind = 'public' AND NOT EXISTS (SELECT 1 FROM spans s WHERE s.room = r.num AND s.user = ? AND s.to_pos = 0)
			ORDER BY r.num LIMIT ?`, who, max(0, limit))
		return each(rows, err, func(s scan) error {
			var r chat.Room
			err := s(&r.ID, &r.Kind, &r.Name, &r.Topic, &r.Creator, &r.Head, &r.Size)
			rooms = append(rooms, r)
			return err
		})
	})
	return rooms, err
}

// First implements hub.Store.
func (s *Store) First(ctx context.Context) (id chat.RoomID, err error) {
	err = s.view(ctx, "reading the first room", func(v *view) error {
		ok, err := v.row([]any{&id}, `SELECT id FROM rooms WHERE kind = 'public' ORDER BY num LIMIT 1`)
		if err == nil && !ok {
			return chat.ErrNotFound
		}
		return err
	})
	return id, err
}

// Spans implements hub.Store.
func (s *Store) Spans(ctx context.Context, u chat.UserID) (spans []hub.Span, err error) {
	err = s.view(ctx, "reading memberships", func(v *view) error {
		who, err := v.user(u)
		if err != nil {
			return err
		}
		rows, err := v.query(`
			SELECT r.id, s.from_pos, s.to_pos FROM spans s CROSS JOIN rooms r ON r.num = s.room
			WHERE s.user = ? ORDER BY s.from_pos`, who)
		return each(rows, err, func(s scan) error {
			var sp hub.Span
			err := s(&sp.Room, &sp.From, &sp.To)
			spans = append(spans, sp)
			return err
		})
	})
	return spans, err
}
