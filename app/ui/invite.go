package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"rsc.io/qr"

	"parley/app/chat"
	"parley/app/model"
)

// An invitation is the link that was made in this visit; its code is told once, so the
// page keeps it for the card and the dialog alike.
type invitation struct {
	chat.Invite
}

// welcome is the card at the beginning of a room while nobody else is here: the link, a
// code for a phone, copy.
func (s *shell) welcome(r *model.RoomView) app.UI {
	if !s.view.Me.Owner || r.Kind != chat.Public || len(r.Members) > 1 || len(s.view.People) > 1 {
		return app.Div().Class("welcome none")
	}
	return app.Div().Class("welcome").Body(
		app.H2().Text(s.w.Room.Welcome),
		app.P().Class("quiet").Text(s.w.Room.WelcomeLead),
		&inviteBox{s: s, ask: s.landed, card: true},
	)
}

// The inviteBox shows the invite link in every form it is wanted in.
type inviteBox struct {
	app.Compo
	s    *shell
	card bool // it stands in the welcome card, which says the rest
	ask  bool // make one at once; else there is a button, as each link is a new one
	task task
}

func (b *inviteBox) OnMount(ctx app.Context) {
	if b.ask && b.s.invite.Code == "" && b.s.view.Me.Owner {
		b.make(ctx)
	}
}

func (b *inviteBox) make(ctx app.Context) {
	var got chat.Invite
	b.task.run(ctx, b.s, func(ctx context.Context) (err error) {
		got, err = b.s.do.Invite(ctx)
		return err
	}, func(app.Context) { b.s.invite = invitation{got} })
}

func (b *inviteBox) Render() app.UI {
	w, inv := b.s.w, b.s.invite
	box := app.Div().Class("invite dialog-body")
	if !b.s.view.Me.Owner {
		return box.Body(app.P().Text(w.Dialog.InviteOwner))
	}
	if inv.Code == "" {
		if b.task.busy {
			return box.Body(app.Div().Class("bone bone-box"), b.task.alert())
		}
		return box.Body(
			b.task.alert(),
			app.Button().Type("button").Class("button").Text(w.Room.MakeInvite).OnClick(b.onMake),
		)
	}
	var shareIt app.UI
	if canShare() {
		shareIt = app.Button().Type("button").Class("button").OnClick(b.onShare).Body(icon("share-2"), app.Span().Text(w.Share))
	}
	copyLabel := w.Copy
	if b.s.copied != "" {
		copyLabel = w.Copied
	}
	lead := app.P().Class("quiet invite-lead").Text(w.Dialog.InviteLead)
	if b.card {
		lead.Class("none")
	}
	return box.Body(
		lead,
		app.Div().Class("invite-link").Body(
			app.Input().Type("text").ID("invite-link").Class("input").ReadOnly(true).Value(inv.URL).Aria("label", w.Dialog.Invite).OnFocus(b.onSelect),
			app.Button().Type("button").Class("button primary").ID("invite-copy").OnClick(b.onCopy).Body(icon("copy"), app.Span().Text(copyLabel)),
			shareIt,
		),
		qrCode(inv.URL, w.Dialog.InviteQR),
		app.P().Class("quiet invite-until").Text(say(w.Dialog.InviteUntil, "time", b.s.dates.Full(inv.Expires))),
	)
}

func (b *inviteBox) onMake(ctx app.Context, _ app.Event) { b.make(ctx) }

func (b *inviteBox) onSelect(ctx app.Context, _ app.Event) { ctx.JSSrc().Call("select") }

func (b *inviteBox) onShare(app.Context, app.Event) { share(b.s.w.App, b.s.invite.URL) }

func (b *inviteBox) onCopy(ctx app.Context, _ app.Event) { b.s.copyOf(ctx, b.s.invite.URL) }

// qrCode draws text as a QR code: one path, a run of dark modules a stroke.
func qrCode(s, label string) app.UI {
	code, err := qr.Encode(s, qr.M)
	if err != nil {
		return app.Div().Class("qr none") // too long for a code; the link is above
	}
	const margin = 4 // which scanners need
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				path.WriteString("M" + itoa(x+margin) + " " + itoa(y+margin) + "h" + itoa(run) + "v1h-" + itoa(run) + "z")
				x += run
			}
		}
	}
	size := itoa(code.Size + 2*margin)
	return app.Div().Class("qr").Body(
		app.Elem("svg").XMLNS(svgNS).Attr("viewBox", "0 0 "+size+" "+size).Attr("role", "img").Aria("label", label).Attr("shape-rendering", "crispEdges").Body(
			app.Elem("path").XMLNS(svgNS).Attr("d", path.String())))
}
