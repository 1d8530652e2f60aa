package text

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"

	"parley/app/chat/chattest"
	"parley/app/text/texttest"
)

// show writes a tree in one line, for tables: kind(kids), "text", <href>.
func show(nodes []Node) string {
	names := map[Kind]string{Emphasis: "em", Strong: "strong", Strike: "del", Paragraph: "p", Quote: "quote", Item: "li"}
	var parts []string
	for _, n := range nodes {
		switch n.Kind {
		case Text:
			parts = append(parts, fmt.Sprintf("%q", n.Text))
		case Code:
			parts = append(parts, fmt.Sprintf("code %q", n.Text))
		case CodeBlock:
			parts = append(parts, fmt.Sprintf("pre[%s] %q", n.Lang, n.Text))
		case Rule:
			parts = append(parts, "hr")
		case Link:
			parts = append(parts, "a<"+n.Href+">("+show(n.Kids)+")")
		case Heading:
			parts = append(parts, fmt.Sprintf("h%d(%s)", n.Level, show(n.Kids)))
		case List:
			parts = append(parts, fmt.Sprintf("list%d(%s)", n.Level, show(n.Kids)))
		default:
			parts = append(parts, names[n.Kind]+"("+show(n.Kids)+")")
		}
	}
	return strings.Join(parts, " ")
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, md, want string }{
		{"plain", "hello", `p("hello")`},
		{"a line break is a line break", "one\ntwo", `p("one\ntwo")`},
		{"windows", "one\r\ntwo", `p("one\ntwo")`},
		{"paragraphs", "one\n\ntwo", `p("one") p("two")`},
		{"marks", "*a* **b** ~~c~~ `d`", `p(em("a") " " strong("b") " " del("c") " " code "d")`},
		{"one tilde is a tilde", "~5 or ~6", `p("~5 or ~6")`},
		{"marks within marks", "**a *b* c**", `p(strong("a " em("b") " c"))`},
		{"underscores in words", "snake_case_name", `p("snake_case_name")`},
		{"marks beside Chinese", "这是**重点**吗", `p("这是" strong("重点") "吗")`},
		{"escape", `\*not\*`, `p("*not*")`},
		{"entity is text", "a &lt; b &amp; c", `p("a &lt; b &amp; c")`},
		{"fence", "```go\nx := 1\n\n  y\n```", `pre[go] "x := 1\n\n  y"`},
		{"fence with more than a language", "```sh -c 'x'\ny\n```", `pre[] "sh -c 'x'\ny"`},
		{"open fence", "```\n<b>", `pre[] "<b>"`},
		{"indented is no code", "    four", `p("    four")`},
		{"spaces stay", "if x {\n    y\n}", `p("if x {\n    y\n}")`},
		{"spaces in items", "- a\n  b", `list0(li(p("a\nb")))`},
		{"no underlined heading", "title\n---", `p("title") hr`},
		{"heading", "## two", `h2("two")`},
		{"hash without space", "#general", `p("#general")`},
		{"quote", "> a\n> b\n\nc", `quote(p("a\nb")) p("c")`},
		{"bullets", "- a\n- b\n  - c", `list0(li(p("a")) li(p("b") list0(li(p("c")))))`},
		{"numbers", "3. a\n4. b", `list3(li(p("a")) li(p("b")))`},
		{"link", "[go](https://go.dev)", `p(a<https://go.dev>("go"))`},
		{"link with marks", "[*go*](https://go.dev)", `p(a<https://go.dev>(em("go")))`},
		{"link label is an address", "[https://a.example](https://b.example)", `p(a<https://b.example>("https://a.example"))`},
		{"angle", "<https://go.dev>", `p(a<https://go.dev>("https://go.dev"))`},
		{"mail", "<ana@example.org>", `p(a<mailto:ana@example.org>("ana@example.org"))`},
		{"bare", "see https://go.dev/x_y_z?a=b#c.", `p("see " a<https://go.dev/x_y_z?a=b#c>("https://go.dev/x_y_z?a=b#c") ".")`},
		{"bare beside Chinese", "见https://go.dev/doc，很好", `p("见" a<https://go.dev/doc>("https://go.dev/doc") "，很好")`},
		{"bare in brackets", "(https://a.example/b_(c))", `p("(" a<https://a.example/b_%28c%29>("https://a.example/b_(c)") ")")`},
		{"bare in strong", "**https://a.example**", `p(strong(a<https://a.example>("https://a.example")))`},
		{"bare in code", "`https://a.example`", `p(code "https://a.example")`},
		{"two bare", "http://a.example http://b.example", `p(a<http://a.example>("http://a.example") " " a<http://b.example>("http://b.example"))`},
		{"half a scheme", "xhttp://a.example http:// ://", `p("xhttp://a.example http:// ://")`},
		{"image is a link", "![cat](https://a.example/c.png)", `p(a<https://a.example/c.png>("cat"))`},
		{"reference is text", "[a]: https://a.example", `p("[a]: " a<https://a.example>("https://a.example"))`},
		{"tag is text", "<b>x</b>", `p("<b>x</b>")`},
		{"block tag is text", "<script>\nalert(1)\n</script>", `p("<script>\nalert(1)\n</script>")`},
		{"bad scheme", "[x](javascript:alert(1))", `p("x (javascript:alert(1))")`},
		{"bad scheme with marks", "[*x*](data:text/html,hi)", `p(em("x") " (data:text/html,hi)")`},
		{"empty", "", ``},
		{"only space", " \n\t\n", ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := show(Parse(c.md))
			// How an address with brackets is written is net/url's business.
			got = strings.NewReplacer("b_(c)>", "b_%28c%29>").Replace(got)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("Parse(%q): %s", c.md, d)
			}
		})
	}
}

