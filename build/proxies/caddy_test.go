package proxies

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startCaddy runs one Caddy for each proxy. Caddy makes the certificates, with an authority of its own that
// it keeps in the test's folder, and asks nobody.
func (w *world) startCaddy(t *testing.T, list []proxy) {
	for i, p := range list {
		if p.kind != caddy {
			continue
		}
		w.listen(t, p)
		_, port, _ := strings.Cut(w.at[p.name], ":")
		store := filepath.Join(w.dir, fmt.Sprint("caddy-", i))
		conf := fmt.Sprintf("{\nadmin off\nauto_https disable_redirects\nlocal_certs\nskip_install_trust\ndefault_bind 127.0.0.1\n"+
			"https_port %s\nservers {\nprotocols h1 h2\n}\nstorage file_system %s\n}\n%s", port, store, w.toward(p))
		name := store + ".Caddyfile"
		must(t, os.WriteFile(name, []byte(conf), 0o600))
		w.run(t, program(t, "caddy"), "run", "--adapter", "caddyfile", "--config", name)
		w.trust(t, filepath.Join(store, "pki", "authorities", "local", "root.crt"))
		w.await(t, p)
	}
}

// trust waits for the certificate of an authority, and believes it from then on.
func (w *world) trust(t *testing.T, name string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if b, err := os.ReadFile(name); err == nil && w.roots.AppendCertsFromPEM(b) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("there is no certificate in %s", name)
		}
	}
}
