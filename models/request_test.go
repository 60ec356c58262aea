package models

import (
	"slices"
	"strings"
	"testing"
)

// allowed is design's table of moves once more, written down independently of the code.
var allowed = map[RequestState]map[RequestState]string{
	Draft:            {Planning: "requester"},
	Planning:         {AwaitingApproval: "planner", Approved: "planner", NoChange: "planner", PlanFailed: "planner", Cancelled: "requester owner admin engine"},
	PlanFailed:       {Planning: "requester", Cancelled: "requester owner admin engine", Expired: "clock"},
	ChangesRequested: {Planning: "requester", Cancelled: "requester owner admin engine", Expired: "clock"},
	AwaitingApproval: {Approved: "approver", Rejected: "approver", ChangesRequested: "approver", Planning: "requester approver admin engine",
		Cancelled: "requester owner admin engine", Expired: "clock"},
	Approved: {Running: "engine", Planning: "engine", Cancelled: "requester owner admin engine"},
	Running:  {Succeeded: "engine", Failed: "engine", Stopping: "requester owner admin", Planning: "engine"},
	Stopping: {Failed: "engine", Succeeded: "engine"},
	Failed:   {Running: "requester owner admin", Planning: "requester owner admin", Undoing: "owner admin", Abandoned: "owner admin engine"},
	Undoing:  {Undone: "engine", Failed: "engine"},
}

var movers = []Mover{ByRequester, ByApprover, ByPlanner, ByEngine, ByClock, ByAdmin, ByOwner}

// TestEveryMove tries each mover on each pair of states.
func TestEveryMove(t *testing.T) {
	for _, from := range RequestStates() {
		for _, to := range RequestStates() {
			for _, by := range movers {
				r := Request{State: from}
				err := r.Move(to, by)
				want := slices.Contains(strings.Fields(allowed[from][to]), string(by))
				if (err == nil) != want {
					t.Errorf("%s -> %s by %s: got %v, want allowed %v", from, to, by, err, want)
				}
				if err != nil && (r.State != from || KindOf(err) != Conflict) {
					t.Errorf("%s -> %s by %s: refused with %s, and it is %s", from, to, by, KindOf(err), r.State)
				}
				if err == nil && r.State != to {
					t.Errorf("%s -> %s by %s: it is %s", from, to, by, r.State)
				}
			}
		}
	}
}

