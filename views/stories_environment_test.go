package views

import (
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

const (
	repository = "209355718840.dkr.ecr.eu-west-1.amazonaws.com/slw-payments/orders"
	secretARN  = "arn:aws:secretsmanager:eu-west-1:209355718840:secret:AppSecret-8HqT2x"
)

func act(verb, label, text, why string) ui.Action {
	return ui.Action{ID: verb, Label: label, Text: text, Why: why, URL: urls.ChangeEnvironment("payments", "orders-dev", verb), CSRF: "token", Key: id1}
}

func readyActions() []ui.Action {
	hibernate := act("hibernate", "Hibernate", "No task runs and schedules are off; data stays.", "")
	hibernate.Post, hibernate.Sure = true, "Tasks end and schedules are switched off. What stays goes on costing. You see the plan first."
	end := act("delete", "Delete", "Everything its stack made goes, with a receipt at the end.", "")
	end.Bad = true
	return []ui.Action{act("deploy", "Deploy an image", "One digest, and nothing else.", ""), act("update", "Change", "Other answers: size, retention and what else its blueprint asks.", ""),
		act("upgrade", "Upgrade to 1.1.0", "A newer version of its blueprint, with what is new in it.", ""), act("extend", "Extend", "A later end.", ""), hibernate,
		act("revert", "Revert drift", "", "The last comparison found it as declared."), act("accept", "Accept drift", "", "The last comparison found it as declared."), end}
}

func stackResources() []ResourceGroup {
	ok, at := ui.State{Label: "Created", Tone: ui.OK}, ago(3*24*time.Hour)
	return []ResourceGroup{
		{ID: "res-wafv2", Service: "WAF", State: ui.State{Label: "Failed", Tone: ui.Fail}, Open: true, Resources: []StackResource{{LogicalID: "WebAcl", PhysicalID: "orders-dev|5c1f0a7e-93bd-4d0e-8f52-6b1e77c0a914|REGIONAL", Type: "AWS::WAFv2::WebACL", State: ui.State{Label: "Failed", Tone: ui.Fail}, Word: "UPDATE_FAILED", Reason: "Your request didn't succeed because your account has 100 web ACLs, the most it may have.", At: ago(time.Hour)}}},
		{ID: "res-ecs", Service: "ECS", State: ok, Resources: []StackResource{{LogicalID: "Cluster", PhysicalID: "slw-payments-env-orders-dev-Cluster-4XyZ", Type: "AWS::ECS::Cluster", State: ok, Word: "CREATE_COMPLETE", At: at}, {LogicalID: "Service", PhysicalID: "arn:aws:ecs:eu-west-1:209355718840:service/slw-payments-env-orders-dev-Cluster-4XyZ/Service-77fa", Type: "AWS::ECS::Service", State: ok, Word: "CREATE_COMPLETE", At: at}}},
		{ID: "res-lb", Service: "Load balancing", State: ok, Resources: []StackResource{{LogicalID: "LoadBalancer", PhysicalID: "arn:aws:elasticloadbalancing:eu-west-1:209355718840:loadbalancer/app/slw-orders/50dc6c495c0c9188", Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", State: ok, Word: "CREATE_COMPLETE", At: at}}},
	}
}

func environment() Environment {
	return Environment{
		Tenant: "payments", Name: "orders-dev", Stage: models.Dev, State: models.Ready, Made: ago(40 * 24 * time.Hour),
		Stack: StackFacts{Account: "209355718840", Region: "eu-west-1", Status: "UPDATE_COMPLETE", At: ago(40 * time.Second),
			Console: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/stackinfo?stackId=arn", Word: "The stack in AWS"}},
		Blueprint: "ecs-web-service", Version: "1.0.0", Newest: "1.1.0", MayChange: true, Network: "nonprod-eu-west-1", Service: "orders", Image: repository + "@sha256:" + hash1,
		Expiry:    &Expiry{At: ui.In(now, now.Add(24*24*time.Hour)), ExtendURL: urls.ChangeEnvironment("payments", "orders-dev", "extend")},
		Endpoints: []NamedOut{{Name: "Url", Text: "Where it answers", Out: ui.Out{URL: "https://orders-dev.payments-nonprod.apps.example.com"}}},
		Outputs:   []Output{{"ClusterName", "ECS cluster", "slw-payments-env-orders-dev-Cluster-4XyZ"}, {"LogGroupName", "Where its lines are", "/slipway/payments/orders-dev"}, {"Unnamed", "", "x"}},
		Groups:    stackResources()[1:], Resources: 34,
		Drift:    Drift{State: models.DriftNone, At: ago(7 * time.Hour), By: "nightly", Checked: 31, All: 34, Blind: []string{"AWS::ECS::TaskDefinition", "AWS::WAFv2::WebACLAssociation"}, CheckURL: urls.CheckDrift("payments", "orders-dev")},
		Estimate: storyEstimate(),
		Actions:  readyActions(), Requests: requestRows()[9:11], Runs: runRows()[3:4], CSRF: "token", Key: id1, SeesAll: true,
		Log:      []ui.LogLine{{N: 1, At: now.Add(-3 * time.Hour), Level: "info", Text: "Service UPDATE_COMPLETE in 1 m 26 s"}, {N: 2, At: now.Add(-3 * time.Hour), Level: "ok", Text: "Stack: UPDATE_COMPLETE"}},
		Activity: []ui.Entry{{Icon: ui.IconCircleCheck, Tone: ui.OK, Who: "Slipway", Text: "has the environment ready", When: ago(3 * time.Hour)}, {Icon: ui.IconListChecks, Tone: ui.Idle, Who: "Tomasz Reiter", Text: "asked for", URL: urls.Request(id1), Word: "REQ-1838", When: ago(4 * time.Hour)}},
	}
}

func pushes() []ui.Command {
	return []ui.Command{{Label: "Sign in to the registry, good for 12 hours", Lines: []string{"aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin 209355718840.dkr.ecr.eu-west-1.amazonaws.com"}},
		{Label: "Build and push; the tag is the commit", Lines: []string{"TAG=$(git rev-parse --short HEAD)", "docker build -t " + repository + ":$TAG .", "docker push " + repository + ":$TAG"}}}
}

func driftRows() []DriftRow {
	return []DriftRow{{Resource: "AlbSecurityGroup", Type: "AWS::EC2::SecurityGroup", Path: "/SecurityGroupIngress/1/CidrIp", Declared: "10.24.0.0/16", Found: "10.0.0.0/8", Kind: "NOT_EQUAL"},
		{Resource: "LogGroup", Type: "AWS::Logs::LogGroup", Path: "/RetentionInDays", Declared: "30", Found: "365", Kind: "NOT_EQUAL"},
		{Resource: "LogGroup", Type: "AWS::Logs::LogGroup", Path: "/Tags/3", Found: `{"Key":"owner","Value":"t.reiter"}`, Kind: "ADD"}, {Resource: "HighCpuAlarm", Type: "AWS::CloudWatch::Alarm", Gone: true}}
}

func environmentStories() []story {
	first := environment()
	first.Image, first.Newest, first.Stack.Status = "", "", "CREATE_COMPLETE"
	first.First = &FirstImage{Repository: repository, Service: "orders", ServiceURL: urls.Service("payments", "orders"), Commands: pushes(), DeployURL: urls.ChangeEnvironment("payments", "orders-dev", "deploy")}
	first.Secrets = []Secret{{Name: "AppSecret", Known: true, Console: ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=x", Word: "Fill it in the AWS console"}, Command: ui.Command{Label: "Or here: type the value, then Enter and Ctrl-D", Lines: []string{"aws secretsmanager put-secret-value --region eu-west-1 --secret-id " + secretARN + " --secret-string file:///dev/stdin"}}}, {Name: "ApiKey", Known: true, Filled: true}}
	first.Drift = Drift{CheckURL: urls.CheckDrift("payments", "orders-dev")}
	drifted := environment()
	drifted.Stage, drifted.Expiry = models.Production, nil
	drifted.Drift = Drift{State: models.DriftFound, At: ago(7 * time.Hour), By: "Ines Okafor", Checked: 31, All: 34, Rows: driftRows(), Blind: []string{"AWS::ECS::TaskDefinition"}, Expected: driftRows()[:1],
		RevertURL: urls.ChangeEnvironment("payments", "orders-dev", "revert"), AcceptURL: urls.ChangeEnvironment("payments", "orders-dev", "accept"), CheckURL: urls.CheckDrift("payments", "orders-dev")}
	drifted.Open = requestRows()[3:4]
	let := drifted
	let.Drift.Accepted, let.Drift.AcceptedBy, let.Drift.Reason, let.Drift.AcceptURL = ui.At(now.Add(20*24*time.Hour)), "Ines Okafor", "The audit of November reads the logs of a whole year.", ""
	ends := environment()
	ends.Expiry = &Expiry{At: ui.In(now, now.Add(22*time.Hour)), Soon: true, Empties: true, ExtendURL: urls.ChangeEnvironment("payments", "orders-dev", "extend")}
	ends.Drift = Drift{State: models.DriftChecking, At: ago(4 * time.Second), By: "Ines Okafor"}
	changing := environment()
	changing.State, changing.Progress, changing.RunID, changing.Runs = models.Changing, "Step 2 of 3: Change the stack", id1, runRows()[:1]
	return append([]story{{"environment", EnvironmentPage(admin(), environment())}, {"environment-first-image", EnvironmentPage(developer(), first)}, {"environment-drifted", EnvironmentPage(developer(), drifted)},
		{"environment-accepted", EnvironmentPage(developer(), let)}, {"environment-ends", EnvironmentPage(developer(), ends)}, {"environment-changing", EnvironmentPage(developer(), changing)},
		{"environment-bare", EnvironmentPage(ui.Page{}, Environment{})}, {"fragment-environment", EnvironmentContent(changing)}}, append(brokenStories(), environmentListStories()...)...)
}

func brokenStories() []story {
	rolled := environment()
	rolled.State, rolled.Stack.Status, rolled.Stack.Reason, rolled.Groups, rolled.RunID = models.Broken, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [WebAcl].", stackResources(), id1
	rolled.Failure = &Failure{What: "The web ACL could not be put back: the account has no web ACLs left", Cause: "eu-west-1 allows this account 100 web ACLs and 100 are in use.", Owner: "Platform team", Code: "WAFLimitsExceededException", RequestID: "5c1f0a7e-93bd-4d0e-8f52-6b1e77c0a914"}
	rolled.Actions = append([]ui.Action{act("recover", "Recover", "Goes on with the roll-back that stopped.", "")}, readyActions()...)
	rolled.Actions[1].Why, rolled.Actions[2].Why = "Its roll-back stopped. Recover it first.", "Its roll-back stopped. Recover it first."
	stopped := environment()
	stopped.State, stopped.Stack.Status, stopped.Stack.Reason, stopped.RunID = models.Broken, "DELETE_FAILED", "The following resource(s) failed to delete: [TrailBucket].", id1
	sleeps := environment()
	sleeps.Hibernated, sleeps.Expiry = true, &Expiry{At: ago(2 * 24 * time.Hour), Past: true, Deletes: ui.In(now, now.Add(5*24*time.Hour))}
	sleeps.Actions = append([]ui.Action{act("wake", "Wake", "Tasks start again and schedules are switched on.", "")}, readyActions()[5:]...)
	gone := environment()
	gone.State, gone.Expiry, gone.Actions, gone.Endpoints, gone.Outputs, gone.Newest = models.Deleted, nil, nil, nil, nil, ""
	gone.Receipt = &Receipt{At: ago(2 * time.Hour), ScannedIn: []string{"eu-west-1", "us-east-1"}, CannotSee: []string{"CloudFront functions: no permission cloudfront:ListFunctions"}, Emptied: []string{"bucket slw-payments-env-orders-dev-assets-1x2y: 1,204 objects"}, RequestID: id2,
		Gone: []ReceiptLine{{Name: "Cluster", ID: "slw-payments-env-orders-dev-Cluster-4XyZ", Type: "AWS::ECS::Cluster"}, {Name: "LoadBalancer", ID: "arn:aws:elasticloadbalancing:eu-west-1:209355718840:loadbalancer/app/slw-orders/50dc6c495c0c9188", Type: "AWS::ElasticLoadBalancingV2::LoadBalancer"}},
		Left: []ReceiptLine{{Name: "Key", ID: "arn:aws:kms:eu-west-1:209355718840:key/1234abcd-12ab-34cd-56ef-1234567890ab", Type: "AWS::KMS::Key", Why: "Keys are deleted 30 days after they are asked to be.", Cost: "$1.00/mo"}}}
	clean := gone
	clean.Receipt = &Receipt{At: ago(2 * time.Hour), ScannedIn: []string{"eu-west-1"}, Gone: gone.Receipt.Gone}
	wide := rolled
	wide.Tenant, wide.Name, wide.Blueprint, wide.Network, wide.Service = "a-twenty-letter-slug", long, long, long, long
	wide.Endpoints = []NamedOut{{Name: long, Out: ui.Out{URL: "ftp://example.com/" + long}}, {Name: "Url", Out: ui.Out{URL: "https://" + long + ".example.com"}}}
	wide.Outputs = []Output{{long, long, long + hostile}}
	wide.Drift = Drift{State: models.DriftFailed, Failure: long + hostile, Rows: []DriftRow{{Resource: long, Path: long, Declared: long + hostile, Found: long}}, Checked: 12345, All: 23456, Blind: []string{long}}
	wide.Failure = &Failure{What: long, Cause: long + hostile, Owner: long, Code: long}
	wide.Actions = []ui.Action{{ID: "x", Label: "Change", Text: long}, {ID: "y", Label: "Delete", Why: long}}
	wide.Secrets, wide.SecretsNote = []Secret{{Name: long, Console: ui.Out{URL: "https://example.com", Word: long}, Command: ui.Command{Label: long, Lines: []string{long}}}}, long
	wide.Receipt = &Receipt{Left: []ReceiptLine{{ID: long, Type: long, Why: long, Cost: "words in the place of money"}}, Emptied: []string{long}, CannotSee: []string{long}, ScannedIn: []string{long}}
	return []story{{"environment-roll-back", EnvironmentPage(developer(), rolled)}, {"environment-delete-failed", EnvironmentPage(developer(), stopped)}, {"environment-hibernates", EnvironmentPage(developer(), sleeps)},
		{"environment-deleted", EnvironmentPage(admin(), gone)}, {"environment-deleted-clean", EnvironmentPage(admin(), clean)}, {"environment-long", EnvironmentPage(admin(), wide)}}
}

func environmentRows() []EnvironmentRow {
	row := func(name string, stage models.Stage, s ui.State) EnvironmentRow {
		return EnvironmentRow{Tenant: "payments", Name: name, Stage: stage, State: s, Region: "eu-west-1", Blueprint: "ecs-web-service", Version: "1.0.0", Service: "orders", Monthly: "$61.48", Changed: ago(3 * time.Hour)}
	}
	rows := []EnvironmentRow{row("orders-dev", models.Dev, EnvironmentState(models.Ready, "", false, false)), row("orders-prod", models.Production, EnvironmentState(models.Ready, "", false, false)),
		row("refunds", models.Staging, EnvironmentState(models.Ready, "", false, true)), row("load-test", models.Dev, EnvironmentState(models.Ready, "", true, false)), row("checkout", models.Dev, EnvironmentState(models.Broken, "UPDATE_ROLLBACK_FAILED", false, false)),
		row("nightly", models.Staging, EnvironmentState(models.Changing, "", false, false))}
	rows[0].Ends, rows[0].EndsSoon = ui.In(now, now.Add(22*time.Hour)), true
	rows[1].Drift, rows[1].Newest = "2 drifted", "1.1.0"
	rows[2].Ends = ui.In(now, now.Add(24*24*time.Hour))
	rows[5].Service, rows[5].Monthly, rows[5].Blueprint = "", "", "scheduled-job"
	return rows
}

func environmentListStories() []story {
	keys := []string{"name", "state", "stage", "blueprint", "monthly", "expires", "updated"}
	list := Environments{Facts: []ui.Fact{{Value: "263 environments"}}, Rows: environmentRows(), CSV: "/environments?format=csv", MayAsk: true, Pager: ui.Pager{Label: "6 of 263 environments", Next: "/environments?after=x"},
		Sorts: ui.SortLinks("/environments", nil, "name", keys...), Filters: ui.Filters{URL: "/environments", Label: "Filter environments", Fields: []ui.Filter{{Name: "q", Label: "Name", Kind: "search"}, {Name: "state", Label: "State", Kind: "select", Options: []ui.Option{{Label: "Any"}, {Value: "ready", Label: "Ready"}}}, {Name: "tenant", Label: "Tenant", Kind: "text"}}}}
	wide := list
	wide.Rows = []EnvironmentRow{{Tenant: "a-twenty-letter-slug", Name: long, Stage: "strange", State: ui.State{Label: "strange", Tone: ui.Idle}, Drift: "1,234 drifted", Region: long, Blueprint: long, Version: long, Newest: long, Service: long, Monthly: "$1,234,567.89"}}
	none := Environments{Filters: ui.Filters{Set: true, URL: "/environments"}}
	services := Services{Facts: []ui.Fact{{Value: "2 services"}}, CSV: "/services?format=csv", NewURL: urls.NewService("payments"), Sorts: ui.SortLinks("/services", nil, "name", "name", "state", "environments", "monthly", "updated"), Filters: ui.Filters{URL: "/services", Label: "Filter services"}, Rows: serviceRows()}
	return []story{{"environments", EnvironmentsPage(admin(), list)}, {"environments-long", EnvironmentsPage(admin(), wide)}, {"environments-none", EnvironmentsPage(admin(), none)}, {"environments-empty", EnvironmentsPage(developer(), Environments{MayAsk: true})},
		{"environments-empty-tenant", EnvironmentsPage(developer(), Environments{NewTenant: true})}, {"environments-empty-viewer", EnvironmentsPage(ui.Page{}, Environments{})},
		{"services", ServicesPage(admin(), services)}, {"services-none", ServicesPage(admin(), Services{Filters: ui.Filters{Set: true, URL: "/services"}})}, {"services-empty", ServicesPage(developer(), Services{NewURL: urls.NewService("payments")})}, {"services-empty-viewer", ServicesPage(developer(), Services{})}}
}

func serviceRows() []ServiceRow {
	return []ServiceRow{{Tenant: "payments", Name: "orders", State: models.Ready, Repository: repository, Environments: 3, Monthly: "$1.90", Changed: ago(40 * time.Hour)}, {Tenant: "payments", Name: "refunds", State: models.Creating}}
}

func storyEstimate() *ui.Estimate {
	e := ui.EstimateFrom(estimated(), ui.EstimateOptions{ID: "estimate", Folded: true})
	return &e
}
