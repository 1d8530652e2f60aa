package ui

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
	"parley/app/model"
)

// The door is what stands before the rooms: set the server up, join it, or sign in. It
// is one form, so that a name typed in one stays when it becomes another.
type door struct {
	app.Compo
	Key doorKey

	s       *shell
	signIn  bool // asked for, though the address is an invite
	visible bool // the password is
	task    task
}

type doorKey struct {
	Session model.Session
	Kind    placeKind
	Secret  string
	Lang    string
}

// What the server holds as bounds of a password.
const (
	minPassword = 8
	maxPassword = 1024
)

func (s *shell) doorKey() doorKey {
	return doorKey{Session: s.view.Session, Kind: s.place.kind, Secret: s.place.secret, Lang: s.w.Lang}
}

// way is which of the three it is.
type doorway uint8

const (
	signInWay doorway = iota
	signUpWay
	setUpWay
)

func (d *door) way() doorway {
	switch {
	case d.Key.Session == model.SetUpNeeded || d.Key.Session == model.SetUpByCode:
		return setUpWay
	case d.Key.Kind == atJoin && d.Key.Secret != "" && !d.signIn:
		return signUpWay
	}
	return signInWay
}

func (d *door) OnMount(app.Context) {
	if !matches(touch) {
		focus("door-name")
	}
}

func (d *door) Render() app.UI {
	w := d.s.w.Door
	title, lead, do := w.SignInTitle, w.SignInLead, w.SignIn
	nameFor, passwordFor := "username", "current-password"
	userHint, passwordHint := "", ""
	switch d.way() {
	case setUpWay:
		title, lead, do = w.SetUpTitle, w.SetUpLead, w.SetUp
		userHint, passwordHint, passwordFor = w.UserHint, w.PasswordHint, "new-password"
	case signUpWay:
		title, lead, do = w.SignUpTitle, w.SignUpLead, w.SignUp
		userHint, passwordHint, passwordFor = w.UserHint, w.PasswordHint, "new-password"
	case signInWay:
		if d.Key.Session == model.SessionEnded {
			lead = w.EndedLead
		}
	}
	if d.task.busy {
		do = w.Working
	}
	kind, eye := "password", "eye"
	if d.visible {
		kind, eye = "text", "eye-off"
	}
	return app.Main().Class("door").Body(
		app.Div().Class("door-card").Body(
			app.Div().Class("door-mark").Body(icon("mark")),
			app.H1().Text(title),
			app.P().Class("quiet").Text(lead),
			app.Form().ID("door").OnSubmit(d.onSubmit).Body(
				d.code(),
				field("door-name", w.User, app.Input().ID("door-name").Name("username").Type("text").Class("input").Attr("autocomplete", nameFor).
					Attr("autocapitalize", "none").Placeholder(userHint).Required(true).Dir("auto")),
				field("door-password", w.Password, app.Div().Class("password").Body(
					app.Input().ID("door-password").Name("password").Type(kind).Class("input").Attr("autocomplete", passwordFor).Required(true),
					app.Button().Type("button").Class("icon-button").Aria("label", w.ShowPassword).Aria("pressed", d.visible).Title(w.ShowPassword).
						OnClick(d.onShow).Body(icon(eye)),
				)),
				app.P().Class("quiet hint").Text(passwordHint),
				d.task.alert(),
				app.Button().Type("submit").ID("door-do").Class("button primary big").Disabled(d.task.busy).Text(do),
			),
			d.other(),
		),
		d.languages(),
	)
}

// code asks for what the terminal shows, unless the address brought it along.
func (d *door) code() app.UI {
	if d.way() != setUpWay || d.Key.Session != model.SetUpByCode {
		return app.Div().Class("field none")
	}
	w := d.s.w.Door
	return app.Div().Class("field").Body(app.Label().For("door-code").Text(w.Code),
		app.Input().ID("door-code").Type("text").Class("input mono").Attr("autocomplete", "one-time-code").Attr("autocapitalize", "characters").
			Placeholder(w.CodeHint).Value(d.Key.Secret).Required(true))
}

