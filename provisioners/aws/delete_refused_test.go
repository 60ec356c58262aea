package aws

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"slipway/models"
)

const small = `
Parameters: {DeletionProtection: {Type: String, Default: enabled}}
Conditions: {Protected: !Equals [!Ref DeletionProtection, enabled]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Group: {Type: AWS::Logs::LogGroup, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {DeletionProtectionEnabled: !If [Protected, true, false]}}
`

func off() map[string]string { return map[string]string{"DeletionProtection": "disabled"} }

// TestDeletionIsRefused names what keeps an object from being deleted, before anybody has to approve it.
func TestDeletionIsRefused(t *testing.T) {
	t.Parallel()
	e := newEstate(t)

	guarded := e.own(models.EnvironmentObject, "guarded", small, nil)
	if why := e.refused(e.end(guarded, models.EnvironmentInputs{})); !strings.Contains(why, "Group (AWS::Logs::LogGroup)") || !strings.Contains(why, "DeletionProtection disabled") {
		t.Errorf("a protected log group: %s", why)
	}

	locked := e.own(models.EnvironmentObject, "locked", small, off())
	if _, err := cloudformation.NewFromConfig(e.administrator()).UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: &locked.Name, EnableTerminationProtection: sdk.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if why := e.refused(e.end(locked, models.EnvironmentInputs{})); !strings.Contains(why, "protected against deletion") || !strings.Contains(why, "--no-enable-termination-protection") {
		t.Errorf("termination protection: %s", why)
	}

	whole := e.own(models.EnvironmentObject, "whole", small, off())
	for what, in := range map[string]models.EnvironmentInputs{"There is no Nothing in stack": {Retain: []string{"Nothing"}}, "only after a deletion has failed": {Retain: []string{"Topic"}}} {
		if why := e.refused(e.end(whole, in)); !strings.Contains(why, what) {
			t.Errorf("keeping something: %s, want %q", why, what)
		}
	}

	network := e.own(models.NetworkObject, "nonprod-eu-west-1", small, off())
	e.exec(`UPDATE environments SET network_id = $1 WHERE id = $2`, network.ObjectID, whole.ObjectID)
	if why := e.refused(e.end(network, models.NetworkInputs{})); !strings.Contains(why, "environment whole") {
		t.Errorf("a network in use: %s", why)
	}

	foreign := e.own(models.EnvironmentObject, "foreign", small, off())
	e.w.exec(`UPDATE stacks SET body = jsonb_set(body, '{Definition,Tags,slipway:object}', '"somebody else"') WHERE name = '` + foreign.Name + `'`)
	if why := e.refused(e.end(foreign, models.EnvironmentInputs{})); !strings.Contains(why, "does not belong to environment foreign") {
		t.Errorf("another's stack: %s", why)
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op IN ('DeleteStack', 'DeleteObjects')`); n != 0 {
		t.Errorf("planning deleted something: %d calls", n)
	}
}

// TestDeletionOfWhatIsGone passes, and says what it found.
func TestDeletionOfWhatIsGone(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "gone", small, off())
	if _, err := cloudformation.NewFromConfig(e.administrator()).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &st.Name}); err != nil {
		t.Fatal(err)
	}
	e.w.until("the stack to be gone", func() bool { return !e.standing(st) })
	request := e.end(st, models.EnvironmentInputs{})
	plan := e.approve(request)
	if len(plan.Notes.Notes) != 1 || !strings.Contains(plan.Notes.Notes[0], "There is no stack "+st.Name) {
		t.Errorf("notes %q", plan.Notes.Notes)
	}
	e.w.fault(map[string]any{"op": "GetResources", "action": "access_denied"})
	e.drive(request, models.Succeeded)
	r := e.receiptOf(request)
	if len(r.ScannedIn) != 0 || len(r.CannotSee) != 3 || !strings.Contains(r.CannotSee[0], "Region eu-west-1: Slipway may not do tag:GetResources") {
		t.Errorf("without the permission to search: scanned in %v, cannot see %q", r.ScannedIn, r.CannotSee)
	}
	if l := line(r.Gone, "Topic"); len(r.Gone) != 2 || l == nil || l.Why != "It was gone before." || len(r.Left) != 0 {
		t.Errorf("receipt %+v", r)
	}
}

// TestDeletionFails names what could not be deleted; a retry deletes the rest, and another request may keep what stays.
func TestDeletionFails(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	retried, kept := e.own(models.EnvironmentObject, "retried", small, off()), e.own(models.EnvironmentObject, "kept", small, off())
	e.w.fault(map[string]any{"action": "delete_failed", "logical_id": "Topic", "reason": "Somebody holds it"})
	fails := func(st models.Stack) string {
		t.Helper()
		request := e.end(st, models.EnvironmentInputs{})
		e.approve(request)
		if f := e.failure(request); !strings.Contains(f.What, "Topic (AWS::SNS::Topic)") || !strings.Contains(f.Cause, "Somebody holds it") || f.Code != "DELETE_FAILED" || !strings.Contains(f.Next, "shall stay") {
			t.Errorf("failure %+v", f)
		}
		return request
	}
	first, second := fails(retried), fails(kept)
	if e.w.count(`SELECT count(*) FROM calls WHERE op = 'DeleteStack'`) != 2 {
		t.Error("a failed deletion was tried again by itself")
	}
	again := e.end(kept, models.EnvironmentInputs{Retain: []string{"Topic"}})
	e.exec(`UPDATE requests SET state = 'abandoned', ended_at = now() WHERE id = $1`, second)
	e.succeed(again)
	r := e.receiptOf(again)
	if l := line(r.Left, "Topic"); l == nil || l.Why != keptByWish || !strings.HasSuffix(l.ID, physical(kept, "Topic")) || line(r.Gone, "Group") == nil {
		t.Errorf("receipt with something kept: %+v", r)
	}
	e.w.mend()
	e.retry(first)
	e.drive(first, models.Succeeded)
	if r := e.receiptOf(first); len(r.Gone) != 2 || len(r.Left) != 0 {
		t.Errorf("receipt after a retry: %+v", r)
	}
}

// TestDeletionEmptiesAgain deals with a bucket that fills up between emptying and deletion, as buckets with logs do.
func TestDeletionEmptiesAgain(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "logs", workload, nil)
	e.fill(physical(st, "Files"), 2)
	refilled := false
	at := func(kind, step, point string) {
		if step == "environment.remove" && point == "after-intent-commit" && !refilled {
			refilled = true
			e.fill(physical(st, "Files"), 1)
		}
	}
	e.crash.Store(&at)
	request := e.end(st, models.EnvironmentInputs{EmptyBuckets: true})
	e.succeed(request)
	if !refilled || e.standing(st) {
		t.Errorf("refilled %v, still standing %v", refilled, e.standing(st))
	}
}

// TestDeletionOnlyOfWhatWasApproved goes back to the queue when the stack holds something that the plan does not name.
func TestDeletionOnlyOfWhatWasApproved(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "changed", small, off())
	request := e.end(st, models.EnvironmentInputs{})
	e.drive(request, models.AwaitingApproval)
	first := e.plan(request)
	e.changeOutside(st, small+"  Stranger: {Type: AWS::SNS::Topic}\n", off())
	e.approve(request)
	e.driveTo("a new decision", func() bool {
		return e.state(request) == models.Failed || one[string](e, `SELECT plan_hash FROM requests WHERE id = $1`, request) != first.Hash
	})
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'DeleteStack'`); n != 0 {
		t.Errorf("something was deleted that nobody approved: request is %s, %s", e.state(request), e.story(request))
	}
}

