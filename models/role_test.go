package models

import "testing"

func TestIncludes(t *testing.T) {
	for _, tc := range []struct {
		has, asked TenantRole
		want       bool
	}{
		{Owner, Developer, true}, {Owner, Viewer, true}, {Developer, Viewer, true}, {Viewer, Viewer, true},
		{Viewer, Developer, false}, {Developer, Owner, false}, {"", Viewer, false}, {"", "", false}, {"king", Viewer, false},
	} {
		if got := tc.has.Includes(tc.asked); got != tc.want {
			t.Errorf("%q includes %q: got %v, want %v", tc.has, tc.asked, got, tc.want)
		}
	}
}

func TestActorRights(t *testing.T) {
	for name, tc := range map[string]struct {
		who                           Actor
		seesAll, seesTenant, asks, no bool
		strongest                     string
	}{
		"admin":     {who: admin, seesAll: true, seesTenant: true, asks: true, strongest: "platform-admin"},
		"auditor":   {who: auditor, seesAll: true, seesTenant: true, strongest: "auditor"},
		"requester": {who: asker, asks: true, strongest: "requester"},
		"owner":     {who: owner, seesTenant: true, strongest: "owner"},
		"viewer":    {who: viewer, seesTenant: true, strongest: "viewer"},
		"elsewhere": {who: elsewhere, strongest: "none"},
		"component": {who: engine, seesAll: true, seesTenant: true, strongest: "system"},
		"nobody":    {who: Actor{}, no: true, strongest: "none"},
	} {
		if got := tc.who.SeesAll(); got != tc.seesAll {
			t.Errorf("%s sees all: %v", name, got)
		}
		if got := tc.who.SeesTenant("t1"); got != tc.seesTenant {
			t.Errorf("%s sees t1: %v", name, got)
		}
		if got := tc.who.MayRequestTenant(); got != tc.asks {
			t.Errorf("%s may ask: %v", name, got)
		}
		if got := tc.who.NoAccess(); got != tc.no {
			t.Errorf("%s has no access: %v", name, got)
		}
		if got := tc.who.StrongestRole("t1"); got != tc.strongest {
			t.Errorf("%s: strongest is %q, want %q", name, got, tc.strongest)
		}
	}
	fake := Actor{System: "engine", Roles: []PlatformRole{PlatformAdmin}}
	if fake.Has(PlatformAdmin) || fake.MayRequestTenant() {
		t.Error("a component holds a person's role")
	}
}
