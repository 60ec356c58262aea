package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/models/blueprint"
)

// ground is what the order form stands on, without a database: one tenant, three paths, no network in eu-central-1.
type ground struct {
	sent    []models.EnvironmentInputs
	edited  []models.EnvironmentInputs
	saved   []models.SavedForm
	draft   models.SavedForm
	page    models.RequestPage
	verdict models.Verdict
	refuse  error
	facts   []models.PlanContent
}

func (g *ground) NavCounts(context.Context, models.Actor) (models.NavCounts, error) {
	return models.NavCounts{}, nil
}

func (g *ground) OrderTenants(_ context.Context, a models.Actor) ([]models.Tenant, error) {
	if !a.MayOrderFor("t1") {
		return nil, nil
	}
	return []models.Tenant{g.tenant()}, nil
}

func (g *ground) tenant() models.Tenant {
	return models.Tenant{ID: "t1", Slug: "payments", Budget: decimal.NewFromInt(1000), State: models.Ready,
		Accounts: []models.Account{{ID: "a1", Class: models.NonProd, AWSID: "209355718840"}, {ID: "a2", Class: models.Prod, AWSID: "209355718841"}}}
}

func (g *ground) OrderChoices(_ context.Context, a models.Actor, slug string) (models.OrderChoices, error) {
	if slug != "payments" || !a.MayOrderFor("t1") {
		return models.OrderChoices{}, models.Errorf(models.NotFound, "There is no such tenant.")
	}
	return models.OrderChoices{Tenant: g.tenant(), Monthly: decimal.NewFromInt(500), Networks: []models.Choice{{ID: "n1", Class: models.NonProd, Region: "eu-west-1"}, {ID: "n2", Class: models.Prod, Region: "eu-west-1", RequestID: "r9"}},
		Services: []models.Choice{{ID: "s1", Name: "orders"}, {ID: "s2", Name: "refunds", RequestID: "r8"}}}, nil
}

func (g *ground) RequestEnvironment(_ context.Context, _ models.Actor, _, _ string, in models.EnvironmentInputs, _ string) (models.Request, error) {
	if g.refuse != nil {
		return models.Request{}, g.refuse
	}
	g.sent = append(g.sent, in)
	return models.Request{ID: "r1"}, nil
}

func (g *ground) NameTaken(_ context.Context, _ models.Actor, _ string, _ models.ObjectType, name string) (bool, error) {
	return name == "taken", nil
}

func (g *ground) RequestPage(context.Context, models.Actor, string) (models.RequestPage, error) {
	return g.page, nil
}

func (g *ground) EditEnvironmentRequest(_ context.Context, _ models.Actor, id string, in models.EnvironmentInputs) (models.Request, error) {
	g.edited = append(g.edited, in)
	return models.Request{ID: id}, nil
}

func (g *ground) SaveForm(_ context.Context, _ models.Actor, f models.SavedForm) (string, error) {
	g.saved = append(g.saved, f)
	return "d1", nil
}

func (g *ground) LoadForm(context.Context, models.Actor, string) (models.SavedForm, error) {
	return g.draft, nil
}

func (g *ground) DeleteForm(context.Context, models.Actor, string) error { return nil }

var orderMetas = map[string]string{
	"web": `{id: web, version: 1.0.0, kind: environment, title: Web, description: A web service, stages: [dev, prod], needs: [network, zone, service],
inputs: {type: object, additionalProperties: false, required: [Size], properties: {Size: {type: string, title: Size, enum: [S, M], default: S}, Port: {type: integer, title: Port, default: 8080, minimum: 1024}}},
cost: {usage: {S: {logs_ingested_gb: "5"}}}}`,
	"site": `{id: site, version: 1.0.0, kind: environment, title: Site, description: Files, stages: [dev, prod],
inputs: {type: object, additionalProperties: false, properties: {Index: {type: string, title: Index document, default: index.html}}}}`,
}

func (g *ground) ListBlueprints(context.Context, models.Actor) ([]blueprint.Listing, error) {
	var all []blueprint.Listing
	for _, name := range []string{"web", "site"} {
		v, err := g.BlueprintByDigest(context.Background(), name)
		if err != nil {
			return nil, err
		}
		all = append(all, blueprint.Listing{Name: name, Meta: v.Meta, State: blueprint.Offered, Versions: []blueprint.Listed{{Name: name, Version: "1.0.0", Digest: name, Meta: v.Meta, State: blueprint.Offered}}})
	}
	return all, nil
}

