package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// begin chooses an item of the menu of what can be begun.
func (p *tab) begin(item int) {
	p.t.Helper()
	p.click("#new")
	p.click(fmt.Sprintf("#new-menu button:nth-of-type(%d)", item))
}

const (
	newRoom = 1
	browse  = 3
)

// in waits until a room of a name is open.
func (p *tab) in(name string) {
	p.t.Helper()
	p.until(name+" is open", `document.querySelector(".room-head h1")?.textContent === `+js(name))
	p.inRoom()
}

// lists waits until the list of rooms has one of a name, or has it no more.
func (p *tab) lists(name string, has bool) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s is listed: %t", name, has), fmt.Sprintf(`[...document.querySelectorAll('.sidebar-list a[href^="/r/"] .item-name')].some((n) => n.textContent === %s) === %t`, js(name), has))
}

// enters opens a room of the list.
func (p *tab) enters(name string) {
	p.t.Helper()
	p.do("open "+name, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`[...document.querySelectorAll('.sidebar-list a[href^="/r/"]')].find((a) => a.textContent.includes(%s)).click()`, js(name))))
	p.in(name)
}

// members opens the pane of who is in the room.
func (p *tab) members() {
	p.t.Helper()
	if !eval[bool](p, `!!document.querySelector("#members")`) {
		p.click(".members-button")
	}
	p.until("the members are shown", `document.querySelector("#members .person")`)
}

// joins goes into a public room that the list of those says has so many members.
func (p *tab) joins(name, members string) {
	p.t.Helper()
	p.begin(browse)
	p.until("the room is listed", fmt.Sprintf(`[...document.querySelectorAll("dialog[open] li.pick")].some((li) => li.querySelector(".pick-name").textContent === %s && li.querySelector(".quiet").textContent === %s)`, js(name), js(members)))
	p.do("join", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`[...document.querySelectorAll("dialog[open] li.pick")].find((li) => li.querySelector(".pick-name").textContent === %s).querySelector("button").click()`, js(name))))
	p.in(name)
}

