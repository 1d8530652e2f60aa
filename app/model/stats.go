package model

import (
	"time"

	"parley/app/chat"
)

// Stats are what was measured of the connection, at one moment. They are made only
// while someone looks, and immutable.
type Stats struct {
	At         time.Time
	Trips      [StatsLine]Trip // there and back, in steps of TripStep; the last step is the present one
	Median     time.Duration   // of all in Trips: half took at most this long; 0: none was measured
	Slow       time.Duration   // of all in Trips: 95 of 100 took at most this long
	Samples    int             // how many those are
	Lag        [StatsLine]int  // the most events that were there and had not come, in steps of TripStep; -1: not asked
	Messages   [StatsLine]int  // events that came, per minute; the last is the present one
	Requests   [StatsLine]int  // to the server, per minute
	Received   [StatsLine]int  // bytes, per minute
	Sent       [StatsLine]int  // bytes, per minute
	Reconnects [StatsLine]int  // connections that were lost and had again, per minute
	Last       time.Time       // when something last came; zero: never
	Behind     int             // events that are there and have not come, as far as is known
	Buffers    Verdict         // whether the way keeps back what should flow
	Server     chat.Server     // what the server said last; zero: nothing yet
	Turns      []Turn          // what happened in the last hour, newest first
}

const (
	// StatsLine is how many points a line of Stats has.
	StatsLine = 60
	// TripStep is the time that one point of Stats.Trips and Stats.Lag stands for: ten minutes in all.
	TripStep = 10 * time.Second
)

// A Trip is how long the ways there and back of one step took; zero if there was none.
type Trip struct{ Median, Slow time.Duration }

// A Verdict is an answer that may not be known yet.
type Verdict uint8

const (
	Unknown Verdict = iota
	Yes
	No
)

// A Turn is something that happened to the connection.
type Turn struct {
	Kind  TurnKind
	At    time.Time
	Via   chat.Via      // the way that it happened to
	From  chat.Via      // TurnSwitched: the way before
	Why   Reason        // TurnOpened, TurnSwitched: why this way. TurnLost, TurnTried: by its Code, how it failed; "" is any other trouble
	Age   time.Duration // TurnLost: how long it had been open
	Times int           // how often in a row; At is the last time
}

// TurnKind says what happened.
type TurnKind uint8

const (
	TurnOpened   TurnKind = iota // the first connection, or one after a loss
	TurnSwitched                 // one way took the place of another
	TurnLost                     // the way in use failed
	TurnTried                    // a better way was tried and failed
	TurnTold                     // the server ended it: it restarts, or is busy
	TurnDropped                  // the person had it cut
	TurnPretend                  // the person began to pretend to be offline
	TurnReturned                 // … and ended it
	TurnOffline                  // the browser says there is no network
	TurnOnline                   // … there is one again
	TurnWoke                     // the machine slept
)

// Good reports whether something is as it should be after this.
func (k TurnKind) Good() bool {
	return k == TurnOpened || k == TurnSwitched || k == TurnReturned || k == TurnOnline || k == TurnWoke
}
