package views

import (
	"time"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views/ui"
)

func order() Order {
	size := ui.Field{ID: "Size", Name: "Size", Label: "Size", Hint: "How much a task has, and between how many tasks the service scales. Dev and staging get less than prod.", Kind: "pick", Value: "S",
		Picks: []ui.Choice{{Value: "S", Label: "Small", Text: "a quarter of a processor, half of one in prod; up to 4 tasks", Checked: true}, {Value: "M", Label: "Medium", Text: "half a processor, one in prod; up to 8 tasks"},
			{Value: "L", Label: "Large", Text: "one processor, two in prod; up to 20 tasks"}}}
	e := estimated()
	return Order{
		Form:    OrderForm{Tenant: "payments", Blueprint: "ecs-web-service", Stage: "dev", Region: "eu-west-1", Name: "orders-dev", Service: "orders", Days: "30", CSRF: "token", Key: id1},
		Tenants: []ui.Option{{Value: "payments", Label: "payments, Payments"}, {Value: "ledger", Label: "ledger"}},
		Paths: []OrderPath{
			{Name: "ecs-web-service", Title: "Web service", Version: "1.1.0", Text: "A container that answers HTTPS on a name of its own, behind a load balancer and a firewall, scaled by load.", From: "$58.42/mo", Chosen: true},
			{Name: "scheduled-job", Title: "Scheduled job", Version: "1.0.0", Text: "A container that runs by a schedule and ends.", From: "$4.10/mo"},
			{Name: "static-site", Title: "Static site", Version: "1.0.0", Text: "Files behind a CDN.", From: "$1.20/mo"},
		},
		Stages:  []ui.Option{{Value: "dev", Label: "dev, account 2093-5571-8840"}, {Value: "staging", Label: "staging, account 2093-5571-8840"}, {Value: "prod", Label: "prod, account 2093-5571-8841"}},
		Regions: []ui.Option{{Value: "eu-west-1", Label: "eu-west-1"}, {Value: "eu-central-1", Label: "eu-central-1"}},
		Network: &OrderNetwork{Class: "nonprod", Region: "eu-west-1", Ready: true}, Asks: OrderAsks{Image: true, Days: true, Buckets: true},
		Services: []ui.Option{{Label: "Choose"}, {Value: "orders", Label: "orders"}, {Value: "refunds", Label: "refunds, on its way: the order waits for it"}},
		Questions: ui.BlueprintFields{Asked: []ui.Field{size, {ID: "Port", Name: "Port", Label: "Port", Hint: "The port your container listens on. 1024 to 65535.", Value: "8080", Mode: "numeric"}},
			Advanced: []ui.Field{{ID: "CpuTarget", Name: "CpuTarget", Label: "Scale at processor load", Hint: "20 to 90.", Value: "60", Suffix: "percent", Mode: "numeric"}}},
		Usage: ui.UsageFields("usage-", e.Uses, nil, nil), Host: "orders-dev.payments-nonprod.apps.example.com", Max: 365, Panel: orderPanel(),
	}
}

func orderPanel() OrderPanel {
	return OrderPanel{
		Estimate: ui.EstimateFrom(estimated(), ui.EstimateOptions{ID: "estimate", Assumed: "Size S", Folded: true}), Over: "$58.42 over its 30 days.",
		Running: "No task runs before a first image. With one it is $81.30 per month.",
		Share:   &OrderShare{Bar: ui.Bar{Label: "Budget of payments: 62 percent before, 64 percent after", Segs: []ui.Seg{{Width: 62, Tone: "1"}, {From: 62, Width: 2, Tone: "1", Planned: true}}}, Words: "The environments of payments are estimated at $1,550.00 of $2,500 a month. This makes it 64 %."},
		Rules:   []OrderRule{{State: ui.State{Label: "An owner of payments must approve", Tone: ui.Wait}, Text: "An owner of the tenant decides about its dev and staging environments. Not you: who asks does not approve.", IDs: []string{"environment-nonprod"}}, {State: ui.State{Label: "Warns", Tone: ui.Warn}, Text: "It is to live for 120 days.", IDs: []string{"long-life"}}},
		Passed:  "14 of 16 rules have nothing to say. They are asked again with the plan.", Usual: "After the approval usually 6 m 40 s, 11 m at worst.",
	}
}

