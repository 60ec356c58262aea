package handlers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
)

var testNow = time.Date(2026, 11, 23, 9, 14, 0, 0, time.UTC)

func developerOf(tenant string) models.Actor {
	return models.Actor{Person: models.Person{ID: "p"}, Memberships: []models.Membership{{TenantID: tenant, Slug: "payments", Role: models.Developer}}}
}

func readyEnvironment() models.EnvironmentPage {
	return models.EnvironmentPage{Newer: []string{"1.0.1", "1.1.0"}, Environment: models.Environment{ID: "e", TenantID: "t", TenantSlug: "payments", Name: "orders-dev", Stage: models.Dev, State: models.Ready,
		ServiceID: "s", ServiceName: "orders", NetworkID: "n", ExpiresAt: testNow.Add(20 * aDay), Repository: "209355718840.dkr.ecr.eu-west-1.amazonaws.com/slw-payments/orders",
		Stack: models.Stack{StackID: "arn", Status: "CREATE_COMPLETE", Region: "eu-west-1", Version: "1.0.0"}}}
}

// TestEnvironmentActions: what is offered follows the reader and the state, and what is not possible now says why.
func TestEnvironmentActions(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*models.EnvironmentPage)
		offered string // ids without a reason against them
		why     map[string]string
	}{
		"ready": {func(*models.EnvironmentPage) {}, "deploy update upgrade extend hibernate delete", map[string]string{"revert": "never compared", "accept": "never compared"}},
		"drifted": {func(p *models.EnvironmentPage) {
			p.Drift = &models.Drift{State: models.DriftFound, Resources: []models.ResourceDrift{{LogicalID: "x"}}}
		}, "deploy update upgrade extend hibernate revert accept delete", nil},
		"accepted": {func(p *models.EnvironmentPage) {
			p.Drift = &models.Drift{State: models.DriftFound, Resources: []models.ResourceDrift{{LogicalID: "x"}}, Accepted: testNow.Add(aDay), AcceptedBy: "Ines"}
		}, "deploy update upgrade extend hibernate revert delete", map[string]string{"accept": "Ines accepted it until 24 Nov 2026"}},
		"drifts only as expected": {func(p *models.EnvironmentPage) {
			p.Drift = &models.Drift{State: models.DriftFound, Resources: []models.ResourceDrift{{LogicalID: "x", Expected: true}}}
		}, "deploy update upgrade extend hibernate delete", map[string]string{"revert": "as declared"}},
		"newest, no end, no image": {func(p *models.EnvironmentPage) {
			p.Newer, p.Environment.ExpiresAt, p.Environment.ServiceID = nil, time.Time{}, ""
		}, "update hibernate delete", map[string]string{"upgrade": "newest version", "deploy": "no image"}},
		"hibernated": {func(p *models.EnvironmentPage) { p.Environment.Hibernated = true }, "deploy update upgrade extend wake delete", nil},
		"being made": {func(p *models.EnvironmentPage) { p.Environment.State = models.Creating }, "", map[string]string{"delete": "being created"}},
		"roll-back stopped": {func(p *models.EnvironmentPage) {
			p.Environment.State, p.Environment.Stack.Status = models.Broken, "UPDATE_ROLLBACK_FAILED"
		}, "recover extend delete", map[string]string{"update": "Recover it first"}},
		"deletion stopped": {func(p *models.EnvironmentPage) {
			p.Environment.State, p.Environment.Stack.Status = models.Broken, "DELETE_FAILED"
		}, "extend delete", nil},
		"deleted": {func(p *models.EnvironmentPage) { p.Environment.State = models.Deleted }, "", nil},
	} {
		p := readyEnvironment()
		tc.change(&p)
		var offered []string
		why := map[string]string{}
		for _, a := range environmentActions(testNow, developerOf("t"), p, "token") {
			if a.Why == "" {
				offered = append(offered, a.ID)
			}
			why[a.ID] = a.Why
		}
		if got := strings.Join(offered, " "); got != tc.offered {
			t.Errorf("%s: offered %q, want %q", name, got, tc.offered)
		}
		for id, words := range tc.why {
			if !strings.Contains(why[id], words) {
				t.Errorf("%s: %s says %q, want %q in it", name, id, why[id], words)
			}
		}
	}
	for name, a := range map[string]models.Actor{"a developer of another team": developerOf("other"), "an auditor": {Roles: []models.PlatformRole{models.Auditor}},
		"a viewer": {Memberships: []models.Membership{{TenantID: "t", Role: models.Viewer}}}} {
		if got := environmentActions(testNow, a, readyEnvironment(), ""); len(got) > 0 {
			t.Errorf("%s is offered %d actions", name, len(got))
		}
	}
}

func TestEnvironmentView(t *testing.T) {
	p := readyEnvironment()
	p.Environment.Stack.Outputs = map[string]string{"Url": "https://orders.example.com", "ClusterName": "c", "Empty": ""}
	p.Environment.ExpiresAt = testNow.Add(22 * time.Hour)
	d := environmentView(testNow, developerOf("t"), p, blueprint.Meta{Endpoints: []string{"Url"}, Outputs: map[string]string{"Url": "Where it answers"}}, "token")
	if len(d.Endpoints) != 1 || d.Endpoints[0].Text != "Where it answers" || len(d.Outputs) != 1 || d.Newest != "1.1.0" || d.Network != "nonprod-eu-west-1" {
		t.Errorf("%+v %+v %s %s", d.Endpoints, d.Outputs, d.Newest, d.Network)
	}
	if d.First == nil || len(d.First.Commands) != 3 || !strings.Contains(d.First.Commands[0].Lines[0], "--region eu-west-1 | docker login") || d.First.DeployURL == "" {
		t.Errorf("the first image: %+v", d.First)
	}
	if d.Expiry == nil || !d.Expiry.Soon || d.Expiry.ExtendURL == "" || d.Expiry.At.Ago != "in 22 h" {
		t.Errorf("the end: %+v", d.Expiry)
	}
	if commands := pushCommands("not a repository"); commands != nil {
		t.Errorf("commands for nothing: %v", commands)
	}
}

