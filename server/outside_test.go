package main

import (
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://chat.example.org":       "https://chat.example.org",
		"https://chat.example.org/":      "https://chat.example.org",
		"http://chat.example.org:8080":   "http://chat.example.org:8080",
		"https://example.org/chat":       "https://example.org/chat",
		"https://example.org/chat/":      "https://example.org/chat",
		"https://example.org/chat//":     "https://example.org/chat",
		"https://example.org/a/b-c.d_~9": "https://example.org/a/b-c.d_~9",
		"https://example.org/chat/api":   "https://example.org/chat/api",

		"chat.example.org":              "is not an address like",
		"ftp://example.org/chat":        "is not an address like",
		"https:///chat":                 "is not an address like",
		"https://exam ple.org":          "is not an address like",
		"https://example.org/chat?x=1":  "leave out",
		"https://example.org/chat?":     "leave out",
		"https://example.org/chat#x":    "leave out",
		"https://example.org/#":         "leave out",
		"https://ana@example.org/chat":  "leave out",
		"https://example.org//chat":     "has a path that can not be",
		"https://example.org/a//b":      "has a path that can not be",
		"https://example.org/./chat":    "has a path that can not be",
		"https://example.org/chat/..":   "has a path that can not be",
		"https://example.org/...":       "has a path that can not be",
		"https://example.org/ch at":     "has a path that can not be",
		"https://example.org/ch%61t":    "has a path that can not be",
		"https://example.org/chat+1":    "has a path that can not be",
		"https://example.org/聊天":        "has a path that can not be",
		"https://example.org/api":       "begins with /api",
		"https://example.org/r/chat":    "begins with /r,",
		"https://example.org/lab/":      "begins with /lab",
		"https://example.org/app.js/it": "begins with /app.js",
	} {
		u, err := address(in)
		switch {
		case strings.HasPrefix(want, "http"):
			if err != nil || u.String() != want {
				t.Errorf("%s: %v, %v, want %s", in, u, err, want)
			}
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, %v, want: … %s", in, u, err, want)
		}
	}
}
