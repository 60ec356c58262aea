package views

import (
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func storyLoss() *Loss {
	return &Loss{Title: "What goes with payments, for good", Text: "As Slipway knows it now. The plan lists it once more, resource by resource.",
		Lists: []LossList{
			{Label: "Environments", Items: []LossItem{{"orders-dev", "dev, with its data", urls.Environment("payments", "orders-dev")}, {"orders-prod", "prod, with its data", urls.Environment("payments", "orders-prod")}}, More: 12, URL: urls.With(urls.Environments, "tenant", "payments")},
			{Label: "Services", Items: []LossItem{{"orders", "with its repository", urls.Service("payments", "orders")}}},
			{Label: "Networks"},
			{Label: "AWS accounts", Items: []LossItem{{"payments-nonprod, 2093-5571-8840", "nonprod", ""}, {"payments-prod, 2093-5571-8841", "prod, enrolled", ""}}}},
		Words: []string{"What is deleted is not brought back: data in databases and buckets, images, addresses and host names.", "The accounts are closed at AWS, with everything else that is in them. AWS can reinstate one for 90 days; after that it is gone.", "The name payments and the e-mail addresses of its accounts are never used again."}}
}

func tenantLifeStories() []story {
	was := TenantLifeForm{DisplayName: "Payments", Description: "Takes card payments.", CostCentre: "CC-4100", OwnerGroup: "payments-owners", DeveloperGroup: "payments-developers", ViewerGroup: "payments-viewers", Budget: "2500", CSRF: "token", Key: id1}
	life := func(kind models.RequestKind, change func(*TenantLife)) ObjectForm {
		l := TenantLife{Kind: kind, Slug: "payments", Name: "Payments", In: was, Was: was, Groups: "^[a-z0-9][a-z0-9-]{1,62}$"}
		l.Was.Budget = "$2,500"
		if change != nil {
			change(&l)
		}
		return l.Form()
	}
	page := func(name string, f ObjectForm) story { return story{name, ObjectFormPage(developer(), f)} }
	both := []ui.Choice{ClassChoice(models.NonProd, false), ClassChoice(models.Prod, false)}
	hand := models.Account{Class: models.Prod, AWSID: "209355718841", OU: "ou-demo-legacy01", Enrolled: true, ByHand: true}
	return append([]story{
		page("form-tenant-edit", life("", nil)),
		page("form-tenant-edit-errors", life("", func(l *TenantLife) {
			l.In.DisplayName, l.In.Description, l.In.CostCentre = "", long+hostile, "?"
			l.In.Errors = map[string]string{"display_name": "Give the tenant a name people know it by.", "cost_centre": "Give the cost centre as finance writes it, for example CC-4100."}
		})),
		page("form-tenant-change", life(models.ChangeTenant, func(l *TenantLife) { l.Access = true })),
		page("form-tenant-change-draft", life(models.ChangeTenant, func(l *TenantLife) {
			l.In.Draft, l.Restored, l.Expired, l.In.Budget = id2, ago(20*time.Minute), true, "25k"
			l.In.Errors = map[string]string{"budget": "Give the budget as a number, for example 2500."}
		})),
		page("form-tenant-change-asked", life(models.ChangeTenant, func(l *TenantLife) {
			l.EditID, l.EditNumber, l.EditBy, l.EditReason = id1, "REQ-1847", "Jonas Weil", "Ten times the budget is for finance to agree to first. Start with $5,000."
		})),
		page("form-account", life(models.AddAccount, func(l *TenantLife) { l.Classes, l.Access = both, true })),
		page("form-account-enrol", life(models.AddAccount, func(l *TenantLife) {
			l.Classes, l.In.From, l.In.Account = []ui.Choice{ClassChoice(models.Prod, true)}, FromStay, "2093 5571"
			l.Why = map[string]string{"nonprod": "payments has its nonprod account already: 209355718840."}
			l.In.Errors = map[string]string{"account": "Give the account's 12 digits, without hyphens."}
		})),
		page("form-account-asked", life(models.EnrolAccount, func(l *TenantLife) {
			l.Classes, l.In.From, l.In.Account = both, FromMove, "209355718841"
			l.EditID, l.EditNumber, l.EditBy, l.EditReason = id1, "REQ-1847", "Jonas Weil", "Leave it where it is until the migration is over."
		})),
		page("form-account-none", life(models.AddAccount, func(l *TenantLife) {
			l.Blocked = "payments has its nonprod account already: 209355718840. payments has its prod account already: 209355718841."
		})),
		page("form-account-move", life(models.MoveAccount, func(l *TenantLife) { l.Account = hand })),
		page("form-tenant-close", life(models.CloseTenant, func(l *TenantLife) { l.Loss = storyLoss() })),
		page("form-tenant-close-errors", life(models.CloseTenant, func(l *TenantLife) {
			l.Loss = &Loss{Title: "What goes with " + long, Text: long, Lists: []LossList{{Label: "Environments", Items: []LossItem{{long, long + hostile, "/"}}, More: 99999, URL: "/"}}, Words: []string{long}}
			l.In.Confirm, l.In.Reason, l.In.Empty = long, "", true
			l.In.Errors = map[string]string{"confirm": "Type payments to show that you mean this tenant.", "reason": "Say why the tenant ends: its owners and approvers read it.", "images": "Something is wrong."}
		})),
		page("form-tenant-close-blocked", life(models.CloseTenant, func(l *TenantLife) {
			l.Loss, l.Blocked = storyLoss(), "The tenant payments is being closed, so nothing new can be asked for."
		})),
	}, append(tenantEndStories(), undoStories()...)...)
}

func tenantEndStories() []story {
	lives := readyTenant()
	lives.MayEdit = true
	lives.Actions = []ui.Action{{ID: "change", Label: "Change", Text: "Groups and budget. Who gets in changes with the groups.", URL: urls.ChangeTenant("payments")},
		{ID: "account", Label: "Add an account", Why: "It has its nonprod and its prod account already."}, {ID: "close", Label: "Close", Text: "The end of the tenant and of its AWS accounts, with a receipt.", URL: urls.CloseTenant("payments"), Bad: true}}
	lives.Accounts[1].Enrolled, lives.Accounts[1].MoveURL = true, urls.MoveAccount("payments", models.Prod)
	lives.Accounts[0].Health = &AccountHealth{URL: urls.Account("payments", "nonprod"), State: models.HealthOK, Words: "All 48 permissions that Slipway uses are there."}
	lives.Accounts[1].Health = &AccountHealth{URL: urls.Account("payments", "prod"), State: models.HealthMissing, Words: "slipway-env lacks 2 of 31 permissions.", ByHand: true}
	changing := lives
	changing.State, changing.NowRun, changing.Progress, changing.MayEdit = models.Changing, id1, "Step 2 of 6: Save what was changed", false
	closing := readyTenant()
	closing.State, closing.ClosingSince, closing.ClosingID, closing.ClosingNumber, closing.ClosingRun = models.Deleting, ago(9*time.Minute), id1, "REQ-1900", id2
	closing.Accounts[0].State, closing.Accounts[1].State = models.Deleting, models.Deleting
	stuck := closing
	stuck.State, stuck.ClosingSince, stuck.Accounts = models.Broken, ago(40*24*time.Hour), readyTenant().Accounts
	closed := readyTenant()
	closed.State, closed.ClosingID, closed.ClosingNumber, closed.Holds = models.Deleted, id1, "REQ-1900", Holds{}
	for i := range closed.Accounts {
		a := &closed.Accounts[i]
		a.State, a.AWSState, a.Reinstatable = models.Deleted, "SUSPENDED", ui.At(now.Add(60*24*time.Hour))
	}
	closed.Accounts[0].Reinstatable, closed.Accounts[0].Gone, closed.Accounts[0].AWSState = at(3*24*time.Hour), true, "CLOSED"
	closed.Receipt = &Receipt{At: ago(30 * 24 * time.Hour), ScannedIn: []string{"eu-west-1", "us-east-1"}, Gone: []ReceiptLine{{Name: "orders-dev", ID: "arn:aws:cloudformation:eu-west-1:209355718840:stack/slw-payments-orders-dev/1", Type: "AWS::CloudFormation::Stack"}},
		Left: []ReceiptLine{{ID: "arn:aws:s3:::aws-trail-payments", Type: "AWS::S3::Bucket", Why: "Its template keeps it.", Cost: "0.23"}}, Emptied: []string{"bucket slw-payments-env-orders-dev: 12 objects"}, RequestID: id1}
	return []story{{"tenant-life", TenantPage(developer(), lives)}, {"tenant-changing", TenantPage(developer(), changing)}, {"tenant-closing", TenantPage(admin(), closing)}, {"tenant-closing-stuck", TenantPage(admin(), stuck)}, {"tenant-closed", TenantPage(admin(), closed)}}
}

func undoStories() []story {
	waits := run(models.Running, 4, models.StepWaiting)
	waits.Wait = &Waiting{Words: "a person who creates the stack slipway-spoke-manual in account 2093-5571-8841", Since: ago(9 * time.Minute), Until: ui.At(now.Add(72 * time.Hour)), Person: true,
		Link:    ui.Out{URL: "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/quickcreate?templateURL=x&stackName=slipway-spoke-manual", Word: "Create the stack in AWS"},
		Command: []string{"aws cloudformation create-stack --stack-name slipway-spoke-manual \\", "  --template-url https://example.s3.eu-west-1.amazonaws.com/spoke.yaml --capabilities CAPABILITY_NAMED_IAM"}}
	odd := waits
	odd.Wait = &Waiting{Words: long + hostile, Since: ago(time.Hour), Person: true, Link: ui.Out{URL: "http://user:pass@evil.example.com/"}, Command: []string{long}}
	failed := run(models.Failed, 9, models.StepFailed)
	failed.Failure, failed.MayRetry, failed.MayAbandon = readyFailure(), true, true
	failed.Undo = &Undo{RunID: id1, Steps: stepTitles[:8], Stays: []string{"An AWS account that was created stays open. Taking back never closes one."}}
	back := run(models.Undone, 9, models.StepUndone)
	back.StopNote = "What stays: account payments-nonprod stays open: an AWS account can only be closed, and that is the platform team's to do; the name payments stays taken."
	ended := run(models.Succeeded, 12, models.StepDone)
	ended.Kind, ended.Tenant = models.CloseTenant, "payments"
	r := Request{ID: id1, Number: "REQ-1839", Title: "Create tenant storefront", Kind: models.CreateTenant, State: models.Failed, RunID: id2, Failed: readyFailure(), Undo: &Undo{RunID: id2, Stays: failed.Undo.Stays}, CSRF: "token"}
	gone := r
	gone.State, gone.Undo, gone.Failed, gone.Reason = models.Undone, nil, nil, back.StopNote
	return []story{{"run-waits-person", RunPage(developer(), waits)}, {"run-waits-odd", RunPage(developer(), odd)}, {"run-undo", RunPage(admin(), failed)}, {"run-undone", RunPage(admin(), back)}, {"run-closed", RunPage(admin(), ended)},
		{"request-undo", RequestPage(admin(), r)}, {"request-undone", RequestPage(admin(), gone)}}
}
