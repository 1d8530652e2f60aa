package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// answers reads the answers on a connection of HTTP/1.1, those that say their length, and makes nothing
// anew for each.
type answers struct {
	in   *bufio.Reader
	body []byte
}

func newAnswers(r io.Reader) *answers { return &answers{in: bufio.NewReaderSize(r, 4<<10)} }

// ok returns the body of the next answer, good until the one after. What is not 200 is an error.
func (a *answers) ok() ([]byte, error) {
	status, length := "", -1
	for {
		line, err := a.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if status == "" {
			if status = string(line); len(status) < len("HTTP/1.1 200") {
				return nil, fmt.Errorf("this is no answer: %q", line)
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 || length > 16<<20 {
		return nil, errors.New("an answer does not say how long it is, or is too long")
	}
	a.body = slices.Grow(a.body[:0], length)[:length]
	if _, err := io.ReadFull(a.in, a.body); err != nil {
		return nil, err
	}
	if status[len("HTTP/1.1 "):][:3] != "200" {
		return nil, fmt.Errorf("%s: %.300q", status, a.body)
	}
	return a.body, nil
}
