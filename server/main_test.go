package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/app/chat"
	"parley/build/web"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": main})
}

// TestScripts runs the program as people do: see testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("PARLEY_ADDR", l.Addr().String())
			e.Setenv("URL", "http://"+l.Addr().String())
			e.Setenv("EVIL", "\x1b]52;c;eA==\x07")
			return l.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready, "ask": ask, "signin": signIn, "occupy": occupy, "mode": mode, "plain": plainText,
			"only": only, "newest": newest, "spoil": spoil, "edit": edit,
		},
	})
}

const patience = time.Minute

// ready waits until the server in the background answers.
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		res, err := http.Get(ts.Getenv("URL") + "/readyz") //nolint:noctx // a script has no context
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("the server is not ready: %v", err)
		}
	}
}

// ask FILE PATH asks the server with the token in FILE; the answer goes to the file answer.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	q, err := http.NewRequest(http.MethodGet, ts.Getenv("URL")+args[1], nil) //nolint:noctx // as above
	ts.Check(err)
	q.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(args[0])))
	res, err := http.DefaultClient.Do(q)
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), b, 0o600))
	if (res.StatusCode != http.StatusOK) != neg {
		ts.Fatalf("%s: %s", res.Status, b)
	}
}

// signIn NAME FILE signs in with the password in FILE.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	b, err := json.Marshal(chat.SignIn{Name: args[0], Password: strings.TrimSpace(ts.ReadFile(args[1]))})
	ts.Check(err)
	q, err := http.NewRequestWithContext(context.Background(), http.MethodPost, ts.Getenv("URL")+"/api/session", bytes.NewReader(b))
	ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(q)
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	if (res.StatusCode != http.StatusOK) != neg {
		ts.Fatalf("%s signs in: %s", args[0], res.Status)
	}
}

// occupy listens at the server's address until the script ends.
func occupy(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", ts.Getenv("PARLEY_ADDR"))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

// mode PATH MODE checks who may look into a file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := info.Mode().Perm().String(); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}

// only DIR PATTERN... checks that a directory has as many files as there are patterns, and that each in order fits its.
func only(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != len(args)-1 {
		ts.Fatalf("%s holds %q", args[0], names)
	}
	for i, pattern := range args[1:] {
		if !regexp.MustCompile(pattern).MatchString(names[i]) {
			ts.Fatalf("%s holds %q", args[0], names)
		}
	}
}

// newest DIR NAME sets a variable to the path of the newest backup in a directory, without its ending.
func newest(ts *testscript.TestScript, _ bool, args []string) {
	all, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "parley-*.db"))
	ts.Check(err)
	if len(all) == 0 {
		ts.Fatalf("there is no backup in %s", args[0])
	}
	ts.Setenv(args[1], strings.TrimSuffix(all[len(all)-1], ".db"))
}

// spoil FILE overwrites a page in the middle of a file, which keeps its size.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	at := len(b) / 2 / 4096 * 4096
	copy(b[at:at+4096], bytes.Repeat([]byte{0xfe}, 4096))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// edit FILE OLD NEW replaces what is in a file once.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.ReadFile(args[0])
	if strings.Count(s, args[1]) != 1 {
		ts.Fatalf("%q is not in %s once", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(s, args[1], args[2], 1)), 0o600))
}

