package client

import (
	"context"
	"fmt"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// labRetry is the pause before a way that failed is tried again.
const labRetry = time.Second

// follow keeps one way open and notes what it brings.
func (l *lab) follow(ctx context.Context, way int, after chat.Cursor) {
	w := &l.ways[way]
	for ctx.Err() == nil {
		var failed error
		for b, err := range w.Follow(ctx, after) {
			if err != nil {
				failed = err
				break
			}
			after = b.Cursor
			l.came(w, b, time.Now())
		}
		if ctx.Err() != nil || l.lost(w, failed) {
			return
		}
		again := time.NewTimer(labRetry)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
	}
}

// came notes a batch.
func (l *lab) came(w *labWay, b chat.Batch, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.state = model.LabOpen
	w.events += len(b.Events)
	if len(b.Events) == 0 && (w.Name() == chat.Poll || w.Name() == chat.LongPoll) {
		w.empty++
	}
	for _, e := range b.Events {
		i, mine := l.index[e.Nonce]
		if _, twice := w.delays[i]; mine && !twice && e.Room == l.room {
			w.delays[i] = at.Sub(l.sent[i].at)
		}
	}
}

// lost notes that a way ended, and reports whether trying again can not help.
func (l *lab) lost(w *labWay, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.state == model.LabOpen {
		w.breaks++
		w.state = model.LabTrying
	} else {
		w.state = model.LabShut
	}
	code := chat.CodeOf(err)
	return code == chat.CodeReset || code == chat.CodeUnauthorized
}

// next makes the next message, and what sends it: by turns the WebSocket and a request.
func (l *lab) next(ctx context.Context) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.sent)
	s := labSend{}
	out := l.post
	for i := range l.ways {
		if w := &l.ways[i]; w.Name() == chat.WebSocket && w.state == model.LabOpen && n%2 == 1 {
			out, s.socket = w.labLink, true
		}
	}
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: l.room, Body: chat.Body{Message: &chat.Message{Text: fmt.Sprint("measuring, ", n+1)}}}
	l.index[d.Nonce] = n
	s.at = time.Now()
	l.sent = append(l.sent, s)
	return func() {
		_, err := out.Send(ctx, d)
		took := time.Since(s.at)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent[n].answer, l.sent[n].failed = took, err != nil
	}
}

// moment is what is known now.
func (l *lab) moment() *model.Lab {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	m := &model.Lab{
		Version: l.version, Span: l.span, Spent: min(time.Since(l.began), l.span), Every: l.every,
		HeadUp: l.head.HeadUp, HeadDown: l.head.HeadDown,
	}
	var there []int // the messages that there are
	var socket, post []time.Duration
	for i, s := range l.sent {
		if s.failed && !l.seen(i) {
			continue
		}
		there = append(there, i)
		switch {
		case s.answer == 0 || s.failed:
		case s.socket:
			socket = append(socket, s.answer)
		default:
			post = append(post, s.answer)
		}
	}
	m.Sent = len(there)
	bySocket, _ := quantiles(socket)
	byPost, _ := quantiles(post)
	for i := range l.ways {
		m.Ways[i] = l.ways[i].shown(there, m)
		if w := &m.Ways[i]; w.Via == chat.WebSocket {
			w.Answer = bySocket
		} else {
			w.Answer = byPost
			l.post.charge(w, m)
		}
	}
	return m
}

// seen reports whether a message came, whatever became of the answer to it.
func (l *lab) seen(i int) bool {
	for w := range l.ways {
		if _, ok := l.ways[w].delays[i]; ok {
			return true
		}
	}
	return false
}

// shown is a way as of now, of the messages that there are.
func (w *labWay) shown(there []int, m *model.Lab) model.LabWay {
	s := model.LabWay{Via: w.Name(), State: w.state, Events: w.events, Empty: w.empty, Breaks: w.breaks}
	var all []time.Duration
	for _, i := range there {
		d, ok := w.delays[i]
		if !ok {
			s.Delays = append(s.Delays, -1)
			continue
		}
		s.Delays = append(s.Delays, d)
		all = append(all, d)
		bar := 0
		for bar < len(model.LabBounds) && d > model.LabBounds[bar] {
			bar++
		}
		s.Histogram[bar]++
	}
	s.Came = len(all)
	s.Median, s.Slow = quantiles(all)
	w.charge(&s, m)
	s.Asked = s.Requests
	return s
}

// charge adds what passed the link's gate, with the heads of requests and answers.
func (l labLink) charge(w *model.LabWay, m *model.Lab) {
	t := l.gate.Traffic()
	w.Requests += t.Requests
	w.Up += t.Up + t.Requests*int64(m.HeadUp)
	w.Down += t.Down + t.Requests*int64(m.HeadDown)
}
