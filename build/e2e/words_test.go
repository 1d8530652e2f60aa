package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// hostile is what strangers type to make a page theirs: tags, handlers, addresses, Markdown
// that hides them, and what confuses a parser or an eye.
var hostile = []string{
	`<script>alert(1)</script>`,
	`<img src=x onerror=alert(1)>`,
	`<svg onload=alert(1)>`,
	`<svg><animate onbegin=alert(1) attributeName=x dur=1s>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<iframe src="javascript:alert(1)"></iframe>`,
	`<object data="javascript:alert(1)"></object>`,
	`<embed src="data:text/html,<script>alert(1)</script>">`,
	`<body onpageshow=alert(1)>`,
	`<details open ontoggle=alert(1)>x</details>`,
	`<input autofocus onfocus=alert(1)>`,
	`<video><source onerror=alert(1)></video>`,
	`<form action="javascript:alert(1)"><button>x</button></form>`,
	`<a href="javascript:alert(1)">x</a>`,
	`<base href="https://evil.example/">`,
	`<meta http-equiv=refresh content="0;url=https://evil.example">`,
	`<link rel=stylesheet href="https://evil.example/x.css">`,
	`<style>@import "https://evil.example/x.css";</style>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<template><script>alert(1)</script></template>`,
	`"><script>alert(1)</script>`,
	`' onmouseover='alert(1)`,
	`" autofocus onfocus="alert(1)" x="`,
	`</textarea><script>alert(1)</script>`,
	`</title><script>alert(1)</script>`,
	`--><script>alert(1)</script>`,
	`]]><script>alert(1)</script>`,
	`{{constructor.constructor("alert(1)")()}}`,
	`${alert(1)}`,
	`javascript:alert(1)`,
	`[x](javascript:alert(1))`,
	`[x](JaVaScRiPt:alert(1))`,
	"[x](java\tscript:alert(1))",
	"[x](<java\nscript:alert(1)>)",
	`[x](&#106;avascript:alert(1))`,
	`[x](data:text/html,<script>alert(1)</script>)`,
	`[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)`,
	`[x](vbscript:alert(1))`,
	`[x](blob:https://evil.example/1)`,
	`[x](//evil.example)`,
	"[x](\u202Ejavascript:alert(1))",
	`<javascript:alert(1)>`,
	`[x][1]` + "\n\n" + `[1]: javascript:alert(1)`,
	`![x](javascript:alert(1))`,
	`![x](https://evil.example/track.png)`,
	`![" onerror="alert(1)](x)`,
	`[a](https://example.org "x" onmouseover="alert(1)")`,
	`[" onmouseover="alert(1)](https://example.org)`,
	"```\"><script>alert(1)</script>\nx\n```",
	"```html\n<script>alert(1)</script>\n```",
	"`<script>alert(1)</script>`",
	`**<script>alert(1)</script>**`,
	`> <script>alert(1)</script>`,
	`- <img src=x onerror=alert(1)>`,
	`# <img src=x onerror=alert(1)>`,
	`https://example.org/"onmouseover="alert(1)`,
	`https://example.org/<script>alert(1)</script>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`&#60;script&#62;alert(1)&#60;/script&#62;`,
	`%3Cscript%3Ealert(1)%3C/script%3E`,
	`＜script＞alert(1)＜/script＞`,
	"\u202E<script>alert(1)</script>",
	"<scr\u200Bipt>alert(1)</scr\u200Bipt>",
	`x` + strings.Repeat("\u0301", 300),
	strings.Repeat("> ", 200) + `<script>alert(1)</script>`,
	strings.Repeat("*", 2000) + `<script>alert(1)</script>`,
	strings.Repeat("[", 2000) + `x`,
}

