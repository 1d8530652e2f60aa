package model

import "parley/app/chat"

// mark moves the read mark up to seq, never down, and reports whether it moved.
func (r *room) mark(seq chat.Seq, you chat.UserID) bool {
	if seq <= r.read {
		return false
	}
	r.read = seq
	switch {
	case seq >= r.head:
		r.unread = 0
	case !r.more || r.first() <= seq+1:
		r.unread = 0
		for range r.news(you) {
			r.unread++
		}
	default: // what lies before the log can not be counted; it is no more than this
		r.unread = min(r.unread, int(r.head-seq))
	}
	return true
}

// news yields the messages of the log that are unread: of others, not deleted, after the read
// mark, and of a time when the user was a member, as the server counts them.
func (r *room) news(you chat.UserID) func(yield func(chat.Event) bool) {
	return func(yield func(chat.Event) bool) {
		in := true
		for _, e := range r.log {
			if e.Member != nil && e.Member.User == you {
				in = e.Member.State == chat.Left // before it
				break
			}
		}
		for _, e := range r.log {
			if e.Member != nil && e.Member.User == you {
				in = e.Member.State == chat.Joined
			}
			if in && e.Seq > r.read && e.Message != nil && e.From != you && !yield(e) {
				return
			}
		}
	}
}

// divide puts the unread divider before the first unread message.
func (r *room) divide(you chat.UserID) {
	was := r.newest
	r.newest = 0
	if r.unread > 0 {
		for e := range r.news(you) {
			r.newest = e.Seq
			break
		}
	}
	if r.newest != was {
		r.redraw()
	}
}
