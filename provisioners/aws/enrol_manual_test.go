package aws

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// clicks follows the link that the run shows, as a person does who is signed in to the account: the external id is all they add.
func (w *world) clicks(account string, on models.WaitingOn, change map[string]string) {
	w.t.Helper()
	at, err := url.Parse(on.Link)
	if err != nil {
		w.t.Fatal(err)
	}
	_, query, _ := strings.Cut(at.Fragment, "?")
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("stackName") != models.ManualStack {
		w.t.Fatalf("the link %s: %v", on.Link, err)
	}
	given := map[string]string{"ExternalId": externalID}
	for name := range q {
		if parameter, ok := strings.CutPrefix(name, "param_"); ok {
			given[parameter] = q.Get(name)
		}
	}
	for name, value := range change {
		given[name] = value
	}
	w.deed(http.MethodPut, "stacks", map[string]any{"account": account, "name": q.Get("stackName"), "value": q.Get("templateURL"), "parameters": given})
}

// enrolsByHand is a person who deploys the stack once they are asked to.
func enrolsByHand(w *world, account string) func(string, models.WaitingOn) {
	done := false
	return func(_ string, on models.WaitingOn) {
		if !done {
			done = true
			w.clicks(account, on, nil)
		}
	}
}

// TestEnrolByHand: an account that stays where it is waits for a person with the link, and goes on by itself.
func TestEnrolByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := settledTenant(t, w, enrolClients(w, nil)).asks(models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: legacyShop})
	k.mustPlan()
	k.wants("add | Enrolled AWS account | Account", "add | CloudFormation stack | slipway-spoke-manual", "exists | Service control policy | legacy-no-new-trails")
	if n := w.count(`SELECT count(*) FROM calls WHERE op = 'PutObject' AND service = 's3'`); n != 0 {
		t.Error("planning wrote the template")
	}
	if notes := strings.Join(k.draft.Notes, " "); !strings.Contains(notes, "by hand") {
		t.Errorf("notes: %s", notes)
	}
	var asked models.WaitingOn
	person := enrolsByHand(w, legacyShop)
	k.person = func(step string, on models.WaitingOn) { asked = on; person(step, on) }
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.hasEnrolled(legacyShop, models.Prod, legacyUnit, true)
	for _, want := range []string{"slipway-worker", "external id", "aws:PrincipalOrgID", "slipway:account = " + legacyShop, "spoke/"} {
		if !strings.Contains(asked.Words, want) {
			t.Errorf("it waits without saying %q: %s", want, asked.Words)
		}
	}
	whole := asked.Link + strings.Join(asked.Command, " ") + asked.Words
	if strings.Contains(whole, externalID) || !strings.Contains(asked.Link, "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/quickcreate?") {
		t.Errorf("the link: %s", whole)
	}
	move := k.asks(models.MoveAccount, models.AccountInputs{Class: models.Prod})
	move.movesByHand(legacyShop)
}

// movesByHand moves the account once a person has deleted its stack.
func (k *walk) movesByHand(account string) {
	k.t.Helper()
	k.mustPlan()
	k.wants("delete | CloudFormation stack | slipway-spoke-manual", "delete | Service control policy | legacy-no-new-trails", "add | Service control policy | slipway-prod-guardrails")
	k.person = deletesByHand(k.w, account)
	if err := k.run(); err != nil {
		k.t.Fatal(err)
	}
	k.hasEnrolled(account, models.Prod, "ou-demo-prod0001", false)
	if n := k.w.count(`SELECT count(*) FROM stack_instances WHERE account = $1 AND detailed = 'SUCCEEDED'`, account); n != 1 {
		k.t.Errorf("%d instances of the stack set", n)
	}
}

// deletesByHand is a person who deletes the stack once they are asked to.
func deletesByHand(w *world, account string) func(string, models.WaitingOn) {
	done := false
	return func(_ string, on models.WaitingOn) {
		if !done && strings.Contains(strings.Join(on.Command, ""), "delete-stack") {
			done = true
			w.deed(http.MethodDelete, "stacks", map[string]any{"account": account, "name": models.ManualStack})
		}
	}
}

// TestManualStackMustBeTheRightOne: roles of another installation or another template let nobody in, and the words say what to compare.
func TestManualStackMustBeTheRightOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	for account, tc := range map[string]struct {
		change map[string]string
		says   string
	}{
		legacyShop: {map[string]string{"ExternalId": "another-installations-secret"}, "cannot be assumed yet"},
		dataLab:    {map[string]string{"AllowedRegions": "eu-west-1"}, "another AllowedRegions"},
		cardVault:  {map[string]string{"HubAccountId": "999999999999"}, "cannot be assumed yet"},
	} {
		k := newWalk(t, w, enrolClients(w, nil), "team-"+account[:3], models.Prod)
		k.enrols(models.AccountInputs{Class: models.Prod, AWSID: account})
		k.mustPlan()
		steps, err := k.serves.Steps(k.plan)
		if err != nil {
			t.Fatal(err)
		}
		manual := steps[2]
		if manual.Name != "account.manual.prod" {
			t.Fatalf("step %s", manual.Name)
		}
		find := func(waited time.Duration) (provisioners.Result, error) {
			run := k.runOf(manual.Name)
			run.Waited = waited
			return manual.Find(t.Context(), run)
		}
		res, err := find(0)
		if err != nil {
			t.Fatal(err)
		}
		w.clicks(account, *res.Waiting, tc.change)
		eventually(t, tc.says, func() bool {
			res, err = find(0)
			there := w.count(`SELECT count(*) FROM stacks WHERE account = $1 AND status = 'CREATE_COMPLETE'`, account) == 1
			return there && err == nil && res.Found == provisioners.Working && strings.Contains(res.Waiting.Words, tc.says)
		})
		_, err = find(personLimit + time.Hour)
		if f := wantFinal(t, err); !strings.Contains(f.What+f.Cause, account) && !strings.Contains(f.Cause, "waited 14 days") || !strings.Contains(f.Next, "another installation") {
			t.Errorf("after two weeks: %+v", f)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !ok() {
		if pause(ctx) != nil {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// enrols makes the tenant's own request enrol an account for a class.
func (k *walk) enrols(in models.AccountInputs) {
	k.t.Helper()
	k.req.Inputs = enrolling(k.t, k.req.Inputs, in)
	k.books.requests[k.req.ID] = k.req
}
