package proxies

import (
	_ "embed"
	"strings"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// The configurations with which all four ways work, as the README shows them.
var (
	//go:embed nginx.conf
	nginxConf string
	//go:embed haproxy.cfg
	haproxyConf string
	//go:embed Caddyfile
	caddyConf string
	//go:embed below.Caddyfile
	caddyBelow string
)

// A proxy is one way to put a proxy in front of the server.
type proxy struct {
	name   string
	kind   kind
	conf   string // in the words of the files here
	server string // nginx: what else the server block has
	tls    bool
	path   string       // below which the app is
	auto   chat.Via     // what Auto comes to use,
	reason model.Reason // and why
}

type kind int

const (
	nginx kind = iota
	haproxy
	caddy
)

// below is the path of those that have the app there.
const below = "/chat"

// noUpgrade are the lines without which nginx does not let a WebSocket through.
var noUpgrade = []string{"Upgrade", "Connection"}

const (
	buffering = "    proxy_buffering on;\n    proxy_ignore_headers X-Accel-Buffering;\n"
	impatient = "    proxy_read_timeout 5s;\n"
	zip       = "gzip on;\ngzip_types *;\ngzip_proxied any;\ngzip_min_length 1;\n"
)

// proxies are those that people have in front of their servers, the good ones first.
func proxies() []proxy {
	bare := without(nginxConf, "proxy_http_version", "proxy_buffering", "proxy_read_timeout", "Upgrade", "Connection")
	best := model.Reason{Code: model.ReasonBest}
	noSocket := model.Reason{Code: model.ReasonBlocked, Failed: chat.WebSocket}
	under := strings.Replace(nginxConf, "location /", "location /chat/", 1)
	stripped := with(strings.Replace(under, ":8080;", ":8080/;", 1), "    proxy_set_header X-Forwarded-Host $host;\n")
	kept := model.Reason{Code: model.ReasonKept, After: 5 * time.Second, Every: 2 * time.Second}
	return []proxy{
		{name: "nginx, as above", conf: nginxConf, auto: chat.WebSocket, reason: best},
		{name: "nginx, as above, with TLS and HTTP/2", conf: nginxConf, tls: true, auto: chat.WebSocket, reason: best},
		{name: "nginx, `location /chat/`, which leaves the path in requests", conf: under, path: below, auto: chat.WebSocket, reason: best},
		{name: "nginx, `location /chat/` and `proxy_pass …:8080/`, which takes it away, with TLS, HTTP/2 and `X-Forwarded-Host`",
			conf: stripped, path: below, tls: true, auto: chat.WebSocket, reason: best},
		{name: "nginx, with `gzip` for everything", conf: nginxConf, server: zip, auto: chat.WebSocket, reason: best},
		{name: "nginx, buffering whatever the server says", conf: with(without(nginxConf, "proxy_buffering"), buffering),
			auto: chat.WebSocket, reason: best},
		{name: "nginx, nothing but `proxy_pass` and `Host`, so HTTP/1.0", conf: bare, auto: chat.EventSource, reason: noSocket},
		{name: "nginx, without the two lines for `Upgrade`", conf: without(nginxConf, noUpgrade...), auto: chat.EventSource, reason: noSocket},
		{name: "nginx, HTTP/1.0, buffering whatever the server says", conf: with(bare, buffering),
			auto: chat.LongPoll, reason: model.Reason{Code: model.ReasonHeld, Failed: chat.EventSource}},
		{name: "nginx, `proxy_read_timeout 5s`", conf: with(without(nginxConf, "read_timeout"), impatient), auto: chat.WebSocket, reason: kept},
		{name: "nginx, the same, without `Upgrade`", conf: with(without(nginxConf, append(noUpgrade, "read_timeout")...), impatient),
			auto: chat.EventSource, reason: noSocket},
		{name: "Caddy, as above", kind: caddy, conf: caddyConf, tls: true, auto: chat.WebSocket, reason: best},
		{name: "Caddy, as above, below a path", kind: caddy, conf: caddyBelow, path: below, tls: true, auto: chat.WebSocket, reason: best},
		{name: "HAProxy, as above", kind: haproxy, conf: haproxyConf, auto: chat.WebSocket, reason: best},
		{name: "HAProxy, `timeout tunnel 5s`, `timeout client 10s`", kind: haproxy,
			conf: strings.NewReplacer("tunnel 1h", "tunnel 5s", "client 75s", "client 10s").Replace(haproxyConf), auto: chat.WebSocket, reason: kept},
	}
}

// without leaves out the lines that say any of words.
func without(conf string, words ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(conf) {
		said := false
		for _, w := range words {
			said = said || strings.Contains(line, w)
		}
		if !said {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// with adds lines to a location.
func with(conf, lines string) string { return strings.Replace(conf, "}", lines+"}", 1) }