// plain FILE checks that a file has nothing in it that a terminal obeys.
func plainText(ts *testscript.TestScript, _ bool, args []string) {
	if b := ts.ReadFile(args[0]); regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`).MatchString(b) {
		ts.Fatalf("%q", b)
	}
}

// program is the server's, and an address for it.
func program(t *testing.T) (parley, addr string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parley = filepath.Join(t.TempDir(), "parley") // the test binary by this name is the program
	if err := os.Symlink(exe, parley); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return parley, l.Addr().String()
}

// readiness waits until the server says that it is ready, or until that is over.
func readiness(t *testing.T, addr string, want bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(q)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil && res.StatusCode == http.StatusOK) == want {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it does not become %t that the server is ready: %v", want, err)
		}
	}
}

// TestToldToStopTwice: a server that waits for a request to end, and is told to stop again, stops.
func TestToldToStopTwice(t *testing.T) {
	parley, addr := program(t)
	c := exec.CommandContext(t.Context(), parley, "--addr", addr, "--data", t.TempDir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	readiness(t, addr, true)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /api/session HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n", addr); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100 ") { // the body is waited for
		t.Fatalf("%q, %v", line, err)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	readiness(t, addr, false)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("the server ended with %v, want status 1", err)
	}
}

// TestDrain: a server that is told to stop lets its readers go, says so by its status, and
// leaves nothing to be mended.
func TestDrain(t *testing.T) {
	parley, addr := program(t)
	dir := t.TempDir()
	run := func(in string, args ...string) string {
		c := exec.CommandContext(t.Context(), parley, append(args, "--data", dir)...)
		c.Stdin = strings.NewReader(in)
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	run("correct horse battery\n", "user", "add", "ana", "--owner")
	token := run("", "token", "ana")

	var errs bytes.Buffer
	c := exec.CommandContext(t.Context(), parley, "--addr", addr, "--data", dir)
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var res *http.Response
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); res == nil; {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/api/feed?via=eventsource", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		if res, err = http.DefaultClient.Do(q); err == nil {
			break
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal(err)
		}
	}
	defer func() { _ = res.Body.Close() }()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(b), "event: bye\n") {
		t.Errorf("the stream ended with %v: %s", err, b)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the server ended with %v: %s", err, &errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "parley.db-wal")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the write-ahead log is still there: %v", err)
	}
}

// TestS64Page: the page names nobody but this server, and has nothing that its policy would hold back.
func TestS64Page(t *testing.T) {
	files, err := web.Open(fstest.MapFS{
		web.Index: {Data: []byte(`{"version":"v1","files":[
			{"name":"/web/app.wasm","url":"/web/app.0123.wasm","type":"application/wasm","hash":"0123","size":5,"path":"app.wasm"},
			{"name":"/app.js","url":"/web/app.45.js","type":"text/javascript","hash":"45","size":5,"path":"app.wasm"},
			{"name":"/app.css","url":"/web/boot.67.css","type":"text/css","hash":"67","size":5,"path":"app.wasm"},
			{"name":"/wasm_exec.js","url":"/web/wasm_exec.89.js","type":"text/javascript","hash":"89","size":5,"path":"app.wasm"},
			{"name":"/manifest.webmanifest","url":"/manifest.webmanifest","type":"application/manifest+json","hash":"ab","size":5,"path":"app.wasm"}]}`)},
		"app.wasm": {Data: []byte("plain")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"", "/chat", "/a/b.c"} {
		b, err := page(t.Context(), files, root)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte(`"`+root+`/web/app.0123.wasm"`)) {
			t.Error("the program is not named by its content")
		}
		for what, bad := range map[string]string{
			"another address":   `(?i)(src|href|content|action)="?(https?:)?//`,
			"a style in place":  `(?i)\sstyle=|<style`,
			"a script in place": `(?i)<script[^>]*>[^<]|\son[a-z]+=`,
		} {
			if m := regexp.MustCompile(bad).Find(b); m != nil {
				t.Errorf("%s: %s in\n%s", what, m, b)
			}
		}
		named := regexp.MustCompile(`(?i)(?:src|href)="([^"]*)"`).FindAllSubmatch(b, -1)
		if len(named) < 5 {
			t.Fatalf("the page names %d addresses", len(named))
		}
		for _, m := range named {
			if rest, ok := bytes.CutPrefix(m[1], []byte(root+"/")); !ok || root != "" && bytes.Contains(rest, []byte(root)) {
				t.Errorf("below %q the page names %s", root, m[1])
			}
		}
	}
}
