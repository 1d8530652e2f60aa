// Package ui draws what a person sees and asks [Actions] for what they want. It
// decides nothing: what to show is in a model.View, and what happens is the engine's.
//
// A part of the screen is a plain function when it is small, and a component when
// drawing it again costs: a component has one exported field, its key, which holds
// all that its looks depend on, and is drawn again only when that changed. What it
// reads it takes from the shell, the one component that lives as long as the page.
//
// Text that people wrote reaches the screen as text nodes, or as nodes that [message]
// makes of package text's tree, and in the browser only: the page that the server
// sends is the same for everyone.
package ui

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/chat"
)

// Routes registers the pages of the app. On the server, do is nil: what it draws
// then is the same for every page and every reader.
func Routes(do Actions) {
	app.RouteWithRegexp("", func() app.Composer { return newShell(do) }) // every address: placeOf knows what it is
}

// A place is where in the app a person is: what the address says.
type place struct {
	kind   placeKind
	room   chat.RoomID // atRoom; "" where there is nothing
	page   string      // atSettings: "" is the list of pages
	secret string      // atSetup, atJoin: the code after the #
	people bool        // atRoom: the members are before it, on a narrow screen
}

var roomID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

var settingsPages = []string{"account", "connection", "appearance", "language"}

type placeKind uint8

const (
	atHome placeKind = iota
	atRoom
	atSettings
	atLab
	atSetup
	atJoin
)

func placeOf(u *url.URL) place {
	head, rest, _ := strings.Cut(strings.Trim(strings.TrimPrefix(u.Path, below("/")), "/"), "/")
	switch head {
	case "":
		return place{}
	case "r":
		if !roomID.MatchString(rest) {
			rest = "" // no room is called that
		}
		return place{kind: atRoom, room: chat.RoomID(rest), people: u.Fragment == peopleMark}
	case "settings":
		if !slices.Contains(settingsPages, rest) {
			rest = ""
		}
		return place{kind: atSettings, page: rest}
	case "lab":
		return place{kind: atLab}
	case "setup":
		return place{kind: atSetup, secret: u.Fragment}
	case "join":
		return place{kind: atJoin, secret: u.Fragment}
	}
	return place{kind: atRoom}
}

// peopleMark is what the address of a room ends with while a narrow screen shows its
// members, so that the browser's Back leads to the room.
const peopleMark = "people"

func roomPath(id chat.RoomID) string { return below("/r/" + string(id)) }

// below is the address of a page of the app, which may itself be below a path of its host.
func below(page string) string {
	return strings.TrimSuffix(app.Getenv("GOAPP_ROOT_PREFIX"), "/") + page
}
