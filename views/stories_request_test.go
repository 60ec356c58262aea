package views

import (
	"strings"
	"time"

	"slipway/models"
	"slipway/views/ui"
)

func plan() *Plan {
	return &Plan{
		Hash: hash1, Tally: map[models.Action]int{models.Add: 9, models.Modify: 1, models.Exists: 2}, Total: 12, Parts: []PlanPart{
			{ID: "part-1", Name: "Organization", Note: "management account 1111-1111-1111", Changes: []ui.Change{
				{ID: "c-1", Action: models.Add, Name: "Account logistics-nonprod", Type: "AWS account", Note: "An AWS account cannot be taken back at once: a closed one counts for 90 days.", Props: []ui.Prop{{Path: "Email", After: ptr("aws+logistics-nonprod-7@example.com")}, {Path: "Tags.slipway:tenant", After: ptr("logistics")}}},
				{ID: "c-2", Action: models.Modify, Name: "Place in the organization", Type: "MoveAccount", Props: []ui.Prop{{Path: "Parent", Before: ptr("r-demo"), After: ptr("ou-demo-nonprod01")}}},
				{ID: "c-3", Action: models.Exists, Name: "Policies on ou-demo-nonprod01", Type: "inherited"},
				{ID: "c-4", Action: models.Add, Name: "Budget logistics", Type: "AWS Budgets", Props: []ui.Prop{{Path: "BudgetLimit", After: ptr("2500.00 USD")}, {Path: "Notifications", After: ptr("80 %, 100 %")}}},
			}},
			{ID: "part-2", Name: "Account logistics-nonprod", Note: "does not exist yet, eu-west-1, tenant-baseline 1.0.0", Changes: []ui.Change{
				{ID: "c-5", Action: models.Add, Name: "SECURITY contact", Type: "account contact", Props: []ui.Prop{{Path: "EmailAddress", After: ptr("security@example.com")}}},
				{ID: "c-6", Action: models.Add, Name: "EBS encryption by default", Type: "account setting", Props: []ui.Prop{{Path: "eu-west-1", Before: ptr("off"), After: ptr("on")}, {Path: "eu-central-1", Before: ptr("off"), After: ptr("on")}}},
				{ID: "c-7", Action: models.Add, Name: "TrailBucket", Type: "AWS::S3::Bucket"},
				{ID: "c-8", Action: models.Add, Name: "BaselineKey", Type: "AWS::KMS::Key", Open: true, Props: []ui.Prop{{Path: "/Properties/EnableKeyRotation", After: ptr("true")}, {Path: "/Properties/KeyPolicy", After: ptr(`{"Version":"2012-10-17","Statement":[{"Sid":"Owner","Effect":"Allow","Action":"kms:*","Resource":"*"}]}`)}}},
			}},
		},
		Cost:    []CostRow{{Item: "KMS key", Part: "logistics-nonprod", Now: "$0.00", Planned: "$1.00", Delta: "+$1.00", Dir: 1}, {Item: "Config rules, 12", Part: "logistics-nonprod", Now: "$0.00", Planned: "$1.05", Delta: "+$1.05", Dir: 1}, {Item: "Budget", Now: "$0.00", Planned: "$0.00", Delta: "$0.00"}},
		CostNow: "$0.00", CostPlanned: "$2.05", CostDelta: "+$2.05", PriceNote: "eu-west-1 list prices of 20 Nov 2026", NotEstimated: []string{"CloudTrail data events", "log storage"}, BudgetNote: "0.1 % of the budget of $2,500",
	}
}

