package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"slipway/models"
)

func TestAPipelineIsHeldAgainstWhatThereIs(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	e.shopping(t)
	r, err := e.RequestConnection(t.Context(), e.developer, "payments", "con2", models.ConnectionInputs{Name: "far", Provider: models.GitLab, Class: models.Prod})
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, r, models.Prod)
	e.lead(t, r.ID, models.Succeeded)
	for _, stage := range []string{"shop-prod", "shop-staging"} { // as the stages of others would be; no path of the tests is offered there
		env := e.made(t, web(stage))
		exec(t, e.Store, `UPDATE environments SET stage = $2 WHERE id = $1`, env.ID, strings.TrimPrefix(stage, "shop-"))
	}
	stage := func(name string) models.PipelineStage {
		return models.PipelineStage{Environment: name, Gates: []models.Gate{}, TimeoutMinutes: 60}
	}
	for name, tc := range map[string]struct {
		change func(*models.PipelineInputs)
		field  string
		words  string
	}{
		"unknown kind":         {func(in *models.PipelineInputs) { in.Kind = "jenkins" }, "kind", "CodePipeline or GitHub"},
		"reserved name":        {func(in *models.PipelineInputs) { in.Name = "new" }, "name", "reserved"},
		"no service":           {func(in *models.PipelineInputs) { in.Service = "nothing" }, "service", "no service"},
		"no connection":        {func(in *models.PipelineInputs) { in.Connection = "nothing" }, "connection", "no connection"},
		"connection elsewhere": {func(in *models.PipelineInputs) { in.Connection = "far" }, "connection", "another account"},
		"no environment":       {func(in *models.PipelineInputs) { in.Stages[0].Environment = "nothing" }, "stages", "no environment"},
		"another's image":      {func(in *models.PipelineInputs) { in.Stages[0].Environment = "a-site" }, "stages", "does not run shop"},
		"twice":                {func(in *models.PipelineInputs) { in.Stages = append(in.Stages, in.Stages[0]) }, "stages", "twice"},
		"backwards": {func(in *models.PipelineInputs) {
			in.Stages = []models.PipelineStage{stage("shop-prod"), stage("shop-dev")}
		}, "stages", "shop-prod (prod) comes before shop-dev (dev)"},
		"staging after prod": {func(in *models.PipelineInputs) {
			in.Stages = append(in.Stages, stage("shop-prod"), stage("shop-staging"))
		}, "stages", "goes backwards"},
		"unknown gate":        {func(in *models.PipelineInputs) { in.Stages[0].Gates = []models.Gate{"luck"} }, "stage.1.gates", "no gate"},
		"impatient":           {func(in *models.PipelineInputs) { in.Stages[0].TimeoutMinutes = 1 }, "stage.1.timeout", "30 minutes"},
		"refused input":       {func(in *models.PipelineInputs) { in.Inputs = map[string]string{"Title": "NOT"} }, "Title", ""},
		"unknown input":       {func(in *models.PipelineInputs) { in.Inputs["Other"] = "x" }, "Other", ""},
		"pattern of branches": {func(in *models.PipelineInputs) { in.Source.Branch = "release/*" }, "branch", "one branch"},
		"no number":           {func(in *models.PipelineInputs) { *in = workflow("shop"); in.Source.RepositoryID = "acme" }, "repository_id", "numbers cannot"},
	} {
		in := ordered("shop")
		tc.change(&in)
		_, err := e.RequestPipeline(t.Context(), e.developer, "payments", "k", in, "")
		if got := models.Fields(err)[tc.field]; got == "" || !strings.Contains(got, tc.words) {
			t.Errorf("%s: got %v (%v), want %q about %s", name, err, models.Fields(err), tc.words, tc.field)
		}
	}
	if n := count(t, e.Store, `SELECT count(*) FROM names WHERE object_type = 'pipeline'`); n != 0 {
		t.Errorf("%d names are reserved by refused orders", n)
	}
	all := ordered("shop")
	all.Stages = append(all.Stages, stage("shop-staging"), stage("shop-prod"))
	all.AccountID, all.ServiceID, all.Digest = "forged", "forged", "forged"
	r, err = e.RequestPipeline(t.Context(), e.developer, "payments", "k", all, "")
	if err != nil {
		t.Fatal(err)
	}
	in, err := inputsOf[models.PipelineInputs](r)
	if err != nil || in.AccountID != e.tenant.Accounts[0].ID || in.ServiceID == "" || in.ConnectionID == "" || len(in.Digest) != 64 || in.Stages[2].Stage != models.Production || in.Stages[1].EnvironmentID == "" ||
		fmt.Sprint(in.Stages[0].Gates) != "[build image-scan]" {
		t.Errorf("it stands on %+v: %v", in, err)
	}
	if got := len(r.Locks()); got != 4 {
		t.Errorf("it would hold %d locks, want its own and three shared", got)
	}
	exec(t, e.Store, `INSERT INTO blueprint_hidden (name, version, reason) VALUES ('github-actions', '', 'not now')`)
	if _, err := e.RequestPipeline(t.Context(), e.developer, "payments", "k2", workflow("flow"), ""); models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "github-actions") {
		t.Errorf("without a blueprint: %v", err)
	}
}

