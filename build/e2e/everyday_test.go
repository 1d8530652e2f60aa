package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// What people do all day: correct themselves, take something back, see who writes.
func TestEditDeleteAndTyping(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")
	ben.until("ana is here", `[...document.querySelectorAll(".presence.online")].length >= 2`)

	ana.fill("#composer", "see you at tree")
	ben.until("ben sees that ana writes", `document.querySelector(".typing").textContent.includes("ana")`)
	ana.enter()
	ben.sees("see you at tree")
	ana.settled()
	ana.do("edit the last message", chromedp.KeyEvent(kb.ArrowUp))
	ana.until("it is in the composer", `document.querySelector("#composer").value === "see you at tree"`)
	ana.do("choose all", chromedp.Evaluate[chromedp.Void](`document.querySelector("#composer").select()`))
	call(ana, input.InsertText, input.InsertTextParams{Text: "see you at three"})
	ana.enter()
	ben.sees("see you at three")
	ben.until("it says so", `document.querySelector("article.row .edited")`)
	ana.until("the composer is empty again", `document.querySelector("#composer").value === ""`)
	ben.hasSaid("see", "see you at three")

	ana.write("wrong room")
	ana.sees("wrong room")
	ben.sees("wrong room")
	ana.settled()
	const toolbar = `#timeline article.row.mine.active .toolbar button:last-child`
	ana.do("point at it", chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("article.row.mine .text")].at(-1).dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`))
	ana.click(toolbar)
	ana.click("dialog[open] #confirm")
	ben.until("a mark stands for it", `document.querySelector("article.row.deleted .tombstone")`)
	if text := eval[string](ben, `document.body.textContent`); strings.Contains(text, "wrong room") {
		t.Error("what was deleted is still shown")
	}
	ana.shoot("edited-and-deleted")
}

// A direct message: unread until read, on all of its reader's devices.
func TestDirectMessageAndUnread(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben, bensPhone := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk), open(t, b, server.Base(), phone)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")
	bensPhone.visit("/")
	bensPhone.door("ben")
	bensPhone.visit("/")
	ana.click(`.sidebar-list .section:nth-of-type(2) .section-head button`)
	ana.click(`dialog[open] label.pick`)
	ana.click(`dialog[open] button[type="submit"]`)
	ana.until("the direct room is open", `document.querySelector(".room-head h1")?.textContent === "ben"`)
	ana.write("psst")
	ana.settled()
	// There is one room of the three with anything to read.
	const unread = `[...document.querySelectorAll('.sidebar-list a[href^="/r/"]')].filter((a) => a.querySelector(".badge:not(.none)"))`
	ben.until("ben has something to read", unread+`.length === 1`)
	bensPhone.until("on the phone too", unread+`.length === 1`)
	ben.until("the title says so", `document.title.startsWith("(1)")`)
	bensPhone.shoot("unread-390")
	ben.do("open it", chromedp.Evaluate[chromedp.Void](unread+`[0].click()`))
	ben.sees("psst")
	ben.until("it is read", unread+`.length === 0 && !document.title.startsWith("(")`)
	bensPhone.until("on the phone too", unread+`.length === 0`)
}

// Scrolling up reads what is older, moves nothing under the eye, and finds everything once.
func TestHistory(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	ben := program(t, server, "ben")
	join(t, server, ben, room)
	var want []string
	for i := range 330 {
		want = append(want, fmt.Sprintf("line %d", i))
		if err := say(t.Context(), server, ben, room, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	ana.do("begin anew", chromedp.Evaluate[chromedp.Void](`indexedDB.deleteDatabase("parley"), undefined`))
	ana.visit("/r/" + string(room))
	ana.inRoom()
	ana.until("the newest are there", said+`.length > 0`)
	// A row in the middle of the window stays where it is while older ones come.
	const mark = `(() => {
		const box = document.querySelector("#timeline").getBoundingClientRect();
		const row = [...document.querySelectorAll("#timeline article.row")].find((r) => r.getBoundingClientRect().top > box.top + 80);
		window.marked = row.id; window.markedAt = row.getBoundingClientRect().top; return true;
	})()`
	for range 12 {
		if eval[bool](ana, said+`.includes("line 0")`) {
			break
		}
		have := len(ana.said())
		ana.do("go up", chromedp.Evaluate[chromedp.Void](`document.querySelector("#timeline").scrollTop = 60`))
		eval[bool](ana, mark)
		ana.until("older ones come", fmt.Sprintf(`%s.length > %d || %s.includes("line 0")`, said, have, said))
		if moved := eval[float64](ana, `(document.getElementById(marked)?.getBoundingClientRect().top ?? Infinity) - markedAt`); moved > 4 || moved < -4 {
			t.Errorf("while older messages came, the one being read moved by %.0f pixels", moved)
		}
	}
	if d := cmp.Diff(want, ana.said()); d != "" {
		t.Errorf("the timeline (-want +got):\n%s", d)
	}
}