func orderStories() []story {
	full, missing, coming, wrong, edit, wide := order(), order(), order(), order(), order(), order()
	none := Order{Panel: OrderPanel{Waits: "There is nothing to estimate yet."}, Form: OrderForm{CSRF: "token", Key: id1}}
	missing.Network, missing.Services, missing.Host = &OrderNetwork{Class: "nonprod", Region: "eu-west-1"}, missing.Services[:1], ""
	missing.Form.Service, missing.Form.Name = "", ""
	missing.Paths[0].Why = "It needs HTTPS, and so a name of its own. The platform team has not configured a base domain."
	missing.Paths[0].Chosen, missing.Paths[1].Chosen = false, true
	coming.Network = &OrderNetwork{Class: "nonprod", Region: "eu-west-1", RequestURL: "/requests/" + id2}
	coming.Restored, coming.RestoredWhy = ago(3*time.Hour), "Your session had ended"
	wrong.Form.Errors = map[string]string{"name": "Use 2 to 20 lower case letters, digits and single hyphens, starting with a letter.", "days": "Give 1 to 365 days. Before the end you are warned and can extend it.", "blueprint": "You changed to Web service. Its questions are below now; look them over and send again."}
	wrong.Form.Name, wrong.Form.Days, wrong.Host, wrong.Form.Service = "Orders_Dev", "9000", "", ""
	wrong.Form.Errors["service"] = "Choose the service that runs here, or make a new one."
	wrong.Questions.Advanced[0].Error, wrong.Panel = "Enter at most 90 percent.", OrderPanel{Waits: "No estimate while an answer needs a change: Scale at processor load."}
	edit.Form.Request, edit.EditNumber, edit.EditReason, edit.EditBy, edit.NameFixed = id2, "REQ-1851", "Take one task only, please look at the budget.", "Ines Okafor", true
	wide.Form.Name, wide.Form.Errors = long, map[string]string{"name": hostile, "": hostile + long}
	wide.Tenants[0].Label, wide.Paths[0].Title, wide.Paths[0].Text, wide.Paths[1].Why, wide.Host = long, long, hostile, long, ""
	wide.Panel.Rules[0].Text, wide.Panel.Rules[0].IDs, wide.Panel.Share.Words = hostile+long, []string{"a", "b"}, long
	return []story{
		{"order", OrderPage(developer(), full)}, {"order-empty", OrderPage(developer(), none)}, {"order-no-network", OrderPage(developer(), missing)}, {"order-network-coming", OrderPage(developer(), coming)},
		{"order-errors", OrderPage(developer(), wrong)}, {"order-edit", OrderPage(developer(), edit)}, {"order-long", OrderPage(developer(), wide)}, {"fragment-order", OrderContent(full)},
		{"fragment-order-panel", OrderPanelOf(orderPanel())}, {"fragment-order-panel-denied", OrderPanelOf(OrderPanel{Waits: "Choose a golden path to see what it costs.", Rules: []OrderRule{{State: ui.State{Label: "Would be refused", Tone: ui.Fail}, Text: "payments has 30 environments already.", IDs: []string{"quota-environments"}}}})},
		{"fragment-order-name", OrderField(OrderForm{Name: "orders-dev"}, "orders-dev.payments-nonprod.apps.example.com")},
	}
}

func blueprintCardStory() BlueprintCard {
	return BlueprintCard{Name: "ecs-web-service", Title: "Web service", Icon: ui.IconGlobe, Text: "A container that answers HTTPS on a name of its own, behind a load balancer and a firewall, scaled by load. One task in dev, several over the zones in prod; logs, traces, alarms and a dashboard come with it.",
		State: BlueprintState(blueprint.Offered), Version: "1.1.0", Versions: 2, Stages: []string{"dev", "staging", "prod"}, From: "$58.42"}
}

