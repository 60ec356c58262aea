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
	h.engine.Lease = time.Hour // nobody dies: however slow the machine is, its row stays its own
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
