//go:build !js

package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// An sseEvent is one server-sent event (HTML standard, "Server-sent events"),
// without its id, which our batches carry themselves.
type sseEvent struct {
	name string // "message" when the stream does not say
	data []byte
}

// maxEvent bounds the bytes of one event, and so of one line.
const maxEvent = maxFrame

var errEventTooLong = errors.New("a server-sent event is too long")

// events parses a stream of server-sent events until it ends. An event that is not finished
// then is dropped, as the standard says. The data is the caller's.
func events(r io.Reader) iter.Seq2[sseEvent, error] {
	return func(yield func(sseEvent, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), maxEvent)
		cut := lineCutter{}
		lines.Split(cut.split)
		var name string
		var data []byte
		for first := true; lines.Scan(); first = false {
			line := lines.Bytes()
			if first {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if len(line) == 0 {
				if data != nil && !yield(sseEvent{orMessage(name), data[:len(data)-1]}, nil) {
					return
				}
				name, data = "", nil
				continue
			}
			field, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(field) { // an empty one is a comment
			case "event":
				name = string(value)
			case "data":
				if len(data)+len(value) >= maxEvent {
					yield(sseEvent{}, errEventTooLong)
					return
				}
				data = append(append(data, value...), '\n')
			}
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(sseEvent{}, errEventTooLong)
		} else if err != nil {
			yield(sseEvent{}, err)
		}
	}
}

func orMessage(name string) string {
	if name == "" {
		return "message"
	}
	return name
}

// A lineCutter cuts a stream into lines that end in LF, CR, or CR LF. A line that
// ends in CR is given at once: what follows may be long in coming.
type lineCutter struct{ afterCR bool }

func (c *lineCutter) split(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if c.afterCR && len(data) > 0 {
		c.afterCR = false
		if data[0] == '\n' {
			advance, data = 1, data[1:]
		}
	}
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		c.afterCR = data[i] == '\r'
		return advance + i + 1, data[:i:i], nil
	}
	return advance, nil, nil // a last line without an end is no line
}
