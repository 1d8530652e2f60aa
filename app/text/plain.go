package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain returns the message in one line of at most limit characters, without its
// marks: for previews and notifications.
func Plain(md string, limit int) string {
	// Only the beginning can be seen, so only the beginning is read.
	if most := limit * 16; len(md) > most {
		md = strings.ToValidUTF8(md[:most], "")
	}
	return PlainOf(Parse(md), limit)
}

// PlainOf is Plain for a message that has been parsed.
func PlainOf(nodes []Node, limit int) string {
	var b strings.Builder
	plainInto(&b, nodes)
	s := strings.Join(strings.Fields(b.String()), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

func plainInto(b *strings.Builder, nodes []Node) {
	for _, n := range nodes {
		b.WriteString(n.Text)
		plainInto(b, n.Kids)
		if n.Kind >= Paragraph {
			b.WriteByte(' ')
		}
	}
}

// Chinese reports whether s is more Chinese than not, so that a screen can give
// its lines the room that Han characters want.
func Chinese(s string) bool {
	han, other := 0, 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r), unicode.Is(unicode.Hangul, r):
			return false
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.IsLetter(r):
			other++
		}
		if han+other > 400 {
			break
		}
	}
	// One Han character says about as much as a handful of letters.
	return han > 0 && han*5 >= other
}