func request(state models.RequestState) Request {
	return Request{
		ID: id1, Number: "REQ-1847", Title: "Create tenant logistics", State: state, Requester: "Tomasz Reiter", Asked: ago(126 * time.Minute), CSRF: "token", Key: id2,
		Facts: []ui.Fact{{Label: "Tenant", Value: "logistics"}, {Label: "Accounts", Value: "nonprod, prod"}, {Label: "Region", Value: "eu-west-1"}},
		Life:  Life{Asked: "2 h 06 m ago", Planned: "took 4.8 s", Decided: "0 of 1 given", Ran: "usually 14 m", HadPlan: true},
		Plan:  plan(), PlanGood: "good for 21 h 54 m",
		Demands:   []Demand{{Who: "A platform-admin", Note: "you, Jonas Weil or Noor Haddad", State: DemandWaiting}},
		DemandWhy: "One is needed because new accounts are made (rule new-accounts). Tomasz Reiter asked and cannot approve.",
		Rules: []Rule{
			{ID: "new-accounts", Title: "New accounts are seen by an admin", Effect: "require", Message: "wants 1 platform-admin."},
			{ID: "budget-size", Title: "Budget under $2,000", Effect: "warn", Message: "$2,500 is above what new teams usually get."},
			{ID: "cost-centre", Title: "Cost centre is known", Effect: "pass"}, {ID: "groups", Title: "Groups are distinct", Effect: "pass"},
		},
		Effect:     []ui.Pair{{Label: "Monthly", Value: "+$2.05"}, {Label: "Usual time", Value: "14 m, worst 22 m"}, {Label: "Undo", Value: "accounts: no"}, {Label: "Template", Value: "tenant-baseline 1.0.0"}},
		Inputs:     []Input{{Label: "Short name", Value: "logistics", Code: true}, {Label: "Owners", Value: "logistics-owners", Code: true}, {Label: "Developers", Value: "logistics-developers", Code: true, Mark: "nobody with this group has signed in yet"}, {Label: "What it is for"}, {Label: "Monthly budget", Value: "$2,500"}},
		Comments:   []Comment{{Who: "Ines Okafor", Role: "owner of payments", Body: "Do you need prod at once?", When: ago(72 * time.Minute)}, {Who: "Tomasz Reiter", Role: "requester", Body: "Yes, we go live in two weeks.\nThe load test needs its own limits.", When: ago(58 * time.Minute)}},
		MayComment: true,
	}
}

// destroying is a plan of a later issue's kind; the page already has to show it right.
func destroying() Request {
	r := request(models.AwaitingApproval)
	r.Title, r.MayDecide, r.MayReplan = "Update payments / api-prod to web-service 3.3.1", true, true
	r.Plan.Tally, r.Plan.Total = map[models.Action]int{models.Delete: 1, models.Replace: 2, models.Add: 1}, 4
	r.Plan.Parts = []PlanPart{{ID: "part-1", Name: "Account 2093-5571-8840", Note: "eu-west-1, web-service 3.3.1", Changes: []ui.Change{
		{ID: "c-1", Action: models.Delete, Name: "SessionCache", Type: "AWS::ElastiCache::ReplicationGroup", Tag: "data is lost", Open: true, Note: "No snapshot is kept. 2,316 keys were live at 07:08.", Props: []ui.Prop{{Path: "CacheNodeType", Before: ptr("cache.t4g.small")}, {Path: "NumCacheClusters", Before: ptr("2")}}},
		{ID: "c-2", Action: models.Replace, Name: "WriterInstance", Type: "AWS::RDS::DBInstance", Tag: "new before old", Open: true, Note: "The subnet group cannot change in place. Expect 40 to 90 s without writes.", Props: []ui.Prop{{Path: "DBInstanceClass", Before: ptr("db.r6g.large"), After: ptr("db.r7g.xlarge")}}},
		{ID: "c-3", Action: models.Add, Name: "TaskRole", Type: "AWS::IAM::Role", Tag: "widens access", Props: []ui.Prop{{Path: "Policies[2].Action", After: ptr("dynamodb:GetItem, dynamodb:PutItem")}}},
	}}}
	r.Plan.Cost = []CostRow{{Item: "Aurora writer, db.r6g.large to db.r7g.xlarge", Now: "$212.43", Planned: "$403.69", Delta: "+$191.26", Dir: 1}, {Item: "ElastiCache, 2 cache.t4g.small", Now: "$46.72", Planned: "$0.00", Delta: "−$46.72", Dir: -1}}
	r.Plan.CostNow, r.Plan.CostPlanned, r.Plan.CostDelta = "$259.15", "$403.69", "+$144.54"
	r.Plan.Notes = []string{"Prices changed since the first approval; nothing else did, so it stays."}
	r.Reason = "payments / api-prod was changed by REQ-1840 in the meantime, so the plan was made again."
	r.Demands = []Demand{{Who: "An owner of payments", Note: "Ines Okafor", When: ago(54 * time.Minute), State: DemandApproved}, {Who: "A platform-admin", Note: "you, Jonas Weil or Noor Haddad", State: DemandWaiting}, {Who: "A platform-admin", Note: "Noor Haddad", When: ago(4 * time.Hour), State: DemandDropped}}
	return r
}

