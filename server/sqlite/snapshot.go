package sqlite

import "parley/app/chat"

// rooms reads the rooms that the user is in now, or only the one.
func (v *view) rooms(who int64, only chat.RoomID) ([]chat.Room, error) {
	// Not unread is what came while the user was away, nor what was deleted, which is of another kind by now. Only the newest
	// events are looked at: who spoke alone in a room for years has nothing unread there, and need not walk through it to know.
	const text = `
		SELECT r.num, r.id, r.kind, r.name, r.topic, c.id,
		  (SELECT coalesce(max(seq), 0) FROM events WHERE room = r.num),
		  coalesce(m.seq, 0),
		  (SELECT count(*) FROM (
		    SELECT 1 FROM spans x CROSS JOIN events e ON e.room = x.room
		      AND e.seq >= max(x.from_seq, coalesce(m.seq, 0) + 1, (SELECT max(seq) FROM events WHERE room = x.room) - ?4 + 1)
		      AND e.seq < CASE x.to_seq WHEN 0 THEN 9223372036854775807 ELSE x.to_seq END
		    WHERE x.user = s.user AND x.room = s.room
		      AND e.kind = 'message' AND e.sender <> s.user
		    LIMIT ?3))
		FROM spans s CROSS JOIN rooms r ON r.num = s.room CROSS JOIN users c ON c.num = r.creator
		LEFT JOIN marks m ON m.user = s.user AND m.room = s.room
		WHERE s.user = ?1 AND s.to_pos = 0 AND (?2 = '' OR r.id = ?2)
		ORDER BY r.num`
	rooms := []chat.Room{}
	at := map[int64]int{} // the room's number to its place in rooms
	rows, err := v.query(text, who, string(only), maxUnread, maxLooked)
	err = each(rows, err, func(s scan) error {
		var num int64
		var r chat.Room
		err := s(&num, &r.ID, &r.Kind, &r.Name, &r.Topic, &r.Creator, &r.Head, &r.Read, &r.Unread)
		at[num] = len(rooms)
		rooms = append(rooms, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	for num, i := range at {
		page, err := v.before(who, num, rooms[i].Kind, 0, shown)
		if err != nil {
			return nil, err
		}
		rooms[i].Events, rooms[i].More = page.Events, page.More
	}
	rows, err = v.query(`
		SELECT o.room, u.id FROM spans s CROSS JOIN spans o ON o.room = s.room AND o.to_pos = 0
		CROSS JOIN users u ON u.num = o.user WHERE s.user = ?1 AND s.to_pos = 0 AND (?2 = '' OR s.room = (SELECT num FROM rooms WHERE id = ?2))
		ORDER BY o.from_pos, u.id`, who, string(only))
	return rooms, each(rows, err, func(s scan) error {
		var num int64
		var id chat.UserID
		err := s(&num, &id)
		r := &rooms[at[num]]
		r.Members = append(r.Members, id)
		return err
	})
}

// users reads who is in the rooms, and who else wrote what is shown of them.
func (v *view) users(who int64, rooms []chat.Room) ([]chat.User, error) {
	pages := make([][]chat.Event, len(rooms))
	for i, r := range rooms {
		pages[i] = r.Events
	}
	wrote, err := authors(pages...)
	if err != nil {
		return nil, err
	}
	users := []chat.User{}
	rows, err := v.query(`
		SELECT id, name, owner FROM users WHERE num IN (
		  SELECT o.user FROM spans s CROSS JOIN spans o ON o.room = s.room AND o.to_pos = 0
		  WHERE s.user = ? AND s.to_pos = 0)
		OR id IN (SELECT value FROM json_each(?))
		ORDER BY num`, who, wrote)
	return users, each(rows, err, func(s scan) error {
		var u chat.User
		err := s(&u.ID, &u.Name, &u.Owner)
		users = append(users, u)
		return err
	})
}
