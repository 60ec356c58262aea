package aws

import (
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// drifting has a topic that moves by itself in one property, and a type that CloudFormation cannot compare.
const drifting = `
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Metadata: {Slipway: {ExpectedDrift: {/DisplayName: The service renames it.}}}
    Properties: {DisplayName: Declared}
  Group: {Type: AWS::Logs::LogGroup, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {RetentionInDays: 7}}
`

// check has an environment compared now, and gives what was found.
func (e *estate) check(st models.Stack) models.Drift {
	e.t.Helper()
	if err := e.store.CheckDriftNow(e.t.Context(), e.asker, "payments", st.ObjectName); err != nil {
		e.t.Fatal(err)
	}
	return e.checked(st)
}

// checked waits for the check that goes on.
func (e *estate) checked(st models.Stack) models.Drift {
	e.t.Helper()
	e.driveTo("the check of "+st.ObjectName, func() bool {
		return one[int](e, `SELECT count(*) FROM journal WHERE kind = 'drift' AND object_id = $1 AND NOT done`, st.ObjectID) == 0
	})
	d, err := e.store.Registry().Drift(e.t.Context(), st.ObjectID)
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// drifts changes what an account really holds of a resource.
func (e *estate) drifts(st models.Stack, id, property, value string) {
	e.t.Helper()
	e.w.post("drift", map[string]any{"account": accountID, "region": st.Region, "stack": st.Name, "resource": id, "path": "/" + property, "value": value})
}

func TestDrift(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders", drifting, nil)
	d := e.check(st)
	if d.State != models.DriftNone || d.Checked+len(d.NotChecked) != 2 || d.By != "asker" || d.EndedAt.IsZero() || len(d.Resources) != 0 {
		t.Errorf("nothing has drifted: %+v", d)
	}
	e.drifts(st, "Topic", "DisplayName", "Actual")
	if d = e.check(st); d.State != models.DriftFound || len(d.Resources) != 1 || len(d.Unexpected()) != 0 {
		t.Errorf("what the blueprint expects: %+v", d)
	}
	want := models.PropertyDrift{Path: "/DisplayName", Declared: "Declared", Actual: "Actual", Kind: "NOT_EQUAL"}
	if r := d.Resources[0]; r.LogicalID != "Topic" || r.Type != "AWS::SNS::Topic" || r.Status != "MODIFIED" || !slices.Equal(r.Properties, []models.PropertyDrift{want}) {
		t.Errorf("what drifted: %+v", r)
	}
	e.drifts(st, "Group", "RetentionInDays", "30")
	if d = e.check(st); len(d.Unexpected()) != 1 || d.Unexpected()[0].LogicalID != "Group" || one[int](e, `SELECT drifted FROM environments WHERE id = $1`, st.ObjectID) != 1 {
		t.Errorf("what nobody expects: %+v", d)
	}
}

// TestDriftStoppedAnywhere makes one check of it, wherever the worker dies.
func TestDriftStoppedAnywhere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders", drifting, nil)
	died := e.diesOnce()
	if d := e.check(st); d.State != models.DriftNone {
		t.Errorf("check %+v", d)
	}
	if !died["drift/drift/after-aws-call"] || !died["drift/drift/after-outcome-commit"] {
		t.Errorf("it died at %v", died)
	}
	if n := one[int](e, `SELECT count(*) FROM drifts`); n != 1 {
		t.Errorf("%d checks", n)
	}
}

// TestDriftCheckFails writes down why, and the nightly check comes again the next day.
func TestDriftCheckFails(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders", drifting, nil)
	e.w.fault(map[string]any{"op": "DetectStackDrift", "action": "access_denied"})
	if d := e.check(st); d.State != models.DriftFailed || !strings.Contains(d.Failure, "cloudformation:DetectStackDrift") {
		t.Errorf("without the permission: %+v", d)
	}
	e.w.mend()
	e.exec(`UPDATE environments SET drift_due = now() - interval '1 hour'`)
	if n, err := e.store.DriftBook().StartDue(t.Context(), 10); err != nil || n != 1 {
		t.Fatalf("%d checks were started: %v", n, err)
	}
	if n, err := e.store.DriftBook().StartDue(t.Context(), 10); err != nil || n != 0 {
		t.Fatalf("%d more checks were started: %v", n, err)
	}
	if d := e.checked(st); d.State != models.DriftNone || d.By != "nightly" {
		t.Errorf("nightly: %+v", d)
	}
	e.w.fault(map[string]any{"op": "DescribeStackDriftDetectionStatus", "action": "error500"})
	if d := e.check(st); d.State != models.DriftFailed || d.Failure == "" || len(d.Resources) != 0 {
		t.Errorf("AWS does not answer: %+v", d)
	}
}
