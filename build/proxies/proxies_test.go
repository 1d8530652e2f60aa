// Package proxies puts real proxies, configured as people configure them, between the real server and the
// real client, and finds out which of the four ways work and what Auto makes of it.
//
//	go test ./build/proxies            # compares with what the README says
//	go test ./build/proxies -update    # writes it there
//
// It needs nginx, HAProxy and Caddy, which build/install-test-tools.sh installs. Everything is on loopback; it takes about a minute.
package proxies

import (
	"flag"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what was found into the README")

func TestProxies(t *testing.T) {
	list := proxies()
	w := newWorld(t, list)
	conns := w.auto(t.Context(), t, list)
	for i, p := range list {
		if p.kind != nginx {
			continue
		}
		refused, lines := w.refusals(t, i)
		// Each way that does not work is refused at most twice before it is given up.
		if refused > 4 {
			t.Errorf("%s: a storm of %d requests was refused:\n%s", p.name, refused, strings.Join(lines, ""))
		}
		if p.tls && !strings.Contains(strings.Join(lines, ""), "HTTP/2.0") {
			t.Errorf("%s: HTTP/2 was not used", p.name)
		}
	}
	found := w.alone(t.Context(), t, list)
	for i, p := range list {
		if p.tls {
			w.address(t, p, i)
		}
	}
	if t.Failed() {
		return // what was found is no description of what there is
	}
	compare(t, describe(list, found, conns))
}
