package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"parley/app/chat"
)

// A work is what is done with the followers: so many messages on their way at once, or, with a rate, so many
// deliveries due a second.
type work struct {
	window int
	rate   float64
}

func (w work) String() string {
	switch {
	case w.rate > 0:
		return fmt.Sprintf("%.0f deliveries a second", w.rate)
	case w.window == 1:
		return "one message at a time"
	default:
		return fmt.Sprintf("%d messages on their way at once", w.window)
	}
}

// maxWindow bounds the messages on their way at once; at a fixed rate they are as many as that.
const maxWindow = 1024

func parseWorks(s string) ([]work, error) {
	if s == "idle" {
		return nil, nil
	}
	var list []work
	for s := range strings.SplitSeq(s, ",") {
		number, fixed := strings.CutSuffix(s, "/s")
		n, err := strconv.Atoi(number)
		switch {
		case err != nil || n < 1:
			return nil, fmt.Errorf("-work %q: a number of messages, or of deliveries as 10000/s, or idle alone", s)
		case fixed:
			list = append(list, work{window: 64, rate: float64(n)})
		case n > maxWindow:
			return nil, fmt.Errorf("-work %q: no more than %d messages at once", s, maxWindow)
		default:
			list = append(list, work{window: n})
		}
	}
	return list, nil
}

// A session is what one server reached with some followers.
type session struct {
	Memory float64 // KiB resident for each follower while it is idle
	Works  []figures
}

// figures are what it reached in one work.
type figures struct {
	Rate     float64 `json:"deliveries_per_second"`
	CPU      float64 `json:"cpu_seconds_per_million"` // of the server
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Messages int     `json:"messages"`
}

// A result is what all rounds of one server and one work come to.
type result struct {
	Via       string    `json:"via"`
	Followers int       `json:"followers"`
	Work      string    `json:"work"`
	Median    figures   `json:"median"`
	Rounds    []figures `json:"rounds,omitempty"`
	Memory    float64   `json:"resident_kib_per_follower"`

	Peer     string  `json:"peer,omitempty"`          // whom the next two are about
	RatePeer float64 `json:"rate_of_peers,omitempty"` // times what the peer delivers
	P99Peer  float64 `json:"p99_of_peers,omitempty"`
	CPURaw   float64 `json:"cpu_of_raw,omitempty"` // times what raw spends on a delivery
}

// peerOf is whom a way is held against: the fastest of those who do the same.
func peerOf(via string) string {
	switch chat.Via(via) {
	case chat.WebSocket, chat.EventSource:
		return viaCentrifugo
	case chat.LongPoll:
		return viaSocketioPolling
	case chat.Poll:
	}
	return ""
}

// idle names the result of a session without any work.
const idle = "idle"

// compare makes results of the sessions of all rounds.
func (o options) compare(n int, all map[string][]session) []result {
	var list []result
	for i := range max(1, len(o.works)) {
		for _, via := range o.vias {
			mine := all[via]
			r := result{Via: via, Followers: n, Work: idle, Memory: median(mine, func(s session) float64 { return s.Memory })}
			if len(o.works) == 0 {
				list = append(list, r)
				continue
			}
			r.Work = o.works[i].String()
			for _, s := range mine {
				r.Rounds = append(r.Rounds, s.Works[i])
			}
			of := func(f func(figures) float64) float64 { return median(r.Rounds, f) }
			r.Median = figures{of(figures.rate), of(figures.cpu), of(figures.p50), of(figures.p99),
				int(of(func(f figures) float64 { return float64(f.Messages) }))}
			against := func(other string, f func(figures) float64) float64 {
				var ratios []float64
				for round, s := range all[other] {
					ratios = append(ratios, f(mine[round].Works[i])/f(s.Works[i]))
				}
				return median(ratios, func(x float64) float64 { return x })
			}
			if peer := peerOf(via); len(all[peer]) > 0 {
				r.Peer, r.RatePeer, r.P99Peer = peer, against(peer, figures.rate), against(peer, figures.p99)
			}
			if via != viaRaw {
				r.CPURaw = against(viaRaw, figures.cpu)
			}
			list = append(list, r)
		}
	}
	return list
}

func (f figures) rate() float64 { return f.Rate }
func (f figures) cpu() float64  { return f.CPU }
func (f figures) p50() float64  { return f.P50 }
func (f figures) p99() float64  { return f.P99 }

// median of what f says of each; 0 of nothing.
func median[T any](list []T, f func(T) float64) float64 {
	if len(list) == 0 {
		return 0
	}
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = f(v)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// print writes the tables of n followers.
func (o options) print(to io.Writer, n int, results []result) error {
	fmt.Fprintf(to, "\n%d followers; medians of %d rounds, %v each work, %s\n", n, o.rounds, o.length, runtime.Version())
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\nidle\tKiB each\t\n")
	for _, r := range results[:len(o.vias)] {
		fmt.Fprintf(w, "%s\t%.1f\t\n", r.Via, r.Memory)
	}
	ratio := func(x float64) string {
		if x == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", x)
	}
	before := ""
	for _, r := range results {
		if r.Work == idle {
			continue
		}
		if r.Work != before {
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(w, "\n%s\tdeliveries/s\t× peer\tCPU s/M\t× raw\tp50 ms\tp99 ms\t× peer\tmessages\t\n", r.Work)
			before = r.Work
		}
		m := r.Median
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%.2f\t%s\t%.2f\t%.2f\t%s\t%d\t\n", r.Via, m.Rate, ratio(r.RatePeer), m.CPU, ratio(r.CPURaw), m.P50, m.P99, ratio(r.P99Peer), m.Messages)
	}
	return w.Flush()
}

// save writes the results so far as JSON, if that was asked for.
func (o options) save(results []result) error {
	return o.write(struct {
		Go      string   `json:"go"`
		Cores   int      `json:"cores"`
		Peers   []string `json:"peers"`
		Results []result `json:"results"`
	}{runtime.Version(), runtime.NumCPU(), []string{"centrifugo " + centrifugoVersion, "socket.io " + socketioVersion}, results})
}

// write writes all figures as JSON, if that was asked for.
func (o options) write(figures any) error {
	if o.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(figures, "", "\t")
	return errors.Join(err, os.WriteFile(o.json, append(b, '\n'), 0o644))
}
