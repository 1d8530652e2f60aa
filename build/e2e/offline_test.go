package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"

	"parley/app/chat"
)

// What is written without a network waits, and goes once.
func TestOfflineAndBack(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")
	for _, via := range chat.Vias {
		t.Run(string(via), func(t *testing.T) {
			outer := ana.t
			ana.t, ben.t = t, t
			defer func() { ana.t, ben.t = outer, outer }()
			ben.use(via)
			ben.carriedBy(via)
			mark := string(via) + ": "
			ben.network(false)
			ben.write(mark + "written offline")
			ben.write(mark + "and another")
			ben.until("both wait", `document.querySelectorAll("article.row.pending").length === 2`)
			ana.write(mark + "meanwhile")
			ana.sees(mark + "meanwhile")
			ana.settled()
			ben.until("the banner says so", `document.querySelector('.banner[data-kind="offline"]') && document.querySelector("#chip").dataset.state === "offline"`)
			ben.shoot("offline-" + string(via))
			ben.network(true)
			ben.sees(mark + "meanwhile")
			ben.settled()
			ana.sees(mark + "and another")
			want := []string{mark + "meanwhile", mark + "written offline", mark + "and another"}
			ben.hasSaid(mark, want...)
			ana.hasSaid(mark, want...)
			ben.carriedBy(via)
		})
	}
}

// A message that waits survives a reload without a network, and goes once.
func TestReloadWithPendingMessage(t *testing.T) {
	server, b := serve(t), browser(t)
	ana, ben := open(t, b, server.Base(), desk), open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	guest(t, ben, ana, "ben")
	ben.write("before")
	ben.sees("before")
	ben.settled()
	ben.until("the worker keeps the shell", `navigator.serviceWorker.ready.then((r) => r.active.state === "activated")`)
	ben.network(false)
	ben.write("kept through a reload")
	ben.until("it waits", `document.querySelector("article.row.pending")`)
	ben.fill("#composer", "half a thought")
	ben.keeps("before")
	ben.keeps("kept through a reload")
	ben.keeps("half a thought")
	ben.do("reload", chromedp.Reload())
	ben.started()
	ben.sees("kept through a reload")
	ben.sees("before")
	ben.until("the draft is back", `document.querySelector("#composer").value === "half a thought"`)
	ben.until("it still waits", `document.querySelector("article.row.pending")`)
	ben.shoot("offline-after-reload")
	ben.network(true)
	ben.settled()
	ana.sees("kept through a reload")
	ana.hasSaid("kept", "kept through a reload")
	ben.hasSaid("kept", "kept through a reload")
}

// Also one that was written just before.
func TestReloadAtOnce(t *testing.T) {
	server, b := serve(t), browser(t)
	ana := open(t, b, server.Base(), desk)
	owner(t, ana, "ana")
	ana.until("the worker keeps the shell", workerReady)
	ana.keeps("General")
	ana.network(false)
	ana.write("a moment before")
	eval[bool](ana, `location.reload(), true`)
	ana.started()
	ana.sees("a moment before")
	ana.network(true)
	ana.settled()
	ana.hasSaid("a moment", "a moment before")
}