func TestHref(t *testing.T) {
	good := []string{"http://a.example", "HTTPS://a.example/x?y#z", "mailto:ana@example.org", " https://a.example ", "https://例子.example/路"}
	for _, s := range good {
		if _, ok := Href(s); !ok {
			t.Errorf("Href(%q) was refused", s)
		}
	}
	bad := []string{"", "a.example", "/settings", "//a.example", "#x", "?x", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
		"java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,x", "vbscript:x",
		"blob:https://a.example/x", "file:///etc/passwd", "ftp://a.example", "http:a.example", "https:/a.example", "http://",
		"https://a.example/\u202egnp.exe", "https://a\u200b.example", "https://a.example\\@b.example", "mailto:", "mailto://a",
		"view-source:https://a.example", "http://a.example/ b", "%6aavascript:alert(1)", "&#106;avascript:alert(1)", "javascript&colon;alert(1)"}
	for _, s := range bad {
		if h, ok := Href(s); ok {
			t.Errorf("Href(%q) = %q, want it refused", s, h)
		}
	}
}

// check fails when the tree holds what it must not hold.
func check(t *testing.T, md string, nodes []Node) {
	t.Helper()
	count := 0
	var walk func([]Node, int)
	walk = func(nodes []Node, depth int) {
		if depth > MaxDepth+1 {
			t.Fatalf("%.80q: deeper than %d", md, MaxDepth)
		}
		for _, n := range nodes {
			count++
			if n.Kind > Rule {
				t.Errorf("%.80q: kind %d", md, n.Kind)
			}
			if (n.Kind == Link) != (n.Href != "") {
				t.Errorf("%.80q: kind %d with address %q", md, n.Kind, n.Href)
			}
			if n.Kind == Link {
				u, err := url.Parse(n.Href)
				if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
					t.Errorf("%.80q: link to %q", md, n.Href)
				}
			}
			walk(n.Kids, depth+1)
		}
	}
	walk(nodes, 0)
	if count > 2*MaxNodes {
		t.Errorf("%.80q: %d nodes", md, count)
	}
}

// bombs are messages built to be expensive: piles of what a parser looks back from.
func bombs() []string {
	many := func(s string) string { return strings.Repeat(s, MaxBytes/len(s)) }
	growing := func(unit, end string) string {
		var b strings.Builder
		for i := 0; b.Len()+i*len(unit)+len(end) < MaxBytes; i++ {
			b.WriteString(strings.Repeat(unit, i) + end)
		}
		return b.String()
	}
	bombs := []string{growing("  ", "- a\n"), growing("`", " "), growing("> ", "a\n"), growing("*", "a "), growing("[", "a")}
	for _, s := range []string{"*", "**a ", "*a _b ", "_", "`", "` `` ", "[", "[a](", "![", "]", "[a]", "<", "<http://a", "> ", ">", "- ",
		"* a\n  ", "1. ", "~~a ", "~", "a\n", "\n", "\\", "&amp;", "#", "# a\n", "```\n", "http://a.b ", "http://", "://", "[a](http://b) ",
		"**a*b", "- a\n", "> a\n", "[[a]", "((", "[a](<", "[a](b \"", "*_", "a***", "\t", "- - ", "+ a\n\n", "~~~\n", "[x][", "[a](b",
		"[![", "**[", "[**", "[`", "_[a_", "> - ", "- > ", "1) a\n   > b\n", "\x00", "\xff", "\u202e", "e\u0301\u0301", "<!--", "<a ", "((((http://a"} {
		bombs = append(bombs, many(s))
	}
	return bombs
}

