package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The lab runs its half minute in a real browser: all four ways bring every message, the owner sees what the
// server spent, and nothing of it is left in the list of rooms.
func TestLab(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.visit("/settings/connection")
	ana.click("#to-lab")
	ana.click("#lab-do")
	ana.until("messages come by all four", `[...document.querySelectorAll(".lab-stems")].filter((e) => e.getAttribute("d")).length === 4`)
	ana.shoot("lab-running")
	ana.until("half of it is over", `document.querySelector(".lab-progress").value > 15000`)
	ana.until("it is over", `document.querySelector("#lab-table")`)
	rows := eval[[][]string](ana, `[...document.querySelectorAll("#lab-table tbody tr")].map((r) => [...r.cells].map((c) => c.textContent))`)
	if len(rows) != 14 {
		t.Fatalf("an owner's table has %d rows: %q", len(rows), rows)
	}
	for _, r := range rows {
		for _, c := range r {
			if len(r) != 5 || c == "" || c == "–" {
				t.Errorf("%q is not filled", r)
			}
		}
	}
	// A long poll has two until it is parked; the streams have none of ours, a WebSocket one of its library's.
	if got := rows[12]; got[1] != "0" || got[2] != "0" && got[2] != "2" || got[3] != "0" || got[4] != "1" {
		t.Errorf("goroutines of a session: %q", got)
	}
	for _, c := range rows[0][1:] {
		var came, sent int
		if _, err := fmt.Sscanf(c, "%d of %d", &came, &sent); err != nil || came != sent || sent < 15 {
			t.Errorf("messages that came: %q", rows[0])
		}
	}
	if advice := eval[string](ana, `document.querySelector(".lab-advice").textContent`); !strings.HasPrefix(advice, "Use ") {
		t.Errorf("it advises %q", advice)
	}
	if list := eval[string](ana, `document.querySelector(".sidebar-list").textContent`); strings.Contains(list, "lab") {
		t.Errorf("the lab's room is listed: %q", list)
	}
	ana.do("catch what is copied", chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, "clipboard", { value: { writeText: (s) => { window.copied = s; return Promise.resolve(); } } })`))
	ana.click("#lab-copy")
	ana.until("it is copied", `window.copied?.includes("| Messages that came |") && document.querySelector("#lab-copy").textContent === "Copied"`)
	for _, lang := range []string{"en", "zh"} {
		ana.do("resize", chromedp.EmulateViewport(1440, 900))
		ana.click(`.me[href="/settings"]`)
		ana.click(`.settings-nav a[href="/settings/language"]`)
		ana.click("label[for^=lang-" + lang + "]")
		ana.click(`.settings-nav a[href="/settings/connection"]`)
		ana.click("#to-lab")
		ana.until("it is still there", `document.querySelector("#lab-table") && !/Copied|已复制/.test(document.querySelector("#lab-copy").textContent)`)
		for _, size := range [][2]int64{{1440, 1400}, {1024, 2000}, {390, 3700}} {
			ana.do("resize", chromedp.EmulateViewport(size[0], size[1])) // the whole page
			for _, dark := range []bool{false, true} {
				ana.paint(dark)
				name := fmt.Sprintf("%s-%d-%s", lang, size[0], map[bool]string{false: "light", true: "dark"}[dark])
				ana.fits(name)
				ana.shoot("lab-" + name)
			}
		}
	}
}