func TestAPipelineWaitsForItsConnection(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.shopping(t)
	con, err := e.RequestConnection(ctx, e.developer, "payments", "con2", models.ConnectionInputs{Name: "later", Provider: models.GitHub})
	if err != nil {
		t.Fatal(err)
	}
	in := ordered("shop")
	in.Connection = "later"
	order, err := e.RequestPipeline(ctx, e.developer, "payments", "k", in, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := e.wake(t, order.ID); ok {
		t.Fatal("it is planned before its connection is there")
	}
	if now, err := e.Request(ctx, e.developer, order.ID); err != nil || now.Waiting == nil || now.Waiting.Ref != con.ID {
		t.Fatalf("it waits for %+v: %v", now.Waiting, err)
	}
	choices, err := e.PipelineChoices(ctx, e.developer, "payments")
	if err != nil || len(choices.Services) != 1 || len(choices.Connections) != 2 || choices.Connections[1].Name != "later" || choices.Connections[1].RequestID != con.ID || choices.Connections[1].State != "" ||
		choices.Connections[1].Provider != models.GitHub || len(choices.Environments) != 1 || choices.Environments[0].Stage != models.Dev || !choices.Taken["shop"] {
		t.Errorf("choices %+v: %v", choices, err)
	}
	e.lead(t, con.ID, models.Rejected)
	if r, ok := e.wake(t, order.ID); ok || r.State != models.PlanFailed || !strings.Contains(r.Reason, "no connection") {
		t.Fatalf("it is %s: %s", r.State, r.Reason)
	}
	again, err := e.RequestConnection(ctx, e.developer, "payments", "con3", models.ConnectionInputs{Name: "later", Provider: models.GitHub})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.PlanAgain(ctx, e.developer, order.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := e.wake(t, order.ID); ok {
		t.Fatal("it is planned before the connection that was asked for instead")
	}
	e.grown(t, again, nil)
	r, ok := e.wake(t, order.ID)
	if !ok {
		t.Fatalf("it waits on although everything is there: %+v", r.Waiting)
	}
	if now, err := inputsOf[models.PipelineInputs](r); err != nil || now.ConnectionID != again.ObjectID {
		t.Errorf("it stands on the connection %s, want %s: %v", now.ConnectionID, again.ObjectID, err)
	}
}

func TestWhoMayOrderPipelines(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	e.delivered(t)
	for name, tc := range map[string]struct {
		who  models.Actor
		sees bool
		want models.Kind
	}{"viewer": {e.viewer, true, models.Forbidden}, "outsider": {e.outsider, false, models.NotFound}} {
		for what, call := range map[string]func() error{
			"connection": func() error {
				_, err := e.RequestConnection(ctx, tc.who, "payments", "k", models.ConnectionInputs{Name: "mine", Provider: models.GitHub})
				return err
			},
			"pipeline": func() error {
				_, err := e.RequestPipeline(ctx, tc.who, "payments", "k", ordered("mine"), "")
				return err
			},
			"choices": func() error { _, err := e.PipelineChoices(ctx, tc.who, "payments"); return err },
			"end of connection": func() error {
				_, err := e.ChangeConnection(ctx, tc.who, "payments", "github", models.DeleteConnection, "k", models.ConnectionInputs{Confirm: "github"})
				return err
			},
			"update": func() error {
				_, err := e.ChangePipeline(ctx, tc.who, "payments", "shop", models.UpdatePipeline, "k", ordered(""))
				return err
			},
			"pause": func() error {
				_, err := e.ChangePipeline(ctx, tc.who, "payments", "shop", models.PausePipeline, "k", models.PipelineInputs{})
				return err
			},
			"end of pipeline": func() error {
				_, err := e.ChangePipeline(ctx, tc.who, "payments", "shop", models.DeletePipeline, "k", models.PipelineInputs{Confirm: "shop"})
				return err
			},
		} {
			if err := call(); models.KindOf(err) != tc.want {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		_, pipe := e.PipelinePage(ctx, tc.who, "payments", "shop")
		if tc.sees && pipe != nil || !tc.sees && models.KindOf(pipe) != models.NotFound {
			t.Errorf("%s, page of the pipeline: %v", name, pipe)
		}
		cons, err := e.Connections(ctx, tc.who, "payments")
		if err != nil || (len(cons) == 1) != tc.sees {
			t.Errorf("%s lists %d connections: %v", name, len(cons), err)
		}
	}
	for name, who := range map[string]models.Actor{"owner": e.owner, "developer": e.developer, "admin": e.admin} {
		if _, err := e.RequestPipeline(ctx, who, "payments", "k", workflow("flow-"+name), ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnePipelineNameOneWinner(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	e.shopping(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won, told := 0, 0
	for i := range 6 {
		wg.Go(func() {
			_, err := e.RequestPipeline(t.Context(), e.developer, "payments", fmt.Sprint("k", i), ordered("shop"), "")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case models.Fields(err)["name"] == Taken:
				told++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || told != 5 {
		t.Errorf("%d won and %d were told", won, told)
	}
	if _, err := e.RequestConnection(t.Context(), e.developer, "payments", "again", models.ConnectionInputs{Name: "github", Provider: models.GitHub}); models.Fields(err)["name"] != Taken {
		t.Errorf("the name of a connection: %v", err)
	}
	if taken, err := e.NameTaken(t.Context(), e.developer, "payments", models.PipelineObject, "shop"); err != nil || !taken {
		t.Errorf("the live check says %v: %v", taken, err)
	}
}

// TestAPipelinesLife: paused, resumed, changed and deleted, each only where it makes sense; then its name is free.
func TestAPipelinesLife(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	shop := e.delivered(t)
	change := func(kind models.RequestKind, in models.PipelineInputs) (models.Request, error) {
		return e.ChangePipeline(ctx, e.developer, "payments", "shop", kind, models.NewID(), in)
	}
	if _, err := change(models.ResumePipeline, models.PipelineInputs{}); models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "not paused") {
		t.Errorf("resumed while it runs: %v", err)
	}
	if _, err := change(models.CreatePipeline, ordered("shop")); models.KindOf(err) != models.Invalid {
		t.Errorf("created anew: %v", err)
	}
	_, err := e.ChangeEnvironment(ctx, e.developer, "payments", "shop-dev", models.DeleteEnvironment, "del", models.EnvironmentInputs{Confirm: "shop-dev"})
	if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "a stage of pipeline shop") {
		t.Errorf("a stage is deleted: %v", err)
	}
	_, err = e.ChangeConnection(ctx, e.developer, "payments", "github", models.DeleteConnection, "del", models.ConnectionInputs{Confirm: "github"})
	if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "pipeline shop") {
		t.Errorf("a connection in use is deleted: %v", err)
	}
	_, err = e.ChangeService(ctx, e.developer, "payments", "shop", models.DeleteService, "del", models.ServiceInputs{Confirm: "shop"})
	if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "pipeline shop") {
		t.Errorf("a service in use is deleted: %v", err)
	}
	pause, err := change(models.PausePipeline, models.PipelineInputs{Service: "forged", Stages: []models.PipelineStage{{Environment: "a-site"}}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := inputsOf[models.PipelineInputs](pause)
	if err != nil || in.Service != "" || in.Stages != nil || in.ServiceID != shop.service.ObjectID || in.ConnectionID != shop.connection.ObjectID {
		t.Errorf("it is paused with %+v: %v", in, err)
	}
	e.lead(t, pause.ID, models.Succeeded)
	if _, err := change(models.UpdatePipeline, models.PipelineInputs{Source: ordered("").Source, Inputs: map[string]string{"Title": "shop"}}); models.Fields(err)["stages"] == "" {
		t.Errorf("a pipeline without stages: %v", err)
	}
	next := ordered("another")
	next.Service, next.Source.Branch, next.Source.Paths = "another", "release", []string{" src/** ", ""}
	update, err := change(models.UpdatePipeline, next)
	if err != nil {
		t.Fatal(err)
	}
	if in, err = inputsOf[models.PipelineInputs](update); err != nil || in.Service != "shop" || in.Name != "" || in.Source.Branch != "release" || len(in.Source.Paths) != 1 || in.Stages[0].EnvironmentID != shop.env.ID {
		t.Errorf("it is changed to %+v: %v", in, err)
	}
	e.lead(t, update.ID, models.Succeeded)
	if _, err := change(models.DeletePipeline, models.PipelineInputs{Confirm: "other"}); models.Fields(err)["confirm"] == "" {
		t.Errorf("deleted without its name typed: %v", err)
	}
	gone, err := change(models.DeletePipeline, models.PipelineInputs{Confirm: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	e.lead(t, gone.ID, models.Succeeded)
	receipt := models.Receipt{ObjectType: models.PipelineObject, ObjectID: shop.pipeline.ObjectID, ObjectName: "shop", TenantID: e.tenant.ID, RequestID: gone.ID, Gone: []models.ReceiptLine{{ID: "x", Type: "y"}}}
	if err := e.Registry().WriteReceipt(ctx, worker, receipt); err != nil {
		t.Fatal(err)
	}
	p, err := e.PipelinePage(ctx, e.viewer, "payments", "shop")
	if err != nil || p.Pipeline.State != models.Deleted || p.Receipt == nil || p.Connection == nil || len(p.Requests) != 4 || len(p.Open) != 0 || len(p.Runs) != 4 {
		t.Errorf("its page: %+v, %v", p, err)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM pipelines WHERE read_due IS NOT NULL`); n != 0 {
		t.Error("a deleted pipeline is still read")
	}
	r, err := e.RequestPipeline(ctx, e.developer, "payments", "anew", ordered("shop"), "")
	if e.grown(t, r, err).ObjectID == shop.pipeline.ObjectID {
		t.Error("the new one has the old one's id")
	}
	if p, err = e.PipelinePage(ctx, e.viewer, "payments", "shop"); err != nil || p.Pipeline.State != models.Ready {
		t.Errorf("the page shows the %s one: %v", p.Pipeline.State, err)
	}
}

func TestEditingAPipelineRequest(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	ctx := t.Context()
	shop := e.delivered(t)
	order, err := e.RequestPipeline(ctx, e.developer, "payments", "k", ordered("second"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.EditPipelineRequest(ctx, e.developer, order.ID, workflow("second")); models.KindOf(err) != models.Conflict {
		t.Errorf("edited while it is planned: %v", err)
	}
	back := func(id string) {
		t.Helper()
		exec(t, e.Store, `UPDATE requests SET state = 'changes_requested' WHERE id = $1`, id)
	}
	back(order.ID)
	if _, err := e.EditPipelineRequest(ctx, e.outsider, order.ID, workflow("second")); models.KindOf(err) != models.NotFound {
		t.Errorf("edited by an outsider: %v", err)
	}
	if _, err := e.EditPipelineRequest(ctx, e.viewer, order.ID, workflow("second")); models.KindOf(err) != models.Forbidden {
		t.Errorf("edited by a viewer: %v", err)
	}
	if _, err := e.EditPipelineRequest(ctx, e.developer, order.ID, workflow("shop")); models.Fields(err)["name"] != Taken {
		t.Errorf("edited to a name that is taken: %v", err)
	}
	wrong := workflow("third")
	wrong.Stages[0].Environment = "a-site"
	if _, err := e.EditPipelineRequest(ctx, e.developer, order.ID, wrong); models.Fields(err)["stages"] == "" {
		t.Errorf("edited to an environment that runs no image: %v", err)
	}
	r, err := e.EditPipelineRequest(ctx, e.developer, order.ID, workflow("third"))
	if err != nil || r.State != models.Planning || r.ObjectName != "third" || r.Title != "Create pipeline third" {
		t.Fatalf("edited to %+v: %v", r, err)
	}
	if in, err := inputsOf[models.PipelineInputs](r); err != nil || in.Kind != models.GitHubActions || in.ConnectionID != "" || in.Stages[0].TimeoutMinutes != 0 {
		t.Errorf("edited to %+v: %v", in, err)
	}
	for name, want := range map[string]bool{"second": false, "third": true} {
		if taken, err := e.NameTaken(ctx, e.developer, "payments", models.PipelineObject, name); err != nil || taken != want {
			t.Errorf("the name %s: %v, %v", name, taken, err)
		}
	}
	update, err := e.ChangePipeline(ctx, e.developer, "payments", "shop", models.UpdatePipeline, "u", ordered(""))
	if err != nil {
		t.Fatal(err)
	}
	back(update.ID)
	next := ordered("")
	next.Source.Branch = "next"
	if r, err = e.EditPipelineRequest(ctx, e.developer, update.ID, next); err != nil || r.ObjectID != shop.pipeline.ObjectID || !strings.Contains(string(r.Inputs), "next") {
		t.Errorf("a change edited to %s: %v", r.Inputs, err)
	}
	pause, err := e.ChangePipeline(ctx, e.developer, "payments", "shop", models.PausePipeline, "p", models.PipelineInputs{})
	if err != nil {
		t.Fatal(err)
	}
	back(pause.ID)
	if _, err := e.EditPipelineRequest(ctx, e.developer, pause.ID, next); models.KindOf(err) != models.Conflict {
		t.Errorf("a pause is edited: %v", err)
	}
}
