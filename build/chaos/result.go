package chaos

import (
	"fmt"
	"slices"
	"time"
)

// String says in one line how it went.
func (r *Result) String() string {
	return fmt.Sprintf("loaded for %v, all level %v later; an answer took %v (median), %v (99 of 100), %v (longest); a start after a kill %v (median), %v (longest); "+
		"the server had %d MiB resident at the most, %d goroutines before and %d after",
		r.Took.Round(time.Millisecond), r.Leveled.Round(time.Millisecond), quantile(r.Answers, 0.5), quantile(r.Answers, 0.99), quantile(r.Answers, 1),
		quantile(r.Restarts, 0.5), quantile(r.Restarts, 1),
		r.Peak>>10, r.Base, r.Rest)
}

// quantile is the value that a part q of all values do not exceed.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Round(10 * time.Microsecond)
}
