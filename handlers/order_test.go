package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views/ui"
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
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return resp, text.String()
}

func webOrder(pairs ...string) url.Values {
	v := url.Values{"tenant": {"payments"}, "blueprint": {"web"}, "shown": {"web"}, "stage": {"dev"}, "region": {"eu-west-1"}, "name": {"orders-dev"}, "service": {"orders"}, "image": {""},
		"days": {"14"}, "Size": {"M"}, "Port": {"9000"}, "usage-logs_ingested_gb": {"7"}, "do": {"plan"}, "_key": {"k1"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestOrderIsSentAsTyped(t *testing.T) {
	g := &ground{}
	resp, body := g.ask(t, orderer, "/environments/new", webOrder())
	if resp.StatusCode != http.StatusSeeOther || len(g.sent) != 1 {
		t.Fatalf("%d, sent %v: %s", resp.StatusCode, g.sent, body)
	}
	in := g.sent[0]
	if in.Name != "orders-dev" || in.Days != 14 || in.Service != "orders" || in.Version != "1.0.0" || in.Inputs["Size"] != "M" || in.Inputs["Port"] != "9000" || in.Usage["logs_ingested_gb"] != "7" {
		t.Errorf("sent %+v", in)
	}
}

// TestOrderDropsWhatIsNotAsked: another path, or prod, never sends what only the one before it asked.
func TestOrderDropsWhatIsNotAsked(t *testing.T) {
	g := &ground{}
	site := webOrder("blueprint", "site", "empty_buckets", "yes")
	resp, body := g.ask(t, orderer, "/environments/new", site)
	if resp.StatusCode != http.StatusUnprocessableEntity || len(g.sent) != 0 || !strings.Contains(body, "You changed to Site") || strings.Contains(body, `name="Port"`) || !strings.Contains(body, `name="Index"`) {
		t.Errorf("a changed path: %d, sent %d", resp.StatusCode, len(g.sent))
	}
	site.Del("Size")
	site.Del("Port")
	site.Set("shown", "site")
	site.Set("Index", "start.html")
	if resp, body = g.ask(t, orderer, "/environments/new", site); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d: %s", resp.StatusCode, body)
	}
	if in := g.sent[0]; in.Service != "" || in.Image != "" || !in.EmptyBuckets || len(in.Inputs) != 1 || in.Days != 14 {
		t.Errorf("site: %+v", in)
	}
	site.Set("stage", "prod")
	if _, body = g.ask(t, orderer, "/environments/new", site); len(g.sent) != 2 {
		t.Fatal(body)
	}
	if in := g.sent[1]; in.Days != 0 || in.EmptyBuckets {
		t.Errorf("prod: %+v", in)
	}
}

func TestOrderErrorsStandBesideTheirFields(t *testing.T) {
	for name, c := range map[string]struct {
		typed  url.Values
		refuse error
		want   []string
	}{
		"days":   {webOrder("days", "soon"), nil, []string{"Give the days as a whole number.", `value="soon"`, `value="orders-dev"`}},
		"amount": {webOrder("usage-logs_ingested_gb", "lots"), nil, []string{"Use digits.", `value="lots"`}},
		"store":  {webOrder(), models.InvalidFields(map[string]string{"service": "It is gone.", "Port": "Too low."}), []string{"It is gone.", "Too low.", `value="9000"`}},
	} {
		g := &ground{refuse: c.refuse}
		resp, body := g.ask(t, orderer, "/environments/new", c.typed)
		if resp.StatusCode != http.StatusUnprocessableEntity || len(g.sent) != 0 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
		for _, want := range append(c.want, `id="errors"`) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
	}
}

func TestOrderKeepsADraftOnTheWay(t *testing.T) {
	for do, want := range map[string]string{
		"draft":   "/",
		"service": "/tenants/payments/services/new?back=%2Fenvironments%2Fnew%3Fdraft%3Dd1",
		"network": "/tenants/payments/networks/new?back=%2Fenvironments%2Fnew%3Fdraft%3Dd1&class=nonprod&region=eu-west-1",
	} {
		g := &ground{}
		resp, _ := g.ask(t, orderer, "/environments/new", webOrder("do", do, "name", "Half Typed"))
		if got := resp.Header.Get("Location"); got != want || len(g.saved) != 1 || g.saved[0].Fields["name"][0] != "Half Typed" || g.saved[0].Fields["_key"] != nil || g.saved[0].Fields["do"] != nil {
			t.Errorf("%s leads to %s with %v", do, got, g.saved)
		}
	}
	g := &ground{draft: models.SavedForm{ID: "d1", SavedAt: (&models.ShiftedClock{}).Wall(), Fields: map[string][]string{"tenant": {"payments"}, "blueprint": {"web"}, "shown": {"web"}, "name": {"half"}, "Port": {"9001"}, "stage": {"dev"}}}}
	_, body := g.ask(t, orderer, "/environments/new?draft=d1&service=refunds", nil)
	for _, want := range []string{`value="half"`, `value="9001"`, `<option value="refunds" selected>`, `name="_draft" value="d1"`, "Your draft of"} {
		if !strings.Contains(body, want) {
			t.Errorf("the draft came back without %q", want)
		}
	}
}

func TestOrderSaysWhatIsMissing(t *testing.T) {
	g := &ground{}
	for query, want := range map[string]string{
		"?region=eu-central-1": "There is no nonprod network in eu-central-1 yet",
		"?stage=prod":          "The prod network in eu-west-1 is on its way",
		"":                     "refunds, on its way",
	} {
		if _, body := g.ask(t, orderer, "/environments/new"+query, nil); !strings.Contains(body, want) {
			t.Errorf("%q does not say %q", query, want)
		}
	}
	if _, body := g.ask(t, models.Actor{Roles: []models.PlatformRole{models.Auditor}}, "/environments/new", nil); !strings.Contains(body, "owners and developers") {
		t.Errorf("an auditor gets %s", body)
	}
	if _, body := g.ask(t, orderer, "/environments/new?tenant=ledger", nil); !strings.Contains(body, "There is no such tenant.") {
		t.Errorf("another tenant gets %.80s", body)
	}
}

func TestOrderPanelFollows(t *testing.T) {
	g := &ground{verdict: models.Verdict{Demands: []models.Demand{{Role: "owner", Count: 1, Rules: []string{"environment-nonprod"}}}, Outcomes: []models.RuleOutcome{
		{ID: "environment-nonprod", Effect: "require", Matched: true, Message: "An owner decides."}, {ID: "long-life", Effect: "warn", Matched: true, Message: "It is to live long."}, {ID: "other", Effect: "deny"}}}}
	resp, body := g.ask(t, orderer, "/environments/new/panel", webOrder("do", ""), "HX-Request", "true")
	for _, want := range []string{"$42.00", "With one it is $61.00 per month.", "$19.60 over its 14 days", "This makes it 54 %", "An owner of payments must approve", "An owner decides.", "It is to live long.", "1 of 3 rules have nothing to say", "after five runs"} {
		if !strings.Contains(body, want) {
			t.Errorf("the panel does not say %q", want)
		}
	}
	if resp.StatusCode != http.StatusOK || strings.Contains(body, "<form") || len(g.sent) != 0 {
		t.Errorf("the panel is not only a fragment: %d", resp.StatusCode)
	}
	if c := g.facts[0]; len(c.Cost) != 1 || c.Parts[0].Class != models.NonProd || c.Object != "orders-dev" {
		t.Errorf("the rules were asked about %+v", c)
	}
	if _, body = g.ask(t, orderer, "/environments/new/panel", webOrder("Port", "80"), "HX-Request", "true"); !strings.Contains(body, "needs a change: Port.") {
		t.Errorf("a wrong answer: %s", body)
	}
	g.verdict = models.Verdict{Denied: true, Outcomes: []models.RuleOutcome{{ID: "quota", Effect: "deny", Matched: true, Message: "30 are the most."}}}
	if _, body = g.ask(t, orderer, "/environments/new/panel", webOrder(), "HX-Request", "true"); !strings.Contains(body, "Would be refused") || strings.Contains(body, "must approve") {
		t.Error("a denied order does not say so, or says who approves")
	}
	if _, body = g.ask(t, orderer, "/environments/new/panel", webOrder()); !strings.Contains(body, "<form") {
		t.Error("without script the panel comes without its page")
	}
}

func TestOrderChecksTheName(t *testing.T) {
	g := &ground{}
	for name, want := range map[string]string{"taken": "This name is taken in payments.", "Bad Name": "single hyphens", "orders-x": "orders-x.payments-nonprod.apps.example.com"} {
		if _, body := g.ask(t, orderer, "/environments/new/check?field=name", webOrder("name", name), "HX-Request", "true"); !strings.Contains(body, want) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestOrderSentBackIsChanged(t *testing.T) {
	tenant := (&ground{}).tenant()
	g := &ground{page: models.RequestPage{Tenant: &tenant, Request: models.Request{ID: "r7", Number: 7, Kind: models.CreateEnvironment, ObjectType: models.EnvironmentObject, ObjectName: "orders-dev", TenantID: "t1", RequesterID: "p1",
		RequesterName: "Tomasz", State: models.ChangesRequested, Reason: "Smaller.", Inputs: []byte(`{"name":"orders-dev","stage":"dev","region":"eu-west-1","blueprint":"web","service":"orders","days":20,"inputs":{"Size":"M","Port":"9000"}}`)}}}
	_, body := g.ask(t, orderer, "/requests/r7/edit", nil)
	for _, want := range []string{`value="orders-dev"`, `value="9000"`, `value="20"`, "Smaller.", `action="/requests/r7/edit"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	typed := webOrder("Size", "S", "request", "r7")
	typed.Del("tenant")
	resp, body := g.ask(t, orderer, "/requests/r7/edit", typed)
	if resp.StatusCode != http.StatusSeeOther || len(g.edited) != 1 || g.edited[0].Inputs["Size"] != "S" {
		t.Fatalf("%d, %v: %.200s", resp.StatusCode, g.edited, body)
	}
	g.page.Request.State = models.Running
	if _, body = g.ask(t, orderer, "/requests/r7/edit", nil); !strings.Contains(body, "cannot be changed now") {
		t.Errorf("a running request is changed: %.100s", body)
	}
}

// TestManyChangesStandByService: 500 changes stay readable, and nothing that takes something away is folded.
func TestManyChangesStandByService(t *testing.T) {
	p := models.Plan{Content: models.PlanContent{Parts: []models.PlanPart{{Name: "x", Blueprint: "web@1.0.0", Mode: models.StackUpdate}}}}
	for i := range 500 {
		action := models.Add
		if i%50 == 0 {
			action = models.Delete
		} else if i%3 == 0 {
			action = models.Modify
		}
		kind := []string{"AWS::ECS::Service", "AWS::CloudWatch::Alarm", "AWS::IAM::Role"}[i%3]
		p.Content.Parts[0].Changes = append(p.Content.Parts[0].Changes, models.Change{LogicalID: fmt.Sprintf("R%d", i), Type: kind, Action: action})
	}
	p.Notes.Problems = []models.PlanProblem{{LogicalID: "R1", Message: "Too many.", Fatal: true}, {LogicalID: "Gone", Message: "Unknown."}}
	v := planView((&models.ShiftedClock{}).Now(), p, models.RequestPage{})
	part := v.Parts[0]
	n := len(part.Changes)
	for _, f := range part.Folds {
		n += len(f.Changes)
		if slices.ContainsFunc(f.Changes, func(c ui.Change) bool { return c.Action == models.Delete || len(c.Problems) > 0 }) {
			t.Errorf("%s hides what must stand by itself", f.Title)
		}
	}
	if n != 500 || len(part.Changes) != 11 || part.Changes[0].Action != models.Delete || len(v.Problems) != 1 || !strings.Contains(part.Note, "changes the stack") {
		t.Errorf("%d changes, %d by themselves, problems %v, %s", n, len(part.Changes), v.Problems, part.Note)
	}
}

func TestUnknownValuesAreSaidInWords(t *testing.T) {
	for in, want := range map[string]string{"{{changeSet:KNOWN_AFTER_APPLY}}": "(known once it is made)", "a-{{known after apply: Key.Arn}}": "a-(Key.Arn, known once it is made)", "{{other}}": "{{other}}"} {
		if got := *inWords(&in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
	if inWords(nil) != nil {
		t.Error("not set becomes something")
	}
}
