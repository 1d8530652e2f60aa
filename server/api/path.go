package api

import (
	"net/http"
	"slices"
	"strings"

	"parley/app/chat"
)

// proxiesMost bounds what is repeated of what proxies say of themselves.
const proxiesMost = 8

// path says what can be told from a request of the way it came. It is for whoever
// made the request, and may end in a report that they show to others: proxies are
// named by their program, never by a host or an address.
func (s *Server) path(x *exchange, c *chat.Server) {
	c.Node, c.Protocol = s.node, clip(x.r.Proto, 16)
	h := x.r.Header
	for via := range listed(h, "Via") {
		_, by, _ := strings.Cut(strings.TrimSpace(via), " ")
		by, _, _ = strings.Cut(by, " ") // what follows is a comment
		name := kind(by)
		if name != "" && len(c.Proxies) < proxiesMost && !slices.Contains(c.Proxies, name) {
			c.Proxies = append(c.Proxies, name)
		}
		c.Hops++
	}
	if len(h["Cf-Ray"]) > 0 && len(c.Proxies) < proxiesMost && !slices.Contains(c.Proxies, "cloudflare") {
		c.Proxies = append(c.Proxies, "cloudflare")
	}
	hops := 0
	for range listed(h, "X-Forwarded-For") {
		hops++
	}
	c.Hops = max(c.Hops, hops, len(c.Proxies))
	for _, name := range [...]string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		if len(h[name]) > 0 {
			c.Hops = max(c.Hops, 1)
		}
	}
	c.Hops = min(c.Hops, proxiesMost)
	c.HeadUp = len(x.r.Method) + len(x.r.RequestURI) + len("  HTTP/1.1\r\nHost: \r\n") + len(x.r.Host) + headBytes(h)
	c.HeadDown = answerHead + headBytes(x.Header())
}

// answerHead is what an answer has besides the headers that handlers set: the line of its status, its
// kind, length and date.
const answerHead = len("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1234\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\n")

// headBytes is what headers are as HTTP/1.1 writes them, with the empty line after them.
func headBytes(h http.Header) int {
	n := len("\r\n")
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	return n
}

// listed yields the members of a header that is a list.
func listed(h http.Header, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range h[name] {
			for member := range strings.SplitSeq(line, ",") {
				if strings.TrimSpace(member) != "" && !yield(member) {
					return
				}
			}
		}
	}
}

// known are the programs and services that name themselves in Via. Anything else there may be
// the name of someone's machine.
var known = [...]string{
	"akamai", "apache", "ats", "caddy", "cloudflare", "cloudfront", "envoy", "fastly", "google", "haproxy", "heroku", "istio", "kong",
	"litespeed", "nginx", "openresty", "polipo", "privoxy", "squid", "tinyproxy", "traefik", "varnish", "vegur",
}

// kind is the program that named itself; "" for anything that is not known to be one.
func kind(by string) string {
	by, _, _ = strings.Cut(by, "/") // a version
	if by = strings.ToLower(by); slices.Contains(known[:], by) {
		return by
	}
	return ""
}
