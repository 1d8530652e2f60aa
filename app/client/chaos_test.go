//go:build !js

package client_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/client"
	"parley/app/transport"
	"parley/server/servertest"
)

// What is asked of the network goes out as the protocol has it, and the server's answer comes back.
func TestChaosIsAsked(t *testing.T) {
	now := chat.Chaos{Faults: []chat.Fault{{Via: chat.Poll, LatencyMS: 7}}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/chaos" {
			http.NotFound(w, r)
			return
		}
		if r.Method == http.MethodPut {
			now = chat.Chaos{}
			b, err := io.ReadAll(r.Body)
			if err != nil || json.Unmarshal(b, &now) != nil {
				t.Errorf("it was sent %q: %v", b, err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(now); err != nil {
			t.Error(err)
		}
	}))
	defer s.Close()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	e := client.New(client.Config{API: client.NewAPI(transport.Config{Base: s.URL, Wire: transport.Wire{HTTP: &http.Client{Transport: tr}}})})
	got, err := e.Chaos(t.Context())
	if d := cmp.Diff(now, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	for _, want := range []chat.Chaos{{Faults: []chat.Fault{{Via: chat.WebSocket, HalfOpen: true}, {Loss: 0.05}}}, {Faults: []chat.Fault{}}} {
		got, err := e.SetChaos(t.Context(), want)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%v %s", err, d)
		}
		if d := cmp.Diff(want, now); d != "" {
			t.Errorf("the server has %s", d)
		}
	}
}

// A refusal of the real server comes back as what it is.
func TestChaosIsRefused(t *testing.T) {
	s := servertest.StartBad(t, time.Second)
	u := s.User(t, "ben")
	e := client.New(client.Config{API: client.NewAPI(transport.Config{Base: s.Base, Token: u.Token, Wire: transport.Wire{HTTP: s.HTTP}})})
	if _, err := e.SetChaos(t.Context(), chat.Chaos{Faults: []chat.Fault{{Loss: 1}}}); chat.CodeOf(err) != chat.CodeForbidden {
		t.Errorf("a program of a member is told %v", err)
	}
}
