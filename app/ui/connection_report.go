package ui

import (
	"slices"
	"strings"

	"parley/app/model"
)

// report is what one can send to whoever looks after a server or a network: what happened on
// the connection, as Markdown. It is made of the connection alone, which knows no
// person, no room and no address.
func (s *shell) report(c model.Connection) string {
	w, st := s.w.Stats, c.Stats
	version, trip := st.Server.Version, s.w.Conn.NotMeasured
	if version == "" {
		version = "?"
	}
	if st.Samples > 0 {
		trip = say(w.ReportRTT, "time", s.w.ms(st.Median), "slow", s.w.ms(st.Slow), "n", itoa(st.Samples))
	}
	lag := s.w.Conn.NotMeasured
	if most := slices.Max(st.Lag[:]); most >= 0 {
		lag = say(w.LagMost, "n", itoa(most))
	}
	facts := append([]fact{
		{w.Measure, w.Value},
		{"---", "---"},
		{s.w.Conn.RTT, trip},
		{w.Lag, lag},
		{w.Messages, say(w.LastHour, "n", itoa(sum(st.Messages)))},
		{w.Requests, say(w.LastHour, "n", itoa(sum(st.Requests)))},
		{w.Received, say(w.LastHour, "n", bytes(sum(st.Received)))},
		{w.Sent, say(w.LastHour, "n", bytes(sum(st.Sent)))},
		{w.Reconnected, say(w.LastHour, "n", itoa(sum(st.Reconnects)))},
	}, s.w.facts(c, st)...)
	lines := []string{
		"# " + w.ReportTitle, "",
		say(w.ReportVersion, "version", version, "time", s.dates.Full(st.At)), "",
		"**" + s.w.way(c.Via) + "** · " + say(w.ReportState, "state", s.w.state(c.State), "time", s.dates.Clock(c.Since)) + s.w.gap() + s.w.reason(c), "",
	}
	for _, f := range facts {
		lines = append(lines, "| "+f.name+" | "+strings.ReplaceAll(f.value, "|", "/")+" |")
	}
	lines = append(lines, "", "## "+w.Past, "")
	if len(st.Turns) == 0 {
		lines = append(lines, w.Quiet)
	}
	for _, t := range st.Turns {
		lines = append(lines, "- "+s.dates.Clock(t.At)+" "+s.w.turn(t))
	}
	return strings.Join(lines, "\n") + "\n"
}

func sum(of [model.StatsLine]int) (n int) {
	for _, v := range of {
		n += v
	}
	return n
}