func (g *ground) BlueprintByDigest(_ context.Context, name string) (blueprint.Version, error) {
	meta, err := blueprint.ReadMeta([]byte(orderMetas[name]))
	template := "Resources: {Files: {Type: AWS::S3::Bucket}}"
	if name == "web" {
		template = "Resources: {Cluster: {Type: AWS::ECS::Cluster}}"
	}
	return blueprint.Version{Name: name, Version: "1.0.0", Digest: name, Meta: meta, Template: []byte(template)}, err
}

func (g *ground) Estimate(_ blueprint.Version, in models.EnvironmentInputs) (models.Estimate, error) {
	if in.Usage["logs_ingested_gb"] == "lots" {
		return models.Estimate{}, models.InvalidFields(map[string]string{"logs_ingested_gb": "Use digits."})
	}
	if in.Inputs["Port"] == "80" {
		return models.Estimate{}, models.InvalidFields(map[string]string{"Port": "Enter at least 1024."})
	}
	cents := int64(4200)
	if in.Image != "" {
		cents = 6100
	}
	return models.Estimate{Region: in.Region, Uses: []string{"logs_ingested_gb"}, Lines: []models.EstimateLine{{CostLine: models.CostLine{Item: "Load balancer", Planned: decimal.New(cents, -2)}}}}, nil
}

func (g *ground) EstimateVersion(blueprint.Version, models.Stage, string) (models.Estimate, error) {
	return models.Estimate{}, nil
}

func (g *ground) From(string) (models.Estimate, bool) {
	return models.Estimate{Lines: []models.EstimateLine{{CostLine: models.CostLine{Planned: decimal.NewFromInt(7)}}}}, true
}

func (g *ground) Evaluate(f models.RuleFacts) models.Verdict {
	g.facts = append(g.facts, f.Content)
	return g.verdict
}

func (g *ground) RulesFor(_ context.Context, _ models.Actor, _ string, _ models.RequestKind, _ string, _ []byte, content models.PlanContent) (models.RuleFacts, error) {
	return models.RuleFacts{Content: content}, nil
}

func (g *ground) UsualTime(context.Context, models.Actor, models.RequestKind) (models.PlanNotes, error) {
	return models.PlanNotes{PastRuns: 2}, nil
}

var orderer = models.Actor{Person: models.Person{ID: "p1", Name: "Tomasz"}, Memberships: []models.Membership{{TenantID: "t1", Slug: "payments", Role: models.Developer}}}

// ask sends one request to the order form of a world. A body makes it a POST.
func (g *ground) ask(t *testing.T, a models.Actor, path string, body url.Values, headers ...string) (*http.Response, string) {
	t.Helper()
	h := &Orders{Desk: &Desk{Counts: g, Clock: &models.ShiftedClock{}}, Store: g, Names: g, Sent: g, Forms: g, Blueprints: g, Costs: g, Rules: g, Facts: g, Regions: []string{"eu-west-1", "eu-central-1"}, BaseDomain: "apps.example.com"}
	app := fiber.New(fiber.Config{Immutable: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(500).SendString(fmt.Sprintf("%v: %s", models.KindOf(err), models.Message(err)))
	}})
	app.Use(func(c *fiber.Ctx) error {
		visit.Set(c, visit.Visit{Actor: a, CSRF: "token"})
		return c.Next()
	})
	app.Get("/environments/new", h.New)
	app.Post("/environments/new", h.Create)
	app.Post("/environments/new/show", h.Show)
	app.Post("/environments/new/panel", h.Panel)
	app.Post("/environments/new/check", h.Check)
	edit := func(by func(*fiber.Ctx, models.RequestPage) error) fiber.Handler {
		return (&Edits{Pages: g, By: map[models.RequestKind]func(*fiber.Ctx, models.RequestPage) error{models.CreateEnvironment: by}}).Handle
	}
	app.Get("/requests/:id/edit", edit(h.Edit))
	app.Post("/requests/:id/edit", edit(h.Change))
	r := httptest.NewRequest("GET", path, nil)
	if body != nil {
		r = httptest.NewRequest("POST", path, strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}
