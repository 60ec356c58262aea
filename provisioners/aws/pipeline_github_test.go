package aws

import (
	"strings"
	"testing"

	"slipway/models"
)

func workflow(name, repository string, environments ...string) models.PipelineInputs {
	in := models.PipelineInputs{Name: name, Kind: models.GitHubActions, Service: "orders", Stages: stages(environments...),
		Source: models.PipelineSource{Repository: repository, RepositoryID: "1001", OwnerID: "77", Branch: "main"}}
	return in
}

func partOf(plan models.Plan, name string) *models.PlanPart {
	for i := range plan.Content.Parts {
		if plan.Content.Parts[i].Name == name {
			return &plan.Content.Parts[i]
		}
	}
	return nil
}

// TestFirstWorkflowsShareOneIdentity: two pipelines that come first at once make the account's identity provider once, and it stays when
// both are gone.
func TestFirstWorkflowsShareOneIdentity(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	first := e.orderPipeline(workflow("orders", "acme/orders", "dev", "staging"))
	second := e.orderPipeline(workflow("again", "acme/orders", "dev"))
	plan := e.approve(first)
	if p := partOf(plan, "Identity of workflows"); p == nil || p.StackName != "slw-payments-workflows" || plan.Content.Parts[0].Name != p.Name || p.Parameters["Issuer"] != gitHubIssuer {
		t.Errorf("the plan of the first: %+v", plan.Content.Parts)
	}
	if notes := strings.Join(plan.Notes.Notes, " "); !strings.Contains(notes, "takes no condition on the owner's number") {
		t.Errorf("notes %q", notes)
	}
	e.approve(second)
	e.drive(first, models.Succeeded)
	e.drive(second, models.AwaitingApproval) // what was approved would have made another identity: planned anew
	if ch := changeOn(e.plan(second), "Provider"); ch.Action != "" {
		t.Errorf("planned anew, the second makes an identity again: %+v", ch)
	}
	e.succeed(second)
	if n := e.w.count(`SELECT count(*) FROM things WHERE type = 'AWS::IAM::OIDCProvider' AND account = $1`, accountID); n != 1 {
		t.Errorf("%d identity providers", n)
	}
	if n := one[int](e, `SELECT count(*) FROM identity_providers WHERE state = 'ready'`); n != 1 {
		t.Errorf("%d rows of identity providers are ready", n)
	}
	p := e.pipeline("orders")
	roles := p.Stack.Outputs["EnvironmentRoles"]
	if !strings.Contains(p.Stack.Outputs["BuildRoleArn"], ":role/slipway/workload/") || !strings.HasPrefix(roles, "dev=arn:aws:iam::"+accountID+":role/slipway/workload/") || !strings.Contains(roles, ",staging=arn:") || strings.Count(roles, "=") != 2 {
		t.Errorf("outputs %v", p.Stack.Outputs)
	}
	trust := e.trustOf(p, "EnvironmentRole1")
	for _, want := range []string{`"token.actions.githubusercontent.com:sub":"repo:acme/orders:environment:dev"`, `"token.actions.githubusercontent.com:repository_id":"1001"`, `"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"`} {
		if !strings.Contains(trust, want) {
			t.Errorf("the trust of dev's role lacks %s: %s", want, trust)
		}
	}
	if strings.Contains(trust, "StringLike") || strings.Contains(trust, "*") {
		t.Errorf("the trust of dev's role has a pattern: %s", trust)
	}

	t.Log("pause is Slipway's own row alone")
	pause := e.changePipeline("orders", models.PausePipeline, models.PipelineInputs{})
	plan = e.approve(pause)
	if ch := changeOn(plan, "Pause"); len(plan.Content.Parts[0].Changes) != 1 || ch.Step != "pipeline.note" {
		t.Errorf("a pause would do %+v", plan.Content.Parts[0].Changes)
	}
	e.drive(pause, models.Succeeded)
	if p = e.pipeline("orders"); !p.Paused || p.State != models.Ready {
		t.Errorf("paused: %+v", p)
	}
	e.succeed(e.changePipeline("orders", models.ResumePipeline, models.PipelineInputs{}))

	t.Log("gates alone")
	in := workflow("orders", "acme/orders", "dev", "staging")
	in.Stages[0].Gates = append(in.Stages[0].Gates, models.GateSBOM)
	e.succeed(e.changePipeline("orders", models.UpdatePipeline, in))
	if p = e.pipeline("orders"); len(p.Stages[0].Gates) != 3 || p.Paused {
		t.Errorf("after the update: %+v", p.Stages)
	}

	t.Log("the identity outlives its pipelines")
	for _, name := range []string{"orders", "again"} {
		end := e.changePipeline(name, models.DeletePipeline, models.PipelineInputs{Confirm: name})
		plan = e.approve(end)
		if notes := strings.Join(plan.Notes.Notes, " "); !strings.Contains(notes, "identity provider for workflows stays") {
			t.Errorf("notes of an end: %q", notes)
		}
		e.drive(end, models.Succeeded)
	}
	if n := e.w.count(`SELECT count(*) FROM things WHERE type = 'AWS::IAM::OIDCProvider' AND account = $1`, accountID); n != 1 {
		t.Errorf("%d identity providers", n)
	}
}

// trustOf is the trust policy of one of a pipeline's roles, as the account has it, without blanks.
func (e *estate) trustOf(p models.Pipeline, logical string) string {
	e.t.Helper()
	for _, r := range p.Stack.Resources {
		if r.LogicalID == logical {
			var trust string
			if err := e.w.inside.QueryRow(e.t.Context(), `SELECT trust::text FROM roles WHERE account = $1 AND name = $2`, accountID, r.PhysicalID).Scan(&trust); err != nil {
				e.t.Fatal(err)
			}
			return strings.ReplaceAll(trust, " ", "")
		}
	}
	e.t.Fatalf("the stack has no %s", logical)
	return ""
}

// TestTenantClosesWithItsPipelines: connections, pipelines and the account's identity of workflows go with their tenant.
func TestTenantClosesWithItsPipelines(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	e.connected()
	e.succeed(e.orderPipeline(delivery("dev")))
	e.succeed(e.orderPipeline(workflow("checks", "acme/checks", "dev")))
	e.exec(`DELETE FROM stacks WHERE object_id = $1`, serviceID) // made by no stack
	e.exec(`DELETE FROM services WHERE id = $1`, serviceID)
	end := e.ends(models.CloseTenantInputs{EmptyBuckets: true, Images: true})
	plan := e.approve(end)
	for _, stack := range []string{"slw-payments-con-github", "slw-payments-pipe-orders", "slw-payments-pipe-checks", "slw-payments-workflows"} {
		found := false
		for _, p := range plan.Content.Parts {
			found = found || p.StackName == stack && p.Mode == models.StackDelete
		}
		if !found {
			t.Errorf("the plan does not delete %s", stack)
		}
	}
	e.drive(end, models.Succeeded)
	e.gone()
}
