package main

import (
	"math"
	"sync/atomic"
	"time"
)

// step is how much wider each bucket of a histogram is than the one before: quantiles are good to 2 %.
const step = 1.02

// histogram counts durations from a microsecond to some hours.
type histogram struct {
	buckets [1200]atomic.Int64
	most    atomic.Int64 // the longest of them
}

func (h *histogram) add(d time.Duration) {
	i := int(math.Log(max(1, float64(d)/1e3)) / math.Log(step))
	h.buckets[min(i, len(h.buckets)-1)].Add(1)
	for most := h.most.Load(); int64(d) > most && !h.most.CompareAndSwap(most, int64(d)); most = h.most.Load() {
	}
}

// longest is, in milliseconds, the longest of all durations.
func (h *histogram) longest() float64 { return float64(h.most.Load()) / 1e6 }

// quantile is, in milliseconds, what a part q of all durations do not exceed.
func (h *histogram) quantile(q float64) float64 {
	var total, sum int64
	for i := range h.buckets {
		total += h.buckets[i].Load()
	}
	for i := range h.buckets {
		if sum += h.buckets[i].Load(); float64(sum) >= q*float64(total) {
			return math.Pow(step, float64(i+1)) / 1e3
		}
	}
	return 0
}
