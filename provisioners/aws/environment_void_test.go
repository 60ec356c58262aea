package aws

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
)

// TestChangedByHandVoids sends an approved change back when somebody changed the stack while it waited.
func TestChangedByHandVoids(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.made("board")
	request := e.change("board", models.UpdateEnvironment, updated)
	e.drive(request, models.AwaitingApproval)
	e.byHand("board", map[string]string{"Days": "7"})
	plan := e.plan(request)
	if err := e.store.Decide(t.Context(), e.approver, request, plan.Hash, models.Approve, ""); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Planning)
	if reason := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(reason, "changed by somebody else") {
		t.Errorf("it went back because %q", reason)
	}
	plan = e.approve(request)
	if before, after := property(changeOn(plan, "Log"), "/Properties/RetentionInDays"); before != "7" || after != "90" {
		t.Errorf("the new plan: retention %s to %s", before, after)
	}
	e.drive(request, models.Succeeded)
	e.whole("board", "UPDATE_COMPLETE")
	e.closed(request)
}

// byHand changes the stack outside of Slipway.
func (e *estate) byHand(name string, parameters map[string]string) {
	e.t.Helper()
	s := stack{clients: e.clients, account: accountID, region: "eu-west-1", name: "slw-payments-env-" + name, who: who{job: "by-hand"}}
	env := e.environment(name)
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: sdk.String("by-hand"), ChangeSetType: cfn.ChangeSetTypeUpdate, UsePreviousTemplate: sdk.Bool(true),
		RoleARN: sdk.String(e.clients.roleARN(accountID, "cfn-exec")), Parameters: parameterList(over(env.Stack.Parameters, parameters))}
	if _, err := s.client().CreateChangeSet(e.t.Context(), in); err != nil {
		e.t.Fatal(err)
	}
	done := false
	for range 1000 {
		_, err := s.client().ExecuteChangeSet(e.t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: &s.name, ChangeSetName: in.ChangeSetName})
		if done = done || err == nil; done {
			st, err := s.describe(e.t.Context())
			if err != nil {
				e.t.Fatal(err)
			}
			if st.StackStatus == cfn.StackStatusUpdateComplete {
				return
			}
		}
		if err := pause(e.t.Context()); err != nil {
			e.t.Fatal(err)
		}
	}
	e.t.Fatal("the change by hand does not end")
}

// TestGoneChangeSetVoids sends an approved change back when its change set was deleted.
func TestGoneChangeSetVoids(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	request := e.notesEnvironment("board")
	e.drive(request, models.AwaitingApproval)
	sets, err := e.store.Registry().OpenChangeSets(t.Context(), request)
	if err != nil || len(sets) != 1 {
		t.Fatalf("open change sets %+v, %v", sets, err)
	}
	if err := e.clients.DeleteChangeSet(t.Context(), sets[0]); err != nil {
		t.Fatal(err)
	}
	plan := e.plan(request)
	if err := e.store.Decide(t.Context(), e.approver, request, plan.Hash, models.Approve, ""); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.Planning)
	e.succeed(request)
	e.whole("board", "CREATE_COMPLETE")
	if reasons := e.story(request); !strings.Contains(reasons, "is not there any more") {
		t.Errorf("the log does not say why it went back: %s", reasons)
	}
}

// TestPermissionIsWaitedFor waits, and says for what, when somebody took the role away; it goes on by itself.
func TestPermissionIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.w.fault(map[string]any{"op": "AssumeRole", "match": "slipway-deploy", "action": "access_denied",
		"reason": "User: arn:aws:sts::222222222222:assumed-role/slipway-worker/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::600000000001:role/slipway/platform/slipway-deploy"})
	request := e.notesEnvironment("board")
	waits := func() string {
		return one[string](e, `SELECT COALESCE((SELECT waiting->>'words' FROM requests WHERE id = $1), '')`, request)
	}
	for range 200 {
		if waits() != "" {
			break
		}
		e.round(e.engine)
		if err := pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if said := waits(); !strings.Contains(said, "sts:AssumeRole in account 600000000001") {
		t.Errorf("it waits for %q and is %s", said, e.state(request))
	}
	e.w.mend()
	e.succeed(request)
	e.whole("board", "CREATE_COMPLETE")
}

// TestWhatAWSFindsIsSaid tells AWS's own words, at their resource.
func TestWhatAWSFindsIsSaid(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.w.fault(map[string]any{"action": "validation_error", "logical_id": "Topic", "reason": "DisplayName is too loud", "times": 1})
	request := e.notesEnvironment("board")
	e.drive(request, models.PlanFailed)
	if reason := one[string](e, `SELECT reason FROM requests WHERE id = $1`, request); !strings.Contains(reason, "does not accept the plan for environment board") ||
		!strings.Contains(reason, "Topic /Resources/Topic/Properties: DisplayName is too loud") {
		t.Errorf("reason %q", reason)
	}
}

// drift changes a resource on the simulator's page.
func (e *estate) drift(logical, path string, value any) {
	e.t.Helper()
	raw, err := json.Marshal(map[string]any{"account": accountID, "region": "eu-west-1", "stack": "slw-payments-env-board", "resource": logical, "path": path, "value": value})
	if err != nil {
		e.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.w.url+"/_slipway/drift", bytes.NewReader(raw))
	if err != nil {
		e.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		e.t.Fatalf("drift %s: %s", raw, res.Status)
	}
}

// TestDriftIsReverted puts back what was changed by hand, and shows it before.
func TestDriftIsReverted(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	e.made("board")
	e.drift("Topic", "/DisplayName", "Noise")
	request := e.change("board", models.RevertEnvironment, models.EnvironmentInputs{})
	plan := e.approve(request)
	if before, after := property(changeOn(plan, "Topic"), "/Properties/DisplayName"); before != "Noise" || after != "Notes of board dev" || plan.Content.Parts[0].Mode != models.StackRevert {
		t.Errorf("the plan would set %q to %q: %+v", before, after, plan.Content.Parts)
	}
	e.drive(request, models.Succeeded)
	e.whole("board", "UPDATE_COMPLETE")
	e.drive(e.change("board", models.RevertEnvironment, models.EnvironmentInputs{}), models.NoChange)
}
