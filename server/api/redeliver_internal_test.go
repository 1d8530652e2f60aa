package api

import (
	"strconv"
	"testing"
)

// However many sessions there are, what is remembered of them is bounded, and who is stuck is noticed all the same.
func TestRedeliveriesAreBounded(t *testing.T) {
	r := newRedeliveries()
	come := func(grant string) (again, news bool) {
		v := r.visit(grant, "E.1")
		return r.given(grant, &v)
	}
	for i := range 2*maxNoted + 1 {
		come(strconv.Itoa(i))
		if len(r.of) > maxNoted {
			t.Fatalf("%d sessions are remembered", len(r.of))
		}
	}
	told := 0
	for i := range 1_000 { // more than a turn can count
		again, news := come("stuck")
		if again != (i >= maxSame) {
			t.Fatalf("time %d: %t", i+1, again)
		}
		if again && news {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it was news %d times", told)
	}
	if v := r.visit("stuck", ""); v.turn != 0 {
		t.Error("who asks for what is to come asks for the same")
	}
}
