package auth

import (
	"strings"
	"unicode"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"parley/app/chat"
)

// reserved are names that would speak for the server. Who runs it may still give them.
var reserved = [...]string{
	"admin", "administrator", "moderator", "operator", "owner", "parley", "root", "server", "staff", "support", "system",
	"管理员", "管理者", "系统", "系统管理员", "服务器", "客服", "官方",
}

// NameKey folds a user's name, so that names which look alike but for case or width are the same. Some signs are made of a
// space and a mark, so that there may be spaces to clean away again; Cherokee folds to capitals, which are made small like all others.
func NameKey(name string) string {
	folded := strings.ToLower(cases.Fold().String(norm.NFKC.String(chat.CleanName(name))))
	return chat.CleanName(norm.NFKC.String(folded))
}

// A Look is what people see of a name: of two with one Look, one could be taken for the other. It
// is no way to write a name, and not how somebody signs in.
type Look struct{ seen, folded string }

// LookOf finds the look of a name, by the table of confusable characters of Unicode (UTS #39).
func LookOf(name string) Look {
	seen := strings.ToLower(confusable.Skeleton(visible(name)))
	return Look{seen, strings.ToLower(confusable.Skeleton(cases.Fold().String(norm.NFKC.String(visible(name)))))}
}

// Like reports whether l and o could be taken for each other.
func (l Look) Like(o Look) bool { return l.seen == o.seen || l.folded == o.folded }

// Looks are the looks of many names, with the key of whoever has each. The zero value is none.
type Looks struct{ seen, folded map[string]string }

// Add adds a name and its key.
func (l *Looks) Add(name, key string) {
	if l.seen == nil {
		l.seen, l.folded = map[string]string{}, map[string]string{}
	}
	look := LookOf(name)
	l.seen[look.seen], l.folded[look.folded] = key, key
}

// Like reports whether a name could be taken for that of somebody whose key is another.
func (l *Looks) Like(name, key string) bool {
	look := LookOf(name)
	other := func(k string, ok bool) bool { return ok && k != key }
	seen, ok := l.seen[look.seen]
	folded, too := l.folded[look.folded]
	return other(seen, ok) || other(folded, too)
}

// visible is s without what nothing is drawn for.
func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\u2800': // a pattern of no dots
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, s))
}

// validName refuses what is no name to be shown: by the rules for nicknames of RFC 8266, which leave out
// what is invisible or unassigned, and something must be left that is seen.
func validName(name string) error {
	if err := chat.ValidUserName(name); err != nil {
		return err
	}
	if _, err := precis.Nickname.String(name); err != nil || visible(name) != name || strings.IndexFunc(name, drawn) < 0 {
		return chat.Errorf(chat.CodeInvalid, "a name has plain characters, all of which can be seen")
	}
	return nil
}

func drawn(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.S, unicode.P) }

// ownName refuses a name that speaks for the server, also with marks and signs around it.
func ownName(name string) error {
	bare := LookOf(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.N) {
			return r
		}
		return -1
	}, norm.NFKC.String(name)))
	for _, r := range reserved {
		if bare.Like(LookOf(r)) {
			return chat.Errorf(chat.CodeInvalid, "this name would speak for the server; choose another")
		}
	}
	return nil
}
