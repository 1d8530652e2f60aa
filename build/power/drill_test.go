package power

import (
	"flag"
	"testing"
)

var drills = flag.Int("drills", 14, "how many faults of the disk")

// TestDisk lets the disk of a server in use fail.
func TestDisk(t *testing.T) {
	binary := build(t, "")
	template, err := NewTemplate(t.Context(), binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		test func(*testing.T, string, *Template)
	}{
		{"errors", testErrors}, {"full", testFull}, {"small", testSmall}, {"slow", testSlow}, {"account", testAccount},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, binary, template) })
	}
}

// testErrors lets one call after another fail.
func testErrors(t *testing.T, binary string, template *Template) {
	rnd := source(t)
	faults := []Fault{
		{Call: "pwrite64", Error: "ENOSPC"},
		{Call: "pwrite64", Error: "ENOSPC", On: true},
		{Call: "pwrite64", Error: "EIO"},
		{Call: "pwrite64", Error: "EINTR"},
		{Call: "fsync", Error: "EIO"},
		{Call: "fsync", Error: "ENOSPC"},
		{Call: "ftruncate", Error: "EIO"},
	}
	most := map[string]int{"pwrite64": 200, "fsync": 16, "ftruncate": 4}
	struck := 0
	for i := range *drills {
		f := faults[i%len(faults)]
		f.N = 1 + rnd.IntN(most[f.Call])
		if every := *drills / len(faults); every >= most[f.Call] { // enough for each call
			f.N = 1 + i/len(faults)%most[f.Call]
		}
		switch i { // while it starts:
		case 0:
			f.N = 3 // the memory that connections share does not grow
		case 1:
			f.N = 1 // the lock can not be written
		}
		d := Drill{Fault: f, Messages: 40}
		if err := d.Run(t.Context(), binary, template, t.TempDir(), rnd); err != nil {
			t.Fatal(err)
		}
		t.Log(&d)
		for _, s := range d.Wrong {
			t.Error(s)
		}
		if d.Struck > 0 {
			struck++
		}
	}
	if struck < *drills/2 {
		t.Errorf("%d of %d faults struck, which proves too little", struck, *drills)
	}
}
