package views

import (
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func objectStories() []story {
	service := Service{Tenant: "payments", Name: "orders", State: models.Ready, Class: models.NonProd, Made: ago(40 * 24 * time.Hour), Repository: repository, Commands: pushes(),
		Stack:    StackFacts{Account: "209355718840", Region: "eu-west-1", Status: "CREATE_COMPLETE", At: ago(3 * time.Hour)},
		Estimate: storyEstimate(), Environments: environmentRows()[:2], OrderURL: urls.With(urls.NewEnvironment, "service", "orders"), Groups: stackResources()[1:2], Resources: 2,
		Actions: []ui.Action{{ID: "delete", Label: "Delete", Why: "It runs in 2 environments. Delete them first."}}, Requests: requestRows()[10:11], Runs: runRows()[3:4]}
	making := Service{Tenant: "payments", Name: "refunds", State: models.Creating, Progress: "Step 1 of 2: Create the repository", RunID: id1, Open: requestRows()[5:6]}
	network := Network{Tenant: "payments", Name: "nonprod-eu-west-1", State: models.Ready, CIDR: "10.64.16.0/20", Version: "1.0.0", Made: ago(40 * 24 * time.Hour), VPC: "vpc-0a1b2c3d4e5f67890", Zones: "eu-west-1a, eu-west-1b",
		Stack:   StackFacts{Account: "209355718840", Region: "eu-west-1", Status: "CREATE_COMPLETE", At: ago(3 * time.Hour)},
		Subnets: []SubnetGroup{{"Public subnets", []string{"subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"}}, {"Private subnets", []string{"subnet-0a1b2c3d4e5f67892", "subnet-0a1b2c3d4e5f67893"}}},
		Zone:    &ZoneFacts{Name: "payments-nonprod.apps.example.com", State: models.Ready, Delegated: ago(40 * 24 * time.Hour), Servers: []string{"ns-1.awsdns-01.org", "ns-2.awsdns-02.com"}}, Estimate: storyEstimate(),
		Environments: environmentRows(), OrderURL: urls.NewEnvironment, Groups: stackResources()[1:], Resources: 3, Actions: []ui.Action{{ID: "update", Label: "Change", Text: "Another size or other answers.", URL: urls.UpdateNetwork("payments", "nonprod-eu-west-1")}, {ID: "delete", Label: "Delete", Why: "6 environments stand on it. Delete them first."}}}
	registered := network
	registered.Registered, registered.Zone, registered.Environments, registered.CIDR = true, &ZoneFacts{Name: "payments-prod.apps.example.com", State: models.Ready}, nil, ""
	broken := network
	broken.State, broken.Failure, broken.RunID, broken.Zone = models.Broken, readyFailure(), id1, nil
	gone := service
	gone.State, gone.Receipt = models.Deleted, &Receipt{At: ago(time.Hour), ScannedIn: []string{"eu-west-1"}}
	wide := network
	wide.Name, wide.CIDR, wide.VPC, wide.Zone, wide.Subnets = long, long, long, &ZoneFacts{Name: long, State: "strange", Servers: []string{long}}, []SubnetGroup{{"Public subnets", []string{long}}}
	return []story{{"service", ServicePage(developer(), service)}, {"service-creating", ServicePage(developer(), making)}, {"service-deleted", ServicePage(admin(), gone)}, {"service-bare", ServicePage(ui.Page{}, Service{})},
		{"network", NetworkPage(developer(), network)}, {"network-registered", NetworkPage(developer(), registered)}, {"network-broken", NetworkPage(admin(), broken)}, {"network-long", NetworkPage(admin(), wide)}, {"network-bare", NetworkPage(ui.Page{}, Network{})}}
}

func poolStories() []story {
	d := Pools{MayAdd: true, Form: PoolForm{CSRF: "token"}, Region: []ui.Option{{Value: "eu-west-1", Label: "eu-west-1"}, {Value: "us-east-1", Label: "us-east-1"}}, Rows: []PoolRow{
		{ID: id1, Region: "eu-west-1", Block: "10.64.0.0/14", Size: 20, Note: "Routed over the transit gateway", Used: 52, Capacity: 64, By: "Mara Lindqvist", At: ago(90 * 24 * time.Hour), Uses: []PoolUse{{"10.64.16.0/20", "payments", "nonprod-eu-west-1", ago(40 * 24 * time.Hour)}}},
		{ID: id2, Region: "us-east-1", Block: "10.80.0.0/16", Size: 20, Capacity: 16, By: "Mara Lindqvist", At: ago(time.Hour)}}}
	bad := d
	bad.Form.Block, bad.Form.Errors, bad.Refused = "10.64.0.0/40", map[string]string{"block": "This is no IPv4 block.", "size": "16 to 24."}, "A network took a block of this pool a moment ago, so it cannot be removed."
	reads := d
	reads.MayAdd = false
	wide := d
	wide.Rows = []PoolRow{{ID: id1, Region: long, Block: long, Note: long, Used: 99999, Capacity: 3, By: long, Uses: []PoolUse{{long, long, long, ago(0)}}}}
	return []story{{"pools", PoolsPage(admin(), d)}, {"pools-refused", PoolsPage(admin(), bad)}, {"pools-auditor", PoolsPage(admin(), reads)}, {"pools-empty", PoolsPage(admin(), Pools{MayAdd: true})}, {"pools-long", PoolsPage(admin(), wide)}}
}

func questions(errors map[string]string) ui.BlueprintFields {
	return ui.BlueprintFields{
		Asked: []ui.Field{{ID: "Size", Name: "Size", Label: "Size", Hint: "How much it can take.", Kind: "pick", Error: errors["Size"], Picks: []ui.Choice{{Value: "S", Label: "Small", Text: "one task, 0.25 vCPU, 0.5 GB", Checked: true}, {Value: "M", Label: "Medium", Text: "two tasks, 0.5 vCPU, 1 GB"}, {Value: "L", Label: "Large", Text: "four tasks, 1 vCPU, 2 GB"}}}},
		Advanced: []ui.Field{{ID: "LogRetentionDays", Name: "LogRetentionDays", Label: "Keep logs", Hint: "How long lines stay. 1 to 365.", Value: "9999", Suffix: "days", Mode: "numeric", Max: 20, Error: errors["LogRetentionDays"]},
			{ID: "Tracing", Name: "Tracing", Label: "Traces", Kind: "select", Value: "true", Options: []ui.Option{{Value: "true", Label: "Yes"}, {Value: "false", Label: "No"}}}, {ID: "HealthPath", Name: "HealthPath", Label: "Health check path", Value: "/healthz", Max: 100, Optional: true}},
		Changed: []string{"Keep logs"},
	}
}

func formStories() []story {
	base := EnvironmentChange{Tenant: "payments", Name: "orders-dev", Stage: models.Dev, Version: "ecs-web-service 1.0.0", Image: repository + "@sha256:" + hash1, Ends: "17 Dec 2026, 09:14 UTC", Status: "UPDATE_COMPLETE", Repository: repository, In: ChangeForm{CSRF: "token", Key: id1}}
	form := func(kind models.RequestKind, change func(*EnvironmentChange)) EnvironmentChange {
		c := base
		c.Kind = kind
		if change != nil {
			change(&c)
		}
		return c
	}
	page := func(name string, f ObjectForm) story { return story{name, ObjectFormPage(developer(), f)} }
	stuck := []StackResource{{LogicalID: "WebAcl", Type: "AWS::WAFv2::WebACL", Reason: "The account has 100 web ACLs, the most it may have."}, {LogicalID: "Service", Type: "AWS::ECS::Service"}}
	service := ServiceChange{Kind: models.DeleteService, Tenant: "payments", Name: "orders", In: ChangeForm{CSRF: "token"}}
	used := service
	used.Users = []ui.Pair{{Label: "payments / orders-dev", Value: urls.Environment("payments", "orders-dev")}}
	network := NetworkChange{Kind: models.CreateNetwork, Tenant: "payments", Classes: []ui.Choice{{Value: "nonprod", Label: "nonprod", Text: "For the stages dev and staging.", Aside: "2093-5571-8840", Checked: true}, {Value: "prod", Label: "prod", Text: "For the stage prod.", Aside: "3007-6619-2254"}},
		Regions: []ui.Option{{Value: "eu-west-1", Label: "eu-west-1"}}, Pools: []ui.Option{{Label: "The region's own"}, {Value: id1, Label: "eu-west-1, 10.64.0.0/14, 12 free"}}, Questions: questions(nil), In: NetworkForm{CSRF: "token"}}
	register := network
	register.Kind, register.Questions, register.In = models.RegisterNetwork, ui.BlueprintFields{}, NetworkForm{VPC: "vpc-1", Public: "subnet-1\nsubnet-1", Errors: map[string]string{"vpc": "Give the id of the VPC, like vpc-0a1b2c3d4e5f67890.", "public": "Name each subnet once.", "class": "Choose nonprod or prod."}}
	update, end := network, network
	update.Kind, update.Name, update.Version = models.UpdateNetwork, "nonprod-eu-west-1", "network 1.0.0"
	end.Kind, end.Name, end.Users = models.DeleteNetwork, "nonprod-eu-west-1", used.Users
	return []story{
		page("form-update", form(models.UpdateEnvironment, func(c *EnvironmentChange) { c.Questions = questions(nil) }).Form()),
		page("form-update-errors", form(models.UpdateEnvironment, func(c *EnvironmentChange) {
			c.Questions = questions(map[string]string{"Size": "Choose one of S, M, L.", "LogRetentionDays": "Enter at most 365 days."})
			c.In.Errors = map[string]string{"": "These values do not go together."}
		}).Form()),
		page("form-upgrade", form(models.UpgradeEnvironment, func(c *EnvironmentChange) {
			c.In.Version, c.Breaking, c.Notes, c.Dropped = "1.1.0", true, "Blue/green instead of rolling.\n\nThe listener is replaced: expect 40 to 90 s without answers.", []string{"Grace period"}
			c.Versions, c.Questions = []VersionLink{{"1.0.1", "?version=1.0.1", false}, {"1.1.0", "?version=1.1.0", true}}, ui.BlueprintFields{Asked: questions(nil).Asked}
		}).Form()),
		page("form-deploy", form(models.DeployEnvironment, func(c *EnvironmentChange) {
			c.In.Image = "orders:latest"
			c.In.Errors = map[string]string{"image": models.ValidImage("orders:latest")}
		}).Form()),
		page("form-extend", form(models.ExtendEnvironment, func(c *EnvironmentChange) { c.In.Days = "30" }).Form()), page("form-wake", form(models.WakeEnvironment, func(c *EnvironmentChange) { c.Stage = models.Production }).Form()),
		page("form-accept", form(models.AcceptDrift, func(c *EnvironmentChange) { c.Drift = driftRows() }).Form()), page("form-recover", form(models.RecoverEnvironment, func(c *EnvironmentChange) { c.Stuck, c.Status = stuck, "UPDATE_ROLLBACK_FAILED" }).Form()),
		page("form-delete", form(models.DeleteEnvironment, func(c *EnvironmentChange) {
			c.Buckets = []string{"slw-payments-env-orders-dev-assets-1x2y"}
			c.In.Errors = map[string]string{"confirm": "This is not its name. Type orders-dev to delete it."}
		}).Form()),
		page("form-delete-again", form(models.DeleteEnvironment, func(c *EnvironmentChange) { c.Stuck, c.Status = stuck, "DELETE_FAILED" }).Form()),
		page("form-blocked", form(models.DeployEnvironment, func(c *EnvironmentChange) { c.Blocked = "It is being changed. Possible once the run has ended." }).Form()),
		page("form-service", ServiceChange{Kind: models.CreateService, Tenant: "payments"}.Form()), page("form-service-delete", service.Form()), page("form-service-used", used.Form()),
		page("form-network", network.Form()), page("form-network-register", register.Form()), page("form-network-update", update.Form()), page("form-network-delete", end.Form()),
		{"fragment-form", ObjectFormContent(service.Form())},
	}
}

func treeStories() []story {
	r := run(models.Running, 2, models.StepRunning)
	r.Title, r.Stacks, r.Accounts, r.Steps = "Change environment payments / orders-dev", true, nil, r.Steps[:3]
	ok := ui.State{Label: "Created", Tone: ui.OK}
	r.Tree = []TreePart{{Name: "Account payments-nonprod, eu-west-1", Steps: []TreeStep{{ID: "tree-2", Title: "Change the stack", State: ui.State{Label: "Creating", Tone: ui.Run}, Open: true, Moved: 2, Resources: []TreeResource{
		{LogicalID: "LoadBalancer", Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", State: ui.State{Label: "Creating", Tone: ui.Run}, Word: "CREATE_IN_PROGRESS", Took: "1 m 26 s"},
		{LogicalID: "Cluster", Type: "AWS::ECS::Cluster", State: ok, Word: "CREATE_COMPLETE", Took: "9.1 s"}, {LogicalID: "LogGroup", Type: "AWS::Logs::LogGroup", State: ok, Word: "CREATE_COMPLETE", Took: "4.0 s"}}}}}}
	failed := r
	failed.State, failed.Failure, failed.MayRetry, failed.MayAbandon = models.Failed, &Failure{What: "The web ACL was refused: the account has no web ACLs left", Cause: "eu-west-1 allows this account 100 web ACLs and 100 are in use. The stack was rolled back.", Next: "Raise the quota, then retry.", Owner: "Platform team", Code: "WAFLimitsExceededException"}, true, true
	root := TreeResource{LogicalID: "WebAcl", Type: "AWS::WAFv2::WebACL", State: ui.State{Label: "Failed", Tone: ui.Fail}, Word: "CREATE_FAILED", Reason: "Your request didn't succeed because your account has 100 web ACLs.", Took: "2.0 s", Root: true}
	failed.Roots = []TreeResource{root}
	failed.Tree = []TreePart{{Name: "Account payments-nonprod, eu-west-1", Steps: []TreeStep{{ID: "tree-2", Title: "Change the stack", State: root.State, Open: true, Moved: 3, Resources: []TreeResource{root,
		{LogicalID: "LoadBalancer", Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", State: ui.State{Label: "Cancelled", Tone: ui.Idle, Icon: ui.IconCircleMinus}, Word: "CREATE_FAILED", Reason: "Resource creation cancelled", Took: "48 s"}, {LogicalID: "Cluster", Type: "AWS::ECS::Cluster", State: ui.State{Label: "Deleted", Tone: ui.Idle, Icon: ui.IconMinus}, Took: "9.1 s"}}}}}}
	done := r
	done.State, done.ObjectURL, done.ObjectName, done.Elapsed = models.Succeeded, urls.Environment("payments", "orders-dev"), "orders-dev", "took 6 m 12 s"
	before := r
	before.Tree = nil
	wide := failed
	wide.Roots, wide.Tree = []TreeResource{{LogicalID: long, Type: long, Reason: long + hostile}}, []TreePart{{Name: long, Steps: []TreeStep{{ID: "t", Title: long, Open: true, State: root.State, Resources: []TreeResource{{LogicalID: long, Type: long, State: ui.State{Label: "A_WORD_AWS_INVENTED_LATER"}, Reason: long, Took: "3 d 4 h"}}}}}}
	return []story{{"run-tree", RunPage(developer(), r)}, {"run-tree-failed", RunPage(admin(), failed)}, {"run-tree-done", RunPage(developer(), done)}, {"run-tree-before", RunPage(developer(), before)}, {"run-tree-long", RunPage(admin(), wide)}}
}
