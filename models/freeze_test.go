package models

import (
	"strings"
	"testing"
	"time"
)

func TestFreezeChecks(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		reason string
		until  time.Time
		field  string // empty: it is fine
	}{
		"fine":                    {"Quarter end: nothing may change.", now.Add(48 * time.Hour), ""},
		"thirty days":             {"Quarter end: nothing may change.", now.Add(MaxFreeze), ""},
		"a second more":           {"Quarter end: nothing may change.", now.Add(MaxFreeze + time.Second), "until"},
		"past":                    {"Quarter end: nothing may change.", now, "until"},
		"without an end":          {"Quarter end: nothing may change.", time.Time{}, "until"},
		"without a reason":        {"   because   ", now.Add(time.Hour), "reason"},
		"with a novel":            {strings.Repeat("x", 501), now.Add(time.Hour), "reason"},
		"with letters, not bytes": {strings.Repeat("ü", 500), now.Add(time.Hour), ""},
	} {
		fields := Fields(Freeze{Reason: tc.reason, Until: tc.until}.Check(now))
		if tc.field == "" && len(fields) > 0 || tc.field != "" && fields[tc.field] == "" {
			t.Errorf("%s: got %v", name, fields)
		}
	}
}

func TestFreezeHolds(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	all, one := Freeze{Until: now.Add(time.Hour)}, Freeze{TenantID: "t1", Until: now.Add(time.Hour)}
	lifted := all
	lifted.LiftedAt = now
	for name, got := range map[string]bool{
		"all hold a tenant": all.Holds("t1"), "all hold what has none": all.Holds(""), "one holds its own": one.Holds("t1"),
		"active before its end": all.Active(now), "not another's": !one.Holds("t2"), "not what has no tenant": !one.Holds(""),
		"not after its end": !all.Active(now.Add(time.Hour)), "not once lifted": !lifted.Active(now),
	} {
		if !got {
			t.Error(name)
		}
	}
}

func TestFreezeWords(t *testing.T) {
	f := Freeze{TenantID: "t1", TenantSlug: "payments", By: "Mara", Reason: "Quarter end", Until: time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)}
	if got, want := f.Words(), "Mara has stopped new runs of payments until 2 March 2026, 18:00 UTC: Quarter end."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
