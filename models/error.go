// Package models holds Slipway's words: types, state machines, authorization, errors and the clock. It does no I/O.
package models

import (
	"errors"
	"fmt"
	"maps"
)

// Kind says what a failure means to the person who met it; web maps it to an HTTP status, once.
type Kind int

// The kinds of failure. Internal is the zero value, so that an unclassified error is never shown to a person.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	TooLarge
	RateLimited
	Unavailable
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not found", "conflict", "too large", "rate limited", "unavailable"}

// String names the kind for logs and metrics.
func (k Kind) String() string { return kindNames[k] }

// Error is a failure a person can act on.
type Error struct {
	Kind    Kind
	Message string            // shown as it stands: what happened, then what to do
	Fields  map[string]string // form field to message
	Err     error             // for the log; never leaves the server
}

// Error joins message and cause for the log.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind; a %w verb keeps the cause for the log only when used through Wrap.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error whose message is for people and whose cause is for the log.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err}
}

// InvalidFields makes an Invalid error that names each wrong field; nil when there is none.
func InvalidFields(fields map[string]string) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "Some fields need another look.", Fields: maps.Clone(fields)}
}

// KindOf reads the kind of err; Internal when nobody classified it.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Message is what a person may read of err; empty for nil.
func Message(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Message
	}
	return "Something failed on our side. Quote the request id to the platform team."
}

// Fields reads the field messages of an Invalid error; nil when err has none.
func Fields(err error) map[string]string {
	var e *Error
	if errors.As(err, &e) && e.Kind == Invalid {
		return e.Fields
	}
	return nil
}
