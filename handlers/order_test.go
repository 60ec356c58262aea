package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"slipway/models"
	"slipway/views/ui"
)

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
