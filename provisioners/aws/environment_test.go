package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

const digestOne = "r@sha256:" + "1111111111111111111111111111111111111111111111111111111111111111"

func changeOn(plan models.Plan, logical string) models.Change {
	for _, part := range plan.Content.Parts {
		for _, ch := range part.Changes {
			if ch.LogicalID == logical {
				return ch
			}
		}
	}
	return models.Change{}
}

func property(ch models.Change, path string) (before, after string) {
	for _, p := range ch.Properties {
		if p.Path == path {
			if p.Before != nil {
				before = *p.Before
			}
			if p.After != nil {
				after = *p.After
			}
		}
	}
	return before, after
}

// TestEnvironmentsLife orders one and leads it through every change that leaves its stack whole.
func TestEnvironmentsLife(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	made := e.notesEnvironment("board")
	plan := e.approve(made)
	if n := plan.Content.Tally(); n[models.Add] != 2 || len(n) != 1 || plan.Notes.Estimate == nil {
		t.Errorf("the plan of a creation: %v, estimate %v", n, plan.Notes.Estimate)
	}
	if _, name := property(changeOn(plan, "Log"), "/Properties/LogGroupName"); name != "/slipway/board-one" {
		t.Errorf("the log would be called %q", name)
	}
	part := plan.Content.Parts[0]
	if part.Mode != models.StackCreate || part.Parameters["Days"] != "30" || part.Parameters["Hibernated"] != "false" || part.Tags["slipway:object"] == "" || part.Tags["slipway:environment"] != "board" {
		t.Errorf("part %+v", part)
	}
	e.drive(made, models.Succeeded)
	env := e.environment("board")
	if env.State != models.Ready || env.Stack.Status != "CREATE_COMPLETE" || env.Stack.Outputs["LogName"] != "/slipway/board-one" || len(env.Stack.Resources) != 2 || env.Estimate == nil {
		t.Errorf("as Slipway knows it: %+v", env)
	}

	t.Log("update with a replacement")
	update := e.change("board", models.UpdateEnvironment, models.EnvironmentInputs{Inputs: map[string]string{"Suffix": "two", "Days": "90"}})
	plan = e.approve(update)
	first := plan.Content.Parts[0].Changes[0]
	if first.LogicalID != "Log" || first.Action != models.Replace || !strings.Contains(first.Note, "the logs in it") {
		t.Errorf("a replacement comes first, with its consequence: %+v", first)
	}
	if before, after := property(first, "/Properties/RetentionInDays"); before != "30" || after != "90" {
		t.Errorf("retention %s to %s", before, after)
	}
	if before, after := property(changeOn(plan, "Settings"), "/Inputs/Suffix"); before != "one" || after != "two" {
		t.Errorf("the row's change: %s to %s", before, after)
	}
	e.drive(update, models.Succeeded)
	if env = e.environment("board"); env.Stack.Inputs["Suffix"] != "two" || env.Stack.Outputs["LogName"] != "/slipway/board-two" || env.Stack.Status != "UPDATE_COMPLETE" {
		t.Errorf("after the update: %+v", env.Stack)
	}
	if status := one[string](e, `SELECT status FROM run_resources s JOIN requests r ON r.run_id = s.run_id WHERE r.id = $1 AND logical_id = 'Log'`, update); status != "UPDATE_COMPLETE" {
		t.Errorf("the tree shows the replaced log as %s", status)
	}

	t.Log("deploy")
	deploy := e.change("board", models.DeployEnvironment, models.EnvironmentInputs{Image: digestOne})
	plan = e.approve(deploy)
	if n := plan.Content.Tally(); n[models.Add] != 1 || n[models.Modify] != 1 || n[models.Replace]+n[models.Delete] != 0 {
		t.Errorf("a deployment would do %v", n)
	}
	e.drive(deploy, models.Succeeded)
	if env = e.environment("board"); env.Image != digestOne || env.Stack.Parameters["Image"] != digestOne || env.Stack.Parameters["Suffix"] != "two" {
		t.Errorf("after the deployment: %+v", env)
	}

	t.Log("hibernate and wake")
	asleep := e.change("board", models.HibernateEnvironment, models.EnvironmentInputs{})
	plan = e.approve(asleep)
	if ch := changeOn(plan, "Alarm"); ch.Action != models.Delete || ch.Note == "" || plan.Content.Parts[0].Changes[0].LogicalID != "Alarm" {
		t.Errorf("hibernation: %+v", plan.Content.Parts[0].Changes)
	}
	e.drive(asleep, models.Succeeded)
	if env = e.environment("board"); !env.Hibernated || env.Stack.Parameters["Hibernated"] != "true" || env.Stack.Parameters["Image"] != digestOne {
		t.Errorf("asleep: %+v", env)
	}
	e.succeed(e.change("board", models.WakeEnvironment, models.EnvironmentInputs{Days: 60}))
	if env = e.environment("board"); env.Hibernated || env.Stack.Parameters["Hibernated"] != "false" || time.Until(env.ExpiresAt) < 59*24*time.Hour {
		t.Errorf("awake: %+v", env)
	}

	t.Log("upgrade")
	upgrade := e.change("board", models.UpgradeEnvironment, models.EnvironmentInputs{Version: "1.1.0"})
	plan = e.approve(upgrade)
	if len(plan.Notes.Notes) != 1 || !strings.Contains(plan.Notes.Notes[0], "asks for Colour, which is new: blue") {
		t.Errorf("notes %q", plan.Notes.Notes)
	}
	if ch := changeOn(plan, "Second"); ch.Action != models.Add || plan.Content.Parts[0].Parameters["Colour"] != "blue" || plan.Content.Parts[0].Parameters["Suffix"] != "two" {
		t.Errorf("an upgrade would do %+v", plan.Content.Parts[0])
	}
	e.drive(upgrade, models.Succeeded)
	if env = e.environment("board"); env.Stack.Version != "1.1.0" || env.Stack.Inputs["Colour"] != "blue" || env.Image != digestOne {
		t.Errorf("after the upgrade: %+v", env.Stack)
	}

	t.Log("nothing to change")
	again := e.change("board", models.UpdateEnvironment, models.EnvironmentInputs{Inputs: map[string]string{"Suffix": "two", "Days": "90", "Colour": "blue"}})
	e.drive(again, models.NoChange)

	t.Log("extend")
	extend := e.change("board", models.ExtendEnvironment, models.EnvironmentInputs{Days: 90})
	e.succeed(extend)
	if env = e.environment("board"); time.Until(env.ExpiresAt) < 89*24*time.Hour {
		t.Errorf("it ends at %s", env.ExpiresAt)
	}

	t.Log("accept drift")
	e.exec(`INSERT INTO drifts (id, object_id, tenant_id, state, started_at, ended_at, by_whom, resources) VALUES ($1, $2, $3, 'drifted', now(), now(), 'nightly',
		'[{"logical_id": "Topic", "physical_id": "t", "type": "AWS::SNS::Topic", "status": "MODIFIED", "properties": [{"path": "/DisplayName", "declared": "Notes", "actual": "Noise", "kind": "NOT_EQUAL"}]}]')`,
		models.NewID(), env.ID, tenantID)
	until := time.Now().AddDate(0, 0, 20).UTC().Format(time.DateOnly)
	accept := e.change("board", models.AcceptDrift, models.EnvironmentInputs{Until: until, Reason: "a test of ours"})
	plan = e.approve(accept)
	if before, after := property(changeOn(plan, "Topic"), "/DisplayName"); before != "Notes" || after != "Noise" || changeOn(plan, "Topic").Action != models.Exists {
		t.Errorf("what would be accepted: %+v", plan.Content.Parts)
	}
	e.drive(accept, models.Succeeded)
	if drift, err := e.store.Registry().Drift(t.Context(), env.ID); err != nil || drift.Accepted.Format(time.DateOnly) != until || drift.AcceptedBy != "asker" || drift.Reason != "a test of ours" {
		t.Errorf("the drift: %+v, %v", drift, err)
	}
	e.closed(made, update, deploy, asleep, upgrade)
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE name = 'slw-payments-env-board'`); n != 1 {
		t.Errorf("%d stacks", n)
	}
}

// closed checks that no change set of requests that have ended stays open once the sweeper went round, and that none holds a lock.
func (e *estate) closed(requests ...string) {
	e.t.Helper()
	for _, id := range requests {
		sets, err := e.store.Registry().OpenChangeSets(e.t.Context(), id)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, set := range sets {
			if err := e.clients.DeleteChangeSet(e.t.Context(), set); err != nil {
				e.t.Errorf("sweep %s: %v", set.Name, err)
			}
			e.t.Errorf("the change set %s of a request that is over is still open", set.Name)
		}
	}
	if n := one[int](e, `SELECT count(*) FROM locks`); n != 0 {
		e.t.Errorf("%d locks are held", n)
	}
}

// TestPlansAreStable plans the same wish twice: the content is the same, and holds nothing that AWS made up on the way.
func TestPlansAreStable(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.notesPath()
	request := e.notesEnvironment("board")
	e.drive(request, models.AwaitingApproval)
	first := e.plan(request)
	if err := e.store.PlanAgain(t.Context(), e.asker, request); err != nil {
		t.Fatal(err)
	}
	e.drive(request, models.AwaitingApproval)
	second := e.plan(request)
	if second.Number != 2 || first.Hash != second.Hash {
		a, _ := json.Marshal(first.Content)
		b, _ := json.Marshal(second.Content)
		t.Errorf("two plans of one wish:\n%s\n%s", a, b)
	}
	raw, err := json.Marshal(first.Content)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "slw-p-") || strings.Contains(string(raw), request) || strings.Contains(string(raw), ":stack/slw-payments-env-board/") {
		t.Errorf("the plan holds an id that was made on the way: %s", raw)
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op IN ('ExecuteChangeSet', 'CreateStack', 'UpdateStack')`); n != 1 { // the baseline's
		t.Errorf("planning executed something: %d", n)
	}
	if err := e.store.CancelRequest(t.Context(), e.asker, request); err != nil {
		t.Fatal(err)
	}
	e.sweep()
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE name = 'slw-payments-env-board' AND status NOT IN ('DELETE_COMPLETE', 'DELETE_IN_PROGRESS')`); n != 0 {
		t.Error("the stack in review stays after its request was cancelled")
	}
}

// sweep does once what the sweeper of change sets does.
func (e *estate) sweep() {
	e.t.Helper()
	idle, err := e.store.Registry().IdleChangeSets(e.t.Context(), 20)
	if err != nil {
		e.t.Fatal(err)
	}
	slices.Reverse(idle)
	for _, set := range idle {
		if err := e.clients.DeleteChangeSet(e.t.Context(), set); err != nil {
			e.t.Fatal(err)
		}
		if err := e.store.Registry().EndedChangeSet(e.t.Context(), set, "deleted"); err != nil {
			e.t.Fatal(err)
		}
	}
}
