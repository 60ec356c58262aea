package views

import (
	"fmt"
	"time"

	"slipway/models"
	"slipway/views/ui"
)

var stepTitles = []string{"Check the plan against AWS", "Create account logistics-nonprod", "Move it to ou-demo-nonprod01", "Wait for access", "Verify inherited policies", "Set contacts", "Set account defaults", "Create the baseline stack", "Create account logistics-prod", "Create the baseline stack", "Create the budget"}

func run(state models.RequestState, at int, last models.StepState) Run {
	r := Run{
		ID: id1, RequestID: id2, RequestNumber: "REQ-1839", Title: "Create tenant logistics", State: state, Attempt: 1, Started: ui.At(now.Add(-7 * time.Minute)), ApprovedBy: "Jonas Weil", PlanHash: hash1,
		Elapsed: "7 m 12 s so far", Usual: "similar runs take 13 m", LogTitle: "Events", CSRF: "token", Ended: at - 1,
		Accounts: []AccountCard{{Name: "logistics-nonprod", Class: models.NonProd, AWSID: "209355718840", State: models.Creating, AWSState: "ACTIVE", AWSStateAt: ago(4 * time.Second)}, {Name: "logistics-prod", Class: models.Prod, State: models.Creating}},
	}
	from := 0.0
	for i, t := range stepTitles {
		row := ui.StepRow{N: i + 1, Title: t, State: models.StepPending}
		switch {
		case i+1 < at:
			row.State, row.From, row.Width, row.Took = models.StepDone, from, 8, "48 s"
			from += 8
		case i+1 == at:
			row.State, row.From, row.Width, row.Took = last, from, 30, "2 m 14 s"
		}
		r.Steps = append(r.Steps, row)
	}
	for i := range 14 {
		l := ui.LogLine{N: i + 31, At: now.Add(time.Duration(i-20) * time.Second), Level: "info", Text: fmt.Sprintf("TrailBucket CREATE_IN_PROGRESS AWS::S3::Bucket %d", i)}
		r.Log = append(r.Log, l)
	}
	r.Log[7].Level, r.Log[7].Text = "warn", "organizations throttled twice, waited 11 s, asked again"
	r.Log[9].Level, r.Log[9].Text = "ok", "Baseline stack: CREATE_COMPLETE in 1 m 26 s"
	r.LogTotal, r.LogAllURL = 118, "/runs/x?log=all"
	return r
}

func runStories() []story {
	going := run(models.Running, 4, models.StepWaiting)
	going.MayStop = true
	going.Steps[2].State, going.Steps[2].Note = models.StepSkipped, "it was there already"
	going.Steps[3].Note = "AWS delivers the roles; asked 9 times, next in 12 s"
	queue := run(models.Running, 2, models.StepWaiting)
	queue.Queue, queue.MayStop, queue.Accounts[0].AWSID = &Queue{Ahead: 2, Slots: 1, Busy: 1}, true, ""
	waits := run(models.Running, 4, models.StepRunning)
	waits.Wait = &Waiting{Words: "The management account does not let slipway-org in. The platform team was told.", Since: ago(9 * time.Minute)}
	failed := run(models.Failed, 2, models.StepFailed)
	failed.Failure, failed.MayRetry, failed.MayAbandon, failed.Elapsed, failed.Attempt = readyFailure(), true, true, "took 48 s", 2
	failed.Log[12].Level, failed.Log[12].Text = "fail", "CreateAccount ended FAILED: ACCOUNT_LIMIT_EXCEEDED (request id 5c1f0a7e-93bd-4d0e-8f52-6b1e77c0a914)"
	later := failed
	later.MayRetry, later.RetryLater, later.State = false, "once undone", models.Undoing
	stopping := run(models.Stopping, 8, models.StepRunning)
	stopped := run(models.Failed, 8, models.StepDone)
	stopped.StopNote, stopped.MayRetry, stopped.MayAbandon = "Ines Okafor stopped it. Steps 9 to 11 remain; logistics-nonprod is complete.", true, true
	done := run(models.Succeeded, 12, models.StepDone)
	done.Elapsed, done.Tenant, done.LogAllURL, done.LogTotal = "took 12 m 40 s", "logistics", "", 14
	swept := done
	swept.Log, swept.LogTotal, swept.LogSwept = nil, 0, "These lines were deleted on 21 Feb 2027: events are kept for 90 days after a run has ended. Its steps, their times and the result stay."
	wide := failed
	wide.Title, wide.ApprovedBy = long, long
	wide.Failure = &Failure{What: long, Cause: long + hostile, Next: long, Owner: long, Code: long, RequestID: long}
	wide.Steps = []ui.StepRow{{N: 1, Title: long, State: "strange", Took: "3 d 4 h", From: -5, Width: 400, Note: long}}
	wide.Log = []ui.LogLine{{N: 1, At: now, Level: "fail", Text: long + hostile}}
	list := Runs{Rows: runRows(), CSV: "/runs?format=csv", Pager: ui.Pager{Label: "1 to 5 of 5"}, Sorts: ui.SortLinks("/runs", nil, "-started", "title", "state", "started"), Filters: ui.Filters{URL: "/runs", Label: "Filter runs", Fields: []ui.Filter{{Name: "q", Label: "Title", Kind: "search"}}}}
	return []story{
		{"run", RunPage(developer(), going)}, {"run-queue", RunPage(developer(), queue)}, {"run-waits", RunPage(developer(), waits)}, {"run-failed", RunPage(admin(), failed)}, {"run-undoing", RunPage(admin(), later)},
		{"run-stopping", RunPage(developer(), stopping)}, {"run-stopped", RunPage(admin(), stopped)}, {"run-done", RunPage(developer(), done)}, {"run-swept", RunPage(developer(), swept)}, {"run-long", RunPage(admin(), wide)}, {"run-bare", RunPage(ui.Page{}, Run{})},
		{"fragment-run-live", RunLive(going)}, {"runs", RunsPage(admin(), list)}, {"runs-empty", RunsPage(developer(), Runs{})}, {"runs-none", RunsPage(developer(), Runs{Filters: ui.Filters{Set: true, URL: "/runs"}})},
	}
}

