package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"parley/server/api"
)

// outside reads what the flags say of the world in front of the server.
func (c *cli) outside() (*url.URL, []netip.Prefix, error) {
	var u *url.URL
	if c.URL != "" {
		var err error
		if u, err = address(c.URL); err != nil {
			return nil, nil, fmt.Errorf("--url %q %w", c.URL, err)
		}
	}
	proxies := make([]netip.Prefix, 0, len(c.Proxies))
	for _, s := range c.Proxies {
		p, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("--proxies %q is neither an address nor a range like 10.0.0.0/8", s)
		}
		proxies = append(proxies, p)
	}
	return u, proxies, nil
}

// address reads what people use to get to the server: a host, and a path if the app is below one. The
// path is cleaned of slashes at its end.
func address(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("is not an address like https://chat.example.org or https://example.org/chat")
	}
	if u.User != nil || strings.ContainsAny(s, "?#") {
		return nil, errors.New("has more than a host and a path: leave out what is before an @, and what follows a ? or #")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for i, name := range strings.Split(path, "/") {
		switch {
		case i == 0: // before the first slash
		case name == "" || strings.Trim(name, ".") == "" || strings.Trim(name, nameOf) != "":
			return nil, errors.New("has a path that can not be: it is names of letters, digits and - . _ ~ with one / between them, like /chat")
		case i == 1 && api.Reserved(name):
			return nil, fmt.Errorf("has a path that begins with /%s, which is an address within the app: choose another, like /chat", name)
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

// nameOf is what a name in a path may consist of: that which is never written otherwise, and has
// no meaning in a cookie's name.
const nameOf = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// root is the path below which the app is, or "".
func root(outside *url.URL) string {
	if outside == nil {
		return ""
	}
	return outside.Path
}
