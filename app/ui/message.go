package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/text"
)

// message makes the nodes that show a message. There is nothing in it but
// elements named here and text; addresses come from text.Href.
func (s *shell) message(nodes []text.Node) []app.UI {
	out := make([]app.UI, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, s.node(n))
	}
	return out
}

func (s *shell) node(n text.Node) app.UI {
	kids := func() []app.UI { return s.message(n.Kids) }
	switch n.Kind {
	case text.Text:
		return app.Text(n.Text)
	case text.Code:
		return app.Code().Text(n.Text)
	case text.Emphasis:
		return app.Em().Body(kids()...)
	case text.Strong:
		return app.Strong().Body(kids()...)
	case text.Strike:
		return app.Del().Body(kids()...)
	case text.Link:
		return app.A().Href(n.Href).Target("_blank").Rel("noopener noreferrer nofollow").Body(kids()...)
	case text.Heading:
		return app.P().Class("heading", "h"+strconv.Itoa(min(n.Level, 3))).Body(kids()...)
	case text.Quote:
		return app.Blockquote().Body(kids()...)
	case text.List:
		if n.Level > 0 {
			return app.Ol().Attr("start", n.Level).Body(kids()...)
		}
		return app.Ul().Body(kids()...)
	case text.Item:
		return app.Li().Body(kids()...)
	case text.CodeBlock:
		// A long line scrolls within its block, also by keyboard.
		label := s.w.Row.CopyText
		if n.Lang != "" {
			label = say(s.w.Row.CodeOf, "lang", n.Lang)
		}
		return app.Pre().TabIndex(0).Aria("label", label).DataSet("code", n.Lang).Body(app.Code().Text(n.Text))
	case text.Rule:
		return app.Hr()
	case text.Paragraph:
	}
	return app.P().Body(kids()...)
}
