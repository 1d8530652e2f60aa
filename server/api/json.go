package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"parley/app/chat"
)

// Bounds of JSON from outside.
const (
	maxDepth = 32
	maxKeys  = 1_000 // of one object
)

// read decodes the body of a request into v.
func (x *exchange) read(v any) error {
	body, err := io.ReadAll(x.r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &chat.Error{Code: chat.CodeTooLarge, Message: "the body is too large", Max: int(tooLarge.Limit), Got: int(max(x.r.ContentLength, tooLarge.Limit+1))}
	}
	if err != nil {
		return chat.Errorf(chat.CodeInvalid, "the body broke off before its end")
	}
	return decode(body, v)
}

// decode reads JSON that a stranger wrote. Unknown keys are passed over; what different
// readers could take differently is refused: a key twice, bytes that are not text.
func decode(body []byte, v any) error {
	if !utf8.Valid(body) {
		return chat.Errorf(chat.CodeInvalid, "the body is not valid UTF-8")
	}
	if err := inspect(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return chat.Errorf(chat.CodeInvalid, "the body is not what belongs here: %s", clip(err.Error(), 200))
	}
	return nil
}

// inspect walks over one JSON value without building it.
func inspect(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var open []object
	for {
		t, err := d.Token()
		if err != nil {
			return chat.Errorf(chat.CodeInvalid, "the body is not JSON")
		}
		top := len(open) - 1
		key := top >= 0 && open[top].keys != nil && !open[top].value
		if top >= 0 && open[top].keys != nil {
			open[top].value = key // after a key comes a value, after that a key
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(open) == maxDepth {
					return chat.Errorf(chat.CodeInvalid, "the body nests more than %d deep", maxDepth)
				}
				o := object{}
				if t == '{' {
					o.keys = make(map[string]bool)
				}
				open = append(open, o)
			default:
				open = open[:top]
			}
		case string:
			if !key {
				break
			}
			// Keys that differ in case alone are one key to encoding/json.
			k := strings.ToLower(t)
			if open[top].keys[k] {
				return chat.Errorf(chat.CodeInvalid, "the body has a key twice: %q", clip(t, 64))
			}
			if open[top].keys[k] = true; len(open[top].keys) > maxKeys {
				return chat.Errorf(chat.CodeInvalid, "the body has more than %d keys in one object", maxKeys)
			}
		}
		if len(open) == 0 {
			break
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return chat.Errorf(chat.CodeInvalid, "the body has something after its end")
	}
	return nil
}

// An object, or an array if keys is nil, that inspect is inside of.
type object struct {
	keys  map[string]bool
	value bool // a value comes next
}
