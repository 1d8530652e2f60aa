package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"golang.org/x/sync/errgroup"

	"parley/app/chat"
	"parley/build/child"
)

// poisoned has the browser fail on one moment: whoever writes it as a date is thrown at. It is how the program, as it is, comes to fail
// while it draws one event. What is poisoned is kept by the browser, so that a start does not end it.
const poisoned = `{
	const { get } = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format");
	Object.defineProperty(Intl.DateTimeFormat.prototype, "format", { get() {
		const format = get.call(this);
		return (t) => {
			if (t === Number(localStorage.getItem("poisoned"))) throw new Error("poisoned");
			return format(t);
		};
	} });
}`

// T24: an event that can not be drawn costs its row, and no more. The page is not begun again, what comes later is shown, and one can
// write; also after a start, when the event comes again.
func TestT24DrawingFails(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	call(ana, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: poisoned})
	owner(t, ana, "ana")
	room := ana.room()
	eve := program(t, server, "eve")
	join(t, server, eve, room)
	ana.marked()
	ana.connectionSettings()
	ana.click("#pretend") // so that the moment is known before it comes
	ana.until("offline", `document.querySelector('.banner[data-kind="pretend"]')`)
	e := tell(t, server, eve, room, chat.Body{Message: &chat.Message{Text: "the poison"}})
	eval[bool](ana, fmt.Sprintf(`localStorage.setItem("poisoned", %d), true`, e.At.UnixMilli()))
	ana.backToRoom()
	ana.click(".banner button")
	row := fmt.Sprintf(`document.querySelector("#m-%d")?.textContent === "This message can't be shown."`, e.Seq)
	ana.until("the row says so", row)
	ana.goesOn(server, eve, room, "drawing failed")
	ana.until("the row still says so", row)
	ana.shoot("poison")
	ana.again()
	ana.until("the row says so again", row)
	ana.goesOn(server, eve, room, "drawing failed again")
	if n := ana.excused("JavaScript error: poisoned"); n == 0 {
		t.Error("the console is told nothing of it")
	}
}

// T24: what is as large as can be said, and a letter under as many marks as that, are shown; more is refused, and says what the bound is.
func TestT24Largest(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	eve := program(t, server, "eve")
	join(t, server, eve, room)
	ana.marked()
	for _, c := range []struct{ name, letter, more string }{
		{"letters of four bytes", "𠮷", "𠮷"},
		{"marks on one letter", "e", "\u0301"},
		{"marks of three bytes on one letter", "e", "\u20dd"},
	} {
		most := c.letter + strings.Repeat(c.more, chat.MaxText-1)
		tell(t, server, eve, room, chat.Body{Message: &chat.Message{Text: most}})
		ana.sees(most)
		ana.goesOn(server, eve, room, c.name)
		for _, n := range []int{chat.MaxText + 1, 20_000} {
			err := say(t.Context(), server, eve, room, c.letter+strings.Repeat(c.more, n-1))
			if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != chat.CodeTooLarge || e.Max == 0 {
				t.Errorf("%d %s: %v", n, c.name, err)
			}
		}
	}
	err := say(t.Context(), server, eve, room, strings.Repeat("\u0301", 1<<19)) // a MiB
	if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != chat.CodeTooLarge || e.Max != chat.MaxFrame {
		t.Errorf("a MiB of marks: %v", err)
	}
	// Who types so much is told, and keeps what they typed.
	much := "e" + strings.Repeat("\u0301", chat.MaxText+6)
	ana.fill("#composer", much)
	ana.enter()
	ana.until("it can not be sent, and says by how much", `document.querySelector("#send").disabled && document.querySelector("#composer-count").textContent === "Too long by 7. Shorten it, or send it in parts."`)
	if left := eval[string](ana, `document.querySelector("#composer").value`); left != much {
		t.Errorf("of what was typed %d bytes are left", len(left))
	}
	eval[bool](ana, `document.querySelector("#composer").select(), true`)
	ana.goesOn(server, eve, room, "what was too much")
	ana.again()
	ana.goesOn(server, eve, room, "after a start")
}