// What people do with rooms: make one, find it, come in, bring others, send one out, leave.
func TestRooms(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")

	ana.begin(newRoom)
	ana.fill("#room-name", "kitchen")
	ana.click(`dialog[open] button[type="submit"]`)
	ana.in("kitchen")
	ben.joins("kitchen", "1 member")
	ben.write("what is for dinner?")
	ana.sees("what is for dinner?")

	ana.begin(newRoom)
	ana.fill("#room-name", "花园")
	ana.click(`dialog[open] label[for="kind-private"]`)
	ana.click(`dialog[open] button[type="submit"]`)
	ana.in("花园")
	ana.write("for two only")
	ana.settled()
	ben.begin(browse)
	ben.until("there is no room to find", `document.querySelector("dialog[open] .empty")`)
	ben.do("close the list", chromedp.Evaluate[chromedp.Void](`document.querySelector("dialog[open]").close()`))
	ana.members()
	ana.click("#members .context-actions button:nth-of-type(1)")
	ana.click("dialog[open] label.pick")
	ana.click(`dialog[open] button[type="submit"]`)
	ben.lists("花园", true)
	ben.enters("花园")
	ben.write("here")
	ana.sees("here")

	// Whoever is sent out has the room no more, on the screen or in the list.
	ana.until("ben is a member", `document.querySelectorAll("#members .person").length === 2`)
	ana.do("send ben out", chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("#members .person")].find((p) => p.textContent.includes("ben")).querySelector(".person-actions button:last-child").click()`))
	ana.click("dialog[open] #confirm")
	ana.until("ben is no member", `document.querySelectorAll("#members .person").length === 1`)
	ben.lists("花园", false)
	ben.until("nothing of it is shown", `!document.body.textContent.includes("for two only")`)

	ben.enters("kitchen")
	ben.members()
	ben.click("#members .context-actions button:nth-of-type(2)")
	ben.click("dialog[open] #confirm")
	ben.lists("kitchen", false)
	ben.joins("kitchen", "1 member")
	ben.sees("what is for dinner?")
}

// Whoever is in no room, or follows a link that leads to none, is told so and finds the way on.
func TestNoRoom(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")
	general := ben.room()
	ben.members()
	ben.click("#members .context-actions button:nth-of-type(2)")
	ben.click("dialog[open] #confirm")
	ben.until("no room is open", `location.pathname === "/" && document.querySelector(".empty .button.primary") && !document.querySelector(".loading")`)
	ben.shoot("no-room")
	for _, path := range []string{"/", "/r/" + string(general), "/r/NOPE", "/r/" + string(general) + "/members", "/rooms/general"} {
		ben.visit(path)
		ben.until("the way on is shown", `document.querySelector(".empty .button.primary")`)
	}
	ben.shoot("nowhere")
	ben.visit("/settings/nothing")
	ben.until("the settings are shown", `document.querySelector('.settings-nav a[href="/settings/account"]')`)
	ben.visit("/r/" + string(general))
	ben.click(".empty .button.primary")
	ben.until("the room is listed", `document.querySelector("dialog[open] li.pick .pick-name")?.textContent === "General"`)
	ben.click("dialog[open] li.pick button")
	ben.in("General")
}

// The keyboard finds a room, and leaves nothing of itself there; it is where one writes after every dialog.
func TestKeyboardStaysWhereOneWrites(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	general := ana.room()
	ana.begin(newRoom)
	ana.fill("#room-name", "kitchen")
	ana.click(`dialog[open] button[type="submit"]`)
	ana.in("kitchen")
	for i := range 10 {
		name := []string{"General", "kitchen"}[i%2]
		ana.fill("#find", name)
		ana.until("it is found", `document.querySelectorAll(".sidebar-list a.item").length === 1`)
		ana.enter()
		ana.in(name)
		ana.until("one writes", `document.activeElement.id === "composer"`)
		if got := eval[string](ana, `document.querySelector("#composer").value`); got != "" {
			t.Fatalf("the composer of %s begins with %q", name, got)
		}
	}
	ana.visit("/r/" + string(general))
	ana.inRoom()
	ana.write("to be deleted")
	ana.sees("to be deleted")
	ana.settled()
	for _, end := range []string{`document.querySelector("dialog[open]").close()`, `document.querySelector("dialog[open] #confirm").click()`} {
		ana.do("point at it", chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("article.row.mine .text")].at(-1).dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`))
		ana.click(`#timeline article.row.mine.active .toolbar button:last-child`)
		ana.until("it is asked", `document.querySelector("dialog[open] #confirm")`)
		ana.do("end the dialog", chromedp.Evaluate[chromedp.Void](end))
		ana.until("one writes", `!document.querySelector("dialog") && document.activeElement.id === "composer"`)
	}
	// Emptying a message is deleting it, and asked like that.
	ana.write("to be emptied")
	ana.sees("to be emptied")
	ana.settled()
	ana.do("edit it", chromedp.KeyEvent(kb.ArrowUp))
	ana.until("it is in the composer", `document.querySelector("#composer").value === "to be emptied"`)
	ana.do("choose all", chromedp.Evaluate[chromedp.Void](`document.querySelector("#composer").select()`))
	ana.do("empty it", chromedp.KeyEvent(kb.Backspace))
	ana.enter()
	ana.click("dialog[open] #confirm")
	ana.until("both are deleted", `document.querySelectorAll("article.row.deleted .tombstone").length === 2`)
}

// A token that a person makes in the settings opens the server to a program, until it is revoked there.
func TestToken(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.visit("/settings/account")
	ana.fill("#token-name", "the weather")
	ana.click(`form.inline-form button[type="submit"]`)
	ana.until("the token is shown", `document.querySelector("#token")?.value`)
	token := eval[string](ana, `document.querySelector("#token").value`)
	answer := func() int {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Base()+"/api/snapshot", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		return a.StatusCode
	}
	if got := answer(); got != http.StatusOK {
		t.Fatalf("the token is answered %d", got)
	}
	const listed = `[...document.querySelectorAll("li.pick")].find((li) => li.textContent.includes("the weather"))`
	ana.until("the token is listed", listed)
	ana.do("revoke it", chromedp.Evaluate[chromedp.Void](listed+`.querySelector("button").click()`))
	ana.until("it is listed no more", `!`+listed+` && !document.querySelector("#token")`)
	if got := answer(); got != http.StatusUnauthorized {
		t.Errorf("revoked, the token is answered %d", got)
	}
}
