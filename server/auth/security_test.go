package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/app/chat"
)

// TestS13HashesAtOnce: of 200 who sign in at once, a few hash, no more than there are processors, each with its tens of MiB; some
// wait, and the rest are told to come again.
func TestS13HashesAtOnce(t *testing.T) {
	h := newHasher(Params{MemoryKiB: 64, Passes: 1})
	most := cap(h.slots)
	ctx, cancel := context.WithCancel(t.Context())
	type turned struct {
		done func()
		err  error
	}
	turns := make(chan turned, 200)
	for range 200 {
		go func() {
			done, err := h.turn(ctx)
			turns <- turned{done, err}
		}()
	}
	// Nobody finishes: those who hash and those who are refused answer, the others wait.
	var running []func()
	refused := 0
	for range 200 - maxWaiting {
		switch r := <-turns; {
		case r.err == nil:
			running = append(running, r.done)
		case chat.CodeOf(r.err) == chat.CodeUnavailable:
			refused++
		default:
			t.Fatal(r.err)
		}
	}
	if len(running) != most || refused != 200-maxWaiting-most {
		t.Errorf("%d hash at once and %d are refused, want %d and %d", len(running), refused, most, 200-maxWaiting-most)
	}
	running[0]()
	if r := <-turns; r.err != nil {
		t.Errorf("who waited: %v", r.err)
	} else {
		running[0] = r.done
	}
	cancel()
	for range maxWaiting - 1 {
		if r := <-turns; !errors.Is(r.err, context.Canceled) {
			t.Errorf("who gave up waiting: %v", r.err)
		}
	}
	for _, done := range running {
		done()
	}
	if n := h.queued.Load(); n != 0 {
		t.Errorf("%d are counted when all are gone", n)
	}
}

// TestS35Names: nobody is named so that they could be taken for another, or for the server, or with what is not seen.
func TestS35Names(t *testing.T) {
	for _, pair := range [][2]string{
		{"paypal", "раураl"}, {"ana", "аnа"}, {"ana", "ANА"}, {"Ian", "lan"}, {"bob", "b0b"}, {"mark", "rnark"}, {"lily", "1i1y"}, {"ana", "ａｎａ"}, {"ana", "𝐚𝐧𝐚"}, {"ana", "ⓐⓝⓐ"},
		{"scope", "ѕсоре"}, {"Αθηνα", "Aθηνα"}, {"ana", "ana\ufe0f"}, {"ana", "ana\u3164"}, {"ana", "ana\u2800"}, {"ana", "a\u034fna"}, {"José", "Jose\u0301"}, {"straße", "STRASSE"}, {"ana!", "anaǃ"},
	} {
		if !LookOf(pair[0]).Like(LookOf(pair[1])) {
			t.Errorf("%q and %q look different", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"ana", "anna"}, {"José", "Jose"}, {"小明", "小名"}, {"user 1", "user 2"}, {"王", "玉"}, {"иван", "ivan"}, {"ana", "ana 2"}, {"Ken", "Kim"}} {
		if LookOf(pair[0]).Like(LookOf(pair[1])) {
			t.Errorf("%q and %q look the same", pair[0], pair[1])
		}
	}
	for _, good := range []string{"ana", "小明", "José María", "O'Neil", "Ана", "مريم", "נועה", "さくら", "박지민", "สมชาย", "आरव", "ana 👍", "R2-D2", "b"} {
		if err := validName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
		if err := ownName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " ", " ana", "ana ", "a  b", "a\tb", "a\u00a0b", "\u200bana", "an\u200da", "ana\u202e", "\u2066ana", "ana\ufe0f", "\u3164", "ana\u3164", "\u2800", "\u115f\u1160", "a\u034fb",
		"\u0301", "a" + string(make([]byte, 1)), "ana\x1b[31m", "ana\u2028", "e\u0301\u0301\u0301", "\ue000", "\U000e0041ana", "\U0010ffff", "ana\ufff9", "\xff"} {
		if err := validName(bad); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, own := range []string{"admin", "Admin", "ADMIN", "аdmin", "adrnin", "[admin]", "-admin-", "a d m i n", "@admin", "admin ✓", "𝓪𝓭𝓶𝓲𝓷", "System", "ѕуѕtеm", "parley", "Раrlеу", "root", "r00t", "管理员", "系统", "【官方】"} {
		if err := ownName(own); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%q: %v", own, err)
		}
	}
}

// FuzzNames: whatever is a name is one that is seen, is like itself in other cases and forms, and is no longer than names are.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"ana", "Ian", "раураl", "ａｎａ", "e\u0301\u0301\u0301", "\u202eana", "ana\ufe0f", "\u3164", "小明", "ßẞ", "İi", "ﬃ", "\u1e9b\u0323", "ᾳͅ", "\xff", "ǰ", "Ω", "a\u2800b", "\u1fbf", "\u13c7", "\uab97"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean := chat.CleanName(name)
		if again := chat.CleanName(clean); again != clean {
			t.Errorf("%q cleaned is %q, and again %q", name, clean, again)
		}
		if len(clean) > len(name)+3 { // marks and spaces only ever go
			t.Errorf("%q grew to %q", name, clean)
		}
		if validName(name) != nil {
			return
		}
		if clean != name || strings.IndexFunc(name, drawn) < 0 || utf8.RuneCountInString(name) > chat.MaxName {
			t.Errorf("%q is valid", name)
		}
		look := LookOf(name)
		for _, other := range []string{name + "\u200b", norm.NFC.String(name), norm.NFD.String(name)} {
			if !look.Like(LookOf(other)) {
				t.Errorf("%q does not look like %q", name, other)
			}
		}
		if key := NameKey(name); key == "" || NameKey(key) != key {
			t.Errorf("%q has the key %q, and that %q", name, key, NameKey(key))
		}
	})
}

// BenchmarkLookOf is what a new account costs for each person who is there already.
// TestGuessedPasswords: what is guessed first is refused, and what merely looks simple is not.
func TestGuessedPasswords(t *testing.T) {
	for _, bad := range []string{"iloveyou1", "DRAGON123", "qwertyui", "trustno1", "aaaaaaaaaaaa", "漢漢漢漢漢漢漢漢", "parley123", "annabella", "Annabella1!", "woaini1314"} {
		if err := validPassword(bad, "annabella"); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%q is taken: %v", bad, err)
		}
	}
	for _, good := range []string{"a long walk by the river", "correct horse", "我爱你我爱你我爱你", "ana-secret", strings.Repeat("4@8({[<369&#!1|/!0o$57+%2x", 30)} {
		if err := validPassword(good, "annabella"); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
}

func BenchmarkLookOf(b *testing.B) {
	for b.Loop() {
		LookOf("José María 小明")
	}
}
