package api

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzAgain: what is taken for a poll that came before is, to net/http, that poll with another cursor, and nothing follows it.
func FuzzAgain(f *testing.F) {
	poll := func(query, more string) string {
		return "GET /api/feed?" + query + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n"
	}
	const who = "Authorization: Bearer abc\r\n"
	first := poll("via=longpoll&after=ABC.1", who)
	for _, next := range []string{
		first, poll("via=longpoll&after=ABC.2.x.3", who), poll("via=longpoll&after=", who), poll("via=longpoll&after=ABC.1&beat=5", who),
		poll("via=poll&after=ABC.1", who), poll("via=longpoll&after=A%42C", who), poll("via=longpoll&after=ABC.1", ""),
		poll("via=longpoll&after=ABC.1", "Authorization: Bearer abd\r\n"), first + first, first[:len(first)-2],
		poll("via=longpoll&after=ABC.1 HTTP/1.1\r\nX: y", who), poll("via=longpoll&after=ABC.1#", who),
	} {
		f.Add(first, next)
		f.Add(poll("via=longpoll&after=ABC.1&beat=2", who), next)
		f.Add(poll("after=ABC.1&via=longpoll", "X: after=\r\n"+who), next)
	}
	f.Add(poll("via=longpoll&notafter=1&x=2", who), poll("via=longpoll&notafter=3&x=2", who))
	f.Add(poll("via=longpoll&after=1", "Last-Event-ID: 7\r\n"), poll("via=longpoll&after=2", "Last-Event-ID: 7\r\n"))
	read := func(t *testing.T, text string) (*http.Request, *bufio.Reader) {
		in := bufio.NewReader(strings.NewReader(text))
		r, err := http.ReadRequest(in)
		if err != nil {
			return nil, nil
		}
		return r.WithContext(t.Context()), in
	}
	f.Fuzz(func(t *testing.T, before, next string) {
		r, _ := read(t, before)
		if r == nil || r.Method != http.MethodGet || r.ContentLength != 0 {
			return
		}
		a := &asker{}
		a.remember(&exchange{r: r}, &line{back: &returned{said: []byte(before)}})
		cursor, ok := a.again([]byte(next))
		if !ok {
			return
		}
		q, rest := read(t, next)
		if q == nil {
			t.Fatalf("%q is taken for a request", next)
		}
		if _, err := rest.ReadByte(); err == nil {
			t.Errorf("%q has more than a request", next)
		}
		was, is := r.URL.Query(), q.URL.Query()
		if got := is["after"]; len(got) != 1 || got[0] != string(cursor) || q.Header.Get("Last-Event-ID") != "" {
			t.Errorf("%q is taken to be after %q", next, cursor)
		}
		delete(was, "after")
		delete(is, "after")
		type request struct{ Method, Path, Proto, Host, Query, Header any }
		if d := cmp.Diff(request{r.Method, r.URL.Path, r.Proto, r.Host, was, r.Header}, request{q.Method, q.URL.Path, q.Proto, q.Host, is, q.Header}); d != "" {
			t.Errorf("%q is taken for %q (-want +got):\n%s", next, before, d)
		}
	})
}
