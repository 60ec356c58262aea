package provisioners_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestTriesAreCountedThenTheRunFails(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	h.world.start = func(_ context.Context, step string) (error, bool) { return errAWS, step == "two" }
	request := h.approved()
	h.drive(request, models.Failed)
	run := h.run(request)
	if n := h.world.starts["two"]; n != 8 {
		t.Errorf("Start was called %d times, want 8", n)
	}
	if run.Failure == nil || !strings.Contains(run.Failure.Cause, "Tried 8 times") || !strings.Contains(run.Failure.Cause, "throttled") || run.Failure.Next == "" {
		t.Errorf("failure is %+v", run.Failure)
	}
	if run.Steps[0].State != models.StepDone || run.Steps[1].State != models.StepFailed {
		t.Errorf("steps are %s, %s", run.Steps[0].State, run.Steps[1].State)
	}
	h.world.start = nil
	h.must(h.store.RetryRun(context.Background(), h.admin(), request))
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	if run = h.run(request); run.Attempt != 2 || run.Failure != nil || run.Steps[0].Attempt != 1 || run.Steps[1].Attempt != 2 {
		t.Errorf("retried run is %+v", run)
	}
}

func TestFinalErrorStopsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.world.start = func(context.Context, string) (error, bool) {
		return fmt.Errorf("start: %w", provisioners.Final{Failure: models.Failure{What: "Quota reached.", Code: "LimitExceeded"}}), true
	}
	request := h.approved()
	h.drive(request, models.Failed)
	if run := h.run(request); run.Failure == nil || run.Failure.Code != "LimitExceeded" || h.world.starts["one"] != 1 {
		t.Errorf("failure is %+v after %d starts", run.Failure, h.world.starts["one"])
	}
}

func TestWaitingUsesNoTry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	asked := 0
	h.world.find = func(string) (provisioners.Result, error, bool) {
		asked++
		return provisioners.Result{}, provisioners.Wait{For: "a person", Words: "Somebody must finish the connection.", Delay: time.Millisecond}, asked <= 20
	}
	request := h.approved()
	seen := false
	h.crash = func(string, string, string) {
		if w := get[*string](h, `SELECT waiting->>'words' FROM requests WHERE id = $1`, request); w != nil && *w == "Somebody must finish the connection." {
			seen = true
		}
	}
	h.drive(request, models.Succeeded)
	if !seen {
		t.Error("the request never said what it waits for")
	}
	if run := h.run(request); run.Steps[0].Tries != 0 || run.Steps[0].Waiting != nil {
		t.Errorf("step is %+v", run.Steps[0])
	}
	if w := get[*string](h, `SELECT waiting::text FROM requests WHERE id = $1`, request); w != nil {
		t.Errorf("the request still waits for %s", *w)
	}
}

func TestPagedFindKeepsItsCursor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	pages := 0
	h.world.find = func(string) (provisioners.Result, error, bool) {
		pages++
		return provisioners.Result{Found: provisioners.More, Cursor: []byte(fmt.Sprintf(`{"page": %d}`, pages))}, nil, pages < 4
	}
	request := h.approved()
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	if pages != 4 {
		t.Errorf("read %d pages, want 4", pages)
	}
}

func TestStopEndsAtTheNextSafePoint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	request := h.approved()
	var stopped bool
	h.world.poll = func(step string) (provisioners.Result, error, bool) {
		if step == "one" && !stopped { // while AWS works
			stopped = true
			h.must(h.store.StopRun(context.Background(), h.admin(), request))
		}
		return provisioners.Result{}, nil, false
	}
	h.drive(request, models.Failed)
	run := h.run(request)
	if run.Steps[0].State != models.StepDone || run.Steps[1].State != models.StepPending || h.world.starts["two"] != 0 {
		t.Errorf("steps are %s, %s", run.Steps[0].State, run.Steps[1].State)
	}
	if run.Failure == nil || !strings.Contains(run.Failure.What, "Stopped by Approver") {
		t.Errorf("failure is %+v", run.Failure)
	}
	h.must(h.store.RetryRun(context.Background(), h.admin(), request))
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
}

func TestStopDuringTheLastStepSucceeds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	request := h.approved()
	var stopped bool
	h.world.poll = func(string) (provisioners.Result, error, bool) {
		if !stopped {
			stopped = true
			h.must(h.store.StopRun(context.Background(), h.admin(), request))
		}
		return provisioners.Result{}, nil, false
	}
	h.drive(request, models.Succeeded)
}

func TestStrangersCannotStopOrRetry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	request := h.approved()
	h.drive(request, models.Running)
	stranger := h.actor(models.NewID(), "Stranger", models.Requester)
	if err := h.store.StopRun(context.Background(), stranger, request); models.KindOf(err) != models.NotFound {
		t.Errorf("a stranger's stop: %v", err)
	}
	if err := h.store.RetryRun(context.Background(), h.admin(), request); models.KindOf(err) != models.Conflict {
		t.Errorf("retry of a running request: %v", err)
	}
	asker := h.actor(h.asker, "Asker", models.Requester)
	if err := h.store.UndoRun(context.Background(), asker, request); models.KindOf(err) == models.NotFound || err == nil {
		t.Errorf("undo by the requester: %v", err)
	}
}

// failed drives a run of one, two, three into failed at three.
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

func TestMismatchGoesBackToTheQueue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one", "two"))
	differs := true
	h.world.find = func(step string) (provisioners.Result, error, bool) {
		return provisioners.Result{}, provisioners.Mismatch{Words: "the template makes a bucket more"}, step == "two" && differs
	}
	request := h.approved()
	h.drive(request, models.Planning)
	differs, h.world.detail = false, "another plan"
	h.drive(request, models.AwaitingApproval)
	if reason := get[string](h, `SELECT reason FROM requests WHERE id = $1`, request); reason != "the template makes a bucket more" {
		t.Errorf("reason is %q", reason)
	}
	if h.world.starts["two"] != 0 {
		t.Error("the part that differs was started")
	}
	h.approve(request)
	h.drive(request, models.Succeeded)
	h.wantOnce(1)
	if run := h.run(request); run.Attempt != 2 || run.Steps[0].Attempt != 1 {
		t.Errorf("run is %+v", run)
	}
}

func TestPanicInAStepIsAnError(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newWorld("one"))
	h.world.start = func(context.Context, string) (error, bool) { panic("nil map") }
	request := h.approved()
	h.drive(request, models.Failed)
	if run := h.run(request); run.Failure == nil || !strings.Contains(run.Failure.Cause, "panic: nil map") || strings.Contains(run.Failure.Cause, "goroutine") {
		t.Errorf("failure is %+v", run.Failure)
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
