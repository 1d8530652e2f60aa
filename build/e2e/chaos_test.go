package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"parley/app/chat"
)

// The owner of a server that was started for it makes WebSockets go unanswered, with the keyboard
// alone: Auto goes down and says why, what is written arrives all the same, and the way
// out is on the screen, also after the page was loaded again.
func TestChaosCard(t *testing.T) {
	server, b := serve(t, "PARLEY_DEV=true"), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ben := open(t, b, server.Base(), desk)
	guest(t, ben, ana, "ben")
	ben.connectionSettings()
	ben.until("a member has the page", `document.querySelector("#facts")?.textContent.includes("HTTP/1.1")`)
	if eval[bool](ben, `!!document.querySelector(".chaos")`) {
		t.Error("a member is offered what is the owner's")
	}
	ben.backToRoom()

	ana.connectionSettings()
	ana.until("it is offered, and nothing is bad", `document.querySelector(".chaos[data-on=false] .chaos-now")?.textContent === "Nothing is made bad now." && document.querySelectorAll("#chaos-whom option").length === 7`)
	if names := eval[string](ana, `[...document.querySelectorAll("#chaos-whom, #chaos-what")].map((e) => e.labels[0].textContent).join(", ")`); names != "Who suffers, What happens" {
		t.Errorf("the choices are called %q", names)
	}
	ana.shootChaos("off")
	ana.do("go to the first choice", chromedp.Focus(chromedp.CSS("#chaos-whom")))
	ana.press("W")
	ana.tabKey()
	ana.press("N")
	ana.tabKey()
	ana.until("the keyboard is at the button", `document.activeElement.id === "chaos-apply" && document.querySelector("#chaos-whom").value === "websocket"`)
	ana.enter()
	ana.until("it says what is bad", `document.querySelector(".chaos[data-on=true] .chaos-now[role=status]")?.textContent.includes("“Clear all” or the server restarts. WebSocket: Never answered.")`)
	ana.click("#drop")
	ana.until("Auto goes down and says why", `document.querySelector('.now[data-state="open"] strong').textContent === "EventSource" && document.querySelector(".now p[role=status]").textContent.includes("WebSocket")`)
	ana.shootChaos("on")
	ana.backToRoom()
	ana.write("told over what is left")
	ana.settled()

	ana.visit("/settings/connection")
	ana.until("it is still said", `document.querySelector(".chaos[data-on=true] .chaos-now")?.textContent.includes("WebSocket: Never answered.")`)
	ana.click("#chaos-clear")
	ana.until("nothing is bad any more", `document.querySelector(".chaos[data-on=false] .chaos-now")?.textContent === "Nothing is made bad now." && document.querySelector("#chaos-clear").disabled`)
	ana.choose(chat.WebSocket)

	ben.connectionSettings()
	ben.until("ben is connected", `document.querySelector('.now[data-state="open"]') && document.querySelector("#drop")`)
	ana.do("choose another's session", chromedp.Focus(chromedp.CSS("#chaos-whom")))
	ana.press("B")
	ana.tabKey()
	ana.press("N")
	ana.tabKey()
	ana.until("it is ben who is chosen", `document.querySelector("#chaos-whom").selectedOptions[0].textContent.startsWith("ben · Chrome, Linux · ")`)
	ana.enter()
	ana.until("it says who suffers", `document.querySelector(".chaos[data-on=true] .chaos-now")?.textContent.includes("ben · Chrome, Linux · ")`)
	eval[any](ben, `document.querySelector("#drop").click()`) // which may be lost already
	ben.until("ben is without a connection", `document.querySelector(".now").dataset.state !== "open"`)
	ana.click("#drop")
	ana.until("the owner is not", `document.querySelector('.now[data-state="open"]') && document.querySelectorAll(".turn").length > 2`)
	ana.click("#chaos-clear")
	ana.until("nothing is bad any more", `document.querySelector(".chaos[data-on=false]")`)
	ben.until("ben is back", `document.querySelector('.now[data-state="open"]')`)
	ben.backToRoom()
	ana.backToRoom()
	ana.write("told as before")
	ana.settled()
	ben.sees("told over what is left")
	ben.sees("told as before")
	for _, p := range []*tab{ana, ben} {
		p.hasSaid("told", "told over what is left", "told as before")
	}
}

// tabKey goes to the next control.
func (p *tab) tabKey() {
	p.t.Helper()
	p.key(input.DispatchKeyEventParams{Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9})
}

// press types one letter.
func (p *tab) press(letter string) {
	p.t.Helper()
	p.key(input.DispatchKeyEventParams{Key: letter, Code: "Key" + letter, WindowsVirtualKeyCode: int64(letter[0]), Text: strings.ToLower(letter)})
}

// shootChaos shows the card in each look.
func (p *tab) shootChaos(name string) {
	p.t.Helper()
	for _, lang := range []string{"en", "zh"} {
		p.do("resize", chromedp.EmulateViewport(1440, 900))
		p.click(`.settings-nav a[href="/settings/language"]`)
		p.click("label[for^=lang-" + lang + "]")
		p.click(`.settings-nav a[href="/settings/connection"]`)
		p.until("it is there", `document.querySelectorAll("#chaos-whom option").length === 7`)
		for width, height := range map[int64]int64{1440: 2_400, 390: 3_300} {
			p.do("resize", chromedp.EmulateViewport(width, height)) // the whole page
			for _, dark := range []bool{false, true} {
				p.paint(dark)
				p.until("colours have changed", `!document.getAnimations().some((a) => a instanceof CSSTransition)`)
				look := fmt.Sprintf("%s-%s-%d-%s", name, lang, width, map[bool]string{false: "light", true: "dark"}[dark])
				p.fits(look)
				p.shoot("chaos-" + look)
			}
		}
	}
	p.do("resize", chromedp.EmulateViewport(1440, 900))
	p.paint(false)
	p.click(`.settings-nav a[href="/settings/language"]`)
	p.click("label[for^=lang-en]")
	p.click(`.settings-nav a[href="/settings/connection"]`)
	p.until("it is there", `document.querySelectorAll("#chaos-whom option").length === 7`)
}
