package models

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxFreeze is how long a freeze may last, in product time: one that outlives its reason is worse than none.
const MaxFreeze = 30 * 24 * time.Hour

// WaitsForFreeze is what an approved request waits for while new runs are stopped.
const WaitsForFreeze = "the end of a freeze"

// Everybody stands for all tenants where a freeze asks for one: stopping all is never what was left out.
const Everybody = "*"

const maxFreezeReason = 500

// Freeze stops new runs, of everybody or of one tenant. Planning and deciding go on, and so does what runs already.
type Freeze struct {
	ID         string
	TenantID   string // empty: all
	TenantSlug string
	Reason     string
	ByID       string
	By         string
	From       time.Time // product time
	Until      time.Time // product time
	LiftedAt   time.Time // zero: not lifted before its end
	LiftedBy   string
}

// Active tells whether the freeze stops runs at the moment.
func (f Freeze) Active(now time.Time) bool { return f.LiftedAt.IsZero() && now.Before(f.Until) }

// Holds tells whether the freeze is about the tenant's runs, too. What has no tenant yet is held by a freeze of all alone.
func (f Freeze) Holds(tenantID string) bool { return f.TenantID == "" || f.TenantID == tenantID }

// Words say what is stopped, until when, by whom and why.
func (f Freeze) Words() string {
	whose := "all new runs"
	if f.TenantID != "" {
		whose = "new runs of " + f.TenantSlug
	}
	return fmt.Sprintf("%s has stopped %s until %s: %s", f.By, whose, f.Until.UTC().Format("2 January 2006, 15:04 MST"), sentence(f.Reason))
}

// Check says what is wrong with a new freeze, by the fields of its form.
func (f Freeze) Check(now time.Time) error {
	wrong := map[string]string{}
	switch n := utf8.RuneCountInString(strings.TrimSpace(f.Reason)); {
	case n < 10:
		wrong["reason"] = "Say in a sentence why: everybody who waits reads it."
	case n > maxFreezeReason:
		wrong["reason"] = fmt.Sprintf("At most %d characters.", maxFreezeReason)
	}
	switch {
	case f.Until.IsZero():
		wrong["until"] = "Say when the freeze ends, as in 2026-01-31T18:00 (UTC)."
	case !f.Until.After(now):
		wrong["until"] = "That is past. It is " + now.UTC().Format("2006-01-02T15:04") + " UTC now."
	case f.Until.Sub(now) > MaxFreeze:
		wrong["until"] = "At most 30 days ahead. Freeze again then if it must last longer."
	}
	if len(wrong) > 0 {
		return InvalidFields(wrong)
	}
	return nil
}

// FreezeEvent is what people are told when new runs are stopped, or go on again because the freeze was lifted.
func FreezeEvent(by Actor, f Freeze, lifted bool) Event {
	whose := "all tenants"
	e := Event{Kind: TellFreeze, TenantID: f.TenantID, ByID: by.Person.ID, ByName: by.Name()}
	if f.TenantID != "" {
		whose = f.TenantSlug
		e.Object, e.ObjectID, e.ObjectName = TenantObject, f.TenantID, f.TenantSlug
	}
	e.Subject, e.Words = "New runs of "+whose+" are stopped", f.Words()+" What is approved waits and starts by itself afterwards; what runs goes on."
	if lifted {
		e.Subject, e.Words = "New runs of "+whose+" go on again", by.Name()+" has lifted the freeze. What waited for it starts by itself."
	}
	return e
}

// sentence ends what a person typed with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}
