//go:build !js

package transport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"parley/app/chat/chattest"
)

type told struct{ Name, Data string }

func parse(r io.Reader) (got []told, err error) {
	for e, err := range events(r) {
		if err != nil {
			return got, err
		}
		got = append(got, told{e.name, string(e.data)})
	}
	return got, nil
}

// The cases are those of the web platform's own tests of the format.
func TestEvents(t *testing.T) {
	m := func(data ...string) []told {
		var want []told
		for _, d := range data {
			want = append(want, told{"message", d})
		}
		return want
	}
	for _, c := range []struct {
		name, stream string
		want         []told
	}{
		{"nothing", "", nil},
		{"one", "data: a\n\n", m("a")},
		{"byte order mark", "\ufeffdata: a\n\n", m("a")},
		{"two byte order marks", "\ufeff\ufeffdata: a\n\ndata: b\n\n", m("b")},
		{"a byte order mark within", "data: a\n\n\ufeffdata: b\n\ndata: c\n\n", m("a", "c")},
		{"carriage returns", "data: a\rdata: b\r\rdata: c\r\r", m("a\nb", "c")},
		{"carriage returns and line feeds", "data: a\r\ndata: b\r\n\r\n", m("a\nb")},
		{"all ends of line", "data: a\ndata: b\rdata: c\r\ndata: d\n\r\ndata: e\r\r\n", m("a\nb\nc\nd", "e")},
		{"comments", ":\n:a\ndata: b\n:c\n: \n\n:d\n\n", m("b")},
		{"a very long comment", "data: a\n:" + strings.Repeat("x", 1<<16) + "\ndata: b\n\n", m("a\nb")},
		{"empty data", "data:\n\n", m("")},
		{"empty data, twice", "data:\ndata\n\ndata:test\n\n", m("\n", "test")},
		{"no colon", "data\n\n", m("")},
		{"one space is dropped", "data:  a\ndata:b\ndata: c \n\n", m(" a\nb\nc ")},
		{"a tab is not", "data:\ta\n\n", m("\ta")},
		{"name", "event: batch\ndata: a\n\ndata: b\n\n", []told{{"batch", "a"}, {"message", "b"}}},
		{"empty name", "event: batch\nevent:\ndata: a\n\n", m("a")},
		{"name without data", "event: batch\n\ndata: a\n\n", m("a")},
		{"the last name counts", "event: one\nevent: two\ndata: a\n\n", []told{{"two", "a"}}},
		{"fields are matched to the letter", "Data: a\n data: b\ndata : c\nDATA: d\ndata: e\ndatas: f\n\n", m("e")},
		{"id, also with NUL, and retry", "id: 1\nretry: 1000\ndata: a\n\nid: \x00\nretry: x\ndata: b\n\n", m("a", "b")},
		{"NUL in data", "data: \x00\n\n", m("\x00")},
		{"unknown fields", "x: y\ndata: a\n\n", m("a")},
		{"not UTF-8", "data: \xff\xfe\n\n", m("\xff\xfe")},
		{"Unicode", "data: ok…你好\n\n", m("ok…你好")},
		{"other separators end no line", "data: a\u2028b\u0085c\vd\n\n", m("a\u2028b\u0085c\vd")},
		{"an event cut short", "data: a\n\ndata: b\n", m("a")},
		{"a line cut short", "data: a\n\ndata: b", m("a")},
		{"many blank lines", "\n\n\ndata: a\n\n\n\n", m("a")},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole":       strings.NewReader(c.stream),
				"by bytes":    iotest.OneByteReader(strings.NewReader(c.stream)),
				"with an end": iotest.DataErrReader(strings.NewReader(c.stream)),
			} {
				got, err := parse(r)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("%s: (-want +got)\n%s", how, d)
				}
			}
		})
	}
}

// An event is told when its last byte is there, though the stream stands still.
func TestEventsAtOnce(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r\n"} {
		in, out := io.Pipe()
		got := make(chan told)
		go func() {
			for e, err := range events(in) {
				if err == nil {
					got <- told{e.name, string(e.data)}
				}
			}
			close(got)
		}()
		for _, data := range []string{"a", "b"} {
			if _, err := io.WriteString(out, "data: "+data+end); err != nil {
				t.Fatal(err)
			}
			if e := <-got; e != (told{"message", data}) {
				t.Errorf("with %q got %q", end, e)
			}
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		<-got
	}
}

func TestEventsBounds(t *testing.T) {
	line := "data: " + strings.Repeat("x", maxEvent/4) + "\n"
	if _, err := parse(strings.NewReader(line + line + "\n")); err != nil {
		t.Errorf("a large event: %v", err)
	}
	if _, err := parse(strings.NewReader(strings.Repeat(line, 5) + "\n")); !errors.Is(err, errEventTooLong) {
		t.Errorf("an event of too many lines: error %v", err)
	}
	if _, err := parse(strings.NewReader("data: " + strings.Repeat("x", maxEvent))); !errors.Is(err, errEventTooLong) {
		t.Errorf("an event of a line too long: error %v", err)
	}
	broken := errors.New("broken")
	if _, err := parse(io.MultiReader(strings.NewReader("data: a\n\nda"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a stream that breaks: error %v", err)
	}
}

// However a stream is cut into reads, it says the same, in no more memory than 20 times its length and what any takes;
// and what was said can be said again.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{"event: batch\nid: 1\ndata: {}\r\n\rdata\n\n", "\ufeff:\n\x00data:\r\r\n", "\ufeff\ufeffdata: a\n\n", "data\n\n", "data:\ndata:\n\n", "data: a\n", "event: a\n\ndata: b\n\n",
		"DATA: a\n\n", " data: a\n\n", "data:  a\n\n", ": comment\n\n", "retry: 1\nid\n\n", "data: \xff\n\n", "event: batch\ndata: {\"cursor\":\"\u2028\"}\n\n", "data: a\r\rdata: b\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		var whole []told
		var err error
		if n := chattest.Allocated(func() { whole, err = parse(bytes.NewReader(stream)) }); n > 20*uint64(len(stream))+64<<10 {
			t.Errorf("%d bytes for a stream of %d", n, len(stream))
		}
		if errors.Is(err, errEventTooLong) && len(stream) >= maxEvent {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		bytewise, err := parse(iotest.OneByteReader(bytes.NewReader(stream)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole, bytewise); d != "" {
			t.Fatal(d)
		}
		var again bytes.Buffer
		for _, e := range whole {
			again.WriteString("event: " + e.Name + "\ndata: " + strings.ReplaceAll(e.Data, "\n", "\ndata: ") + "\n\n")
		}
		twice, err := parse(&again)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole, twice); d != "" {
			t.Fatal(d)
		}
	})
}