func adminStories() []story {
	roles := AdminRoles{MayAdd: true, Form: MappingForm{CSRF: "token", Role: "auditor"}, Rows: []MappingRow{
		{ID: id1, Group: "platform-admins", Role: models.PlatformAdmin, FromConfig: true},
		{ID: id2, Group: "cloud-team", Role: models.PlatformAdmin, Last: true, By: "Mara Lindqvist", At: at(90 * 24 * time.Hour)},
		{ID: id1, Group: "auditors", Role: models.Auditor, By: "Mara Lindqvist", At: at(90 * 24 * time.Hour)},
		{ID: id2, Group: "engineers", Role: models.Requester, By: "Mara Lindqvist", At: at(90 * 24 * time.Hour)},
	}}
	bad := roles
	bad.Form.Group, bad.Form.Errors = "no such group!", map[string]string{"group": "Group names match ^[a-z0-9][a-z0-9-]{1,62}$.", "role": "Choose a role."}
	reads := roles
	reads.MayAdd = false
	rules := AdminRules{Source: "/etc/slipway/rules.yaml", Digest: hash1, Loaded: ago(3 * time.Hour), Rows: []RuleRow{
		{ID: "new-accounts", Version: 2, Title: "New accounts are seen by an admin", Effect: "require", Expression: `plan.parts.exists(p, p.changes.exists(c, c.type == "AWS account" && c.action == "add"))`, Message: "New AWS accounts need a platform-admin.", Demand: "1 platform-admin", Checked: 48, Matched: 31, Lately: []RuleVerdict{{Number: "REQ-1847", ID: id1, Title: "Create tenant logistics", When: ago(2 * time.Hour)}}},
		{ID: "over-budget", Version: 1, Title: "Estimate stays under the budget", Effect: "deny", Expression: "plan.monthly > inputs.budget", Message: "The estimate is over the tenant's budget.", Kinds: "tenant.create", Checked: 48, Lately: []RuleVerdict{{Number: "REQ-1801", ID: id2, Title: long, When: ago(200 * time.Hour), Error: "no such key: budget"}}},
	}}
	refused := rules
	refused.Problem, refused.ProblemAt = "rules.yaml:14: undeclared reference to 'plam' (in rule over-budget)", ago(4*time.Minute)
	audit := Audit{Facts: []ui.Fact{{Label: "Sealed to", Value: "10,412"}}, CSV: "/audit?format=csv", Pager: ui.Pager{Label: "1 to 5 of 10,412", Next: "/audit?after=x", ByTime: true}, Filters: ui.Filters{URL: "/audit", Label: "Filter the audit log", Fields: []ui.Filter{
		{Name: "q", Label: "Text", Kind: "search"}, {Name: "actor", Label: "Who", Kind: "text"}, {Name: "action", Label: "What", Kind: "select", Options: []ui.Option{{Value: "", Label: "Anything"}, {Value: "request.approve", Label: "request.approve"}}}, {Name: "tenant", Label: "Tenant", Kind: "text"}, {Name: "from", Label: "From", Kind: "date"}, {Name: "to", Label: "To", Kind: "date"}}}}
	audit.Rows = []AuditRow{
		{ID: "1", At: at(2 * time.Minute), Actor: "Jonas Weil", Role: "platform-admin", Action: "request.approve", Object: "request REQ-1847", ObjectURL: "/requests/x", Tenant: "logistics", RequestID: "5c1f0a7e-93bd", Address: "192.0.2.7", Seq: "10,412", Hash: hash1, Props: []ui.Prop{{Path: "state", Before: ptr("awaiting_approval"), After: ptr("approved")}, {Path: "plan_hash", After: ptr(hash1)}}},
		{ID: "2", At: at(9 * time.Minute), Actor: "outsider", Role: "requester", Action: "access.denied", Denied: true, Object: "tenant payments", RequestID: "77aa", Address: "2001:db8::1"},
		{ID: "3", At: at(11 * time.Minute), Actor: "engine", Role: "system", Action: "run.start", Object: "run of REQ-1847"},
		{ID: "4", At: at(12 * time.Minute), Actor: long, Role: long, Action: long, Object: long, Tenant: long, Props: []ui.Prop{{Path: long, Before: ptr(hostile), After: ptr(long)}}},
	}
	none := audit
	none.Rows, none.Filters.Set, none.Pager = nil, true, ui.Pager{}
	return []story{
		{"admin-roles", AdminRolesPage(admin(), roles)}, {"admin-roles-error", AdminRolesPage(admin(), bad)}, {"admin-roles-auditor", AdminRolesPage(ui.Page{Name: "auditor", SeesAdmin: true, SeesAudit: true}, reads)},
		{"admin-rules", AdminRulesPage(admin(), rules)}, {"admin-rules-refused", AdminRulesPage(admin(), refused)}, {"admin-rules-empty", AdminRulesPage(admin(), AdminRules{Source: "shipped with Slipway"})},
		{"audit", AuditPage(admin(), audit)}, {"audit-none", AuditPage(admin(), none)}, {"audit-empty", AuditPage(admin(), Audit{Filters: audit.Filters})},
	}
}