// foreign is whatever is in the page that our own drawing never puts there.
const foreign = `[...document.querySelectorAll("body *")].flatMap((e) => {
	const bad = [];
	if (/^(script|style|iframe|object|embed|base|meta|link|template|noscript|math|video|audio|source|animate|foreignobject)$/i.test(e.localName)) bad.push(e.localName);
	if (e.localName === "img" && !new URL(e.src, location).pathname.startsWith("/web/")) bad.push("img " + e.src);
	if (e.closest("#timeline .text") && !/^(p|a|br|em|strong|del|s|code|pre|ul|ol|li|blockquote|h[1-6]|hr|span|div|svg|use|button|figure|figcaption|input)$/i.test(e.localName)) bad.push("in a message: " + e.localName);
	for (const a of e.attributes) {
		if (/^on/i.test(a.name) || a.name === "srcdoc" || a.name === "style") bad.push(e.localName + " " + a.name + "=" + a.value);
		if (/^(href|src|action|formaction|xlink:href)$/i.test(a.name) && !/^(https?|mailto):/i.test(new URL(a.value, location).href)) bad.push(e.localName + " " + a.name + "=" + a.value);
	}
	if (e.localName === "a" && e.closest(".text") && !/noopener/.test(e.rel)) bad.push("link without noopener: " + e.href);
	return bad;
})`

// S30 and S31: whatever strangers type, in a message, a name or a room's name, is text.
func TestS30WordsAreOnlyText(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	first := ana.room()

	names := 0
	for _, words := range hostile {
		name := chat.CleanName(words)
		if chat.ValidUserName(name) != nil || strings.HasPrefix(name, "-") {
			continue // too long for a name: it is a message below
		}
		eve := program(t, server, name)
		join(t, server, eve, first)
		if err := say(t.Context(), server, eve, first, words); err != nil {
			t.Errorf("%q was refused: %v", words, err)
		}
		if names++; names == 12 {
			break
		}
	}
	eve := program(t, server, "eve")
	join(t, server, eve, first)
	for _, words := range hostile {
		if err := say(t.Context(), server, eve, first, words); err != nil {
			t.Errorf("%q was refused: %v", words, err)
		}
		name := chat.CleanName(words)
		if (chat.NewRoom{Nonce: "n", Kind: chat.Private, Name: name}).Validate() != nil {
			continue
		}
		room := found(t, server, eve, chat.Private, name, ana.user())
		if err := say(t.Context(), server, eve, room, words); err != nil {
			t.Fatal(err)
		}
	}
	if err := say(t.Context(), server, eve, first, "the last words"); err != nil {
		t.Fatal(err)
	}
	ana.sees("the last words")
	ana.calm("live")
	ana.do("reload", chromedp.Reload())
	ana.started()
	ana.sees("the last words")
	ana.calm("after a reload")
	ana.shoot("hostile-words")
	// The same as the name of the open room, in the header, the title and the placeholder.
	for _, link := range eval[[]string](ana, `[...document.querySelectorAll('.sidebar-list a[href^="/r/"]')].slice(0, 20).map((a) => a.getAttribute("href"))`) {
		ana.click(`.sidebar-list a[href="` + link + `"]`)
		ana.until("the room is open", `location.pathname === "`+link+`" && document.querySelector("#composer")`)
		ana.calm(link)
	}
}

// calm fails if anything in the page is not of our own drawing.
func (p *tab) calm(when string) {
	p.t.Helper()
	if d := cmp.Diff([]string{}, eval[[]string](p, foreign)); d != "" {
		p.t.Errorf("%s: in the page (+):\n%s", when, d)
	}
	if d := cmp.Diff([]string{}, eval[[]string](p, `window.cspViolations`)); d != "" {
		p.t.Errorf("%s: blocked by the page's policy (+):\n%s", when, d)
	}
}

// user is who the tab is signed in as.
func (p *tab) user() chat.UserID {
	p.t.Helper()
	return chat.UserID(eval[string](p, `fetch("/api/snapshot").then((r) => r.json()).then((s) => s.you)`))
}