func requestStories() []story {
	awaiting := request(models.AwaitingApproval)
	awaiting.MayDecide, awaiting.MayReplan = true, true
	awaiting.Plan.Parts[1].Folds = []ui.Fold{{ID: "part-2-stack", Action: models.Add, Title: "13 resources of tenant-baseline@1.0.0", Changes: []ui.Change{{ID: "c-9", Action: models.Add, Name: "AuditLog", Type: "AWS::Logs::LogGroup"}, {ID: "c-10", Action: models.Add, Name: "AlarmTopic", Type: "AWS::SNS::Topic"}}}}
	awaiting.Plan.Parts[1].There = []ui.Change{{ID: "c-11", Action: models.Exists, Name: "slipway-nonprod-guardrails", Type: "Inherited policy"}}
	mine := request(models.AwaitingApproval)
	mine.WhyNot, mine.MayCancel, mine.MayReplan, mine.TenantURL = "You asked for this yourself, so somebody else must decide.", true, true, "/tenants/payments"
	planning := request(models.Planning)
	planning.Plan, planning.Demands, planning.Rules, planning.Effect, planning.Comments, planning.MayCancel = nil, nil, nil, nil, nil, true
	planning.Life = Life{Asked: "just now"}
	planFailed := planning
	planFailed.State, planFailed.MayEdit, planFailed.MayReplan = models.PlanFailed, true, true
	planFailed.Failed = &Failure{What: "Slipway may not list the accounts of the organization", Cause: "The role slipway-org answered AccessDenied for organizations:ListAccounts.", Next: "The platform team updates org.yaml, then plan again.", Owner: "Platform team", Code: "AccessDeniedException", RequestID: "5c1f0a7e-93bd-4d0e"}
	changes := request(models.ChangesRequested)
	changes.Reason, changes.By, changes.MayEdit, changes.MayCancel = "The budget is ten times that of comparable teams.", "Jonas Weil", true, true
	changes.Demands[0] = Demand{Who: "A platform-admin", Note: "Jonas Weil", When: ago(time.Hour), State: DemandChanges}
	rejected := request(models.Rejected)
	rejected.Life.Ended, rejected.Reason, rejected.By, rejected.Demands[0] = "1 h ago", "There is a tenant for this already: ask its owners.", "Jonas Weil", Demand{Who: "A platform-admin", Note: "Jonas Weil", When: ago(time.Hour), State: DemandRejected}
	approved := request(models.Approved)
	approved.MayCancel, approved.Wait = true, &Waiting{Words: "REQ-1840 changes the same tenant and goes first.", Since: ago(3 * time.Minute), Until: at(-time.Hour), URL: "/requests/x"}
	approved.Demands[0] = Demand{Who: "Rule dev-under-50", Note: "no person had to look", State: DemandByRule}
	running := request(models.Running)
	running.RunID, running.RunNote, running.Life = id2, "Step 4 of 11: Wait for access to logistics-nonprod.", Life{Asked: "3 h ago", Planned: "took 4.8 s", Decided: "by Jonas Weil", Ran: "7 m 12 s so far"}
	done := running
	done.State, done.TenantURL, done.RunNote = models.Succeeded, "/tenants/logistics", "It took 12 m 40 s, similar runs take 13 m."
	failed := running
	failed.State, failed.Failed = models.Failed, readyFailure()
	expired, nobody := request(models.Expired), request(models.AwaitingApproval)
	nobody.Demands[0].State, nobody.Demands[0].Note = DemandNobody, "nobody holds this role"
	nobody.Rules = append(nobody.Rules, Rule{ID: "broken", Title: "", Effect: "deny", Error: "no such key: inputs.region"}, Rule{ID: "x", Effect: "odd"})
	return append([]story{
		{"request-awaiting", RequestPage(admin(), awaiting)}, {"request-destroys", RequestPage(admin(), destroying())}, {"request-mine", RequestPage(developer(), mine)},
		{"request-planning", RequestPage(developer(), planning)}, {"request-plan-failed", RequestPage(developer(), planFailed)}, {"request-changes", RequestPage(developer(), changes)},
		{"request-rejected", RequestPage(developer(), rejected)}, {"request-approved", RequestPage(developer(), approved)}, {"request-running", RequestPage(developer(), running)},
		{"request-done", RequestPage(developer(), done)}, {"request-failed", RequestPage(developer(), failed)}, {"request-expired", RequestPage(developer(), expired)},
		{"request-nobody", RequestPage(admin(), nobody)}, {"fragment-request-live", RequestLive(awaiting)},
	}, brokenRequests()...)
}