func blueprintStory() Blueprint {
	e := ui.EstimateFrom(estimated(), ui.EstimateOptions{ID: "estimate", Assumed: "Size S"})
	cell := func(size, amount string, chosen bool) CostCell {
		return CostCell{Size: size, Amount: amount, URL: "/blueprints/ecs-web-service?size=" + size + "&stage=dev#cost", Chosen: chosen}
	}
	guard := CheckRow{ID: "check-2", Tool: "cfn-guard", Version: "3.1.2", State: CheckState(blueprint.CheckPassed), Accepted: []ProblemRow{{Place: "CT.ELASTICLOADBALANCING.PR.2", Text: "Access logs need a bucket with SSE-S3; AWS takes no key of ours there."}}}
	return Blueprint{
		BlueprintCard: blueprintCardStory(), Kind: blueprint.KindEnvironment, Needs: []string{"network", "zone", "service"}, OrderURL: "/environments/new?blueprint=ecs-web-service", BuiltN: 5, Uses: 2,
		Built: []BuiltGroup{{ID: "svc-ecs", Service: "ECS", Resources: []Built{{ID: "Cluster", Type: "AWS::ECS::Cluster"}, {ID: "Service", Type: "AWS::ECS::Service", Condition: "HasImage"}, {ID: "TaskDefinition", Type: "AWS::ECS::TaskDefinition"}, {ID: "Extra", Type: "AWS::ECS::TaskSet"}}},
			{ID: "svc-wafv2", Service: "WAF", Resources: []Built{{ID: "Firewall", Type: "AWS::WAFv2::WebACL"}}}},
		Gates:    []GateRow{{Gate: "Encryption in transit", How: "HTTPS only, TLS 1.2 and 1.3.", Met: true}, {Gate: "Alerting", How: "CloudFront's metrics are in us-east-1 only."}},
		Controls: []ControlRow{{ID: "ELB.1", Title: "HTTP is redirected to HTTPS", Resource: "PlainListener"}, {ID: "CloudWatch.16", Title: "Log groups keep their logs for a set time", Resource: "LogGroup"}},
		Cost: BlueprintCost{Version: "ecs-web-service@1.1.0", Region: "us-east-1", Sizes: []string{"S", "M", "L"}, Chosen: "dev, size S", Estimate: &e, Rows: []CostByStage{
			{Label: "dev", Cells: []CostCell{cell("S", "$58.42", true), cell("M", "$120.10", false), cell("L", "$402.90", false)}}, {Label: "prod", Cells: []CostCell{cell("S", "$98.00", false), cell("M", "", false), cell("L", "$802.90", false)}}}},
		Releases: []BlueprintVersion{
			{Version: "1.1.0", State: BlueprintState(blueprint.Offered), Origin: "shipped with Slipway", Digest: hash1, Seen: ago(30 * time.Hour), From: []string{"1.0.0"}, Breaking: true, Notes: "The load balancer is replaced.\nExpect a minute without answers.", Open: true,
				Checks: []CheckRow{{ID: "check-1", Tool: "slipway", Version: "1.0.0", State: CheckState(blueprint.CheckPassed)}, guard, {ID: "check-3", Tool: "cfn-lint", State: CheckState(blueprint.CheckNotRun)}},
				Uses:   []EnvironmentRow{{Tenant: "payments", Name: "orders-dev", Stage: models.Dev, State: ui.State{Label: "Ready", Tone: ui.OK}}, {Tenant: "payments", Name: "orders", Stage: models.Production, State: ui.State{Label: "Being changed", Tone: ui.Run}}}},
			{Version: "1.0.0", State: BlueprintState(blueprint.Refused), Reason: "Its folder was refused; the problems say why.", Origin: "the platform team's directory", Problems: []ProblemRow{{Place: "template.yaml:214", Rule: "unknown-type", Text: "AWS::ECS::Servise is no resource type.", Fatal: true}, {Place: "meta.yaml:9", Rule: "given", Text: "Nothing gives the parameter Kind."}}},
		},
	}
}

func blueprintStories() []story {
	list := Blueprints{MayOrder: true, Groups: []BlueprintGroup{
		{ID: "kind-environment", Title: "Environments", Text: "What teams order for their workloads.", Cards: []BlueprintCard{blueprintCardStory(),
			{Name: "scheduled-job", Title: "Scheduled job", Icon: ui.IconCalendar, Text: "A container that runs by a schedule and ends.", State: BlueprintState(blueprint.Deprecated), Version: "1.0.0", Versions: 1, Stages: []string{"dev", "prod"}},
			{Name: "static-site", Title: "Static site", Icon: ui.IconPanels, Text: "Files behind a CDN.", State: BlueprintState(blueprint.Offered), Version: "1.0.0", Versions: 1, Stages: []string{"dev", "staging", "prod"}, From: "$1.20", Why: "It needs HTTPS, and so a name of its own."}}},
		{ID: "kind-refused", Title: "Could not be read", Text: "Folders that were refused. They replace nothing.", Cards: []BlueprintCard{{Name: long, Icon: ui.IconLayers, State: BlueprintState(blueprint.Refused), Version: hostile, Versions: 1}}},
	}}
	odd := blueprintStory()
	odd.Title, odd.Text, odd.Why, odd.OrderURL = long, hostile+long, hostile, ""
	odd.Releases[1].Problems[0] = ProblemRow{Place: long, Rule: hostile, Text: hostile + long, Fatal: true}
	odd.Built[0].Resources[0] = Built{ID: long, Type: long, Condition: long}
	odd.Controls[0], odd.Gates[0].How = ControlRow{ID: long, Title: long, Resource: hostile}, long
	bare := Blueprint{BlueprintCard: BlueprintCard{Name: "broken", State: BlueprintState(blueprint.Refused), Version: "0.0.1"}}
	return []story{
		{"blueprints", BlueprintsPage(developer(), list)}, {"blueprints-empty", BlueprintsPage(admin(), Blueprints{})}, {"blueprint", BlueprintPage(developer(), blueprintStory())},
		{"blueprint-long", BlueprintPage(admin(), odd)}, {"blueprint-bare", BlueprintPage(admin(), bare)},
	}
}
