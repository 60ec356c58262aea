package models

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRequestEvent(t *testing.T) {
	person, engine := Actor{Person: Person{ID: "p1", Name: "Ada"}}, System("engine", "")
	for name, tc := range map[string]struct {
		by    Actor
		state RequestState
		want  EventKind // empty: nobody is told
		says  string
	}{
		"planning is nobody's news": {engine, Planning, "", ""},
		"running is nobody's news":  {engine, Running, "", ""},
		"approvers hear of a plan":  {engine, AwaitingApproval, TellApprovers, "waits for your approval"},
		"a person's approval":       {person, Approved, TellDecided, "Ada has approved"},
		"an approval by a rule":     {engine, Approved, "", ""},
		"rejected":                  {person, Rejected, TellDecided, "too dear"},
		"sent back":                 {person, ChangesRequested, TellDecided, "too dear"},
		"expired":                   {engine, Expired, TellDecided, "expired"},
		"withdrawn":                 {person, Cancelled, TellDecided, "withdrawn"},
		"plan failed":               {engine, PlanFailed, TellFailed, "too dear"},
		"failed":                    {engine, Failed, TellFailed, "too dear"},
		"done":                      {engine, Succeeded, TellDone, "done"},
		"nothing to do":             {engine, NoChange, TellDone, "done"},
		"undone":                    {engine, Undone, TellDone, "undone"},
		"given up":                  {person, Abandoned, TellDone, "given up"},
	} {
		e, ok := RequestEvent(tc.by, Request{ID: "r", Number: 7, Title: "Create tenant x", State: tc.state, Reason: "too dear", RequesterName: "Bo"})
		if ok != (tc.want != "") || e.Kind != tc.want || !strings.Contains(e.Subject+" "+e.Words, tc.says) {
			t.Errorf("%s: got %v %q %q %q", name, ok, e.Kind, e.Subject, e.Words)
		}
	}
}

