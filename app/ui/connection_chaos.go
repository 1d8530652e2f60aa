package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// chaos is the part of the Connection page on which the owner of a server that was started for it
// makes its network bad.
type chaos struct {
	app.Compo
	Lang string
	s    *shell
	now  chat.Chaos
	whom []chat.Follower // whoever was told of since the card is shown: what is chosen stays where it is
	work task

	asked int // how often the person asked for something
}

// chaos shows nothing to who can not have it.
func (s *shell) chaos(st *model.Stats) app.UI {
	if !s.view.Me.Owner || !st.Server.Dev {
		return app.Div().Class("none")
	}
	return &chaos{Lang: s.w.Lang, s: s}
}

// lookAgain is how often it is asked who is there and what is bad.
const lookAgain = 5 * time.Second

func (c *chaos) OnMount(ctx app.Context) {
	c.ask(ctx, c.s.do.Chaos)
	c.tick(ctx)
}

// tick looks again, quietly, and ends with the card.
func (c *chaos) tick(ctx app.Context) {
	ctx.After(lookAgain, func(ctx app.Context) {
		asked := c.asked
		ctx.Async(func() {
			now, err := c.s.do.Chaos(ctx)
			ctx.Dispatch(func(ctx app.Context) {
				if err == nil && asked == c.asked { // else it is from before what was asked since
					c.told(now)
				}
				c.tick(ctx)
			})
		})
	})
}

func (c *chaos) ask(ctx app.Context, do func(context.Context) (chat.Chaos, error)) {
	var now chat.Chaos
	c.asked++
	c.work.run(ctx, c.s, func(ctx context.Context) (err error) {
		now, err = do(ctx)
		return err
	}, func(app.Context) { c.told(now) })
}

// told takes in what there is now. Who went away is still named.
func (c *chaos) told(now chat.Chaos) {
	c.now = now
	for _, f := range now.Sessions {
		if i := slices.IndexFunc(c.whom, func(o chat.Follower) bool { return o.Session == f.Session }); i >= 0 {
			c.whom[i] = f
		} else {
			c.whom = append(c.whom, f)
		}
	}
}

// session is what a session is called.
func (c *chaos) session(id string) string {
	for _, f := range c.whom {
		switch {
		case f.Session != id:
		case f.Current:
			return c.s.w.Chaos.Mine
		default:
			return f.User + " · " + f.Name + " · " + c.s.w.way(f.Via)
		}
	}
	return c.s.w.Chaos.One
}

// A malady is a fault that can be chosen, and its name.
type malady struct {
	name  string
	fault chat.Fault
}

func (w *Words) maladies() []malady {
	t := w.Chaos
	return []malady{
		{t.Late, chat.Fault{LatencyMS: 200, JitterMS: 800}},
		{t.Loses, chat.Fault{Loss: 0.05}},
		{t.Holds, chat.Fault{HoldBytes: 4096}},
		{t.Never, chat.Fault{HalfOpen: true}},
		{t.Cuts, chat.Fault{CutBytes: 2000}},
	}
}

func (c *chaos) Render() app.UI {
	w := c.s.w.Chaos
	option := func(value, name string) app.UI { return app.Elem("option").Attr("value", value).Text(name) }
	whom := []app.UI{option("", w.All)}
	for _, v := range chat.Vias {
		whom = append(whom, option(string(v), c.s.w.way(v)))
	}
	for _, f := range c.whom {
		whom = append(whom, option(f.Session, c.session(f.Session)))
	}
	var what []app.UI
	for i, m := range c.s.w.maladies() {
		what = append(what, option(itoa(i), m.name))
	}
	none := len(c.now.Faults) == 0
	return app.Section().Class("block chaos").DataSet("on", strconv.FormatBool(!none)).Body(
		app.H2().Text(w.Title),
		app.P().Class("quiet").Text(w.Lead),
		app.P().Class("chaos-now").Attr("role", "status").Text(c.said()),
		app.Form().Class("inline-form").OnSubmit(c.onApply).Body(
			field("chaos-whom", w.Whom, app.Elem("select").ID("chaos-whom").Class("input").Body(whom...)),
			field("chaos-what", w.What, app.Elem("select").ID("chaos-what").Class("input").Body(what...)),
			app.Button().Type("submit").ID("chaos-apply").Class("button").Disabled(c.work.busy).Text(w.Apply),
			app.Button().Type("button").ID("chaos-clear").Class("button").Disabled(c.work.busy || none).OnClick(c.onClear).Text(w.Clear),
		),
		c.work.alert(),
	)
}

// said is what is bad now, and how that ends.
func (c *chaos) said() string {
	w := c.s.w
	if len(c.now.Faults) == 0 {
		return w.Chaos.None
	}
	list := make([]string, len(c.now.Faults))
	for i, f := range c.now.Faults {
		whom, what := w.Chaos.All, w.Chaos.Other
		switch {
		case f.Session == "" && f.Via != "":
			whom = w.way(f.Via)
		case f.Session != "":
			whom = c.session(f.Session)
		}
		f.Via, f.Session = "", ""
		for _, m := range w.maladies() {
			if m.fault == f {
				what = m.name
			}
		}
		list[i] = say(w.Chaos.Pair, "whom", whom, "what", what)
	}
	return say(w.Chaos.Now, "list", strings.Join(list, w.Chaos.And))
}

func (c *chaos) onApply(ctx app.Context, e app.Event) {
	e.PreventDefault()
	i, err := strconv.Atoi(element("chaos-what").Get("value").String())
	if list := c.s.w.maladies(); err == nil && i >= 0 && i < len(list) {
		c.set(ctx, c.with(element("chaos-whom").Get("value").String(), list[i].fault))
	}
}

// with are the faults there are and one more, in place of what the same suffered: a way, a session, or,
// with "", all. The first that fits counts, so what is for all comes last.
func (c *chaos) with(whom string, f chat.Fault) []chat.Fault {
	if via := chat.Via(whom); whom == "" || slices.Contains(chat.Vias[:], via) {
		f.Via = via
	} else {
		f.Session = whom
	}
	var list []chat.Fault
	for _, o := range c.now.Faults {
		if o.Via != f.Via || o.Session != f.Session {
			list = append(list, o)
		}
	}
	if whom == "" {
		return append(list, f)
	}
	return append([]chat.Fault{f}, list...)
}

func (c *chaos) onClear(ctx app.Context, _ app.Event) { c.set(ctx, []chat.Fault{}) }

func (c *chaos) set(ctx app.Context, faults []chat.Fault) {
	c.ask(ctx, func(ctx context.Context) (chat.Chaos, error) { return c.s.do.SetChaos(ctx, chat.Chaos{Faults: faults}) })
}