func TestSecretRows(t *testing.T) {
	e := readyEnvironment().Environment
	e.Stack.Resources = []models.StackResource{{LogicalID: "AppSecret", PhysicalID: "arn:a"}, {LogicalID: "Token", PhysicalID: "arn:b"}, {LogicalID: "Other", PhysicalID: "x"}, {LogicalID: "Later"}}
	meta := blueprint.Meta{Secrets: []string{"AppSecret", "Token", "Later"}}
	empty := []models.EmptySecret{{LogicalID: "AppSecret", ConsoleURL: "https://console", Command: "aws put"}}
	rows := secretRows(e, meta, empty, true)
	if len(rows) != 2 || !rows[0].Known || rows[0].Filled || rows[0].Command.Lines[0] != "aws put" || !rows[1].Filled {
		t.Errorf("seen: %+v", rows)
	}
	if rows = secretRows(e, meta, empty, false); !rows[0].Known || rows[1].Known || rows[1].Filled {
		t.Errorf("seen in part: %+v", rows)
	}
}

func TestEnvironmentInputs(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	x := changing{kind: models.DeployEnvironment, page: readyEnvironment(), uses: []string{"nat_data_gb"}}
	if in, _ := environmentInputs(x, viewsForm("image", digest), nil); in.Image != x.page.Environment.Repository+"@"+digest {
		t.Errorf("a digest alone became %q", in.Image)
	}
	x.kind = models.UpdateEnvironment
	in, _ := environmentInputs(x, viewsForm("", ""), map[string]string{"Size": "M", "usage-nat_data_gb": " 12 ", "usage-other": ""})
	if len(in.Inputs) != 1 || in.Inputs["Size"] != "M" || len(in.Usage) != 1 || in.Usage["nat_data_gb"] != "12" {
		t.Errorf("answers and amounts: %v %v", in.Inputs, in.Usage)
	}
	for kind, field := range map[models.RequestKind]string{models.ExtendEnvironment: "days", models.DeleteEnvironment: "confirm"} {
		x.kind = kind
		if _, wrong := environmentInputs(x, viewsForm(field, "soon"), nil); wrong[field] == "" {
			t.Errorf("%s takes anything as %s", kind, field)
		}
	}
	x.kind = models.DeleteEnvironment
	if _, wrong := environmentInputs(x, viewsForm("confirm", " orders-dev "), nil); wrong != nil {
		t.Errorf("its name is refused: %v", wrong)
	}
}

// TestRunTree: the root stands first, what only followed from it is no failure of its own, and nothing of another step slips in.
func TestRunTree(t *testing.T) {
	r := models.RunPage{Request: models.Request{State: models.Failed}, Run: models.Run{Steps: []models.Step{{Position: 1, Name: "environment.record", Part: "A"}, {Position: 2, Name: "environment.stack", Title: "Change the stack", Part: "A"}}},
		Resources: []models.RunResource{
			{Step: "environment.stack", LogicalID: "Cluster", Status: "CREATE_COMPLETE", StartedAt: testNow.Add(-time.Minute), EndedAt: testNow},
			{Step: "environment.stack", LogicalID: "LoadBalancer", Status: "CREATE_FAILED", Reason: "Resource creation cancelled", EndedAt: testNow},
			{Step: "environment.stack", LogicalID: "WebAcl", Status: "CREATE_FAILED", Reason: "limit", Root: true, EndedAt: testNow},
			{Step: "environment.stack", LogicalID: "Service", Status: "CREATE_IN_PROGRESS", StartedAt: testNow.Add(-time.Minute)}}}
	parts, roots := runTree(testNow, r)
	if len(parts) != 1 || len(parts[0].Steps) != 1 || len(roots) != 1 || roots[0].LogicalID != "WebAcl" {
		t.Fatalf("%+v %+v", parts, roots)
	}
	step, order := parts[0].Steps[0], ""
	for _, x := range step.Resources {
		order += x.LogicalID + " " + x.State.Label + ","
	}
	if want := "WebAcl Failed,Service Creating,LoadBalancer Cancelled,Cluster Created,"; order != want || step.Moved != 3 || !step.Open || step.State.Tone != ui.Fail {
		t.Errorf("%s of %+v", order, step)
	}
	r.Request.State = models.Running
	if _, roots = runTree(testNow, r); len(roots) > 0 {
		t.Error("a run that goes on names a root cause")
	}
}

func TestTypedName(t *testing.T) {
	if err := typedName(" orders ", "orders"); err != nil {
		t.Error(err)
	}
	var e *models.Error
	if err := typedName("order", "orders"); !errors.As(err, &e) || e.Fields["confirm"] == "" {
		t.Errorf("got %v", err)
	}
}

func viewsForm(field, value string) (f views.ChangeForm) {
	switch field {
	case "image":
		f.Image = value
	case "days":
		f.Days = value
	case "confirm":
		f.Confirm = value
	}
	return f
}