// T24: 10,000 events that are all of one message. There are no reactions here; what comes nearest are edits, each of which is an event.
// The row says the last of them, and is found again from the beginning, behind pages that have nothing to show.
func TestT24ManyEdits(t *testing.T) {
	const edits = 10_000
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	eve := program(t, server, "eve")
	join(t, server, eve, room)
	e := tell(t, server, eve, room, chat.Body{Message: &chat.Message{Text: "to be edited"}})
	ana.sees("to be edited")
	ana.marked()
	var editing errgroup.Group
	editing.SetLimit(16)
	for i := range edits - 1 {
		editing.Go(func() error {
			d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: chat.Body{Edit: &chat.Edit{Seq: e.Seq, Text: fmt.Sprint("edit ", i)}}}
			return server.Ask(t.Context(), eve, "POST", "/api/send", d, nil)
		})
	}
	if err := editing.Wait(); err != nil {
		t.Fatal(err)
	}
	tell(t, server, eve, room, chat.Body{Edit: &chat.Edit{Seq: e.Seq, Text: "the last edit"}})
	const page = "/events?before="
	ana.sees("the last edit")
	ana.goesOn(server, eve, room, "editing")
	ana.hasSaid("the last edit", "the last edit")
	if n := ana.asked(page); n > 0 {
		t.Errorf("what was here asked for %d pages", n)
	}
	ana.again()
	ana.sees("the last edit")
	pages := ana.asked(page)
	t.Logf("after a start it is found behind %d pages", pages)
	if most := edits/50 + 5; pages > most { // of 50 each
		t.Errorf("%d pages were asked for, and there are fewer than %d", pages, most)
	}
	ana.goesOn(server, eve, room, "a start")
	ana.hasSaid("the last edit", "the last edit")
	if n := ana.asked(page) - pages; n > 0 {
		t.Errorf("what came then asked for %d pages again", n)
	}
}

// asked counts what the page asked for, by a part of its address.
func (p *tab) asked(part string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, address := range p.seen {
		if strings.Contains(address, part) {
			n++
		}
	}
	return n
}

// tell sends what the public protocol takes.
func tell(t testing.TB, s *child.Server, a *child.Account, room chat.RoomID, b chat.Body) (e chat.Event) {
	t.Helper()
	d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: b}
	if err := s.Ask(t.Context(), a, "POST", "/api/send", d, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// marked marks the page; whether it was begun again is seen by that.
func (p *tab) marked() {
	p.t.Helper()
	eval[bool](p, `window.marked = true`)
}

// again begins the page again, as a person does.
func (p *tab) again() {
	p.t.Helper()
	p.visit("/r/" + string(p.room()))
	p.inRoom()
	p.marked()
}

// goesOn fails unless the page shows what comes now, sends what is written in it, and is the one that was marked.
func (p *tab) goesOn(server *child.Server, other *child.Account, room chat.RoomID, after string) {
	p.t.Helper()
	if err := say(p.t.Context(), server, other, room, after+": said after it"); err != nil {
		p.t.Fatal(err)
	}
	p.sees(after + ": said after it")
	p.write(after + ": written after it")
	p.sees(after + ": written after it")
	p.settled()
	p.hasSaid(after, after+": said after it", after+": written after it")
	if !eval[bool](p, `window.marked && !sessionStorage.getItem("restarts")`) {
		p.t.Errorf("after %s: the page was begun again", after)
	}
}

// excused takes what the console was told out of the faults of the page, and counts it.
func (p *tab) excused(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.faults)
	rest := p.faults[:0]
	for _, f := range p.faults {
		if !strings.HasPrefix(f, "console: ") || !strings.Contains(f, what) {
			rest = append(rest, f)
		}
	}
	p.faults = rest
	return n - len(rest)
}
