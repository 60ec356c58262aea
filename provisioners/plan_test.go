package provisioners_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

func admins(n int) models.Verdict {
	return models.Verdict{Demands: []models.Demand{{Role: "platform-admin", Count: n}}, Digest: "d"}
}

// plan reads the request's current plan's notes as one text, and its number.
func (h *house) notes(request string) (string, int) {
	h.t.Helper()
	return get[string](h, `SELECT p.notes::text FROM plans p JOIN requests r ON r.plan_id = p.id WHERE r.id = $1`, request),
		get[int](h, `SELECT p.number FROM plans p JOIN requests r ON r.plan_id = p.id WHERE r.id = $1`, request)
}

// again sends a request back to planning, as a person's "plan again" does.
func (h *house) again(request string) {
	h.exec(`UPDATE requests SET state = 'planning' WHERE id = $1`, request)
	h.exec(`UPDATE journal SET done = true WHERE object_id = $1`, request)
	h.wake("plan", request)
}

func TestPlanFollowsTheRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		verdict models.Verdict
		empty   bool
		want    models.RequestState
		reason  string
	}{
		"a person decides": {admins(1), false, models.AwaitingApproval, ""},
		"a rule denies": {models.Verdict{Denied: true, Outcomes: []models.RuleOutcome{{ID: "d", Version: 1, Effect: "deny", Matched: true, Message: "Too dear."}}}, false,
			models.PlanFailed, "A rule denies this: Too dear."},
		"a rule approves": {models.Verdict{ApprovedBy: "small", Outcomes: []models.RuleOutcome{{ID: "small", Version: 2, Effect: "approve", Matched: true}}}, false, models.Succeeded, ""},
		"nothing to do":   {admins(1), true, models.NoChange, "Everything is there as asked."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("one")
			if tc.empty {
				w.steps = nil
			}
			w.rules = func(models.RuleFacts) models.Verdict { return tc.verdict }
			h := newHouse(t, w)
			request := h.submit(models.NewID())
			if got := h.drive(request, tc.want); got != tc.want {
				t.Errorf("request is %s, want %s", got, tc.want)
			}
			if got := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); got != tc.reason {
				t.Errorf("reason is %q, want %q", got, tc.reason)
			}
			if n := get[int](h, `SELECT count(*) FROM rule_results WHERE request_id = $1`, request); n != len(tc.verdict.Outcomes) {
				t.Errorf("%d rule results, want %d", n, len(tc.verdict.Outcomes))
			}
		})
	}
}

func TestPlanNamesWhoCouldApprove(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.world.rules = func(models.RuleFacts) models.Verdict {
		return models.Verdict{Demands: []models.Demand{{Role: "owner", Count: 1}}}
	}
	request := h.submit(models.NewID())
	h.drive(request, models.AwaitingApproval)
	notes, _ := h.notes(request)
	for _, want := range []string{`"approvers": ["Approver"]`, `"demands": [{"role": "platform-admin", "count": 1}]`, "it goes to the platform admins"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %s: %s", want, notes)
		}
	}
	h.approve(request)
	h.drive(request, models.Succeeded)
}

func TestPlanThatNobodyCouldApproveSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.exec(`UPDATE people SET groups = '{}' WHERE id = $1`, h.approver)
	request := h.submit(models.NewID())
	h.drive(request, models.AwaitingApproval)
	if notes, _ := h.notes(request); !strings.Contains(notes, "It waits for the platform admins.") {
		t.Errorf("notes are %s", notes)
	}
}

func TestApprovalsFollowTheHash(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*world)
		want   models.RequestState
		note   string
	}{
		"the same plan keeps them":     {func(*world) {}, models.Succeeded, ""},
		"another price keeps them":     {func(w *world) { w.price = 7 }, models.Succeeded, "Only prices differ"},
		"another content drops them":   {func(w *world) { w.detail = "more" }, models.AwaitingApproval, "no longer count: Approver"},
		"a higher demand is asked for": {func(w *world) { w.price = 7; w.rules = func(models.RuleFacts) models.Verdict { return admins(2) } }, models.AwaitingApproval, "no longer count: Approver"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, newWorld("one"))
			request := h.approved()
			h.again(request)
			tc.change(h.world)
			h.drive(request, tc.want)
			if notes, n := h.notes(request); !strings.Contains(notes, tc.note) || n != 2 {
				t.Errorf("notes of plan %d lack %q: %s", n, tc.note, notes)
			}
		})
	}
}

