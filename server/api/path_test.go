package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// What the server says of the way names programs, never hosts, and is bounded.
func TestPath(t *testing.T) {
	for name, c := range map[string]struct {
		headers http.Header
		proxies []string
		hops    int
	}{
		"none":         {nil, nil, 0},
		"named":        {http.Header{"Via": {"1.1 nginx, 2.0 Caddy"}}, []string{"nginx", "caddy"}, 2},
		"with comment": {http.Header{"Via": {"1.1 varnish (Varnish/7.1)", "HTTP/1.1 squid/6.6"}}, []string{"varnish", "squid"}, 2},
		"hosts":        {http.Header{"Via": {"1.1 gw7.corp.example:3128, 1.1 10.0.0.7"}}, nil, 2},
		"machines":     {http.Header{"Via": {"1.1 gateway"}}, nil, 1},
		"forwarded":    {http.Header{"X-Forwarded-For": {"203.0.113.9, 10.0.0.1", "10.0.0.2"}}, nil, 3},
		"only proto":   {http.Header{"X-Forwarded-Proto": {"https"}}, nil, 1},
		"cloudflare":   {http.Header{"Cf-Ray": {"8f0"}}, []string{"cloudflare"}, 1},
		"markup":       {http.Header{"Via": {"1.1 <script>, 1.1 a\"b, ,"}}, nil, 2},
		"many": {http.Header{"Via": {strings.Repeat("1.1 nginx, 1.1 caddy, 1.1 squid, 1.1 varnish, 1.1 envoy, 1.1 kong, 1.1 traefik, 1.1 haproxy, 1.1 google, ", 20)}},
			[]string{"nginx", "caddy", "squid", "varnish", "envoy", "kong", "traefik", "haproxy"}, 8},
		"long": {http.Header{"Via": {"1.1 " + strings.Repeat("a", 1000)}}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+"/api/server", nil)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(r.Header, c.headers)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got chat.Server
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]any{c.proxies, c.hops, "HTTP/1.1"}, []any{got.Proxies, got.Hops, got.Protocol}); d != "" {
				t.Error(d)
			}
			if len(got.Node) != 8 {
				t.Errorf("the node is called %q", got.Node)
			}
		})
	}
}
