package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"parley/app/chat"
)

// password is everybody's: no test is about guessing it.
const password = "a long walk by the river"

// js is a string as JavaScript writes it.
func js(s any) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(b)
}

// click clicks what a selector finds, once it can be clicked: nobody presses a button that is still grey.
func (p *tab) click(sel string) {
	p.t.Helper()
	p.do("click "+sel, chromedp.WaitEnabled(chromedp.CSS(sel)), chromedp.Click(chromedp.CSS(sel)))
}

// fill puts text into a field as a keyboard or an input method does.
func (p *tab) fill(sel, text string) {
	p.t.Helper()
	p.do("focus "+sel, chromedp.WaitVisible(chromedp.CSS(sel)), chromedp.Focus(chromedp.CSS(sel)))
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// enter presses the key as a keyboard does: one event that both is the key and brings its text.
func (p *tab) enter() {
	p.t.Helper()
	p.key(input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r", UnmodifiedText: "\r"})
}

// composingEnter is the same key while an input method has it: it brings no text. Browsers
// say 229 for it, or 13 and that a composition goes on.
func (p *tab) composingEnter(code int64) {
	p.t.Helper()
	p.key(input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: code})
}

func (p *tab) key(k input.DispatchKeyEventParams) {
	p.t.Helper()
	k.Type = input.DispatchKeyEventTypeKeyDown
	call(p, input.DispatchKeyEvent, k)
	k.Type, k.Text, k.UnmodifiedText = input.DispatchKeyEventTypeKeyUp, "", ""
	call(p, input.DispatchKeyEvent, k)
}

// door fills the form at the front door.
func (p *tab) door(name string) {
	p.t.Helper()
	p.fill("#door-name", name)
	p.fill("#door-password", password)
	p.click("#door-do")
	p.inRoom()
}

// inRoom waits for a room to be shown and its way to be open.
func (p *tab) inRoom() {
	p.t.Helper()
	p.until("a room is open", `document.querySelector("#composer") && document.querySelector("#timeline")`)
	p.until("the connection is open", `document.querySelector("#chip")?.dataset.state === "open"`)
}

// owner claims the server, and is then in its first room.
func owner(t testing.TB, p *tab, name string) {
	t.Helper()
	p.visit("/")
	p.door(name)
}

// guest follows the invite link that host sees in the first room, and joins.
func guest(t testing.TB, p, host *tab, name string) {
	t.Helper()
	p.visit(strings.TrimPrefix(host.inviteLink(), p.base))
	p.door(name)
}

// inviteLink is the link on the card in the first room.
func (p *tab) inviteLink() string {
	p.t.Helper()
	p.until("the invite link is shown", `document.querySelector("#invite-link")?.value.includes("/join#")`)
	return eval[string](p, `document.querySelector("#invite-link").value`)
}

// room is the room that is open.
func (p *tab) room() chat.RoomID {
	p.t.Helper()
	p.until("the address names a room", `location.pathname.startsWith("/r/")`)
	return chat.RoomID(eval[string](p, `location.pathname.slice(3)`))
}

// write writes a message and sends it: with Enter, or on a phone, where that is a new line, with
// the button.
func (p *tab) write(text string) {
	p.t.Helper()
	p.fill("#composer", text)
	if p.touch {
		p.click("#send")
	} else {
		p.enter()
	}
}

// said is what the rows of the timeline say, pending ones too, without the marks behind.
const said = `[...document.querySelectorAll("#timeline article.row")].map((row) => {
	const text = row.querySelector(".text").cloneNode(true);
	text.querySelector(".after")?.remove();
	return text.textContent;
})`

func (p *tab) said() []string {
	p.t.Helper()
	return eval[[]string](p, said)
}

// sees waits until a message is shown.
func (p *tab) sees(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("sees %q", text), said+`.includes(`+js(text)+`)`)
}

// settled waits until nothing of one's own is on its way.
func (p *tab) settled() {
	p.t.Helper()
	p.until("everything is sent", `!document.querySelector('article.row.pending, article.row.failed, article.row[id^="p-"]')`)
}

// hasSaid fails unless the timeline's messages with a prefix are exactly these.
func (p *tab) hasSaid(prefix string, want ...string) {
	p.t.Helper()
	got := slices.DeleteFunc(p.said(), func(s string) bool { return !strings.HasPrefix(s, prefix) })
	if d := cmp.Diff(want, got); d != "" {
		p.t.Errorf("what the timeline says (-want +got):\n%s", d)
	}
}

// use chooses a way in the settings, and returns to the room.
func (p *tab) use(via chat.Via) {
	p.t.Helper()
	p.connectionSettings()
	p.choose(via)
	p.backToRoom()
}

func (p *tab) connectionSettings() {
	p.t.Helper()
	p.click(`.me[href="/settings"]`)
	p.click(`.settings-nav a[href="/settings/connection"]`)
}

// choose picks a way of the radio group and waits until it carries.
func (p *tab) choose(via chat.Via) {
	p.t.Helper()
	p.click("label[for=way-" + string(via) + "]")
	p.until(string(via)+" is chosen and open", `document.querySelector("#way-`+string(via)+`").checked && document.querySelector('.now[data-state="open"]')`)
}

func (p *tab) backToRoom() {
	p.t.Helper()
	p.click(`.sidebar-list a[href^="/r/"]`)
	p.until("a room is open", `document.querySelector("#composer")`)
}

// onDisk is all that the page keeps in its database, as text. A browser that is clearing the site's data may drop a
// question about it, which then is never answered: that counts as not known yet.
const onDisk = `Promise.race([(async () => {
	const done = (r) => new Promise((yes, no) => { r.onsuccess = () => yes(r.result); r.onerror = () => no(r.error); });
	let out = "";
	for (const { name } of await indexedDB.databases()) {
		const db = await done(indexedDB.open(name));
		for (const store of db.objectStoreNames) {
			for (const v of await done(db.transaction(store).objectStore(store).getAll())) out += ArrayBuffer.isView(v) ? new TextDecoder().decode(v) : JSON.stringify(v);
		}
		db.close();
	}
	return out;
})(), new Promise((_, no) => setTimeout(() => no(new Error("the browser's database does not answer")), 2000))])`

// keeps waits until something is on this browser's disk.
func (p *tab) keeps(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q is on disk", text), onDisk+`.then((all) => all.includes(`+js(text)+`))`)
}

// carriedBy waits until a way is in use and open.
func (p *tab) carriedBy(via chat.Via) {
	p.t.Helper()
	p.until("carried by "+string(via), `document.querySelector("#chip")?.dataset.via === "`+string(via)+`" && document.querySelector("#chip").dataset.state === "open"`)
}

// network takes the tab's network away, or gives it back.
func (p *tab) network(on bool) {
	p.t.Helper()
	p.mu.Lock()
	p.quiet = true // requests of before may fail a little later too
	p.mu.Unlock()
	yes := true
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		EmulateOfflineServiceWorker: &yes,
		MatchedNetworkConditions:    []*network.Conditions{{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1}},
	})
	call(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1})
	p.until("the browser knows", fmt.Sprintf(`navigator.onLine === %t`, on))
}
