package chat

import (
	"errors"
	"fmt"
	"time"
)

// Code is what kind of fault an Error is. The list is closed: a client may
// switch over it.
type Code string

const (
	CodeInvalid      Code = "invalid"      // the request makes no sense as it is
	CodeUnauthorized Code = "unauthorized" // no session, or it has ended
	CodeForbidden    Code = "forbidden"    // known, but not allowed
	CodeNotFound     Code = "not_found"    // not there, or not for this user to see
	CodeConflict     Code = "conflict"     // the same nonce with another body; a name taken
	CodeReset        Code = "reset"        // the cursor is of no use here: begin with a snapshot
	CodeGone         Code = "gone"         // what was asked for can not be had any more
	CodeTooLarge     Code = "too_large"    // Max and Got say by how much
	CodeMedia        Code = "media"        // the body is not JSON
	CodeMisdirected  Code = "misdirected"  // the address names a host that this server is not
	CodeRateLimited  Code = "rate_limited" // RetryAfterMS says when to try again
	CodeStorageFull  Code = "storage_full" // nothing was appended
	CodeUnavailable  Code = "unavailable"  // not now; try again
	CodeInternal     Code = "internal"     // the server's own fault
)

// statuses maps each code to its HTTP status, both ways.
var statuses = map[Code]int{
	CodeInvalid: 400, CodeUnauthorized: 401, CodeForbidden: 403, CodeNotFound: 404,
	CodeConflict: 409, CodeReset: 410, CodeGone: 410, CodeTooLarge: 413, CodeMedia: 415, CodeMisdirected: 421,
	CodeRateLimited: 429, CodeInternal: 500, CodeUnavailable: 503, CodeStorageFull: 507,
}

// Status returns the HTTP status of c.
func (c Code) Status() int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return 500
}

// WebSocket close codes of the feed (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications).
const (
	CloseReset        = 4410 // as ErrReset
	CloseUnauthorized = 4401 // as ErrUnauthorized
	CloseSlow         = 4408 // the reader did not keep up; come back with the cursor
	CloseRestart      = 1012 // the server restarts; come back with the cursor
)

// An Error is a fault as it travels.
type Error struct {
	Code         Code   `json:"code"`
	Message      string `json:"message"`        // a sentence for a person, in English
	Field        string `json:"field,omitzero"` // why it is refused: FieldName or FieldPassword of what was asked
	Max          int    `json:"max,omitzero"`
	Got          int    `json:"got,omitzero"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
	RequestID    string `json:"request_id,omitzero"`
}

func (e *Error) Error() string { return e.Message }

// The fields that an Error names.
const (
	FieldName     = "name"
	FieldPassword = "password"
)

// Is reports whether target is an Error of the same code, so that
// errors.Is(err, ErrReset) works on what came over the wire.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// RetryAfter says how long to wait before the next try; 0 is not said.
func (e *Error) RetryAfter() time.Duration { return time.Duration(e.RetryAfterMS) * time.Millisecond }

// Errorf makes an Error of the code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// The errors that callers tell apart.
var (
	ErrUnauthorized = &Error{Code: CodeUnauthorized, Message: "you are signed out"}
	ErrForbidden    = &Error{Code: CodeForbidden, Message: "you may not do this here"}
	ErrNotFound     = &Error{Code: CodeNotFound, Message: "there is no such thing here"}
	ErrConflict     = &Error{Code: CodeConflict, Message: "this nonce was used for something else"}
	ErrReset        = &Error{Code: CodeReset, Message: "this cursor is of no use here; begin with a snapshot"}
	ErrUnavailable  = &Error{Code: CodeUnavailable, Message: "the server can not do this now; try again"}
)

// CodeOf returns the code of the Error in err's chain; any other error is
// CodeInternal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// Final reports whether sending the same thing again can not help: the server
// understood and refused. Trouble of the way, of load or of storage is not final.
func Final(err error) bool {
	switch CodeOf(err) {
	case CodeInvalid, CodeForbidden, CodeNotFound, CodeConflict, CodeGone, CodeTooLarge, CodeMedia:
		return true
	case CodeUnauthorized, CodeReset, CodeMisdirected, CodeRateLimited, CodeStorageFull, CodeUnavailable, CodeInternal:
		return false
	}
	return false
}
