package aws

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
)

// made orders one and makes it.
func (e *estate) made(name string) string {
	e.t.Helper()
	request := e.notesEnvironment(name)
	e.succeed(request)
	return request
}

var updated = models.EnvironmentInputs{Inputs: map[string]string{"Suffix": "two", "Days": "90"}}

// whole checks that there is exactly one stack of an environment, in a status, and that Slipway knows it so.
func (e *estate) whole(name, status string) {
	e.t.Helper()
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE name = $1 AND status <> 'DELETE_COMPLETE'`, "slw-payments-env-"+name); n != 1 {
		e.t.Errorf("%d stacks of %s", n, name)
	}
	if env := e.environment(name); env.Stack.Status != status || env.State != models.Ready {
		e.t.Errorf("Slipway knows %s as %s, %s", name, env.State, env.Stack.Status)
	}
}

// TestStackStoppedAnywhere dies once at every point of every step, in a creation and in a change.
func TestStackStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for name, points := range map[string]string{"around calls": "after-intent-commit after-aws-call", "after outcomes": "after-outcome-commit"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			e.notesPath()
			died, mu := map[string]bool{}, sync.Mutex{}
			at := func(kind, step, point string) {
				mu.Lock()
				key := kind + "/" + step + "/" + point
				dies := !died[key] && strings.Contains(points, point)
				died[key] = true
				mu.Unlock()
				if dies {
					runtime.Goexit() // as kill -9 ends the process: nothing more is written, the lease stays until it lapses
				}
			}
			e.crash.Store(&at)
			request := e.made("board")
			clear(died)
			e.succeed(e.change("board", models.UpdateEnvironment, updated))
			e.whole("board", "UPDATE_COMPLETE")
			if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'ExecuteChangeSet'`); n > 5 { // the baseline's, and each of ours at most twice
				t.Errorf("%d executions", n)
			}
			e.closed(request)
			if len(died) < 4 {
				t.Errorf("it died only at %v", died)
			}
		})
	}
}

// TestStackCallsFail lets every call of planning and running fail once in the same way.
func TestStackCallsFail(t *testing.T) {
	t.Parallel()
	ops := []string{"AssumeRole", "DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "DescribeEvents", "ExecuteChangeSet", "DescribeStackEvents", "ListStackResources"}
	for _, action := range []string{"throttle", "error500", "drop_after_commit"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			e.notesPath()
			fail := func() {
				for _, op := range ops {
					e.w.fault(map[string]any{"op": op, "action": action, "times": 1})
				}
			}
			fail()
			request := e.made("board")
			fail()
			e.succeed(e.change("board", models.UpdateEnvironment, updated))
			e.whole("board", "UPDATE_COMPLETE")
			e.closed(request)
			if n := e.w.count(`SELECT count(*) FROM rules WHERE fired > 0`); n < len(ops) {
				t.Errorf("only %d calls failed", n)
			}
		})
	}
}

// TestTwoWorkersShareARun lets two engines take whatever is due.
func TestTwoWorkersShareARun(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	other, stop, gone := e.worker(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				e.round(other)
			}
		}
	}()
	request := e.made("board")
	e.succeed(e.change("board", models.UpdateEnvironment, updated))
	close(stop)
	<-gone
	e.whole("board", "UPDATE_COMPLETE")
	e.closed(request)
}

// TestFailedCreationIsMadeAnew names the cause, keeps it at the top of the tree, and comes up at the next attempt.
func TestFailedCreationIsMadeAnew(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.w.fault(map[string]any{"action": "create_failed", "logical_id": "Topic", "reason": "Resource limit exceeded: 100000 topics", "times": 1})
	request := e.notesEnvironment("board")
	e.approve(request)
	f := e.failure(request)
	if story := e.story(request); !strings.Contains(story, "Topic (AWS::SNS::Topic): CREATE_FAILED: ") || !strings.Contains(story, "ROLLBACK_COMPLETE") {
		t.Errorf("the log:\n%s", story)
	}
	if !strings.Contains(f.What, "Topic (AWS::SNS::Topic) of environment board could not be made") || !strings.Contains(f.Cause, "100000 topics") || f.Owner != platform ||
		!strings.Contains(f.Next, "Service Quotas") || !strings.Contains(f.Next, "makes it anew") {
		t.Errorf("failure %+v", f)
	}
	type row struct {
		id, status, reason string
		root               bool
	}
	var root row
	if err := e.store.Pool().QueryRow(t.Context(), `SELECT logical_id, status, reason, root FROM run_resources WHERE root`).Scan(&root.id, &root.status, &root.reason, &root.root); err != nil {
		t.Fatal(err)
	}
	if root.id != "Topic" || root.status != "CREATE_FAILED" || !strings.Contains(root.reason, "100000 topics") {
		t.Errorf("root cause in the tree: %+v", root)
	}
	if env := e.environment("board"); env.Stack.Status != "ROLLBACK_COMPLETE" || env.State != models.Broken {
		t.Errorf("meanwhile Slipway knows it as %s, %s", env.State, env.Stack.Status)
	}
	e.retry(request)
	e.drive(request, models.Succeeded)
	e.whole("board", "CREATE_COMPLETE")
	e.closed(request)
	if n := one[int](e, `SELECT count(*) FROM run_resources WHERE root`); n != 0 {
		t.Errorf("%d causes are left in the tree of a run that succeeded", n)
	}
}