func TestMoveSaysWhyNot(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to RequestState
		by       Mover
		want     string
	}{
		"retry after failure": {Failed, Running, ByRequester, ""},
		"undone is final":     {Undone, Running, ByAdmin, "This request is undone, so it cannot become running."},
		"not the planner's":   {AwaitingApproval, Approved, ByPlanner, "This request is awaiting approval; that move is not the planner's."},
	} {
		r := Request{State: tc.from}
		if got := Message(r.Move(tc.to, tc.by)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestWhatRanOnceIsNotEndedByADecision: reject, cancel and expire lead to failed, no change to succeeded.
func TestWhatRanOnceIsNotEndedByADecision(t *testing.T) {
	for _, tc := range []struct {
		from, to RequestState
		by       Mover
		want     RequestState
	}{
		{AwaitingApproval, Rejected, ByApprover, Failed}, {AwaitingApproval, Expired, ByClock, Failed}, {AwaitingApproval, Cancelled, ByRequester, Failed},
		{Planning, Cancelled, ByAdmin, Failed}, {Planning, NoChange, ByPlanner, Succeeded}, {Approved, Cancelled, ByOwner, Failed},
		{Failed, Abandoned, ByAdmin, Abandoned}, {Undoing, Undone, ByEngine, Undone}, {AwaitingApproval, ChangesRequested, ByApprover, ChangesRequested},
	} {
		r := Request{State: tc.from, RunID: "run"}
		if err := r.Move(tc.to, tc.by); err != nil || r.State != tc.want {
			t.Errorf("%s -> %s after a run: it is %s, %v; want %s", tc.from, tc.to, r.State, err, tc.want)
		}
	}
}

func TestFinalStatesAndEffects(t *testing.T) {
	final := []RequestState{Succeeded, NoChange, Rejected, Expired, Cancelled, Undone, Abandoned}
	locked := []RequestState{Planning, Running, Stopping, Undoing}
	expiring := []RequestState{PlanFailed, ChangesRequested, AwaitingApproval}
	for _, s := range RequestStates() {
		e := s.Effects()
		if s.Final() != slices.Contains(final, s) {
			t.Errorf("%s: final is %v", s, s.Final())
		}
		if e.HoldsLock != slices.Contains(locked, s) {
			t.Errorf("%s: holds a lock is %v", s, e.HoldsLock)
		}
		if (e.ExpireIn > 0) != slices.Contains(expiring, s) {
			t.Errorf("%s: expires in %s", s, e.ExpireIn)
		}
		if want := s.Final() && s != Succeeded; e.FreesName != want {
			t.Errorf("%s: frees the name is %v, want %v", s, e.FreesName, want)
		}
		if s.Words() == "" {
			t.Errorf("%s has no words", s)
		}
	}
}

var (
	asker     = Actor{Person: Person{ID: "asker"}, Roles: []PlatformRole{Requester}}
	admin     = Actor{Person: Person{ID: "admin"}, Roles: []PlatformRole{PlatformAdmin}}
	auditor   = Actor{Person: Person{ID: "auditor"}, Roles: []PlatformRole{Auditor}}
	owner     = Actor{Person: Person{ID: "owner"}, Memberships: []Membership{{TenantID: "t1", Role: Owner}}}
	viewer    = Actor{Person: Person{ID: "viewer"}, Memberships: []Membership{{TenantID: "t1", Role: Viewer}}}
	elsewhere = Actor{Person: Person{ID: "elsewhere"}, Memberships: []Membership{{TenantID: "t2", Role: Owner}}}
	engine    = System("engine", "admin")
)

func TestMayMove(t *testing.T) {
	for name, tc := range map[string]struct {
		who      Actor
		from, to RequestState
		by       Mover
		want     bool
	}{
		"requester cancels":         {asker, Planning, Cancelled, ByRequester, true},
		"requester retries":         {asker, Failed, Running, ByRequester, true},
		"requester does not undo":   {asker, Failed, Undoing, "", false},
		"owner undoes":              {owner, Failed, Undoing, ByOwner, true},
		"owner stops":               {owner, Running, Stopping, ByOwner, true},
		"admin abandons":            {admin, Failed, Abandoned, ByAdmin, true},
		"admin edits not":           {admin, ChangesRequested, Planning, "", false},
		"admin approves not so":     {admin, AwaitingApproval, Approved, "", false},
		"viewer stops not":          {viewer, Running, Stopping, "", false},
		"auditor cancels not":       {auditor, Planning, Cancelled, "", false},
		"another tenant's owner":    {elsewhere, Running, Stopping, "", false},
		"a component":               {engine, Running, Stopping, "", false},
		"nobody":                    {Actor{}, Planning, Cancelled, "", false},
		"what is final stays final": {admin, Succeeded, Planning, "", false},
	} {
		r := Request{State: tc.from, RequesterID: "asker", TenantID: "t1"}
		if by, ok := r.MayMove(tc.who, tc.to); ok != tc.want || by != tc.by {
			t.Errorf("%s: got %q, %v; want %q, %v", name, by, ok, tc.by, tc.want)
		}
	}
	if by := (Request{TenantID: ""}).MoversOf(Actor{Memberships: []Membership{{Role: Owner}}}); len(by) != 0 {
		t.Errorf("no tenant and no id give %v", by)
	}
}

func TestMayDecide(t *testing.T) {
	byAdmin := []Demand{{Role: string(PlatformAdmin), Count: 1}}
	byOwner := []Demand{{Role: string(Owner), Count: 1}}
	both := Actor{Person: Person{ID: "both"}, Roles: []PlatformRole{PlatformAdmin}, Memberships: []Membership{{TenantID: "t1", Role: Owner}}}
	editor := admin
	editor.Person.ID = "editor"
	askingAdmin := admin
	askingAdmin.Person.ID = "asker"
	for name, tc := range map[string]struct {
		who     Actor
		state   RequestState
		demands []Demand
		role    string
		kind    Kind
	}{
		"admin":                        {admin, AwaitingApproval, byAdmin, "platform-admin", 0},
		"admin where owners are asked": {admin, AwaitingApproval, byOwner, "platform-admin", 0},
		"owner where owners are asked": {owner, AwaitingApproval, byOwner, "owner", 0},
		"both, owners are asked":       {both, AwaitingApproval, byOwner, "owner", 0},
		"owner where admins are asked": {owner, AwaitingApproval, byAdmin, "", Forbidden},
		"owner of another tenant":      {elsewhere, AwaitingApproval, byOwner, "", Forbidden},
		"viewer":                       {viewer, AwaitingApproval, byOwner, "", Forbidden},
		"auditor":                      {auditor, AwaitingApproval, byAdmin, "", Forbidden},
		"requester who is admin":       {askingAdmin, AwaitingApproval, byAdmin, "", Forbidden},
		"editor of the inputs":         {editor, AwaitingApproval, byAdmin, "", Forbidden},
		"component":                    {engine, AwaitingApproval, byAdmin, "", Forbidden},
		"too late":                     {admin, Approved, byAdmin, "", Conflict},
		"nobody":                       {Actor{}, AwaitingApproval, byAdmin, "", Forbidden},
	} {
		r := Request{State: tc.state, RequesterID: "asker", InputsBy: []string{"asker", "editor"}, TenantID: "t1"}
		role, err := r.MayDecide(tc.who, tc.demands)
		if role != tc.role || (err == nil) != (tc.kind == 0) || err != nil && KindOf(err) != tc.kind {
			t.Errorf("%s: got %q, %v; want %q, %s", name, role, err, tc.role, tc.kind)
		}
	}
}

func TestMissing(t *testing.T) {
	yes := func(person, role string) Approval { return Approval{Decision: Approve, PersonID: person, Role: role} }
	dropped := yes("b", "owner")
	dropped.Dropped = true
	rule := Approval{Decision: Approve, RuleID: "r1", Role: "owner"}
	no := yes("c", "owner")
	no.Decision = Reject
	demands := []Demand{{Role: "owner", Count: 2}, {Role: "platform-admin", Count: 1}}
	for name, tc := range map[string]struct {
		given []Approval
		left  map[string]int
	}{
		"none":                     {nil, map[string]int{"owner": 2, "platform-admin": 1}},
		"one person twice":         {[]Approval{yes("a", "owner"), yes("a", "owner")}, map[string]int{"owner": 1, "platform-admin": 1}},
		"dropped, rule and no":     {[]Approval{dropped, rule, no}, map[string]int{"owner": 2, "platform-admin": 1}},
		"all":                      {[]Approval{yes("a", "owner"), yes("b", "owner"), yes("d", "platform-admin")}, map[string]int{}},
		"an admin is not an owner": {[]Approval{yes("a", "owner"), yes("d", "platform-admin"), yes("e", "platform-admin")}, map[string]int{"owner": 1}},
	} {
		left := Missing(demands, tc.given)
		if len(left) != len(tc.left) {
			t.Errorf("%s: got %v, want %v", name, left, tc.left)
		}
		for _, d := range left {
			if tc.left[d.Role] != d.Count {
				t.Errorf("%s: %d more of %s, want %d", name, d.Count, d.Role, tc.left[d.Role])
			}
		}
	}
}

func TestVisibleTo(t *testing.T) {
	for name, tc := range map[string]struct {
		who      Actor
		tenantID string
		want     bool
	}{
		"requester": {asker, "t1", true}, "requester, no tenant yet": {asker, "", true}, "viewer": {viewer, "t1", true}, "viewer, no tenant yet": {viewer, "", false},
		"elsewhere": {elsewhere, "t1", false}, "auditor": {auditor, "", true}, "admin": {admin, "t1", true}, "component": {engine, "t1", true}, "nobody": {Actor{}, "", false},
	} {
		if got := (Request{RequesterID: "asker", TenantID: tc.tenantID}).VisibleTo(tc.who); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	if (Request{}).VisibleTo(Actor{}) {
		t.Error("a request of nobody is visible to nobody")
	}
}
