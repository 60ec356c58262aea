package provisioners_test

import (
	"context"
	"strings"
	"testing"

	"slipway/models"
	"slipway/provisioners"
)

// failedAtThree drives a run of one, two, three into failed at three.
func failedAtThree(t *testing.T) (*house, string) {
	h := newHouse(t, newWorld("one", "two", "three"))
	h.world.start = func(_ context.Context, step string) (error, bool) {
		return provisioners.Final{Failure: models.Failure{What: "No."}}, step == "three"
	}
	for _, step := range []string{"one", "three"} {
		h.world.undo[step] = func() (provisioners.Result, error) {
			h.world.mu.Lock()
			defer h.world.mu.Unlock()
			h.world.note("undo", step)
			return provisioners.Result{Found: provisioners.Present}, nil
		}
	}
	h.world.stays["two"] = "account 123 stays open"
	request := h.approved()
	h.drive(request, models.Failed)
	return h, request
}

func TestUndoGoesBackwardsAndNamesWhatStays(t *testing.T) {
	t.Parallel()
	h, request := failedAtThree(t)
	kills := map[string]bool{}
	h.crash = func(kind, step, point string) {
		if name := step + point; kind == "undo" && !kills[name] {
			kills[name] = true
			die()
		}
	}
	h.world.log = nil
	h.must(h.store.UndoRun(context.Background(), h.admin(), request))
	h.drive(request, models.Undone)
	log := strings.Join(h.world.log, ",")
	if !strings.HasPrefix(log, "undo three") || !strings.HasSuffix(log, "undo one") || strings.Contains(log, "two") {
		t.Errorf("undo went %s", log)
	}
	if reason := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); reason != "What stays: account 123 stays open." {
		t.Errorf("reason is %q", reason)
	}
	if len(kills) != 6 {
		t.Errorf("killed at %d points of the undo, want 6", len(kills))
	}
	run := h.run(request)
	if run.State != models.Undone || run.Steps[0].State != models.StepUndone || run.Steps[1].State != models.StepDone {
		t.Errorf("run is %+v", run)
	}
}

func TestUndoThatFailsCanBeRetried(t *testing.T) {
	t.Parallel()
	h, request := failedAtThree(t)
	h.world.undo["one"] = func() (provisioners.Result, error) {
		return provisioners.Result{}, provisioners.Final{Failure: models.Failure{What: "The bucket is not empty."}}
	}
	h.must(h.store.UndoRun(context.Background(), h.admin(), request))
	h.drive(request, models.Failed)
	if run := h.run(request); run.Failure == nil || run.Failure.What != "The bucket is not empty." {
		t.Errorf("failure is %+v", run.Failure)
	}
	h.world.undo["one"] = func() (provisioners.Result, error) { return provisioners.Result{Found: provisioners.Present}, nil }
	h.must(h.store.UndoRun(context.Background(), h.admin(), request))
	h.drive(request, models.Undone)
}

func TestAbandonLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	h, request := failedAtThree(t)
	if err := h.store.AbandonRequest(context.Background(), h.admin(), request, strings.Repeat("x", 2001)); models.Fields(err)["reason"] == "" {
		t.Errorf("abandon with a novel: %v", err)
	}
	h.must(h.store.AbandonRequest(context.Background(), h.admin(), request, "not needed"))
	if run := h.run(request); run.State != models.Abandoned || run.Steps[0].State != models.StepDone {
		t.Errorf("run is %+v", run)
	}
	if err := h.store.RetryRun(context.Background(), h.admin(), request); models.KindOf(err) != models.Conflict {
		t.Errorf("retry of an abandoned request: %v", err)
	}
}

// What an earlier attempt may have made is this run's: the retry finds it, and an undo takes it back.
func TestRetryKeepsWhatItMayHaveMade(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	h.world.poll = func(step string) (provisioners.Result, error, bool) {
		return provisioners.Result{}, provisioners.Final{Failure: models.Failure{What: "No."}}, step == "one"
	}
	h.world.start = func(_ context.Context, step string) (error, bool) {
		return provisioners.Final{Failure: models.Failure{What: "Neither."}}, step == "two"
	}
	undone := 0
	h.world.undo["one"] = func() (provisioners.Result, error) {
		undone++
		return provisioners.Result{Found: provisioners.Present}, nil
	}
	request := h.approved()
	h.drive(request, models.Failed)
	h.must(h.store.RetryRun(context.Background(), h.admin(), request))
	h.drive(request, models.Failed)
	if run := h.run(request); run.Steps[0].State != models.StepDone {
		t.Errorf("the found step is %s, want done: this run made it", run.Steps[0].State)
	}
	h.must(h.store.UndoRun(context.Background(), h.admin(), request))
	h.drive(request, models.Undone)
	if undone != 1 {
		t.Errorf("undone %d times, want once", undone)
	}
}
