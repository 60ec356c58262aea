package aws

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

func TestTenantComesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, func(o *Options) { o.AlertEmail = "alerts@example.com" }), "payments", models.NonProd, models.Prod)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.proves(models.NonProd, models.Prod)
	said := ""
	for _, e := range k.events {
		said += e.Text + "\n"
	}
	for _, want := range []string{"BaselineKey (AWS::KMS::Key): CREATE_COMPLETE", "holds exactly the"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE service <> 'sts' AND account <> '222222222222' AND (source_identity <> $1 OR (session_name <> 'slw-' || $2 AND session_name <> 'slw-' || $3 AND session_name <> 'slw-upkeep'))`,
		k.req.RequesterID, k.runID, k.req.ID); n != 0 {
		t.Errorf("%d calls cannot be traced to person and run", n)
	}
	// Everything is there: a new plan changes nothing, and running it makes nothing.
	k.mustPlan()
	if !k.plan.Content.Empty() {
		t.Errorf("a second plan would do something: %v", k.plan.Content.Tally())
	}
	made := w.count(`SELECT count(*) FROM calls WHERE op ~ '^(Create|Move|Put|Enable|Update|Execute|Delete)'`)
	clear(k.done)
	clear(k.polls)
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op ~ '^(Create|Move|Put|Enable|Update|Execute|Delete)'`); n != made {
		t.Errorf("%d changes were made again", n-made)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd, models.Prod)
	k.mustPlan()
	first, err := json.Marshal(k.plan.Content)
	if err != nil {
		t.Fatal(err)
	}
	again := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd, models.Prod)
	again.mustPlan()
	second, err := json.Marshal(again.plan.Content)
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Errorf("the same world and inputs gave two plans:\n%s\n%s", first, second)
	}
	if strings.Contains(string(first), k.req.ID) || !strings.Contains(string(first), "{{known after apply: ") {
		t.Errorf("the plan holds an id that was made on the way, or nothing that is known only later: %s", first)
	}
	if k.draft.Region != "us-east-1" || k.draft.PriceDate != "2024-07-01" || len(k.draft.PriceDigest) != 64 {
		t.Errorf("prices of %s, %s: %s", k.draft.Region, k.draft.PriceDate, k.draft.PriceDigest)
	}
	var names []string
	steps, err := k.tenants.Steps(k.plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		names = append(names, s.Name)
		if s.Title == "" || s.Part == "" || s.Find == nil {
			t.Errorf("step %+v", s)
		}
	}
	want := []string{"tenant.record"}
	for _, c := range []string{"nonprod", "prod"} {
		for _, s := range []string{"create", "move", "policies", "access", "contacts"} {
			want = append(want, "account."+s+"."+c)
		}
		want = append(want, "account.ebs."+c+".eu-west-1", "account.ebs."+c+".eu-central-1", "account.s3block."+c, "account.password."+c, "account.baseline."+c)
	}
	if want = append(want, "tenant.budget"); !reflect.DeepEqual(names, want) {
		t.Errorf("steps\n%v, want\n%v", names, want)
	}
	if _, monthly := k.plan.Content.Monthly(); monthly.String() != "2" {
		t.Errorf("two keys cost %s", monthly)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op ~ '^(Create|Move|Put|Enable|Update|Execute|Delete)'`); n != 0 {
		t.Errorf("planning made %d changes", n)
	}
}

func TestPlanRefusesWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	for name, tc := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"no such unit":     {func(o *Options) { o.OUs = map[models.Class]string{models.NonProd: "ou-demo-nowhere01"} }, "ou-demo-nowhere01 for nonprod accounts does not exist"},
		"no unit at all":   {func(o *Options) { o.OUs = nil }, "No organizational unit is configured"},
		"wrong secret":     {func(o *Options) { o.ExternalID = "somebody-elses-secret" }, "sts:AssumeRole"},
		"not the worker":   {func(o *Options) { o.Credentials = w.clients(asWeb, nil).Credentials }, "sts:AssumeRole"},
		"role is not real": {func(o *Options) { o.OrgRoleARN = "arn:aws:iam::111111111111:role/slipway/platform/nobody" }, "sts:AssumeRole"},
	} {
		k := newWalk(t, w, w.clients(asWorker, tc.change), "payments", models.NonProd)
		err := k.makePlan()
		var final provisioners.Final
		if !errors.As(err, &final) || !strings.Contains(final.Failure.What, tc.says) || final.Failure.Next == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestStepsRefuseAnotherPlan: a stored plan that names what this version does not know is not half carried out.
func TestStepsRefuseAnotherPlan(t *testing.T) {
	tenants, err := NewTenantProvisioner(clientsAt(t, "http://127.0.0.1:1", nil), newBooks(), testBaseline(t), testPrices(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"", "account", "account.create", "account.create.prod", "account.nuke.nonprod", "account.ebs.nonprod", "account.create.nonprod.eu-west-1", "tenant.record"} {
		plan := models.Plan{Content: models.PlanContent{Inputs: []byte(`{"slug":"payments"}`), Parts: []models.PlanPart{{Class: models.NonProd, Changes: []models.Change{{Step: step}}}}}}
		if _, err := tenants.Steps(plan); err == nil {
			t.Errorf("step %q was taken", step)
		}
	}
	if _, err := tenants.Steps(models.Plan{Content: models.PlanContent{Inputs: []byte(`[]`)}}); err == nil {
		t.Error("inputs that are none were taken")
	}
}

func TestPlanSeesAFullOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	w.exec(`INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after)
		SELECT lpad((600000000000 + n)::text, 12, '0'), 'filler-' || n, 'filler-' || n || '@example.com', 'ACTIVE', 'r-demo', clock_timestamp(), clock_timestamp(), clock_timestamp() FROM generate_series(1, 492) n`)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd, models.Prod)
	f := wantFinal(t, k.makePlan())
	if !strings.Contains(f.What, "no room") || !strings.Contains(f.Cause, "499 of the 500 accounts") || !strings.Contains(f.Cause, "needs 2 more") {
		t.Errorf("got %+v", f)
	}
	one := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	one.mustPlan()
}

// TestStoppedAnywhere dies once at every point of every step, in one run; what is remembered of a call is lost with the process.
func TestStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for name, points := range map[string]string{"around calls": "after-intent-commit after-aws-call", "after outcomes": "after-outcome-commit"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 500)
			k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
			k.mustPlan()
			died := map[string]bool{}
			k.cut = func(step, point string) bool {
				if died[step+"/"+point] || !strings.Contains(points, point) {
					return false
				}
				died[step+"/"+point] = true
				return true
			}
			if err := k.run(); err != nil {
				t.Fatal(err)
			}
			k.proves(models.NonProd)
			if len(died) < 11*len(strings.Fields(points)) { // ten steps that start something, the baseline two things
				t.Errorf("it died only at %v", died)
			}
			if n := w.count(`SELECT count(*) FROM account_creations WHERE state = 'SUCCEEDED'`); n != 1 {
				t.Errorf("%d creations", n)
			}
		})
	}
}

// TestAWSFails lets every call fail once in the same way, in one run.
func TestAWSFails(t *testing.T) {
	t.Parallel()
	ops := []string{"DescribeOrganization", "DescribeOrganizationalUnit", "ListPoliciesForTarget", "ListParents", "ListAccounts", "ListCreateAccountStatus", "GetServiceQuota",
		"CreateAccount", "DescribeCreateAccountStatus", "DescribeAccount", "ListTagsForResource", "MoveAccount", "ListStackInstances", "AssumeRole", "GetCallerIdentity",
		"GetAlternateContact", "PutAlternateContact", "GetEbsEncryptionByDefault", "EnableEbsEncryptionByDefault", "GetPublicAccessBlock", "PutPublicAccessBlock",
		"GetAccountPasswordPolicy", "UpdateAccountPasswordPolicy", "DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStackEvents",
		"DescribeBudget", "CreateBudget"}
	for _, action := range []string{"throttle", "error500", "delay", "drop_after_commit"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			w, ops, timeout := newWorld(t, 500), ops, 10*time.Second
			if action == "delay" { // later than the deadline: the change is made after we stopped waiting
				ops, timeout = []string{"AssumeRole", "CreateAccount", "MoveAccount", "CreateChangeSet", "ExecuteChangeSet", "DescribeStacks", "CreateBudget"}, 2*time.Second
			}
			k := newWalk(t, w, w.clients(asWorker, func(o *Options) { o.Timeout = timeout }), "payments", models.NonProd)
			k.mustPlan()
			for _, op := range ops {
				rule := map[string]any{"op": op, "action": action, "times": 1}
				if action == "delay" {
					rule["delay_ms"] = 2500
				}
				w.fault(rule)
			}
			if err := k.run(); err != nil {
				t.Fatal(err)
			}
			k.proves(models.NonProd)
			if n := w.count(`SELECT count(*) FROM account_creations WHERE state = 'SUCCEEDED'`); n != 1 {
				t.Errorf("%d creations", n)
			}
			if n := w.count(`SELECT count(*) FROM rules WHERE fired > 0`); n < len(ops)*4/5 {
				t.Errorf("only %d of %d calls failed", n, len(ops))
			}
		})
	}
}

// TestTwoWorkersRace lets two processes work the same run at once, as no lease should ever allow.
func TestTwoWorkersRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	a := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	a.mustPlan()
	b := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd)
	b.books, b.req, b.runID, b.plan = a.books, a.req, a.runID, a.plan
	b.tenants.registry = a.books
	b.called, b.vends = map[string]bool{}, map[string]provisioners.Vending{}
	var wg sync.WaitGroup
	for _, k := range []*walk{a, b} {
		wg.Go(func() {
			if err := k.run(); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	wg.Wait()
	a.proves(models.NonProd)
}
