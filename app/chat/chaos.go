package chat

import "time"

// A Chaos is what a server that was started for it does to its own network. The first fault that
// names a request or a stream is the one that it suffers.
type Chaos struct {
	Faults   []Fault    `json:"faults"`
	Sessions []Follower `json:"sessions,omitempty"` // whom a fault can name; told by the server, and not set
}

// A Follower is a session that has a feed, or had one in the last two minutes.
type Follower struct {
	Session string `json:"session"` // its ID
	User    string `json:"user"`    // whose, by name
	Name    string `json:"name"`    // the browser, or that it is a program
	Via     Via    `json:"via"`     // of its last feed
	Current bool   `json:"current,omitzero"`
}

// A Fault makes the network bad, on purpose, for the feeds and the sends that it names.
type Fault struct {
	Via     Via    `json:"via,omitzero"`     // the transport; absent: each, and sends by POST
	Session string `json:"session,omitzero"` // by its ID; absent: all

	LatencyMS int64   `json:"latency_ms,omitzero"` // what leaves arrives so much later
	JitterMS  int64   `json:"jitter_ms,omitzero"`  // and up to so much more, in order all the same
	Loss      float64 `json:"loss,omitzero"`       // the share, from 0 to 1, of what is lost, and the connection with it, after what was asked is done
	HoldBytes int     `json:"hold_bytes,omitzero"` // what leaves is held back until there is so much of it
	HoldMS    int64   `json:"hold_ms,omitzero"`    // or for so long; absent: until it ends
	HalfOpen  bool    `json:"half_open,omitzero"`  // what is asked is heard, and nothing leaves
	CutBytes  int     `json:"cut_bytes,omitzero"`  // the connection is closed after so many bytes of one answer
}

// Bounds of a Chaos.
const (
	MaxFaults    = 32
	MaxFaultMS   = 60_000  // of each of its times
	MaxHoldBytes = 1 << 20 // held back on one connection
	MaxFollowers = 100     // told of
)

// Validate reports what about c can not be done.
func (c Chaos) Validate() error {
	if len(c.Faults) > MaxFaults {
		return &Error{Code: CodeTooLarge, Message: "these are too many faults", Max: MaxFaults, Got: len(c.Faults)}
	}
	if c.Sessions != nil {
		return Errorf(CodeInvalid, "sessions are told by the server; leave them out")
	}
	for _, f := range c.Faults {
		switch known := f.Via == ""; {
		case min(f.LatencyMS, f.JitterMS, f.HoldMS) < 0 || max(f.LatencyMS, f.JitterMS, f.HoldMS) > MaxFaultMS:
			return Errorf(CodeInvalid, "a time is from 0 to %d ms", MaxFaultMS)
		case !(f.Loss >= 0 && f.Loss <= 1):
			return Errorf(CodeInvalid, "loss is from 0 to 1")
		case f.HoldBytes < 0 || f.HoldBytes > MaxHoldBytes:
			return Errorf(CodeInvalid, "hold_bytes is from 0 to %d", MaxHoldBytes)
		case f.CutBytes < 0:
			return Errorf(CodeInvalid, "cut_bytes is not less than 0")
		default:
			for _, v := range Vias {
				known = known || v == f.Via
			}
			if !known {
				return Errorf(CodeInvalid, "via is one of poll, longpoll, eventsource and websocket")
			}
		}
	}
	return nil
}

// Latency draws how much later something is to arrive; r is from 0 to 1.
func (f Fault) Latency(r float64) time.Duration {
	return time.Duration((float64(f.LatencyMS) + r*float64(f.JitterMS)) * float64(time.Millisecond))
}
