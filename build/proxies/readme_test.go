package proxies

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
	"parley/app/model"
)

const (
	readme = "../../README.md"
	begin  = "<!-- written by: go test ./build/proxies -update -->\n"
	end    = "<!-- until here -->\n"
)

// describe is the part of the README that is measured.
func describe(list []proxy, found map[string]map[chat.Via]string, conns map[string]model.Connection) string {
	var b strings.Builder
	fmt.Fprintf(&b, "nginx:\n\n```nginx\n%s```\n\nHAProxy:\n\n```\n%s```\n\nCaddy:\n\n```\n%s```\n\n", nginxConf, haproxyConf, caddyConf)
	b.WriteString("The app may be below a path of its host, which `--url https://chat.example.org" + below + "` then says too; the proxy may leave the path in requests or take it away. ")
	fmt.Fprintf(&b, "With nginx write `location "+below+"/` instead of `location /`; with Caddy:\n\n```\n%s```\n\n", caddyBelow)
	b.WriteString("Proxies that are set otherwise do this to each way, left to itself, and this is what *Auto* makes of it within 15 seconds:\n\n")
	b.WriteString("| proxy | WebSocket | EventSource | Long polling | Polling | *Auto* uses |\n|---|---|---|---|---|---|\n")
	for _, p := range list {
		f := found[p.name]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", p.name,
			f[chat.WebSocket], f[chat.EventSource], f[chat.LongPoll], f[chat.Poll], because(conns[p.name]))
	}
	b.WriteString("\n*Delayed* is what the proxy holds back until its buffer is full; *cut* is closed after so many seconds without a message.\n")
	return b.String()
}

// because says what Auto uses and why.
func because(c model.Connection) string {
	names := map[chat.Via]string{chat.WebSocket: "WebSocket", chat.EventSource: "EventSource", chat.LongPoll: "long polling", chat.Poll: "polling"}
	s := names[c.Via]
	switch r := c.Reason; r.Code {
	case model.ReasonKept:
		s += fmt.Sprintf(", with a sign of life every %.0f s", r.Every.Seconds())
	case model.ReasonBlocked:
		s += ", as " + names[r.Failed] + " is blocked"
	case model.ReasonHeld:
		s += ", as " + names[r.Failed] + " is held back"
	default:
	}
	return s
}

// compare holds that the README says what was found, or writes it there.
func compare(t *testing.T, want string) {
	b, err := os.ReadFile(readme)
	must(t, err)
	head, rest, ok := strings.Cut(string(b), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part between %q and %q", readme, begin, end)
	}
	if *update {
		must(t, os.WriteFile(readme, []byte(head+begin+want+end+tail), 0o644)) //nolint:gosec // it is the project's own, and public
		return
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("the README does not say what is so; look at it and run with -update (- README, + found):\n%s", d)
	}
}
