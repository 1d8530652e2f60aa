package proxies

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// perName is how often one may guess a password of a name from one address.
const perName = 5

// address signs in over p, which ends TLS, from an address of p's own, and holds that the cookie is for TLS only
// and that what counts is that address: not the proxy's, nor what a stranger says in X-Forwarded-For.
func (w *world) address(t *testing.T, p proxy, i int) {
	try := func(from, password string) (status int, cookies []*http.Cookie) {
		t.Helper()
		tr := &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
				return d.DialContext(ctx, network, w.at[p.name])
			},
			TLSClientConfig: &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		}
		defer tr.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+p.path+"/api/session",
			strings.NewReader(fmt.Sprintf(`{"name":"ana","password":%q}`, password)))
		must(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "https://"+host)
		r.Header.Set("X-Forwarded-For", "192.0.2.1, 127.0.0.1")
		res, err := tr.RoundTrip(r)
		must(t, err)
		must(t, res.Body.Close())
		if res.ProtoMajor != 2 {
			t.Errorf("%s: %s was used", p.name, res.Proto)
		}
		return res.StatusCode, res.Cookies()
	}
	one, other := fmt.Sprint("127.0.1.", i+1), fmt.Sprint("127.0.2.", i+1)
	status, c := try(one, "correct horse ana")
	if status != http.StatusOK || len(c) != 1 || !c[0].Secure || c[0].Path != "/" ||
		c[0].Name != "__Host-sid"+strings.ReplaceAll(p.path, "/", "+") {
		t.Errorf("%s: signing in: %d, %v", p.name, status, c)
	}
	for range perName {
		if status, _ := try(one, "a wrong guess"); status != http.StatusUnauthorized {
			t.Errorf("%s: a guess: %d", p.name, status)
		}
	}
	if status, _ := try(one, "correct horse ana"); status != http.StatusTooManyRequests {
		t.Errorf("%s: after %d guesses: %d", p.name, perName, status)
	}
	if status, _ := try(other, "correct horse ana"); status != http.StatusOK {
		t.Errorf("%s: from another address: %d", p.name, status)
	}
}
