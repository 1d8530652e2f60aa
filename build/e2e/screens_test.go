package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/app/chat"
)

// What people see, in both languages, three sizes and both colours: the pictures are for
// eyes; what can be measured is.
func TestScreens(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	ana.visit("/")
	ana.until("the door is shown", `document.querySelector("form")`)
	ana.shoot("door-setup-en")
	ana.door("ana")
	room := ana.room()
	ben := program(t, server, "ben")
	ming := program(t, server, "小明")
	join(t, server, ben, room)
	join(t, server, ming, room)
	for _, line := range []struct {
		who  string
		text string
	}{
		{"ben", "Morning! The new build is up, and it **starts in a fifth of a second** when it was here before."},
		{"ben", "What changed:\n\n- the program streams straight into the compiler\n- styles and icons are kept by name\n- `make run` asks nothing"},
		{"ming", "早上好！我刚试了一下，断网之后还能继续写，恢复网络后消息自动发出，一条不多，一条不少。"},
		{"ming", "> starts in a fifth of a second\n\n确实很快。手机上也一样。"},
		{"ben", "```go\nfor batch, err := range link.Follow(ctx, cursor) {\n\tmodel.Apply(batch)\n}\n```"},
		{"ben", "Details are in https://example.org/notes — tell me what is missing."},
	} {
		who := ben
		if line.who == "ming" {
			who = ming
		}
		if err := say(t.Context(), server, who, room, line.text); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"design", "一个名字特别特别长的房间，用来看看侧边栏怎么处理它"} {
		found(t, server, ben, chat.Public, name, ana.user())
	}
	ana.until("everything is there", said+`.length >= 6`)
	ana.write("Reads well. 谢谢!")
	ana.settled()
	for _, width := range []int64{1440, 1024, 390} {
		for _, lang := range []string{"en", "zh"} {
			ana.do("resize", chromedp.EmulateViewport(width, 900))
			ana.speak(lang)
			for _, dark := range []bool{false, true} {
				ana.paint(dark)
				name := fmt.Sprintf("%s-%d-%s", lang, width, map[bool]string{false: "light", true: "dark"}[dark])
				ana.visit("/r/" + string(room))
				ana.inRoom()
				ana.sees("Reads well. 谢谢!")
				ana.fits(name)
				ana.shoot("room-" + name)
			}
			ana.do("a small window", chromedp.EmulateViewport(width, 420))
			ana.until("the day stays at the top", `(() => {
				const box = document.querySelector("#timeline"), day = document.querySelector(".divider.day");
				box.scrollTop = box.scrollHeight;
				return box.scrollTop > day.offsetHeight && Math.abs(day.getBoundingClientRect().top - box.getBoundingClientRect().top) < 1;
			})()`)
			ana.shoot(fmt.Sprintf("day-%s-%d", lang, width))
			ana.do("resize", chromedp.EmulateViewport(width, 900))
			if width == 390 {
				ana.visit("/")
				ana.until("the list is shown", `document.querySelector('.sidebar-list a[href^="/r/"]')`)
				ana.fits("list " + lang)
				ana.shoot(fmt.Sprintf("list-%s-390", lang))
			}
			ana.visit("/settings/connection")
			ana.until("four ways to choose", `document.querySelectorAll('input[type="radio"]').length >= 5`)
			ana.fits("settings " + lang)
			ana.shoot(fmt.Sprintf("connection-%s-%d", lang, width))
		}
	}
	ana.calm("after all screens")
}

// fits fails if the page is wider than its window.
func (p *tab) fits(what string) {
	p.t.Helper()
	if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		p.t.Errorf("%s: the page is %d pixels wider than its window", what, over)
	}
}

// speak chooses the app's language, as the settings do.
func (p *tab) speak(lang string) {
	p.t.Helper()
	p.do("choose a language", chromedp.Evaluate[chromedp.Void](`localStorage.setItem("parley.lang", `+js(lang)+`)`))
}

// signOut ends the session by the settings.
func (p *tab) signOut() {
	p.t.Helper()
	p.click(`.me[href="/settings"]`)
	p.click(`.settings-nav a[href="/settings/account"]`)
	p.click("#sign-out")
	p.click("dialog[open] #confirm")
}
