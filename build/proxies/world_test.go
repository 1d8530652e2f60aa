package proxies

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/app/chat"
	"parley/app/transport"
	"parley/build/child"
)

// host is what the server is called outside. Every proxy stands for it.
const host = "chat.example.org"

const patience = time.Minute

// A site is a server at the root of its host, or below a path, with an account that has a room.
type site struct {
	server  *child.Server
	account *child.Account
	room    chat.RoomID
}

// A world is two sites and all the proxies in front of them. What is said is said at both.
type world struct {
	sites map[string]*site // by path
	dir   string
	roots *x509.CertPool
	at    map[string]string // proxy to address
}

func newWorld(t *testing.T, list []proxy) *world {
	t.Helper()
	w := &world{sites: map[string]*site{}, dir: t.TempDir(), at: map[string]string{}}
	binary := filepath.Join(w.dir, "parley")
	must(t, child.Build(t.Context(), binary, ""))
	for _, path := range []string{"", below} {
		w.sites[path] = newSite(t, binary, path)
	}
	w.certify(t)
	w.startNginx(t, list)
	w.startHAProxy(t, list)
	w.startCaddy(t, list)
	return w
}

func newSite(t *testing.T, binary, path string) *site {
	t.Helper()
	server, err := child.New(t.Context(), binary, t.TempDir())
	must(t, err)
	server.Env = []string{"PARLEY_URL=https://" + host + path, "PARLEY_PROXIES=127.0.0.1"}
	_, err = server.Start(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	account, err := server.AddUser(t.Context(), "ana")
	must(t, err)
	var room chat.Room
	must(t, server.Ask(t.Context(), account, "POST", "/api/rooms",
		chat.NewRoom{Nonce: chat.NewID[chat.Nonce](), Kind: chat.Private, Name: "den"}, &room))
	return &site{server, account, room.ID}
}

// program finds a program that a package of the system has.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin", "/usr/local/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: run build/install-test-tools.sh", name)
	return ""
}

// startNginx runs one nginx with a server for each proxy.
func (w *world) startNginx(t *testing.T, list []proxy) {
	var conf strings.Builder
	// A process of one's own, which keeps everything in the test's folder.
	fmt.Fprint(&conf, "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents { worker_connections 1024; }\nhttp {\n")
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&conf, "%s_temp_path %s;\n", kind, kind)
	}
	for i, p := range list {
		if p.kind != nginx {
			continue
		}
		w.listen(t, p)
		tls := ""
		if p.tls {
			tls = " ssl http2;\nssl_certificate cert.pem;\nssl_certificate_key key.pem"
		}
		fmt.Fprintf(&conf, "server {\nlisten %s%s;\nserver_name %s;\naccess_log %s;\n%s%s}\n",
			w.at[p.name], tls, host, accessLog(i), p.server, w.toward(p))
	}
	fmt.Fprint(&conf, "}\n")
	must(t, os.WriteFile(filepath.Join(w.dir, "nginx.conf"), []byte(conf.String()), 0o600))
	w.run(t, program(t, "nginx"), "-e", "stderr", "-p", w.dir, "-c", "nginx.conf")
	for _, p := range list {
		w.await(t, p)
	}
}

func accessLog(i int) string { return fmt.Sprintf("access-%d.log", i) }

// startHAProxy runs one HAProxy for each proxy: its timeouts are for all that it does.
func (w *world) startHAProxy(t *testing.T, list []proxy) {
	for i, p := range list {
		if p.kind != haproxy {
			continue
		}
		w.listen(t, p)
		conf := strings.Replace(w.toward(p), "bind :80", "bind "+w.at[p.name], 1)
		name := filepath.Join(w.dir, fmt.Sprintf("haproxy-%d.cfg", i))
		must(t, os.WriteFile(name, []byte(conf), 0o600))
		w.run(t, program(t, "haproxy"), "-db", "-f", name)
		w.await(t, p)
	}
}

// toward is p's configuration with the server that it is for.
func (w *world) toward(p proxy) string {
	return strings.ReplaceAll(p.conf, "127.0.0.1:8080", w.sites[p.path].server.Addr())
}

func (w *world) listen(t *testing.T, p proxy) {
	addr, err := child.FreeAddr(t.Context())
	must(t, err)
	w.at[p.name] = addr
}

// run runs a proxy until the test ends.
func (w *world) run(t *testing.T, binary string, args ...string) {
	var out bytes.Buffer // read when the process has ended
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+w.dir, "XDG_DATA_HOME="+w.dir) // where Caddy keeps what it was told
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // that it was killed
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(binary), out.String())
		}
	})
}

// await waits until a proxy that was started lets requests through.
func (w *world) await(t *testing.T, p proxy) {
	if w.at[p.name] == "" {
		return
	}
	c := w.config(p)
	defer c.HTTP.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := transport.NewCaller(c).Live(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s does not let requests through: %v", p.name, err)
		}
	}
}

// config is a client's that reaches the server by p.
func (w *world) config(p proxy) transport.Config {
	scheme := "http"
	if p.tls {
		scheme = "https"
	}
	return transport.Config{
		Base: scheme + "://" + host + p.path, Token: w.sites[p.path].account.Token,
		Wire: transport.Wire{HTTP: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, w.at[p.name])
			},
			TLSClientConfig: &tls.Config{RootCAs: w.roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8,
		}}},
	}
}

// certify writes a certificate of its own, for a day.
func (w *world) certify(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	now := time.Now()
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(filepath.Join(w.dir, "cert.pem"), certPEM, 0o600))
	must(t, os.WriteFile(filepath.Join(w.dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	w.roots = x509.NewCertPool()
	w.roots.AppendCertsFromPEM(certPEM)
}

// say sends messages at each site, past all proxies: the texts of from up to to, one after another.
func (w *world) say(ctx context.Context, from, to int, text func(i int) string) error {
	var sites errgroup.Group
	for _, s := range w.sites {
		sites.Go(func() error {
			for i := from; i < to; i++ {
				var e chat.Event
				if err := s.server.Ask(ctx, s.account, "POST", "/api/send", message(s.room, text(i)), &e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return sites.Wait()
}

func message(room chat.RoomID, text string) chat.Draft {
	return chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Message: &chat.Message{Text: text}}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
