package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"parley/app/chat"
)

// Someone claims the server, invites another, and they talk over each of the four ways.
func TestTwoPeople(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.until("the composer has the focus", `document.activeElement?.id === "composer"`)
	guest(t, ben, ana, "ben")
	ben.shoot("first-room-guest")
	var all []string
	for _, via := range chat.Vias {
		ana.use(via)
		ben.use(via)
		ana.carriedBy(via)
		ben.carriedBy(via)
		one, two := fmt.Sprintf("hello over %s", via), fmt.Sprintf("hello back over %s", via)
		ana.write(one)
		ben.sees(one)
		ben.write(two)
		ana.sees(two)
		all = append(all, one, two)
	}
	ana.settled()
	ben.settled()
	ana.hasSaid("hello", all...)
	ben.hasSaid("hello", all...)
	ana.shoot("two-people-en-light-1440")
}

// Whoever changes the way while others write misses nothing and sees nothing twice.
func TestSwitchWhileMessagesFlow(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	writer := program(t, server, "writer")
	join(t, server, writer, room)

	var want []string
	done := make(chan struct{})
	go func() { // ended by its last message, waited for below
		defer close(done)
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for i := range 240 {
			text := fmt.Sprintf("flow %d", i)
			if t.Context().Err() != nil || t.Failed() {
				return
			}
			if err := say(t.Context(), server, writer, room, text); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			want = append(want, text)
			<-tick.C
		}
	}()
	ana.connectionSettings()
	for range 20 { // also while the screen is drawn for the choice before
		for _, via := range chat.Vias {
			ana.choose(via)
		}
	}
	<-done
	ana.choose(chat.WebSocket)
	ana.backToRoom()
	ana.carriedBy(chat.WebSocket)
	ana.sees(want[len(want)-1])
	ana.hasSaid("flow", want...)
	// The choice is kept.
	ana.do("reload", chromedp.Reload())
	ana.started()
	ana.carriedBy(chat.WebSocket)
}

// An input method's Enter chooses a character; it never sends.
func TestInputMethod(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), look{lang: "zh", width: 1024, height: 768})
	owner(t, ana, "小明")
	ana.do("focus", chromedp.Focus(chromedp.CSS("#composer")))
	call(ana, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "nihao", SelectionStart: 5, SelectionEnd: 5})
	ana.composingEnter(229)
	ana.composingEnter(13)
	ana.until("the composition stands", `document.querySelector("#composer").value === "nihao"`)
	call(ana, input.InsertText, input.InsertTextParams{Text: "你好"})
	ana.until("the text is chosen", `document.querySelector("#composer").value === "你好"`)
	if got := ana.said(); len(got) != 0 {
		t.Fatalf("the input method's Enter sent %q", got)
	}
	ana.enter()
	ana.sees("你好")
	ana.settled()
	ana.hasSaid("", "你好")
	ana.shoot("input-method-zh-1024")
}
