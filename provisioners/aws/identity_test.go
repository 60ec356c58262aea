package aws

import (
	"testing"

	"slipway/models"
)

const (
	demoInstance = "arn:aws:sso:::instance/ssoins-demo000000000001"
	setPrefix    = "arn:aws:sso:::permissionSet/ssoins-demo000000000001/ps-"
	ownerSet     = setPrefix + "owner00000000001"
	developerSet = setPrefix + "developer0000002"
	viewerSet    = setPrefix + "viewer0000000003"
)

// lettingIn is the configuration of the demo organization's instance.
func lettingIn(o *Options) {
	o.IdentityCenter = IdentityCenter{Instance: demoInstance, Sets: map[string]string{"owner": ownerSet, "developer": developerSet, "viewer": viewerSet}}
}

// assigned counts the assignments of a group, by name, in an account; an empty set stands for any.
func (w *world) assigned(account, group, set string) int {
	w.t.Helper()
	return w.count(`SELECT count(*) FROM account_assignments a JOIN identity_groups g ON g.id = a.principal WHERE a.account = $1 AND g.name = $2 AND $3 IN ('', a.permission_set)`, account, group, set)
}

// TestPeopleGetIn makes a tenant: each of its groups gets what its role may do, and developers only read in prod.
func TestPeopleGetIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, lettingIn), "payments", models.NonProd, models.Prod)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd, models.Prod)
	for class, sets := range map[models.Class]map[string]string{
		models.NonProd: {"o": ownerSet, "d": developerSet, "v": viewerSet},
		models.Prod:    {"o": ownerSet, "d": viewerSet, "v": viewerSet},
	} {
		account := k.outputs[stepCreate+"."+string(class)]["account"]
		for group, set := range sets {
			if n, all := w.assigned(account, group, set), w.assigned(account, group, ""); n != 1 || all != 1 {
				t.Errorf("%s: group %s has %d assignments, %d of them %s", class, group, all, n, set)
			}
		}
	}
	seen, err := k.books.Access(t.Context(), k.req.ObjectID)
	if err != nil || len(seen) != 6 {
		t.Fatalf("Slipway knows %d assignments, %v", len(seen), err)
	}
	for _, a := range seen {
		if a.State != models.AccessAssigned || a.GroupID == "" || a.SetName == "" {
			t.Errorf("as Slipway knows it: %+v", a)
		}
	}
	// Everything is there: a new plan changes nothing.
	k.mustPlan()
	if !k.plan.Content.Empty() {
		t.Errorf("a second plan would do something: %v", k.plan.Content.Tally())
	}
}
