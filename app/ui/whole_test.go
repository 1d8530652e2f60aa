package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

func TestWhole(t *testing.T) {
	now := time.Now()
	at := time.Date(now.Year(), now.Month(), now.Day(), 14, 3, 0, 0, now.Location())
	for _, c := range []struct {
		in     model.Integrity
		en, zh string
	}{
		{model.Integrity{}, "Not compared with the server yet.", "尚未与服务器核对。"},
		{model.Integrity{Running: true, At: at, OK: true}, "Comparing with the server…", "正在与服务器核对…"},
		{model.Integrity{At: at, OK: true, Checked: 1204, Gaps: 1, Repaired: 1}, "Everything up to 14:03 is here (1,204 events checked).", "截至 14:03 的内容完整无缺（已核对 1,204 条）。"},
		{model.Integrity{At: at, OK: true, Checked: 1}, "Everything up to 14:03 is here (1 event checked).", "截至 14:03 的内容完整无缺（已核对 1 条）。"},
		{
			model.Integrity{At: at, Checked: 3, Repaired: 2}, "Something here differs from the server, and reading it again did not help. Reload the page; if this stays, tell the server's owner.",
			"此处内容与服务器不一致，重新读取后仍未恢复。请重新加载页面；若问题仍在，请告知服务器所有者。",
		},
	} {
		for lang, want := range map[string]string{"en": c.en, "zh": c.zh} {
			v := view()
			v.Connection.Whole = c.in
			s := opened(v, lang, place{})
			if got := s.w.whole(c.in, s.dates); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			page := app.HTMLString(s.whole())
			if mended := strings.Contains(page, s.w.Whole.Mended.N(c.in.Repaired)); mended != (c.in.Repaired > 0) {
				t.Errorf("what was mended is said: %v, of %+v", mended, c.in)
			}
			if off := turnedOff(page); off != c.in.Running {
				t.Errorf("the button is off: %v, of %+v", off, c.in)
			}
		}
	}
	v := view()
	v.Connection.State = model.Waiting
	if page := app.HTMLString(opened(v, "en", place{}).whole()); !turnedOff(page) {
		t.Errorf("without a connection one may ask: %s", page)
	}
}

// turnedOff reports whether the button of a page cannot be pressed.
func turnedOff(page string) bool {
	_, button, _ := strings.Cut(page, "<button ")
	button, _, _ = strings.Cut(button, ">")
	return strings.Contains(" "+button+" ", " disabled ")
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1204: "1,204", chat.MaxDigest * 123: "1,230,000"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
