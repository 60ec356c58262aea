package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models"
	"slipway/provisioners"
)

func wantFinal(t *testing.T, err error) models.Failure {
	t.Helper()
	f, ok := isFinal(err)
	if !ok {
		t.Fatalf("got %v, want a final failure", err)
	}
	return f.Failure
}

// TestFailedStackIsMadeAnew retries after CREATE_FAILED: the cause is named, the husk removed, and one stack comes of it.
func TestFailedStackIsMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"action": "create_failed", "logical_id": "AlarmTopic", "reason": "Resource limit exceeded: 100000 topics", "times": 1})
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "AlarmTopic (AWS::SNS::Topic)") || !strings.Contains(f.Cause, "100000 topics") || f.Code != "CREATE_FAILED" {
		t.Errorf("got %+v", f)
	}
	if got := k.books.sets; len(got) != 1 || got[k.outputs["account.create.nonprod"]["account"]+"slw-"+k.runID+"-1"] != "failed" {
		t.Errorf("owner rows %v", got)
	}
	k.attempt++
	clear(k.polls)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd)
}

// TestOnlyWhatWasApprovedIsMade stops when the change set would make something else, before anything of it is made.
func TestOnlyWhatWasApprovedIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	for i, part := range k.plan.Content.Parts {
		for j, ch := range part.Changes {
			if ch.LogicalID == "Analyzer" {
				k.plan.Content.Parts[i].Changes[j].LogicalID = "SomethingElse"
			}
		}
	}
	err := k.run()
	var differs provisioners.Mismatch
	if !errors.As(err, &differs) || !strings.Contains(differs.Words, "the change set would add Analyzer (AWS::AccessAnalyzer::Analyzer), the plan does not") {
		t.Fatalf("got %v", err)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op = 'ExecuteChangeSet'`); n != 0 {
		t.Error("it was executed all the same")
	}
	id := k.outputs["account.create.nonprod"]["account"]
	set := models.ChangeSet{ID: models.NewID(), RequestID: k.req.ID, Account: id, Region: "eu-west-1", StackName: "slw-payments-baseline", Name: "slw-" + k.runID + "-1", Type: "CREATE"}
	for range 2 { // what is gone already is no error
		if err := k.tenants.clients.DeleteChangeSet(t.Context(), set); err != nil {
			t.Fatalf("sweep: %v", err)
		}
		if !k.gone(id) {
			t.Fatal("the stack in review stays")
		}
	}
	k.mustPlan() // a new decision, and it goes on
	if n := k.plan.Content.Tally(); n[models.Exists] < 8 || n[models.Add] < 10 {
		t.Errorf("the new plan does not know what is there already: %v", n)
	}
	clear(k.polls)
	k.attempt++
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd)
}

// gone waits until the baseline's stack is not there any more.
func (k *walk) gone(account string) bool {
	s := stack{clients: k.tenants.clients, account: account, region: "eu-west-1", name: "slw-" + k.req.ObjectName + "-baseline", who: who{job: k.req.ID}}
	for range 400 {
		st, err := s.describe(k.t.Context())
		if err != nil {
			k.t.Fatal(err)
		}
		if st == nil {
			return true
		}
		if pause(k.t.Context()) != nil {
			return false
		}
	}
	return false
}

func TestChangedBlueprintIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	k.tenants.baseline.Template = append(k.tenants.baseline.Template, "\n# another version\n"...)
	var differs provisioners.Mismatch
	if err := k.run(); !errors.As(err, &differs) {
		t.Fatalf("got %v", err)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op = 'CreateChangeSet'`); n != 0 {
		t.Error("a change set was made")
	}
}

// TestPermissionIsNamed shows who must allow what when AWS refuses for good.
func TestPermissionIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, func(o *Options) { o.FreshFor = 300 * time.Millisecond }), "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"op": "UpdateAccountPasswordPolicy", "action": "access_denied",
		"reason": "User: arn:aws:sts::555555555555:assumed-role/slipway-deploy/slw-1 is not authorized to perform: iam:UpdateAccountPasswordPolicy because no identity-based policy allows the action"})
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "iam:UpdateAccountPasswordPolicy") || !strings.Contains(f.Next, "slipway-deploy") || f.RequestID == "" || f.Owner != platform {
		t.Errorf("got %+v", f)
	}
	w.mend()
	clear(k.polls)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd)
}

