package model

import (
	"time"

	"parley/app/chat"
)

// A Lab is what was measured of the four ways side by side, up to one moment. It is immutable.
type Lab struct {
	Version  uint64 // of the moments of one run
	Over     bool   // it ran to its end
	Span     time.Duration
	Spent    time.Duration // of Span
	Every    time.Duration // the pause of polling
	Sent     int           // messages
	Ways     [4]LabWay     // from asking again and again to talking both ways: LabOrder
	HeadUp   int           // bytes that come with every request, besides what it says; 0: not known
	HeadDown int           // … with every answer
	Costs    *chat.Costs   // what the server spent meanwhile, on everybody; nil for who may not know, and until it is over
}

// LabSpan is how long a run takes.
const LabSpan = 30 * time.Second

// LabOrder is how the ways stand beside each other: each does away with something that the one before
// costs.
var LabOrder = [...]chat.Via{chat.Poll, chat.LongPoll, chat.EventSource, chat.WebSocket}

// A LabWay is one way in a Lab. It is charged with bringing all messages and with sending
// half of them: a WebSocket sends by itself, for the others the same half goes by requests.
type LabWay struct {
	Via       chat.Via
	State     LabState
	Delays    []time.Duration // from the start of sending to the arrival, of each message; negative: it has not come
	Came      int             // messages that did
	Median    time.Duration   // of those in Delays that came: half took at most this long
	Slow      time.Duration   // … 95 of 100
	Histogram [len(LabBounds) + 1]int
	Answer    time.Duration // from the start of sending to the server's word that it is kept, half of the times at most
	Events    int           // all that was brought: other rooms are on the same way
	Requests  int64
	Asked     int64 // of Requests, those for what is new
	Empty     int   // of Asked, those that were answered with nothing
	Up, Down  int64 // bytes, with the heads of requests and answers if they are known
	Breaks    int   // how often it was lost
}

// LabBounds are the upper bounds of the first bars of a histogram; the last bar has the rest.
var LabBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// LabState is whether a way works.
type LabState uint8

const (
	LabTrying LabState = iota // it has not opened yet, or not again
	LabOpen
	LabShut // it did not open when it was tried last
)