// TestDeletionWaitsForAPermission names what is missing, and goes on once it is there again.
func TestDeletionWaitsForAPermission(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "barred", small, off())
	request := e.end(st, models.EnvironmentInputs{})
	e.approve(request)
	e.w.fault(map[string]any{"op": "DeleteStack", "action": "access_denied"})
	e.driveTo("the run to wait", func() bool {
		return one[bool](e, `SELECT EXISTS (SELECT FROM steps s JOIN requests r ON r.run_id = s.run_id WHERE r.id = $1 AND s.waiting->>'for' = 'a permission' AND s.waiting->>'words' LIKE '%cloudformation:DeleteStack%')`, request)
	})
	e.w.mend()
	e.drive(request, models.Succeeded)
}

// TestDeletionWithLostAnswers lets each call of a deletion fail once, after it was carried out or before.
func TestDeletionWithLostAnswers(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"drop_after_commit", "error500", "throttle"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			st := e.own(models.EnvironmentObject, "orders", workload, nil)
			e.fill(physical(st, "Files"), 4)
			request := e.end(st, models.EnvironmentInputs{EmptyBuckets: true})
			e.approve(request)
			ops := []string{"DeleteStack", "DeleteObjects", "ListObjectVersions", "DescribeStacks", "DescribeStackEvents", "ListStackResources", "GetTemplate", "GetResources", "DescribeKey"}
			for _, op := range ops {
				e.w.fault(map[string]any{"op": op, "action": action, "times": 1})
			}
			e.drive(request, models.Succeeded)
			if r := e.receiptOf(request); len(r.Gone) != 3 || len(r.Left) != 2 || len(r.Emptied) != 1 {
				t.Errorf("receipt %+v", r)
			}
			if n := e.w.count(`SELECT count(*) FROM rules WHERE fired > 0`); n < len(ops)-1 {
				t.Errorf("only %d of %d calls failed", n, len(ops))
			}
		})
	}
}
