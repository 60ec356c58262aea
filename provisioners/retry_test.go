package provisioners_test

import (
	"context"
	"strings"
	"testing"

	"slipway/models"
	"slipway/provisioners"
)

// failedOnce is a house with a request whose only step has failed for good, cured since.
func failedOnce(t *testing.T) (*house, string) {
	t.Helper()
	h := newHouse(t, newWorld("one"))
	h.world.start = func(context.Context, string) (error, bool) {
		return provisioners.Final{Failure: models.Failure{What: "No."}}, true
	}
	request := h.approved()
	h.drive(request, models.Failed)
	h.world.start = nil
	return h, request
}

func (h *house) wantNoRetry(request, words string) {
	h.t.Helper()
	err := h.store.RetryRun(context.Background(), h.admin(), request)
	if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), words) {
		h.t.Errorf("retry: %v, want %q", err, words)
	}
	if state := h.state(request); state != models.Failed {
		h.t.Errorf("the request is %s", state)
	}
}

func TestRetryIsRefusedWhenTheApproverLostTheRole(t *testing.T) {
	t.Parallel()
	h, request := failedOnce(t)
	h.exec(`UPDATE people SET groups = '{}' WHERE id = $1`, h.approver)
	h.wantNoRetry(request, "approval of Approver no longer counts")
}

func TestRetryIsRefusedOnceALaterPlanWasRejected(t *testing.T) {
	t.Parallel()
	h, request := failedOnce(t)
	h.world.detail = "another plan"
	h.must(h.store.PlanAgain(context.Background(), h.admin(), request))
	h.drive(request, models.AwaitingApproval)
	hash := get[string](h, `SELECT plan_hash FROM requests WHERE id = $1`, request)
	h.must(h.store.Decide(context.Background(), h.admin(), request, hash, models.Reject, "Not any more."))
	h.wantNoRetry(request, "needs a new decision")
}

func TestRetryIsRefusedAlthoughItsRestWasRejectedAfterTheOtherRun(t *testing.T) {
	t.Parallel()
	h, first := failedOnce(t)
	second := h.submit(get[string](h, `SELECT object_id FROM requests WHERE id = $1`, first))
	h.drive(second, models.AwaitingApproval)
	h.approve(second)
	h.drive(second, models.Succeeded)
	h.must(h.store.PlanAgain(context.Background(), h.admin(), first))
	h.must(h.store.CancelRequest(context.Background(), h.admin(), first)) // leads to failed, which is not a new end of its run
	h.wantNoRetry(first, "has changed the same thing since")
}

func TestRetryIsJudgedByTodaysRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		verdict models.Verdict
		want    models.RequestState
		reason  string
	}{
		"deny": {models.Verdict{Denied: true, Outcomes: []models.RuleOutcome{{ID: "new", Version: 1, Effect: "deny", Matched: true, Message: "Frozen."}}}, models.PlanFailed, "Frozen."},
		"more": {admins(2), models.AwaitingApproval, "ask for more approvals"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, request := failedOnce(t)
			starts := h.world.starts["one"]
			h.must(h.store.RetryRun(context.Background(), h.admin(), request))
			h.world.rules = func(models.RuleFacts) models.Verdict { return tc.verdict }
			h.drive(request, tc.want, models.Succeeded)
			if reason := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); h.state(request) != tc.want || !strings.Contains(reason, tc.reason) {
				t.Errorf("the request is %s: %q", h.state(request), reason)
			}
			if n := h.world.starts["one"]; n != starts {
				t.Errorf("the step was started %d times more", n-starts)
			}
		})
	}
}

// TestMismatchAsksAPersonAgain: the same plan that did not match once is not run again by the approval it had.
func TestMismatchAsksAPersonAgain(t *testing.T) {
	t.Parallel()
	for name, verdict := range map[string]models.Verdict{"approved by a person": admins(1), "approved by a rule": {ApprovedBy: "small"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, newWorld("one"))
			h.world.rules = func(models.RuleFacts) models.Verdict { return verdict }
			differs := true
			h.world.find = func(string) (provisioners.Result, error, bool) {
				return provisioners.Result{}, provisioners.Mismatch{Words: "it differs"}, differs
			}
			request := h.submit(models.NewID())
			if verdict.ApprovedBy == "" {
				h.drive(request, models.AwaitingApproval)
				h.approve(request)
			}
			h.drive(request, models.Running)
			h.drive(request, models.AwaitingApproval)
			if n := get[int](h, `SELECT count(DISTINCT hash) FROM plans`); n != 1 {
				t.Errorf("%d plans differ, want the same again", n)
			}
			differs = false
			h.approve(request)
			h.drive(request, models.Succeeded)
			h.wantOnce(1)
		})
	}
}
