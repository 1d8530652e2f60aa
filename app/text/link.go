package text

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Href returns the address as a link may carry it: absolute http, https or
// mailto, without anything that hides where it goes. ok is false for all else.
func Href(s string) (href string, ok bool) {
	s = strings.TrimSpace(s)
	for _, r := range s {
		// A browser drops tabs and line breaks inside a scheme; direction
		// overrides and invisible characters make an address look like another.
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\\' || r == utf8.RuneError {
			return "", false
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host == "" || u.Opaque != "" {
			return "", false
		}
	case "mailto":
		if u.Opaque == "" || u.Host != "" {
			return "", false
		}
	default:
		return "", false
	}
	return u.String(), true
}

// linkify splits s at its bare http and https addresses.
func linkify(s string) []Node {
	var out []Node
	rest := 0
	for at := 0; at < len(s); {
		i := strings.Index(s[at:], "://")
		if i < 0 {
			break
		}
		i += at
		start := i - schemeBefore(s[rest:i])
		end := i + 3 + urlLen(s[i+3:])
		at = max(end, i+3)
		href, ok := Href(s[start:end])
		if start == i || end == i+3 || !ok {
			continue
		}
		out = appendText(out, s[rest:start])
		out = append(out, Node{Kind: Link, Href: href, Kids: []Node{{Text: s[start:end]}}})
		rest = end
	}
	return appendText(out, s[rest:])
}

// schemeBefore returns the length of the http or https that s ends with, as a
// word of its own; 0 if there is none.
func schemeBefore(s string) int {
	for _, scheme := range [...]string{"https", "http"} {
		n := len(s) - len(scheme)
		if n < 0 || !strings.EqualFold(s[n:], scheme) {
			continue
		}
		if r, _ := utf8.DecodeLastRuneInString(s[:n]); n > 0 && r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return 0
		}
		return len(scheme)
	}
	return 0
}

// urlLen returns how much of s belongs to an address that has begun: up to the first
// character that is not one of an address's, which every Chinese character and mark
// is, less the punctuation of the sentence around it.
func urlLen(s string) int {
	n, open := 0, 0
scan:
	for ; n < len(s); n++ {
		switch c := s[n]; {
		case c >= utf8.RuneSelf, c <= ' ', c == 0x7f, strings.IndexByte("<>\"`{}|\\^", c) >= 0:
			break scan
		case c == '(':
			open++
		case c == ')':
			if open--; open < 0 {
				break scan
			}
		}
	}
	for n > 0 && strings.IndexByte(".,:;!?'*_~(", s[n-1]) >= 0 {
		n--
	}
	return n
}