// TestS56Bombs: what comes of them is within the bounds of all messages, and so is what it takes to make it.
// How long that takes is the benchmark's to say.
func TestS56Bombs(t *testing.T) {
	for _, md := range bombs() {
		check(t, md, Parse(md))
		if n := testing.AllocsPerRun(1, func() { Parse(md) }); n > 2*MaxBytes {
			t.Errorf("%.20q…: %.0f allocations for %d bytes", md, n, len(md))
		}
	}
}

// BenchmarkBombs reports the slowest of the bombs.
func BenchmarkBombs(b *testing.B) {
	list := bombs()
	var worst time.Duration
	for b.Loop() {
		for _, md := range list {
			begun := time.Now()
			Parse(md)
			worst = max(worst, time.Since(begun))
		}
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms/worst")
}

func BenchmarkParse(b *testing.B) {
	md := "See **this**: https://go.dev/doc, `code` and\n- one\n- two\n\n> 引用一段话"
	b.ReportAllocs()
	for b.Loop() {
		Parse(md)
	}
}

// perByte bounds the memory that parsing takes for a byte of text. It is much, as goldmark makes something of each mark
// that might begin a link; what is nothing but marks is not given to it: see costly.
const perByte = 2_048

// FuzzParse: whatever is typed becomes a tree within its bounds, in a bounded multiple of its length of memory, the
// same tree each time, and one line in a preview.
func FuzzParse(f *testing.F) {
	for _, s := range append(texttest.Hostile(), "# a\n> - *b* `c`\n\n```x\ny", "[a](http://b \"c\")", "~~a~~ <http://x>", "e\u0301\u0301 \x00 \xff", "1. a\n   1) b\n\t- c") {
		f.Add(s)
	}
	for _, s := range bombs() {
		f.Add(s[:500])
	}
	f.Fuzz(func(t *testing.T, md string) {
		var nodes []Node
		if n := chattest.Allocated(func() { nodes = Parse(md) }); n > perByte*uint64(len(md))+256<<10 {
			t.Errorf("%d bytes for the %d of %.80q", n, len(md), md)
		}
		check(t, md, nodes)
		if len(md) <= MaxBytes && !costly(md) { // the same without the net below it
			src := []byte(md)
			c := converter{src: src, left: MaxNodes}
			c.blocks(markdown().Parse(gtext.NewReader(src)), 0)
		}
		if show(nodes) != show(Parse(md)) {
			t.Errorf("%q is not always parsed alike", md)
		}
		if got := Plain(md, 80); strings.ContainsAny(got, "\n\r") || len([]rune(got)) > 80 {
			t.Errorf("Plain(%q) = %q", md, got)
		}
	})
}

// A parser that fails costs a message its marks only.
func TestFaultOfTheParser(t *testing.T) {
	want := []Node{{Kind: Paragraph, Kids: []Node{{Text: "**poison** https://example.org"}}}}
	if d := cmp.Diff(want, parse(broken{}, "**poison** https://example.org")); d != "" {
		t.Error(d)
	}
}

type broken struct{ parser.Parser }

func (broken) Parse(gtext.Reader, ...parser.ParseOption) ast.Node { panic("poison") }

// FuzzHref: an address that a link may carry is of three schemes, hides nothing, and carries itself.
func FuzzHref(f *testing.F) {
	for _, s := range []string{"https://a.example/b?c#d", "HTTP://A.example", "mailto:a@b.example", "javascript:alert(1)", "java\tscript:x", "//a", "https:a", "http://[::1]:80/", "http://a@b:c@d/",
		"https://a.example/\u202e", "http://a\\b", "http://a/%zz", "http://%41", "mailto:a?b=c&d", " https://a ", "https://例え.example/引用", "http://a:99999999/", "data:text/html,x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		href, ok := Href(s)
		if !ok {
			return
		}
		scheme, _, _ := strings.Cut(href, ":")
		if scheme != "http" && scheme != "https" && scheme != "mailto" || strings.ContainsFunc(href, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
			t.Errorf("%q may be linked to, as %q", s, href)
		}
		if again, ok := Href(href); !ok || again != href {
			t.Errorf("%q becomes %q, and that %q, %v", s, href, again, ok)
		}
		if len(href) > 4*len(s)+16 {
			t.Errorf("%q grew to %q", s, href)
		}
	})
}