func TestApprovalIsCheckedAgainAtTheStart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*house, string)
		reason string
	}{
		"a rule denies now": {func(h *house, _ string) {
			h.world.rules = func(models.RuleFacts) models.Verdict {
				return models.Verdict{Denied: true, Outcomes: []models.RuleOutcome{{ID: "new", Version: 1, Effect: "deny", Matched: true, Message: "Frozen."}}}
			}
		}, "Frozen."},
		"a rule asks for more": {func(h *house, _ string) { h.world.rules = func(models.RuleFacts) models.Verdict { return admins(2) } }, "ask for more approvals"},
		"the approver lost the role": {func(h *house, _ string) { h.exec(`UPDATE people SET groups = '{}' WHERE id = $1`, h.approver) },
			"approval of Approver no longer counts"},
		"the plan was changed in the database": {func(h *house, request string) {
			h.exec(`UPDATE plans SET content = jsonb_set(content, '{object}', '"other"') WHERE request_id = $1`, request)
		}, "not the one its hash was made of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, newWorld("one"))
			request := h.submit(models.NewID())
			h.drive(request, models.AwaitingApproval)
			h.approve(request)
			tc.change(h, request)
			h.drive(request, models.Planning, models.AwaitingApproval, models.PlanFailed)
			if reason := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(reason, tc.reason) {
				t.Errorf("reason is %q, want %q", reason, tc.reason)
			}
			h.drive(request, models.AwaitingApproval, models.PlanFailed, models.Succeeded)
			if len(h.world.starts) > 0 && !strings.Contains(name, "database") {
				t.Errorf("steps were started: %q", h.world.log)
			}
		})
	}
}

func TestOneRequestAtATimeOnAnObject(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	object := models.NewID()
	first, second := h.submit(object), h.submit(object)
	h.drive(first, models.AwaitingApproval)
	h.drive(second, models.AwaitingApproval)
	h.approve(first)
	h.drive(first, models.Running)
	h.approve(second)
	waited := false
	h.world.poll = func(string) (provisioners.Result, error, bool) {
		w := get[*string](h, `SELECT waiting->>'words' FROM requests WHERE id = $1`, second)
		waited = waited || w != nil && strings.Contains(*w, "works on the same thing")
		return provisioners.Result{Found: provisioners.Working}, nil, !waited
	}
	h.drive(first, models.Succeeded)
	if !waited {
		t.Error("the second request never said what it waits for")
	}
	// The first has overtaken the second's plan: it is planned again, and the same hash keeps its approval.
	h.drive(second, models.Succeeded)
	if _, n := h.notes(second); n != 2 {
		t.Errorf("the second request has %d plans, want 2", n)
	}
}

// TestHalfARunOvertakesOtherPlans: a run that goes back to the queue has changed the object all the same.
func TestHalfARunOvertakesOtherPlans(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	object := models.NewID()
	first, second := h.submit(object), h.submit(object)
	h.drive(first, models.AwaitingApproval)
	h.drive(second, models.AwaitingApproval)
	h.approve(first)
	h.drive(first, models.Running)
	h.approve(second)
	differs := true
	h.world.find = func(step string) (provisioners.Result, error, bool) {
		return provisioners.Result{}, provisioners.Mismatch{Words: "it differs"}, step == "two" && differs
	}
	h.drive(first, models.Planning)
	if state := h.state(second); state != models.Planning {
		t.Errorf("the other request on the object is %s, want planning", state)
	}
	differs, h.world.detail = false, "another plan"
	h.drive(first, models.AwaitingApproval)
	h.drive(second, models.AwaitingApproval)
	if _, n := h.notes(second); n != 2 {
		t.Errorf("the other request has %d plans, want 2", n)
	}
}

func TestRetryIsRefusedAfterAnotherRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	object := models.NewID()
	h.world.start = func(context.Context, string) (error, bool) {
		return provisioners.Final{Failure: models.Failure{What: "No."}}, true
	}
	first, second := h.submit(object), h.submit(object)
	h.drive(first, models.AwaitingApproval)
	h.approve(first)
	h.drive(first, models.Failed)
	h.world.start = nil
	h.drive(second, models.AwaitingApproval)
	h.approve(second)
	h.drive(second, models.Succeeded)
	if err := h.store.RetryRun(context.Background(), h.admin(), first); models.KindOf(err) != models.Conflict || !strings.Contains(err.Error(), "needs a new plan") {
		t.Errorf("retry: %v", err)
	}
}

func TestPlanningFailsInWords(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.exec(`UPDATE people SET name = 'A' WHERE id = $1`, h.asker)
	request := h.submit(models.NewID())
	h.exec(`UPDATE requests SET kind = 'test.unknown' WHERE id = $1`, request)
	h.drive(request, models.PlanFailed)
	if reason := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(reason, "cannot plan test.unknown") {
		t.Errorf("reason is %q", reason)
	}
	if n := get[int](h, `SELECT count(*) FROM locks`); n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

func TestPlanningSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.world.plan = provisioners.Wait{For: "AWS", Words: "the list of accounts", Delay: time.Millisecond}
	request := h.submit(models.NewID())
	for deadline := time.Now().Add(time.Minute); get[*string](h, `SELECT waiting->>'words' FROM requests WHERE id = $1`, request) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the request never said what it waits for")
		}
		h.round()
	}
	h.world.plan = nil
	h.drive(request, models.AwaitingApproval)
	if words := get[*string](h, `SELECT waiting->>'words' FROM requests WHERE id = $1`, request); words != nil {
		t.Errorf("the planned request still waits for %s", *words)
	}
}