func TestConcerns(t *testing.T) {
	asker := Actor{Person: Person{ID: "asker"}, Memberships: []Membership{{TenantID: "t", Role: Developer}}}
	editor := Actor{Person: Person{ID: "editor"}, Roles: []PlatformRole{PlatformAdmin}}
	admin := Actor{Person: Person{ID: "admin"}, Roles: []PlatformRole{PlatformAdmin}}
	given := Actor{Person: Person{ID: "given"}, Roles: []PlatformRole{PlatformAdmin}}
	owner := Actor{Person: Person{ID: "owner"}, Memberships: []Membership{{TenantID: "t", Role: Owner}}}
	other := Actor{Person: Person{ID: "other"}, Memberships: []Membership{{TenantID: "u", Role: Owner}}}
	viewer := Actor{Person: Person{ID: "viewer"}, Memberships: []Membership{{TenantID: "t", Role: Viewer}}}
	robot := Actor{Person: Person{ID: "robot", Issuer: SystemIssuer}, Roles: []PlatformRole{PlatformAdmin}}
	everybody := []Actor{asker, editor, admin, given, owner, other, viewer, robot, {}}
	r := &Request{RequesterID: "asker", InputsBy: []string{"asker", "editor"}, TenantID: "t"}
	wants := func(role PlatformRole) Standing {
		return Standing{Request: r, Decided: []string{"given"}, Missing: []Demand{{Role: string(role), Count: 1}}}
	}
	for name, tc := range map[string]struct {
		e    Event
		s    Standing
		want []string
	}{
		"admins decide, but for who asked, edited or has decided": {Event{Kind: TellApprovers}, wants(PlatformAdmin), []string{"admin"}},
		"owners decide":                              {Event{Kind: TellApprovers}, wants(PlatformRole(Owner)), []string{"owner"}},
		"nothing is demanded any more":               {Event{Kind: TellApprovers}, Standing{Request: r}, nil},
		"a decision is the requester's":              {Event{Kind: TellDecided, ByID: "admin"}, Standing{Request: r}, []string{"asker"}},
		"nobody hears of their own deed":             {Event{Kind: TellDecided, ByID: "asker"}, Standing{Request: r}, nil},
		"what Slipway asked for is the owners'":      {Event{Kind: TellFailed}, Standing{Request: r, ByItself: true}, []string{"owner"}},
		"a missing permission is the admins', too":   {Event{Kind: TellBlocked, State: "a permission"}, Standing{Request: r}, []string{"asker", "editor", "admin", "given"}},
		"a wait for a person is not":                 {Event{Kind: TellBlocked, State: "a person"}, Standing{Request: r}, []string{"asker"}},
		"a broken glass is every admin's":            {Event{Kind: TellBreakGlass, ByID: "admin"}, Standing{Request: r}, []string{"editor", "admin", "given"}},
		"an end is the owners' and who ordered it's": {Event{Kind: TellExpiry, TenantID: "t", PersonID: "asker"}, Standing{}, []string{"asker", "owner"}},
		"a tenant's freeze":                          {Event{Kind: TellFreeze, TenantID: "t", ByID: "admin"}, Standing{}, []string{"asker", "editor", "given", "owner"}},
		"a freeze of all":                            {Event{Kind: TellFreeze, ByID: "admin"}, Standing{}, []string{"asker", "editor", "given", "owner", "other"}},
		"a lost role":                                {Event{Kind: TellRoleLost}, Standing{}, []string{"editor", "admin", "given"}},
		"a test":                                     {Event{Kind: TellTest, PersonID: "viewer"}, Standing{}, []string{"viewer"}},
	} {
		var got []string
		for _, a := range everybody {
			if tc.e.Concerns(a, tc.s) {
				got = append(got, a.Person.ID)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestOver(t *testing.T) {
	at := func(s RequestState, hash string) Standing {
		return Standing{Request: &Request{State: s, PlanHash: hash}}
	}
	for name, tc := range map[string]struct {
		e    Event
		s    Standing
		over bool
	}{
		"still waits":                  {Event{Kind: TellApprovers, PlanHash: "a"}, at(AwaitingApproval, "a"), false},
		"approved meanwhile":           {Event{Kind: TellApprovers, PlanHash: "a"}, at(Approved, "a"), true},
		"waits with another plan":      {Event{Kind: TellApprovers, PlanHash: "a"}, at(AwaitingApproval, "b"), true},
		"still failed":                 {Event{Kind: TellFailed, State: "failed"}, at(Failed, ""), false},
		"retried meanwhile":            {Event{Kind: TellFailed, State: "failed"}, at(Running, ""), true},
		"an approval stays a fact":     {Event{Kind: TellDecided, State: "approved"}, at(Running, ""), false},
		"changed as asked":             {Event{Kind: TellDecided, State: "changes_requested"}, at(Planning, ""), true},
		"done stays a fact":            {Event{Kind: TellDone, State: "succeeded"}, at(Succeeded, ""), false},
		"waits for nobody any more":    {Event{Kind: TellBlocked}, at(Running, ""), true},
		"still waits for a permission": {Event{Kind: TellBlocked}, Standing{Request: &Request{State: Running, Waiting: &WaitingOn{For: "a permission"}}}, false},
		"the warning that was given":   {Event{Kind: TellExpiry, State: "7d"}, Standing{Warned: "7d"}, false},
		"extended since":               {Event{Kind: TellExpiry, State: "7d"}, Standing{}, true},
		"the end has come":             {Event{Kind: TellExpiry}, Standing{Warned: "2h"}, false},
		"a broken glass is never over": {Event{Kind: TellBreakGlass}, at(Succeeded, ""), false},
	} {
		if got := tc.e.Over(tc.s); (got != "") != tc.over {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestWebhookAddress(t *testing.T) {
	for address, good := range map[string]bool{
		"https://hooks.example.com/T0/B0/x": true, "http://relay.internal:8080/": true, "https://[2001:db8::1]/x": true,
		"": false, "hooks.example.com": false, "ftp://example.com": false, "https://": false, "https:///x": false, "https://user:pass@example.com": false, "https://a@b@example.com/": false,
		"https://example.com/#part": false, "javascript:alert(1)": false, "file:///etc/passwd": false, "https:example.com": false, "//example.com/x": false, "http://exa mple.com/": false,
		"gopher://127.0.0.1:25/_x": false, "https://example.com\n/": false, "https://" + strings.Repeat("a", 2000): false,
	} {
		if _, problem := HookHost(address); (problem == "") != good {
			t.Errorf("%q: got %q", address, problem)
		}
	}
}

func TestEventWords(t *testing.T) {
	env := Environment{ID: "e", Name: "orders-dev", TenantSlug: "payments", ExpiresAt: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)}
	for warning, want := range map[string]string{"7d": "orders-dev of payments ends in 7 days", "1d": "orders-dev of payments ends tomorrow", "": "orders-dev of payments has reached its end"} {
		if got := EndEvent(env, "p", warning); got.Subject != want {
			t.Errorf("%q: got %q", warning, got.Subject)
		}
	}
	for _, k := range EventKinds() {
		if k.Forced() != (k == TellBreakGlass) {
			t.Errorf("%s can be switched off: %v", k, !k.Forced())
		}
	}
}