func readyFailure() *Failure {
	return &Failure{What: "AWS refused to create the account: the organization has no accounts left", Cause: "10 of 10 accounts are in use; closed ones count until AWS has removed them.", Next: "Raise the quota of accounts in the management account, then retry.", Owner: "Platform team", Code: "ACCOUNT_LIMIT_EXCEEDED", RequestID: "5c1f0a7e-93bd-4d0e-8f52-6b1e77c0a914"}
}

func brokenRequests() []story {
	wide := request(models.AwaitingApproval)
	wide.Title, wide.Requester, wide.MayDecide, wide.PlanGood = long, long, true, long
	wide.Plan.Parts[0].Name, wide.Plan.Parts[0].Note, wide.Plan.Parts[0].Changes[0].Name, wide.Plan.Parts[0].Changes[0].Type = long, long, long, long
	wide.Plan.Parts[0].Changes[0].Open = true
	wide.Plan.Parts[0].Changes[0].Props = []ui.Prop{{Path: long, Before: ptr(long), After: ptr(hostile)}, {Path: "Statement", Before: ptr(""), After: ptr(strings.Repeat("line\n", 4))}}
	wide.Plan.Cost[0].Item, wide.Plan.CostPlanned, wide.Comments[0].Body, wide.Comments[0].Who = long, "$123,456,789.00", long+hostile, long
	wide.Inputs[0].Value, wide.Rules[0].Message, wide.Demands[0].Note, wide.Effect[0].Value = long, long, long, long
	list := Requests{Facts: []ui.Fact{{Value: "263 requests"}}, Rows: requestRows(), CSV: "/requests?format=csv", Pager: ui.Pager{Label: "51 to 66 of 263", Prev: "/requests?before=a", Next: "/requests?after=b", ByTime: true}, MayRequest: true,
		Sorts: ui.SortLinks("/requests", nil, "asked", "title", "state", "asked"), Filters: ui.Filters{URL: "/requests", Label: "Filter requests", Fields: []ui.Filter{{Name: "q", Label: "Title or number", Kind: "search"}}}}
	set := ui.Filters{URL: "/approvals", Label: "Filter the queue", Set: true, Fields: []ui.Filter{{Name: "tenant", Label: "Tenant", Kind: "text", Value: "nothing"}}}
	return []story{
		{"request-long", RequestPage(admin(), wide)}, {"request-bare", RequestPage(ui.Page{}, Request{})},
		{"requests", RequestsPage(admin(), list)}, {"requests-empty", RequestsPage(developer(), Requests{MayRequest: true})}, {"requests-none", RequestsPage(developer(), Requests{Filters: set})},
		{"approvals", ApprovalsPage(admin(), Approvals{Rows: queueRows(), ForMe: 3, All: 4, CSV: "/approvals?format=csv", Facts: []ui.Fact{{Value: "1 d 3 h", Text: "is the longest wait"}}, Filters: ui.Filters{URL: "/approvals", Label: "Filter the queue", Fields: []ui.Filter{{Name: "who", Label: "Who decides", Kind: "select", Options: []ui.Option{{Value: "", Label: "Anybody"}, {Value: "me", Label: "Me"}}}, {Name: "tenant", Label: "Tenant", Kind: "text"}}}, Pager: ui.Pager{Label: "1 to 4 of 4"}})},
		{"approvals-empty", ApprovalsPage(admin(), Approvals{})}, {"approvals-none", ApprovalsPage(admin(), Approvals{Filters: set, All: 2})},
	}
}
