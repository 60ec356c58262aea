package aws

import (
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// orders is a service with a repository of its own, and two environments that run it.
func (e *estate) orders() {
	e.t.Helper()
	e.shipped()
	e.notesPath()
	e.succeed(e.wants(e.store.RequestService(e.t.Context(), e.asker, "payments", e.key(), models.ServiceInputs{Name: "orders"})))
	for _, name := range []string{"dev", "staging"} {
		e.succeed(e.notesEnvironment(name, func(in *models.EnvironmentInputs) { in.Service = "orders" }))
	}
}

// handshake finishes a connection as a person does in the console, or breaks it.
func (e *estate) handshake(name, status string) {
	e.t.Helper()
	e.w.deed("PUT", "connections", map[string]any{"account": accountID, "name": name, "value": status, "author": "mina"})
}

// asksPerson drives a request until its run waits for a person, and gives the words.
func (e *estate) asksPerson(request string) models.WaitingOn {
	e.t.Helper()
	find := func() *models.Step {
		if id := one[*string](e, `SELECT run_id::text FROM requests WHERE id = $1`, request); id == nil {
			return nil
		}
		for _, s := range e.run(request).Steps {
			if s.Waiting != nil && s.Waiting.For == "a person" {
				return &s
			}
		}
		return nil
	}
	e.driveTo("a person to be waited for", func() bool { return find() != nil })
	return *find().Waiting
}

func (e *estate) connection(name string) models.Connection {
	e.t.Helper()
	c, err := e.store.Registry().Connection(e.t.Context(), one[string](e, `SELECT id::text FROM connections WHERE name = $1`, name))
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

func (e *estate) pipeline(name string) models.Pipeline {
	e.t.Helper()
	p, err := e.store.Registry().Pipeline(e.t.Context(), one[string](e, `SELECT id::text FROM pipelines WHERE name = $1 ORDER BY created_at DESC LIMIT 1`, name))
	if err != nil {
		e.t.Fatal(err)
	}
	return p
}

// connected is a connection that a person has finished.
func (e *estate) connected() {
	e.t.Helper()
	request := e.wants(e.store.RequestConnection(e.t.Context(), e.asker, "payments", e.key(), models.ConnectionInputs{Name: "github", Provider: models.GitHub}))
	e.approve(request)
	e.asksPerson(request)
	e.handshake("slw-github", "AVAILABLE")
	e.drive(request, models.Succeeded)
}

func stages(names ...string) (all []models.PipelineStage) {
	for _, n := range names {
		all = append(all, models.PipelineStage{Environment: n, Gates: []models.Gate{models.GateBuild, models.GateScan}, Scan: models.DefaultScan(), TimeoutMinutes: models.DefaultTimeout})
	}
	return all
}

func delivery(names ...string) models.PipelineInputs {
	return models.PipelineInputs{Name: "orders", Kind: models.CodePipeline, Service: "orders", Connection: "github", Stages: stages(names...),
		Source: models.PipelineSource{Kind: models.SourceConnection, Repository: "acme/orders", Branch: "main"}}
}

func (e *estate) orderPipeline(in models.PipelineInputs) string {
	e.t.Helper()
	return e.wants(e.store.RequestPipeline(e.t.Context(), e.asker, "payments", e.key(), in, ""))
}

func (e *estate) changePipeline(name string, kind models.RequestKind, in models.PipelineInputs) string {
	e.t.Helper()
	return e.wants(e.store.ChangePipeline(e.t.Context(), e.asker, "payments", name, kind, e.key(), in))
}

// TestConnectionWaitsForAPerson and goes on by itself; one that is in error is said; a pipeline is planned only on one that is available.
func TestConnectionWaitsForAPerson(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	request := e.wants(e.store.RequestConnection(t.Context(), e.asker, "payments", e.key(), models.ConnectionInputs{Name: "github", Provider: models.GitHub}))
	plan := e.approve(request)
	if ch := changeOn(plan, "github"); ch.Type != "Handshake" || !strings.Contains(ch.Note, "waits until a person") {
		t.Errorf("the plan does not name what a person has to do: %+v", plan.Content.Parts[0].Changes)
	}
	on := e.asksPerson(request)
	if !strings.HasPrefix(on.Link, "https://eu-west-1.console.aws.amazon.com/codesuite/settings/"+accountID+"/eu-west-1/codeconnections/connections/") || on.Action == "" || !strings.Contains(on.Words, "Update pending connection") || on.Until.IsZero() {
		t.Errorf("what it waits for: %+v", on)
	}
	if c := e.connection("github"); c.Status != models.ConnectionPending || c.State != models.Creating {
		t.Errorf("pending: %+v", c)
	}
	e.handshake("slw-github", "ERROR")
	if f := e.failure(request); !strings.Contains(f.What, "in error") || !strings.Contains(f.Next, "https://") {
		t.Errorf("a connection in error: %+v", f)
	}
	if c := e.connection("github"); c.Status != models.ConnectionError {
		t.Errorf("in error: %+v", c)
	}
	e.retry(request)
	e.handshake("slw-github", "AVAILABLE")
	e.drive(request, models.Succeeded)
	if c := e.connection("github"); c.Status != models.ConnectionAvailable || c.State != models.Ready || c.StatusAt.IsZero() || !strings.Contains(c.Stack.Outputs["ConnectionArn"], ":connection/") {
		t.Errorf("available: %+v", c)
	}

	e.exec(`UPDATE connections SET status = 'PENDING'`)
	if why := e.refused(e.orderPipeline(delivery("dev"))); !strings.Contains(why, "could read nothing") {
		t.Errorf("a pipeline on a pending connection: %s", why)
	}
}

// TestPipelineLife orders one, with a process that dies at every point, and leads it through every change to its receipt.
func TestPipelineLife(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	e.connected()
	died := e.diesOnce()
	made := e.orderPipeline(delivery("dev"))
	plan := e.approve(made)
	part := plan.Content.Parts[0]
	if part.Parameters["Stage1"] != "dev" || part.Parameters["Stage2"] != "" || part.Parameters["Paused"] != "false" || part.Parameters["ConnectionArn"] != e.connection("github").Stack.Outputs["ConnectionArn"] ||
		part.Tags[models.TagPipeline] != "orders" || plan.Notes.Estimate == nil || !strings.Contains(strings.Join(plan.Notes.Notes, " "), "starts an execution by itself") {
		t.Errorf("the plan of a creation: %+v, %v", part, plan.Notes.Notes)
	}
	e.drive(made, models.Succeeded)
	for _, point := range []string{"after-intent-commit", "after-aws-call", "after-outcome-commit"} {
		if !died["run/pipeline.record/"+point] || !died["run/pipeline.stack/"+point] {
			t.Errorf("nothing died %s: %v", point, died)
		}
	}
	e.crash.Store(nil)
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE name = 'slw-payments-pipe-orders' AND status <> 'CREATE_COMPLETE'`); n != 0 {
		t.Errorf("%d broken stacks", n)
	}
	p := e.pipeline("orders")
	if p.State != models.Ready || p.Stack.Outputs["PipelineName"] != "slw-payments-orders" || p.Stack.Outputs["LogGroupName"] != "/slipway/pipeline/orders" || p.Stack.Outputs["ArtifactBucket"] == "" || p.Estimate == nil {
		t.Errorf("as Slipway knows it: %+v", p)
	}

	t.Log("update its stages")
	more := delivery("dev", "staging")
	more.Stages[1].Automatic = true
	more.Inputs = map[string]string{"BuildTimeoutMinutes": "45"}
	update := e.changePipeline("orders", models.UpdatePipeline, more)
	plan = e.approve(update)
	if _, after := property(changeOn(plan, "Settings"), "/Stages/2"); !strings.HasPrefix(after, "staging: automatic, build, image-scan, 0 CRITICAL") {
		t.Errorf("the row's change: %q", after)
	}
	e.drive(update, models.Succeeded)
	if p = e.pipeline("orders"); len(p.Stages) != 2 || p.Stack.Parameters["Stage2"] != "staging" || p.Stack.Inputs["BuildTimeoutMinutes"] != "45" {
		t.Errorf("after the update: %+v", p)
	}

	t.Log("pause and resume")
	pause := e.changePipeline("orders", models.PausePipeline, models.PipelineInputs{})
	if plan = e.approve(pause); plan.Content.Tally()[models.Replace]+plan.Content.Tally()[models.Delete] != 0 {
		t.Errorf("a pause would do %v", plan.Content.Tally())
	}
	e.drive(pause, models.Succeeded)
	if p = e.pipeline("orders"); !p.Paused || p.Stack.Parameters["Paused"] != "true" || p.Stack.Parameters["Stage2"] != "staging" {
		t.Errorf("paused: %+v", p)
	}
	e.succeed(e.changePipeline("orders", models.ResumePipeline, models.PipelineInputs{}))
	if p = e.pipeline("orders"); p.Paused || p.Stack.Parameters["Paused"] != "false" {
		t.Errorf("resumed: %+v", p)
	}

	t.Log("delete, artifacts and all")
	e.fill(p.Stack.Outputs["ArtifactBucket"], 3)
	end := e.changePipeline("orders", models.DeletePipeline, models.PipelineInputs{Confirm: "orders"})
	e.succeed(end)
	r := e.receiptOf(end)
	emptied := slices.ContainsFunc(r.Emptied, func(s string) bool { return strings.Contains(s, p.Stack.Outputs["ArtifactBucket"]) })
	if line(r.Gone, "Delivery") == nil || line(r.Gone, "Artifacts") == nil || !emptied || line(r.Left, "Key") == nil {
		t.Errorf("receipt %+v", r)
	}
	if p = e.pipeline("orders"); p.State != models.Deleted {
		t.Errorf("deleted: %s", p.State)
	}
	e.succeed(e.wants(e.store.ChangeConnection(t.Context(), e.asker, "payments", "github", models.DeleteConnection, e.key(), models.ConnectionInputs{Confirm: "github"})))
}

// TestPipelineByImage is started by pushed images alone.
func TestPipelineByImage(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.orders()
	in := delivery("dev")
	in.Connection, in.Source = "", models.PipelineSource{Kind: models.SourceImage, Tag: "main"}
	plan := e.approve(e.orderPipeline(in))
	if ch := changeOn(plan, "Pushed"); ch.Action != models.Add || changeOn(plan, "Project").LogicalID != "" || !strings.Contains(strings.Join(plan.Notes.Notes, " "), "main-") {
		t.Errorf("a pipeline by images: %+v %v", plan.Content.Parts[0].Changes, plan.Notes.Notes)
	}
	e.drive(one[string](e, `SELECT id::text FROM requests WHERE kind = 'pipeline.create'`), models.Succeeded)
	if out := e.pipeline("orders").Stack.Outputs; out["PipelineName"] == "" || out["LogGroupName"] != "" {
		t.Errorf("outputs %v", out)
	}
}
