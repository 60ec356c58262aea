package models

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestErrorsAreReadOnce(t *testing.T) {
	cause := errors.New("connection refused to 10.0.0.7")
	for name, tc := range map[string]struct {
		err     error
		kind    Kind
		message string
	}{
		"none":         {nil, Internal, ""},
		"unclassified": {cause, Internal, "Something failed on our side. Quote the request id to the platform team."},
		"conflict":     {Errorf(Conflict, "It is %s.", "gone"), Conflict, "It is gone."},
		"wrapped":      {fmt.Errorf("read page: %w", Wrap(Unavailable, cause, "Try again.")), Unavailable, "Try again."},
	} {
		if got := Message(tc.err); got != tc.message || KindOf(tc.err) != tc.kind {
			t.Errorf("%s: got %s %q, want %s %q", name, KindOf(tc.err), got, tc.kind, tc.message)
		}
		if strings.Contains(Message(tc.err), "10.0.0.7") {
			t.Errorf("%s: the cause is shown", name)
		}
	}
	if !errors.Is(Wrap(Internal, cause, "x"), cause) {
		t.Error("the cause is lost to the log")
	}
	for k := Internal; k <= Unavailable; k++ {
		if k.String() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

func TestFieldsOnlyOfInvalid(t *testing.T) {
	if InvalidFields(nil) != nil || InvalidFields(map[string]string{}) != nil {
		t.Error("no wrong field is an error")
	}
	given := map[string]string{"slug": "taken"}
	err := fmt.Errorf("submit: %w", InvalidFields(given))
	given["slug"] = "changed"
	if got := Fields(err); got["slug"] != "taken" {
		t.Errorf("got %v", got)
	}
	if got := Fields(&Error{Kind: Conflict, Fields: given}); got != nil {
		t.Errorf("a conflict has fields %v", got)
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		NewID(): true, "": false, "1": false, "{" + NewID() + "}": false, "urn:uuid:" + NewID(): false, strings.ReplaceAll(NewID(), "-", ""): false, "' OR 1=1 --": false,
	} {
		if got := ValidID(id); got != want {
			t.Errorf("%q: got %v, want %v", id, got, want)
		}
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	var c ShiftedClock
	c.SetOffset(time.Hour)
	c.SetOffset(time.Minute)
	if c.Offset() != time.Hour {
		t.Errorf("the offset is %s, want the larger one", c.Offset())
	}
	if d := c.Now().Sub(c.Wall()); d < 59*time.Minute || d > 61*time.Minute {
		t.Errorf("product time is %s ahead", d)
	}
	if c.Now().Location() != time.UTC || c.Wall().Nanosecond()%1000 != 0 {
		t.Error("times are not in UTC, or finer than PostgreSQL keeps")
	}
}
