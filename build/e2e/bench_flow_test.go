package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"golang.org/x/sync/errgroup"

	"parley/app/chat"
)

// How smooth the page is while 100 messages a second arrive in the room that it shows, for 10 seconds. A frame is the time from one
// to the next; a long task kept the page from answering for more than 50 ms.
func BenchmarkFrames(b *testing.B) {
	for _, slower := range []float64{1, 4} {
		b.Run(fmt.Sprintf("cpu/%g", slower), func(b *testing.B) {
			const rate, length = 100, 10 * time.Second
			const messages = int(rate * length / time.Second)
			s, br := newStage(b), browser(b)
			p := open(b, br, s.Base(), desk)
			s.enter(p)
			call(p, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
			eval[bool](p, `(() => {
				window.rows = document.querySelector("#timeline").getElementsByClassName("row");
				window.before = rows.length;
				window.intervals = [];
				window.tasks = [];
				new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
				let last = 0;
				const frame = (now) => {
					if (last) intervals.push(now - last);
					last = now;
					requestAnimationFrame(frame);
				};
				requestAnimationFrame(frame);
				return true;
			})()`)
			began := time.Now()
			tick := time.NewTicker(time.Second / rate)
			defer tick.Stop()
			var writing errgroup.Group
			writing.SetLimit(16)
			for i := range messages {
				<-tick.C
				writing.Go(func() error {
					return say(b.Context(), s.Server, s.writer, s.room, fmt.Sprintf("flow %d, about as long as what people write to each other", i))
				})
			}
			if err := writing.Wait(); err != nil {
				b.Fatal(err)
			}
			took := time.Since(began)
			p.until("all are shown", fmt.Sprintf(`rows.length - before === %d`, messages))
			frames, tasks := eval[[]float64](p, `intervals`), eval[[]float64](p, `tasks`)
			for name, q := range map[string]float64{"p50-ms": 0.5, "p95-ms": 0.95, "p99-ms": 0.99, "longest-ms": 1} {
				b.ReportMetric(quantile(frames, q), name)
			}
			b.ReportMetric(float64(len(tasks)), "long-tasks")
			b.ReportMetric(float64(messages)/took.Seconds(), "messages/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// How long it takes from the key that sends in one page until the message is in another, by one clock. It is on disk by then.
func BenchmarkDelivery(b *testing.B) {
	for _, via := range chat.Vias[:3] { // Poll is late by its pause
		b.Run(string(via), func(b *testing.B) {
			const warm, messages = 5, 60
			s, br := newStage(b), browser(b)
			ana, ben := open(b, br, s.Base(), desk), open(b, br, s.Base(), desk)
			for _, p := range []*tab{ana, ben} {
				s.enter(p)
				p.use(via)
				p.carriedBy(via)
			}
			eval[bool](ana, `(window.sent = [], addEventListener("keydown", (e) => { if (e.key === "Enter") sent.push(Date.now()); }, true), true)`)
			eval[bool](ben, `(() => {
				const rows = document.querySelector("#timeline").getElementsByClassName("row"), before = rows.length;
				window.seen = [];
				new MutationObserver(() => { while (seen.length < rows.length - before) seen.push(Date.now()); })
					.observe(document.querySelector("#timeline"), { childList: true, subtree: true });
				return true;
			})()`)
			for i := range warm + messages {
				ana.write(fmt.Sprintf("message %d", i))
				ben.until("it is there", fmt.Sprintf(`seen.length === %d`, i+1))
				ana.settled()
			}
			sent, seen := eval[[]float64](ana, `sent`), eval[[]float64](ben, `seen`)
			var delays []float64
			for i := range messages {
				delays = append(delays, seen[warm+i]-sent[warm+i])
			}
			b.Logf("%.0f ms", delays)
			b.ReportMetric(quantile(delays, 0.5), "p50-ms")
			b.ReportMetric(quantile(delays, 0.95), "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
