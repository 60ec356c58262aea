package provisioners_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"slipway/models"
)

func dollars(n int64) decimal.Decimal { return decimal.NewFromInt(n) }

// approved drives a new request to approved.
func (h *house) approved() string {
	h.t.Helper()
	request := h.submit(models.NewID())
	h.drive(request, models.AwaitingApproval)
	h.approve(request)
	return request
}

func TestRunGoesFromPlanToEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	request := h.approved()
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	run := h.run(request)
	if run.State != models.Succeeded || len(run.Steps) != 2 || run.Steps[1].State != models.StepDone {
		t.Errorf("run ended as %+v", run)
	}
	if got := run.Steps[0].Outputs["id"]; got != "id-one" {
		t.Errorf("first step's output is %q, want id-one", got)
	}
	if got := run.Steps[0].Outputs["asked"]; got != "as-one" {
		t.Errorf("what the first step's Start left is %q, want as-one", got)
	}
	if n := get[int](h, `SELECT count(*) FROM locks`); n != 0 {
		t.Errorf("%d locks are left", n)
	}
	if n := get[int](h, `SELECT count(*) FROM journal WHERE NOT done`); n != 0 {
		t.Errorf("%d journal rows are open", n)
	}
}

func TestEveryPointIsKilledOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two", "three"))
	seen := map[string]bool{}
	h.crash = func(kind, step, point string) {
		if name := kind + " " + step + " " + point; !seen[name] {
			seen[name] = true
			die()
		}
	}
	request := h.approved()
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	for _, step := range h.world.steps {
		for _, point := range []string{"after-intent-commit", "after-aws-call", "after-outcome-commit"} {
			if !seen["run "+step+" "+point] {
				t.Errorf("point %s of step %s was never reached", point, step)
			}
		}
	}
	if len(seen) != 12 { // and three of the plan
		t.Errorf("%d points were hit, want 12: %v", len(seen), seen)
	}
}

func TestTenthKillOfTheSameStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	kills := 0
	h.crash = func(kind, _, point string) {
		if kind == "run" && point == "after-intent-commit" && kills < 10 {
			kills++
			die()
		}
	}
	request := h.approved()
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	if kills != 10 {
		t.Errorf("killed %d times, want 10", kills)
	}
}
