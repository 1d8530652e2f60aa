package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/app/chat"
)

// The Connection page measures while one looks, lets one drop the connection and
// pretend to be offline, and tells what happened in a report that names nobody.
func TestConnectionPage(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	ben := program(t, server, "ben")
	join(t, server, ben, room)
	ana.visit("/settings/connection") // as one who was given the address
	ana.until("it is measured", `document.querySelector("#sparks-rtt strong")?.textContent.match(/\d/) && document.querySelector("#sparks-rtt polyline.spark-line").getAttribute("points")`)
	for i := range 12 {
		if err := say(t.Context(), server, ben, room, fmt.Sprint("a word that is nobody's business ", i)); err != nil {
			t.Fatal(err)
		}
	}
	ana.until("messages are counted", `parseInt(document.querySelector("#sparks-messages p").textContent.match(/\d+/)) >= 12`)
	ana.until("so are bytes, and nothing is missing", `["received", "sent", "reconnects"].every((id) => document.querySelector("#sparks-" + id + " path.spark-bars"))
		&& document.querySelector("#sparks-received path").getAttribute("d") && document.querySelector("#sparks-lag strong").textContent === "0" && document.querySelector("#sparks-lag polyline").getAttribute("points")`)
	ana.until("the server told of itself", `document.querySelector("#facts").textContent.includes("HTTP/1.1")`)
	for _, via := range []chat.Via{chat.EventSource, chat.LongPoll, chat.WebSocket} {
		ana.choose(via)
	}
	ana.click("#drop")
	ana.until("it is told and is over", told("You dropped the connection.", "Connected over WebSocket."))
	ana.until("having it again is drawn", `document.querySelector("#sparks-reconnects path").getAttribute("d")`)
	ana.click("#pretend")
	ana.until("offline", `document.querySelector('.now[data-state="offline"]') && document.querySelector('.banner[data-kind="pretend"]')`)
	if err := say(t.Context(), server, ben, room, "said meanwhile"); err != nil {
		t.Fatal(err)
	}
	ana.backToRoom()
	ana.write("written offline")
	ana.until("it waits", `document.querySelector("article.row.pending")`)
	if got := ana.said(); strings.Contains(strings.Join(got, "\n"), "said meanwhile") {
		t.Errorf("something came while pretending to be offline: %q", got)
	}
	ana.click(".banner button")
	ana.sees("said meanwhile")
	ana.settled()
	ana.hasSaid("written", "written offline")
	ana.connectionSettings()
	ana.until("it is told", told("You pretended to be offline.", "You went online again."))
	ana.do("catch what is copied", chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, "clipboard", { value: { writeText: (s) => { window.copied = s; return Promise.resolve(); } } })`))
	ana.click("#report")
	ana.until("it is copied", `window.copied && document.querySelector("#report").textContent === "Copied"`)
	report := eval[string](ana, `window.copied`)
	for _, want := range []string{"# Connection report", "WebSocket", "You dropped the connection.", "| Server node |"} {
		if !strings.Contains(report, want) {
			t.Errorf("%q is not in the report:\n%s", want, report)
		}
	}
	for _, private := range []string{"ana", "ben", "General", "business", string(room), ana.base, "Mozilla"} {
		if strings.Contains(report, private) {
			t.Errorf("%q is in the report:\n%s", private, report)
		}
	}
	for _, lang := range []string{"en", "zh"} {
		ana.do("resize", chromedp.EmulateViewport(1440, 900))
		ana.click(`.settings-nav a[href="/settings/language"]`)
		ana.click("label[for^=lang-" + lang + "]")
		ana.click(`.settings-nav a[href="/settings/connection"]`)
		ana.until("it is measured again", `document.querySelector("#sparks-rtt polyline.spark-line")?.getAttribute("points")`)
		for _, width := range []int64{1440, 1024, 390} {
			ana.do("resize", chromedp.EmulateViewport(width, 2_000)) // the whole page
			for _, dark := range []bool{false, true} {
				ana.paint(dark)
				name := fmt.Sprintf("%s-%d-%s", lang, width, map[bool]string{false: "light", true: "dark"}[dark])
				ana.until("colours have changed", `!document.getAnimations().some((a) => a instanceof CSSTransition)`)
				ana.fits(name)
				ana.shoot("measures-" + name)
			}
		}
	}
}

// told is whether the time line says these, the oldest first, maybe with others between.
func told(sentences ...string) string {
	return `((want) => {
		for (const s of [...document.querySelectorAll(".turn span:last-child")].map((e) => e.textContent)) if (want.length && s.startsWith(want.at(-1))) want.pop();
		return !want.length;
	})(` + js(sentences) + `)`
}
