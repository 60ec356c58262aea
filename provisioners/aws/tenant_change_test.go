package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/provisioners"
)

// changed is a walk of a change of the tenant that another walk has made.
func (k *walk) changed(in models.ChangeTenantInputs) *walk {
	k.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		k.t.Fatal(err)
	}
	c := *k
	c.req = models.Request{ID: models.NewID(), Kind: models.ChangeTenant, ObjectType: models.TenantObject, ObjectID: k.req.ObjectID, TenantID: k.req.ObjectID, ObjectName: k.req.ObjectName, Inputs: raw, RequesterID: models.NewID()}
	c.runID, c.attempt, c.serves, c.events, c.cut = models.NewID(), 1, NewChanging(k.tenants), nil, nil
	c.done, c.outputs, c.polls = map[string]bool{}, map[string]map[string]string{}, map[string]bool{}
	return &c
}

// takenBack undoes what a run has touched, last step first, as the engine does.
func (k *walk) takenBack() {
	k.t.Helper()
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, s := range slices.Backward(steps) {
		if s.Undo == nil || len(k.outputs[s.Name]) == 0 && !k.done[s.Name] {
			continue
		}
		k.undo(s)
	}
}

// undo takes one step back.
func (k *walk) undo(s provisioners.Step) {
	k.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		res, err := s.Undo(k.t.Context(), k.runOf(s.Name))
		k.keep(s.Name, res)
		if err == nil && res.Found == provisioners.Present {
			return
		}
		if _, final := isFinal(err); final || time.Now().After(deadline) {
			k.t.Fatalf("undo of %s: %+v, %v", s.Name, res, err)
		}
		if err := pause(k.t.Context()); err != nil {
			k.t.Fatal(err)
		}
	}
}

// made is a tenant with its accounts, its groups let in.
func made(t *testing.T, w *world, classes ...models.Class) *walk {
	t.Helper()
	k := newWalk(t, w, w.clients(asWorker, lettingIn), "payments", classes...)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	return k
}

var otherPeople = models.ChangeTenantInputs{OwnerGroup: "o2", DeveloperGroup: "d2", ViewerGroup: "v", Budget: decimal.NewFromInt(800)}

// stands checks who gets in, what the row says and what the budget is.
func (k *walk) stands(account, owner, developer string, budget int64, lost ...string) {
	k.t.Helper()
	for group, set := range map[string]string{owner: ownerSet, developer: developerSet, "v": viewerSet} {
		if n := k.w.assigned(account, group, set); n != 1 {
			k.t.Errorf("group %s has %d assignments of %s", group, n, set)
		}
	}
	for _, group := range lost {
		if n := k.w.assigned(account, group, ""); n != 0 {
			k.t.Errorf("group %s still has %d assignments", group, n)
		}
	}
	tenant, err := k.books.Tenant(k.t.Context(), k.req.ObjectID)
	if err != nil || tenant.OwnerGroup != owner || tenant.DeveloperGroup != developer || !tenant.Budget.Equal(decimal.NewFromInt(budget)) {
		k.t.Errorf("the row says %s, %s, %s, %v", tenant.OwnerGroup, tenant.DeveloperGroup, tenant.Budget, err)
	}
	if n := k.w.count(`SELECT count(*) FROM budgets WHERE name = 'slw-payments' AND (body->'BudgetLimit'->>'Amount')::numeric = $1`, budget); n != 1 {
		k.t.Errorf("%d budgets of %d", n, budget)
	}
}

func (k *walk) accountOf(class models.Class) string {
	return k.outputs[stepCreate+"."+string(class)]["account"]
}

// TestTenantChanges shows the difference in the plan, makes it and takes it back.
func TestTenantChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := made(t, w, models.NonProd)
	account := k.accountOf(models.NonProd)
	c := k.changed(otherPeople)
	c.mustPlan()
	var said []string
	for _, part := range c.plan.Content.Parts {
		for _, ch := range part.Changes {
			said = append(said, string(ch.Action)+" "+ch.Step+" "+ch.LogicalID)
		}
	}
	want := []string{"add access.nonprod.owner owner o2", "add access.nonprod.developer developer d2", "exists access.nonprod.viewer viewer v", "change tenant.save payments",
		"change tenant.budget slw-payments", "delete access.remove.nonprod.developer developer d", "delete access.remove.nonprod.owner owner o"}
	if !slices.Equal(said, want) {
		t.Fatalf("the plan says\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if err := c.run(); err != nil {
		t.Fatal(err)
	}
	c.stands(account, "o2", "d2", 800, "o", "d")
	c.mustPlan()
	if !c.plan.Content.Empty() {
		t.Errorf("a second plan would do something: %v", c.plan.Content.Tally())
	}
}

// TestChangeIsTakenBack gives everybody back what they had, however far the run came.
func TestChangeIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := made(t, w, models.NonProd)
	account := k.accountOf(models.NonProd)
	steps := []string{"access.nonprod.owner", "access.nonprod.developer", "access.nonprod.viewer", "tenant.save", "tenant.budget", "access.remove.nonprod.developer", "access.remove.nonprod.owner"}
	for n := range len(steps) + 1 {
		c := k.changed(otherPeople)
		c.mustPlan()
		all, err := c.serves.Steps(c.plan)
		if err != nil || len(all) != len(steps) {
			t.Fatalf("%d steps, %v", len(all), err)
		}
		for i, s := range all[:n] {
			if s.Name != steps[i] {
				t.Fatalf("step %d is %s", i, s.Name)
			}
			if err := c.work(s); err != nil {
				t.Fatal(err)
			}
			c.done[s.Name] = true
		}
		c.takenBack()
		c.stands(account, "o", "d", 500, "o2", "d2")
	}
}

// TestChangeStoppedAnywhere dies once at every point of every step.
func TestChangeStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for name, points := range map[string]string{"around calls": "after-intent-commit after-aws-call", "after outcomes": "after-outcome-commit"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 500)
			k := made(t, w, models.NonProd)
			c := k.changed(otherPeople)
			c.mustPlan()
			died := map[string]bool{}
			c.cut = func(step, point string) bool {
				first := !died[step+"/"+point] && strings.Contains(points, point)
				if first {
					died[step+"/"+point] = true
				}
				return first
			}
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
			c.stands(k.accountOf(models.NonProd), "o2", "d2", 800, "o", "d")
			if len(died) != 6*len(strings.Fields(points)) { // six steps start something
				t.Errorf("it died at %v", died)
			}
		})
	}
}