// TestAccessIsRefused gives up with the right advice when the spoke roles do not know the external id.
func TestAccessIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	right := w.clients(asWorker, nil)
	k := newWalk(t, w, right, "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"op": "AssumeRole", "match": "slipway-read", "action": "access_denied"})
	right.FreshFor = 500 * time.Millisecond
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "cannot get into account payments-nonprod") || !strings.Contains(f.Next, "SLIPWAY_EXTERNAL_ID") {
		t.Errorf("got %+v", f)
	}
}

func TestStackSetFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"action": "create_failed", "logical_id": "ReadRole", "reason": "the role is there already"})
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "slipway-spoke could not deliver") || f.Owner != platform {
		t.Errorf("got %+v", f)
	}
}

// TestStrangersAccountIsNotAdopted never takes an account that Slipway did not make, whatever its address.
func TestStrangersAccountIsNotAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	c := w.clients(asWorker, nil)
	k := newWalk(t, w, c, "payments", models.NonProd)
	k.mustPlan()
	admin := w.clients("AKIASIMMGMTADMIN0001", nil)
	cfg := admin.config("111111111111", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMMGMTADMIN0001", "s", ""))
	if _, err := organizationsClient(cfg).CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: sdk.String("somebody"), Email: sdk.String("aws+payments-nonprod-1@example.com")}); err != nil {
		t.Fatal(err)
	}
	for w.count(`SELECT count(*) FROM accounts WHERE name = 'somebody' AND listed_after < clock_timestamp()`) == 0 {
		if err := c.describe(t.Context(), who{}); err != nil || pause(t.Context()) != nil {
			t.Fatal(err)
		}
	}
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What+f.Cause, "aws+payments-nonprod-1@example.com") || !strings.Contains(f.What, "did not make it") || f.Owner != platform {
		t.Errorf("got %+v", f)
	}
	if n := w.count(`SELECT count(*) FROM accounts WHERE email = 'aws+payments-nonprod-1@example.com'`); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func TestPolicyIsGoneSinceThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	w.exec(`DELETE FROM org_attachments WHERE policy = 'p-nonprod01'`)
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "slipway-nonprod-guardrails") {
		t.Errorf("got %+v", f)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op IN ('PutAlternateContact', 'CreateChangeSet')`); n != 0 {
		t.Error("the run went on without protection")
	}
	if f := wantFinal(t, k.makePlan()); !strings.Contains(f.What, "hands no policy down") {
		t.Errorf("a plan without protection: %+v", f)
	}
}

func TestMovedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	w.fault(map[string]any{"op": "MoveAccount", "action": "access_denied"})
	wantFinal(t, k.run()) // the management account is not fresh: no waiting
	w.mend()
	id := k.outputs["account.create.nonprod"]["account"]
	cfg := k.tenants.clients.config("111111111111", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMMGMTADMIN0001", "s", ""))
	if _, err := organizationsClient(cfg).MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: &id, SourceParentId: sdk.String("r-demo"), DestinationParentId: sdk.String("ou-demo-suspend1")}); err != nil {
		t.Fatal(err)
	}
	clear(k.polls)
	if f := wantFinal(t, k.run()); !strings.Contains(f.What, "ou-demo-suspend1") {
		t.Errorf("got %+v", f)
	}
}

// TestUndo takes back what can be: stack and budget. Accounts are never closed.
func TestUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	steps, err := k.tenants.Steps(k.plan)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		if s.Undo == nil {
			if s.Stays == "" && s.Start != nil {
				t.Errorf("%s does not say what stays", s.Name)
			}
			continue
		}
		for found := provisioners.Absent; found != provisioners.Present; {
			res, err := s.Undo(t.Context(), k.runOf(s.Name))
			if err != nil {
				t.Fatalf("undo %s: %v", s.Name, err)
			}
			found = res.Found
			k.keep(s.Name, res)
			if err := pause(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := w.count(`SELECT count(*) FROM budgets WHERE name = 'slw-payments'`); n != 0 {
		t.Error("the budget is still there")
	}
	if !k.gone(k.outputs["account.create.nonprod"]["account"]) {
		t.Error("the stack is still there")
	}
	if n := w.count(`SELECT count(*) FROM accounts WHERE name = 'payments-nonprod' AND state = 'ACTIVE'`); n != 1 {
		t.Error("the account was touched")
	}
	if a, err := k.books.Account(t.Context(), k.outputs[stepRecord]["account.nonprod"]); err != nil || !a.BaselineAt.IsZero() {
		t.Errorf("Slipway still shows a baseline: %+v, %v", a, err)
	}
}
