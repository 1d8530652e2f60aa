package ui

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"parley/app/chat"
)

// Words are all that the screen says, in one language. Names in braces are
// filled in by [say]. Every field has a text in every language: a test reads them all.
type Words struct {
	_    uncompared
	Lang string // as in the lang attribute
	Name string // of the language, in itself

	App, Close, Cancel, Back, Copy, Copied, Share, Retry, Edit, Delete, Skip, You string

	Door     DoorWords
	Sidebar  SidebarWords
	Room     RoomWords
	Row      RowWords
	Composer ComposerWords
	People   PeopleWords
	Dialog   DialogWords
	Conn     ConnWords
	Whole    WholeWords
	Stats    StatsWords
	Chaos    ChaosWords
	Lab      LabWords
	Set      SettingsWords
	Fault    FaultWords
}

// Nobody compares catalogues, and the code for it would be 60 kB of the program.
type uncompared [0]func()

// DoorWords are for who is not signed in.
type DoorWords struct {
	_                                                                         uncompared
	SetUpTitle, SetUpLead, SignUpTitle, SignUpLead, SignInTitle, SignInLead   string
	User, UserHint, Password, PasswordHint, Code, CodeHint, ShowPassword      string
	SetUp, SignUp, SignIn, Working, ToSignIn, ToSignUp, NoInvite, FirstRoom   string
	BadName, LongName, ShortPassword, LongPassword, Refused, RefusedName      string
	WrongPassword, WrongCode, WrongInvite, NameTaken, AlreadySetUp, EndedLead string
}

// SidebarWords are for the list of rooms.
type SidebarWords struct {
	_                                                                   uncompared
	Label, Find, FindHint, Rooms, Direct, NoMatch, Draft, New, Settings string
	NewRoom, NewDirect, Browse, Invite                                  string
	Unread                                                              Plural
	Online, Offline                                                     string
}

// RoomWords are for the open room.
type RoomWords struct {
	_                                                    uncompared
	Members                                              Plural
	ShowMembers, HideMembers                             string
	Messages, Start, StartPrivate, StartDirect, SayHello string
	None, NoneLead, NotFound, Nowhere, OlderFailed       string
	New                                                  string
	Jump                                                 Plural
	ToEnd                                                string
	Typing1, Typing2, TypingMany                         string
	Welcome, WelcomeLead, MakeInvite                     string
}

// RowWords are for one line of a timeline.
type RowWords struct {
	_                                                                uncompared
	Edited, Deleted, Broken, Queued, Sending, Sent, NotSent, Actions string
	Joined, AddedBy, Left, RemovedBy, Created, Renamed, CopyText     string
	Today, Yesterday, DeleteTitle, DeleteLead, NotSentFor, CodeOf    string
}

// ComposerWords are for where one writes.
type ComposerWords struct {
	_                                                          uncompared
	To, ToDirect, Send, Editing, CancelEdit, SaveEdit, TooLong string
	Left                                                       Plural
}

// PeopleWords are for the pane of members.
type PeopleWords struct {
	_                                                                                     uncompared
	Title, About, Add, Leave, Remove, Message, Owner, Creator, Here, Away                 string
	LeaveTitle, LeaveLead, LeavePrivate, LeaveLast, RemoveTitle, RemoveLead, RemovePublic string
}

// DialogWords are for the things one does in a dialog.
type DialogWords struct {
	_                                                                                 uncompared
	NewRoom, RoomName, RoomNameHint, Public, PublicHint, Private, PrivateHint, Create string
	Browse, BrowseNone, Join, NewDirect, DirectLead, DirectNone, Start                string
	Add, AddLead, AddNone, AddDo, Invite, InviteLead, InviteUntil, InviteQR           string
	InviteOwner, BadRoomName, LongRoomName, FindPerson                                string
	Chosen                                                                            Plural
}

// ConnWords are for the chip, the banner and the Connection page.
type ConnWords struct {
	_                                                                uncompared
	WebSocket, EventSource, LongPoll, Poll, Auto                     string
	WebSocketShort, EventSourceShort, LongPollShort, PollShort       string
	LongPollWithin, PollWithin                                       string // within a sentence
	WebSocketHint, EventSourceHint, LongPollHint, PollHint, AutoHint string
	Open, Connecting, Waiting, Offline, Label, Details, Way, Since   string
	RTT, NotMeasured, Ms, Every, EverySeconds, Applies, Now          string
	Reconnecting, CatchingUp, TryNow, OfflineKeep                    string
	Retrying, OfflineOutbox                                          Plural
	Update, Reload, Ended, SignInAgain                               string
	Chosen, Best, NeverOpened, Blocked, Held, Died, Cut, CutAfter    string
	Kept, Trying, Portal                                             string
}

// StatsWords are for what is measured of the connection, and for the report of it.
type StatsWords struct {
	_                                                                                     uncompared
	Title, Typical, Slow, Messages, Requests, ThisMinute, LastHour, TenAgo, HourAgo, Most string
	Lag, NotHere, LagMost                                                                 string
	Facts, Received, Sent, BytesHint, Reconnected, Level, LevelYes, LevelNot, LevelUnsure string
	Version, Node, HTTP, HTTPSeen, Proxies, NoProxies, SomeProxies, NamedProxies          string
	Held, HeldYes, HeldNo, NotKnown, Past, Quiet, Times                                   string
	Seconds, Minutes, Hours                                                               string
	// What happened to the connection, as sentences.
	Opened, Switched, Better, NeverOpened, Blocked, Held1, Died, Cut, Lost, Unreached string
	Tried, Told, Dropped, Pretended, Returned, WentOffline, WentOnline, Woke          string
	// What one can do.
	Try, TryLead, Drop, Pretend, Return, Pretending, Report, ReportLead, ReportTitle string
	ReportVersion, ReportState, ReportRTT, Measure, Value                            string
}

