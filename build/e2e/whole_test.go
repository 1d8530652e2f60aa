package e2e

import (
	"strings"
	"testing"

	"parley/app/chat"
)

// Whether anything is missing is found out by itself, said in a sentence, and found out again
// when asked; also of what the browser kept while the page was closed.
func TestNothingMissing(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	room := ana.room()
	ben := program(t, server, "ben")
	join(t, server, ben, room)
	tell := func(b chat.Body) (e chat.Event) {
		t.Helper()
		d := chat.Draft{Nonce: chat.NewID[chat.Nonce](), Room: room, Body: b}
		if err := server.Ask(t.Context(), ben, "POST", "/api/send", d, &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	tell(chat.Body{Message: &chat.Message{Text: "<one> & 一"}})
	two := tell(chat.Body{Message: &chat.Message{Text: "two"}})
	ana.sees("two")
	tell(chat.Body{Edit: &chat.Edit{Seq: two.Seq, Text: "2"}})
	three := tell(chat.Body{Message: &chat.Message{Text: "three"}})
	tell(chat.Body{Edit: &chat.Edit{Seq: three.Seq, Text: "3"}})
	ana.sees("3")
	tell(chat.Body{Delete: &chat.Delete{Seq: three.Seq}})
	ana.write("mine")
	ana.settled()
	complete := func(when, start string) {
		t.Helper()
		ana.until(when+", all is found to be there", `document.querySelector(".whole")?.dataset.state === "ok"`)
		if got := eval[string](ana, `document.querySelector(".whole-head").textContent`); !strings.HasPrefix(got, start) {
			t.Errorf("%s it says %q", when, got)
		}
	}
	ana.visit("/settings/connection")
	complete("at first", "Everything up to ")
	before := eval[string](ana, `document.querySelector(".whole-head").textContent`)
	tell(chat.Body{Message: &chat.Message{Text: "four"}})
	ana.click("#whole-again")
	ana.until("one more is counted", `document.querySelector(".whole").dataset.state === "ok" && document.querySelector(".whole-head").textContent.split("(")[1] !== `+js(before)+`.split("(")[1]`)
	ana.shoot("whole-en")
	ana.speak("zh")
	ana.visit("/settings/connection")
	complete("after a reload, in Chinese", "截至 ")
	if n := eval[int](ana, `document.querySelectorAll(".whole .quiet").length`); n != 1 {
		t.Errorf("something was mended, where nothing was lost")
	}
	ana.shoot("whole-zh")
}