// TestPlanOfAHuskIsMade plans anew after a creation failed: there no change set can be made before the run has removed what is left.
func TestPlanOfAHuskIsMade(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.w.fault(map[string]any{"action": "create_failed", "logical_id": "Topic", "reason": "no", "times": 1})
	request := e.notesEnvironment("board")
	first := e.approve(request)
	e.failure(request)
	if err := e.store.PlanAgain(t.Context(), e.asker, request); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Succeeded) // it is the same plan, so that its approval counts
	if plan := e.plan(request); plan.Number != 2 || plan.Hash != first.Hash {
		t.Errorf("the plan of what a failed creation left: %+v", plan.Content.Parts)
	}
	e.whole("board", "CREATE_COMPLETE")
}

// TestFailedChangeIsTakenBack leaves the environment as it was, and the change can be tried again.
func TestFailedChangeIsTakenBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.made("board")
	e.w.fault(map[string]any{"action": "update_failed", "logical_id": "Log", "reason": "not authorized to perform: logs:CreateLogGroup", "times": 1})
	request := e.change("board", models.UpdateEnvironment, updated)
	e.approve(request)
	f := e.failure(request)
	if !strings.Contains(f.What, "Log (AWS::Logs::LogGroup) of environment board could not be changed") || !strings.Contains(f.Next, "slipway-cfn-exec") || !strings.Contains(f.Next, "as it was before") {
		t.Errorf("failure %+v", f)
	}
	if env := e.environment("board"); env.Stack.Status != "UPDATE_ROLLBACK_COMPLETE" || env.Stack.Inputs["Suffix"] != "one" {
		t.Errorf("Slipway knows it as %s with %v", env.Stack.Status, env.Stack.Inputs)
	}
	e.retry(request)
	e.drive(request, models.Succeeded)
	e.whole("board", "UPDATE_COMPLETE")
	if env := e.environment("board"); env.Stack.Inputs["Suffix"] != "two" {
		t.Errorf("after the retry: %v", env.Stack.Inputs)
	}
	e.closed(request)
}

// TestStuckRollbackIsRecovered says the way out, and goes it: the resource that keeps the roll-back is passed over.
func TestStuckRollbackIsRecovered(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.succeed(e.notesEnvironment("board", func(in *models.EnvironmentInputs) { in.Image = digestOne }))
	e.w.fault(map[string]any{"action": "slow_resource", "logical_id": "Alarm", "delay_ms": 200})
	e.w.fault(map[string]any{"action": "update_failed", "logical_id": "Alarm", "reason": "no such metric", "times": 1})
	e.w.fault(map[string]any{"action": "rollback_failed", "logical_id": "Log", "reason": "someone holds it"})
	request := e.change("board", models.UpdateEnvironment, models.EnvironmentInputs{Inputs: map[string]string{"Suffix": "one", "Days": "90"}})
	e.approve(request)
	f := e.failure(request)
	if !strings.Contains(f.What, "could not take back a failed change of environment board") || !strings.Contains(f.Cause, "Log (AWS::Logs::LogGroup): ") || !strings.Contains(f.Next, "order Recover") {
		t.Errorf("failure %+v", f)
	}
	if env := e.environment("board"); env.Stack.Status != "UPDATE_ROLLBACK_FAILED" {
		t.Fatalf("Slipway knows it as %s", env.Stack.Status)
	}
	if story := e.story(request); !strings.Contains(story, "Alarm (AWS::CloudWatch::Alarm): UPDATE_FAILED: no such metric") {
		t.Errorf("the log does not hold the first failure:\n%s", story)
	}
	wrong := e.change("board", models.RecoverEnvironment, models.EnvironmentInputs{Skip: []string{"Topic"}})
	e.drive(wrong, models.PlanFailed)
	if err := e.store.CancelRequest(t.Context(), e.asker, wrong); err != nil {
		t.Fatal(err)
	}
	again := e.change("board", models.RecoverEnvironment, models.EnvironmentInputs{}) // what keeps it is still there
	e.approve(again)
	if f := e.failure(again); !strings.Contains(f.Cause, "Log") {
		t.Errorf("failure %+v", f)
	}
	if err := e.store.AbandonRequest(t.Context(), e.approver, again, "another way"); err != nil {
		t.Fatal(err)
	}
	recovery := e.change("board", models.RecoverEnvironment, models.EnvironmentInputs{Skip: []string{"Log"}})
	plan := e.approve(recovery)
	if ch := changeOn(plan, "Log"); !strings.Contains(ch.Note, "passed over") || plan.Content.Parts[0].Mode != models.StackRecover {
		t.Errorf("the plan of the recovery: %+v", plan.Content.Parts)
	}
	e.drive(recovery, models.Succeeded)
	e.whole("board", "UPDATE_ROLLBACK_COMPLETE")
	if env := e.environment("board"); env.Stack.Inputs["Days"] != "30" {
		t.Errorf("after the recovery: %v", env.Stack.Inputs)
	}
}