// WholeWords are for whether anything is missing.
type WholeWords struct {
	_                                        uncompared
	Title, Lead, Running, NotYet, Bad, Again string
	Complete, Mended                         Plural
}

// ChaosWords are for a network that is bad on purpose.
type ChaosWords struct {
	_                                               uncompared
	Title, Lead, Whom, What, Apply, Clear, None     string
	All, Mine, One, Late, Loses, Holds, Never, Cuts string
	Other, Now, Pair, And                           string
}

// LabWords are for the four ways side by side.
type LabWords struct {
	Title, Lead, Open, Start, Again, Stop, Left, NeedOpen, Early, Ready  string
	WhatPoll, WhatLongPoll, WhatEventSource, WhatWebSocket               string // what each way does
	FindPoll, FindLongPoll, FindEventSource, FindWebSocket, NotHere      string // what came of it
	Few, None, OnlyPoll, Only, Best, Faster, Instead                     string // advice
	Trying, Shut, EachMessage, HowOften, Beyond, PerMinute               string
	Table, Measure, Came, CameOf, Typical, Slow, Answer, Requests, Empty string
	Up, Down, Breaks, Work, Written, Writes, Process, Everyone, HowItIs  string
	Heads, NoHeads, Copy, Goroutines, Memory, Holding                    string
}

// SettingsWords are for the settings.
type SettingsWords struct {
	_                                                                                     uncompared
	Title, Account, Connection, Appearance, Language                                      string
	SignedIn, SignOut, SignOutLead, SignOutPending, Sessions, SessionsLead, ThisOne       string
	Revoke, Seen, Created, NoSessions, Tokens, TokensLead, TokenName, TokenHint, NewToken string
	TokenOnce, NoTokens, Theme, System, Light, Dark, LanguageLead, Install, InstallLead   string
	InstallDo, InstallApple, InstallNot, Browser                                          string
}

// FaultWords are sentences for what can go wrong: what happened and what to do.
type FaultWords struct {
	_                                                                                                    uncompared
	Invalid, Unauthorized, Forbidden, NotFound, Conflict, Gone, TooLarge, Unavailable, Internal, Offline string
	RateLimited, StorageFull                                                                             string
	Detail                                                                                               string
	// Short ones, after "Not sent".
	NotAllowed, NoRoom, TooLong, Refused string
}

// A Plural is a text that depends on a number, {n}.
type Plural struct{ One, Other string }

// N returns the text for n, with what else is to be filled in.
func (p Plural) N(n int, kv ...string) string {
	s := p.Other
	if n == 1 {
		s = p.One
	}
	return say(s, append([]string{"n", strconv.Itoa(n)}, kv...)...)
}

// say fills in the names in braces: say("{a} and {b}", "a", "one", "b", "two").
func say(s string, kv ...string) string {
	pairs := make([]string, len(kv))
	for i := 0; i+1 < len(kv); i += 2 {
		pairs[i], pairs[i+1] = "{"+kv[i]+"}", kv[i+1]
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// wordsFor returns the catalogue for a language as browsers name them.
func wordsFor(lang string) *Words {
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		return zh()
	}
	return en()
}

// fault returns a sentence for err: what happened and what to do.
func (w *Words) fault(err error) string {
	e, ok := asError(err)
	if !ok {
		return w.Fault.Offline
	}
	switch e.Code {
	case chat.CodeUnauthorized:
		return w.Fault.Unauthorized
	case chat.CodeForbidden:
		return w.Fault.Forbidden
	case chat.CodeNotFound:
		return w.Fault.NotFound
	case chat.CodeConflict:
		return w.Fault.Conflict
	case chat.CodeGone, chat.CodeReset:
		return w.Fault.Gone
	case chat.CodeTooLarge:
		return w.Fault.TooLarge
	case chat.CodeRateLimited:
		return w.wait(e)
	case chat.CodeStorageFull:
		return w.Fault.StorageFull
	case chat.CodeUnavailable:
		return w.Fault.Unavailable
	case chat.CodeInvalid, chat.CodeMedia, chat.CodeMisdirected:
		return say(w.Fault.Invalid, "detail", e.Message)
	case chat.CodeInternal:
		if e.RequestID != "" {
			return w.Fault.Internal + " " + say(w.Fault.Detail, "id", e.RequestID)
		}
	}
	return w.Fault.Internal
}

// wait says how long until the next try makes sense.
func (w *Words) wait(e *chat.Error) string {
	secs := int(e.RetryAfter().Seconds() + 0.999)
	return say(w.Fault.RateLimited, "n", strconv.Itoa(max(1, secs)))
}

// notSent returns why a message was refused, after "Not sent".
func (w *Words) notSent(c chat.Code) string {
	switch c {
	case chat.CodeForbidden:
		return w.Fault.NotAllowed
	case chat.CodeNotFound, chat.CodeGone:
		return w.Fault.NoRoom
	case chat.CodeTooLarge:
		return w.Fault.TooLong
	case "":
		return ""
	default:
		return w.Fault.Refused
	}
}

// spaced puts the space that Chinese typography wants between Han characters and
// Latin letters or digits.
func spaced(s string) string {
	var b strings.Builder
	var before rune
	for _, r := range s {
		if unicode.Is(unicode.Han, before) && latin(r) || latin(before) && unicode.Is(unicode.Han, r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func latin(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// asError finds what the server said in err; without it, the server was not reached.
func asError(err error) (*chat.Error, bool) { return errors.AsType[*chat.Error](err) }
