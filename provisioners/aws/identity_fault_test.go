package aws

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// directory deletes a group or brings it back, as a person does in the identity provider.
func (w *world) directory(what, name string, there bool) {
	w.t.Helper()
	w.deed(http.MethodPut, what, map[string]any{"account": "111111111111", "name": name, "on": there})
}

// until works the steps of a walk up to one, which it gives.
func (k *walk) until(name string) provisioners.Step {
	k.t.Helper()
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, s := range steps {
		if s.Name == name {
			return s
		}
		if !k.done[s.Name] {
			if err := k.work(s); err != nil {
				k.t.Fatal(err)
			}
			k.done[s.Name] = true
		}
	}
	k.t.Fatalf("no step %s", name)
	return provisioners.Step{}
}

// knows is where the only assignment of a group stands, as Slipway knows it.
func (k *walk) knows(group string) models.AccountAccess {
	k.t.Helper()
	all, err := k.books.Access(k.t.Context(), k.req.ObjectID)
	if err != nil {
		k.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a models.AccountAccess) bool { return a.Group == group })
	if i < 0 {
		k.t.Fatalf("Slipway knows nothing of %s", group)
	}
	return all[i]
}

// TestGroupVanishes deletes a group while its tenant is made: the run waits in words, gives up in words, and goes on when it is back.
func TestGroupVanishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, lettingIn), "payments", models.NonProd)
	k.mustPlan()
	step := k.until("access.nonprod.developer")
	w.directory("groups", "d", false)
	run := k.runOf(step.Name)
	_, err := step.Find(t.Context(), run)
	var wait provisioners.Wait
	if !errors.As(err, &wait) || wait.For != "a person" || !strings.Contains(wait.Words, "the group d to arrive") || !strings.Contains(wait.Words, "SCIM") {
		t.Errorf("it says %v", err)
	}
	if a := k.knows("d"); a.State != models.AccessFailed || !strings.Contains(a.Detail, "not in the identity store") {
		t.Errorf("the page would say %+v", a)
	}
	run.Waited = 2 * time.Hour
	_, err = step.Find(t.Context(), run)
	if f := wantFinal(t, err); !strings.Contains(f.What, "The group d is not in the identity store") || !strings.Contains(f.Next, "then retry") {
		t.Errorf("it gives up with %+v", f)
	}
	w.directory("groups", "d", true)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	if a := k.knows("d"); a.State != models.AccessAssigned || a.Detail != "" {
		t.Errorf("in the end it is %+v", a)
	}
}

// TestGroupVanishesWhileAWSWorks: AWS takes the call, and finds out only then.
func TestGroupVanishesWhileAWSWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	k := newWalk(t, w, w.clients(asWorker, func(o *Options) { lettingIn(o); o.FreshFor = 5 * time.Minute }), "payments", models.NonProd)
	k.mustPlan()
	step := k.until("access.nonprod.owner")
	run := k.runOf(step.Name)
	res, err := step.Find(t.Context(), run)
	if err != nil || res.Found != provisioners.Absent {
		t.Fatalf("find: %+v, %v", res, err)
	}
	for name, value := range res.Outputs {
		run.Outputs[name] = value
	}
	if err := step.Start(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	w.directory("groups", "o", false)
	k.keep(step.Name, provisioners.Result{Outputs: run.Outputs})
	k.polls[step.Name] = true
	for res.Found != provisioners.Onward {
		if res, err = step.Poll(t.Context(), k.runOf(step.Name)); err != nil {
			t.Fatal(err)
		}
		if err := pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.directory("groups", "o", true) // with another id, as a new push gives it
	k.keep(step.Name, res)
	k.polls[step.Name] = false
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	if n := w.assigned(k.accountOf(models.NonProd), "o", ownerSet); n != 1 {
		t.Errorf("%d assignments", n)
	}
}

// TestPermissionSetIsDeleted stops the run in words, and another set in the configuration needs another decision.
func TestPermissionSetIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, lettingIn), "payments", models.NonProd)
	k.mustPlan()
	step := k.until("access.nonprod.developer")
	w.directory("permission-sets", "SlipwayDeveloper", false)
	f := wantFinal(t, k.work(step))
	if !strings.Contains(f.What, developerSet) || !strings.Contains(f.Next, "SLIPWAY_PERMISSION_SETS") {
		t.Errorf("it says %+v", f)
	}
	if err := k.makePlan(); err == nil {
		t.Error("a new plan takes a permission set that is gone")
	}
	k.tenants.clients.IdentityCenter.Sets["developer"] = viewerSet
	var differs provisioners.Mismatch
	if err := k.work(step); !errors.As(err, &differs) {
		t.Errorf("the approved plan goes on with another set: %v", err)
	}
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	if n := w.assigned(k.accountOf(models.NonProd), "d", viewerSet); n != 1 {
		t.Errorf("%d assignments of the other set", n)
	}
}

// TestAssignmentFails gives AWS's own reason, and a retry asks anew.
func TestAssignmentFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, lettingIn), "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"logical_id": "CreateAccountAssignment", "action": "create_failed", "match": "viewer", "times": 1, "reason": "The account has 1000 roles, which is its limit."})
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "could not give v access") || !strings.Contains(f.Cause, "has 1000 roles") {
		t.Errorf("it says %+v", f)
	}
	if a := k.knows("v"); a.State != models.AccessFailed || !strings.Contains(a.Detail, "has 1000 roles") {
		t.Errorf("the page would say %+v", a)
	}
	k.attempt++
	clear(k.polls)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd)
}

// TestIdentityCenterFails lets every call fail once in the same way.
func TestIdentityCenterFails(t *testing.T) {
	t.Parallel()
	ops := []string{"DescribeInstance", "GetGroupId", "DescribePermissionSet", "ListAccountAssignments", "ListAccountAssignmentCreationStatus", "CreateAccountAssignment",
		"DescribeAccountAssignmentCreationStatus", "DeleteAccountAssignment", "DescribeAccountAssignmentDeletionStatus"}
	for _, action := range []string{"throttle", "error500", "drop_after_commit"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 500)
			k := made(t, w, models.NonProd)
			k.tenants.clients.identities.store = ""
			c := k.changed(otherPeople)
			c.mustPlan()
			for _, op := range ops {
				w.fault(map[string]any{"op": op, "action": action, "times": 1})
			}
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
			c.stands(k.accountOf(models.NonProd), "o2", "d2", 800, "o", "d")
			if n := w.count(`SELECT count(*) FROM rules WHERE fired > 0`); n < len(ops)-2 {
				t.Errorf("only %d of %d calls failed", n, len(ops))
			}
		})
	}
}

// TestTwoWorkersAssign lets two processes work the same change at once, as no lease should ever allow.
func TestTwoWorkersAssign(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := made(t, w, models.NonProd)
	a := k.changed(otherPeople)
	a.mustPlan()
	b := k.changed(otherPeople)
	b.req, b.runID, b.plan = a.req, a.runID, a.plan
	var wg sync.WaitGroup
	for _, c := range []*walk{a, b} {
		wg.Go(func() {
			if err := c.run(); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	wg.Wait()
	a.stands(k.accountOf(models.NonProd), "o2", "d2", 800, "o", "d")
}

// TestNotConfigured plans no step, and says so.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	if !slices.Contains(k.draft.Notes, notConfigured) {
		t.Errorf("the plan says %q", k.draft.Notes)
	}
	for _, part := range k.plan.Content.Parts {
		for _, ch := range part.Changes {
			if strings.HasPrefix(ch.Step, stepPeople+".") {
				t.Errorf("the plan has %s", ch.Step)
			}
		}
	}
}