func bareStories() []story {
	var all []story
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 422, 429, 431, 500, 503, 418, 599} {
		e := ErrorPage{Status: status, RequestID: "5c1f0a7e93bd4d0e", Path: "/tenants/payments"}
		if status == 429 || status == 503 {
			e.RetryIn = "30 s"
		}
		all = append(all, story{fmt.Sprintf("error-%d", status), ErrorBare(ui.Auto, e)})
	}
	return append(all,
		story{"error-409-in", ErrorBare(ui.Light, ErrorPage{Status: 409, SignedIn: true, Path: "/requests/" + id1 + "/reject", Message: "This request is approved, so it cannot become rejected.", RequestID: "5c1f0a7e93bd4d0e"})},
		story{"error-404-in", ErrorBare(ui.Auto, ErrorPage{Status: 404, SignedIn: true, Path: "/requests/nothing", RequestID: long})},
		story{"error-hostile-path", ErrorBare(ui.Dark, ErrorPage{Status: 503, Path: "//evil.example/" + hostile, Message: hostile})},
		story{"fragment-error", ErrorFragment(ErrorPage{Status: 409, RequestID: "5c1f"})},
		story{"sign-in", SignInPage(ui.Auto, SignIn{Provider: "login.example.com", Next: "/tenants/new"})},
		story{"sign-in-refused", SignInPage(ui.Light, SignIn{Problem: "The sign-in took longer than ten minutes, so it no longer counts. Start it again.", Request: "5c1f0a7e93bd4d0e"})},
		story{"signed-out", SignedOutPage(ui.Auto, SignedOut{Provider: "https://login.example.com/end?x=1&y=2"})}, story{"signed-out-plain", SignedOutPage(ui.Dark, SignedOut{})},
		story{"no-role", NoRolePage(NoRole{Name: "nobody", CSRF: "token", Access: []Access{{Group: "platform-admins", Gives: "platform-admin: everything"}, {Group: "engineers", Gives: "requester: may ask for a tenant"}}})},
		story{"no-role-groups", NoRolePage(NoRole{Name: long, CSRF: "token", Groups: []string{"one", hostile, long}})},
		story{"home-flash", HomePage(ui.Page{Name: "Ines", Theme: ui.Light, Flash: []ui.Flash{{Tone: ui.OK, Text: "The draft is kept for 30 days.", Link: "/", Word: "Home"}, {Tone: ui.Fail, Text: "It was approved by somebody else first."}}}, Home{Now: ui.At(now), Tenants: 1, MayDecide: true})},
	)
}