// other is the way for who came to the wrong one.
func (d *door) other() app.UI {
	w := d.s.w.Door
	switch {
	case d.way() == signUpWay:
		return app.Button().Type("button").Class("link").Text(w.ToSignIn).OnClick(d.onOther)
	case d.way() == signInWay && d.signIn:
		return app.Button().Type("button").Class("link").Text(w.ToSignUp).OnClick(d.onOther)
	case d.way() == signInWay:
		return app.P().Class("quiet").Text(w.NoInvite)
	}
	return nil
}

func (d *door) languages() app.UI {
	var items []app.UI
	for _, w := range []*Words{en(), zh()} {
		items = append(items, app.Button().Type("button").Class("link").Lang(w.Lang).Aria("pressed", w.Lang == d.Key.Lang).Text(w.Name).
			OnClick(d.speaks(w.Lang), app.EventScope(w.Lang)))
	}
	return app.Div().Class("door-languages").Body(append([]app.UI{icon("globe")}, items...)...)
}

func (d *door) speaks(lang string) app.EventHandler {
	return func(app.Context, app.Event) {
		store("lang", lang)
		d.task.fault = ""
		d.s.speak(lang)
	}
}

func (d *door) onShow(app.Context, app.Event) { d.visible = !d.visible }

func (d *door) onOther(app.Context, app.Event) {
	d.signIn = !d.signIn
	d.task.fault = ""
}

func (d *door) onSubmit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	name := chat.CleanName(element("door-name").Get("value").String())
	password := element("door-password").Get("value").String()
	way, do, w := d.way(), d.s.do, d.s.w.Door
	if d.task.fault = d.wrong(way, name, password); d.task.fault != "" {
		return
	}
	secret := d.Key.Secret
	if code := element("door-code"); code.Truthy() {
		secret = code.Get("value").String()
	}
	room := w.FirstRoom
	// Decided before the answer: the first View may come before it.
	d.s.landing = d.s.place.kind != atRoom
	d.task.explain = func(err error) string {
		d.s.landing = false
		return d.explain(way, err)
	}
	d.task.run(ctx, d.s, func(ctx context.Context) error {
		var err error
		switch way {
		case setUpWay:
			err = do.SetUp(ctx, chat.SetUp{Code: secret, Name: name, Password: password, Room: room})
		case signUpWay:
			err = do.SignUp(ctx, chat.SignUp{Invite: secret, Name: name, Password: password})
		case signInWay:
			err = do.SignIn(ctx, chat.SignIn{Name: name, Password: password})
		}
		return err
	}, func(app.Context) {})
}

// wrong finds what the server would refuse, before it is asked.
func (d *door) wrong(way doorway, name, password string) string {
	w := d.s.w.Door
	switch {
	case name == "":
		return w.BadName
	case utf8.RuneCountInString(name) > chat.MaxName:
		return say(w.LongName, "max", strconv.Itoa(chat.MaxName))
	case way == signInWay:
		return ""
	case utf8.RuneCountInString(password) < minPassword:
		return w.ShortPassword
	case len(password) > maxPassword:
		return say(w.LongPassword, "max", strconv.Itoa(maxPassword))
	}
	return ""
}

// explain says what the server's refusal means at this door.
func (d *door) explain(way doorway, err error) string {
	w := d.s.w
	code, field := chat.Code(""), ""
	if e, ok := asError(err); ok {
		code, field = e.Code, e.Field
	}
	switch {
	case way == signInWay && code == chat.CodeUnauthorized:
		return w.Door.WrongPassword
	case way == setUpWay && code == chat.CodeForbidden:
		return w.Door.WrongCode
	case way == setUpWay && code == chat.CodeGone:
		return w.Door.AlreadySetUp
	case way == signUpWay && (code == chat.CodeForbidden || code == chat.CodeNotFound || code == chat.CodeGone || code == chat.CodeUnauthorized):
		return w.Door.WrongInvite
	case way != signInWay && code == chat.CodeConflict:
		return w.Door.NameTaken
	case way != signInWay && code == chat.CodeInvalid && field == chat.FieldName:
		return w.Door.RefusedName
	case way != signInWay && code == chat.CodeInvalid && field == chat.FieldPassword:
		return w.Door.Refused
	}
	return w.fault(err)
}
