package views

import (
	"fmt"
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func tenantStories() []story {
	filters := ui.Filters{URL: urls.Tenants, Label: "Filter tenants", Fields: []ui.Filter{
		{Name: "q", Label: "Name or group", Kind: "search"},
		{Name: "state", Label: "State", Kind: "select", Options: []ui.Option{{Value: "", Label: "Any"}, {Value: "ready", Label: "Ready"}, {Value: "broken", Label: "Broken"}}},
		{Name: "cc", Label: "Cost centre", Kind: "text"},
	}}
	list := Tenants{Facts: []ui.Fact{{Value: "48 tenants, 71 accounts"}, {Value: "$612.40", Text: "estimated per month"}}, Filters: filters, CSV: "/tenants?format=csv", MayRequest: true,
		Sorts: ui.SortLinks(urls.Tenants, nil, "-estimate", "slug", "state", "cost_centre", "budget", "estimate", "created"), Pager: ui.Pager{Label: "1 to 8 of 48", Next: "/tenants?after=x"}}
	for i, s := range []models.ObjectState{models.Broken, models.Creating, models.Changing, models.Ready, models.Ready, models.Deleting, models.Deleted, "strange"} {
		list.Rows = append(list.Rows, TenantRow{Slug: fmt.Sprintf("team-%c", 'a'+i), Name: "Team " + string(rune('A'+i)), CostCentre: "CC-4100", State: s, Accounts: "2 of 2 active", Budget: "$2,500", Estimate: "$118.24", Share: float64(i * 18), Made: at(time.Duration(i) * 100 * time.Hour)})
	}
	list.Rows[1].Accounts, list.Rows[1].Estimate = "none yet", ""
	list.Rows[4].Slug, list.Rows[4].Name, list.Rows[4].CostCentre = "a-twenty-letter-slug", long, long
	none, nothing := filters, filters
	none.Set, none.Fields[0].Value = true, hostile
	nothing.Fields = nil
	return append([]story{
		{"tenants", TenantsPage(admin(), list)},
		{"tenants-none", TenantsPage(admin(), Tenants{Filters: none, MayRequest: true})},
		{"tenants-empty", TenantsPage(developer(), Tenants{MayRequest: true})},
		{"tenants-empty-viewer", TenantsPage(ui.Page{Name: "viewer"}, Tenants{})},
	}, append(tenantFormStories(), tenantPageStories()...)...)
}

func tenantFormStories() []story {
	blank := NewTenant{Form: TenantForm{CSRF: "token", Key: id1, Classes: []string{"nonprod", "prod"}}, GroupPattern: "^[a-z0-9][a-z0-9-]{1,62}$", UsualTime: "14 m, worst 22 m"}
	bad := blank
	bad.Form = TenantForm{Slug: "Refunds_Service", DisplayName: "Refunds", Description: hostile, OwnerGroup: "refunds-owners", DeveloperGroup: "refunds-owners", CostCentre: "", Budget: "plenty", CSRF: "token", Key: id1,
		Errors: map[string]string{"slug": `Use "refunds-service": only lower case letters, digits and single hyphens are possible in account names and addresses.`, "developer_group": "Each role needs a group of its own, or nobody could tell owners from developers.", "viewer_group": "Name a group of your identity provider.", "cost_centre": "Give the cost centre as finance writes it, for example CC-4100.", "budget": "Give a number, for example 2500.", "classes": "Choose at least one account: nonprod, prod or both."}}
	enrol := blank
	enrol.Form.ProdFrom, enrol.Form.ProdAccount, enrol.Form.NonprodFrom, enrol.Form.NonprodAccount = FromMove, "209355718841", FromStay, "2093"
	enrol.Form.Errors = map[string]string{"nonprod_account": "Give the account's 12 digits, without hyphens."}
	draft := blank
	draft.Form.Slug, draft.Form.DisplayName, draft.Form.Draft = "logistics", "Logistics", id2
	draft.Restored, draft.RestoredWhy = ago(26*time.Hour), "Your session had ended before it was sent"
	edit := blank
	edit.Form.Slug, edit.Form.DisplayName, edit.Form.OwnerGroup, edit.Form.DeveloperGroup, edit.Form.ViewerGroup, edit.Form.CostCentre, edit.Form.Budget = "logistics", "Logistics", "logistics-owners", "logistics-developers", "logistics-viewers", "CC-4400", "25000"
	edit.EditID, edit.EditNumber, edit.EditBy, edit.EditReason = id1, "REQ-1847", "Jonas Weil", "The budget is ten times that of comparable teams. Start with $2,500 and raise it when you need it."
	return []story{{"tenant-new", NewTenantPage(developer(), blank)}, {"tenant-new-errors", NewTenantPage(developer(), bad)}, {"tenant-new-enrol", NewTenantPage(developer(), enrol)}, {"tenant-new-draft", NewTenantPage(developer(), draft)}, {"tenant-edit", NewTenantPage(developer(), edit)},
		{"fragment-tenant-field", TenantField(bad.Form, "slug")}, {"fragment-tenant-field-account", TenantField(enrol.Form, "nonprod_account")}, {"fragment-tenant-field-unknown", TenantField(bad.Form, "nothing")}}
}

func readyTenant() Tenant {
	return Tenant{
		Slug: "payments", Name: "Payments", Description: "Takes card payments and settles them with the banks.", State: models.Ready, CostCentre: "CC-4100", Made: at(9 * 24 * time.Hour), RequestID: id1, RequestNumber: "REQ-1822", RunID: id2,
		Accounts: []AccountCard{
			{Name: "payments-nonprod", Class: models.NonProd, AWSID: "209355718840", Email: "aws+payments-nonprod-1@example.com", State: models.Ready, AWSState: "ACTIVE", AWSStateAt: ago(3 * time.Minute), OU: "ou-demo-nonprod01", Baseline: ago(9 * 24 * time.Hour)},
			{Name: "payments-prod", Class: models.Prod, AWSID: "209355718841", Email: "aws+payments-prod-2@example.com", State: models.Ready, AWSState: "ACTIVE", AWSStateAt: ago(3 * time.Minute), OU: "ou-demo-prod0001", Baseline: ago(9 * 24 * time.Hour)},
		},
		Members: []MemberGroup{
			{Role: models.Owner, Group: "payments-owners", People: []PersonSeen{{Name: "Ines Okafor", Email: "ines@example.com", Seen: ago(54 * time.Minute)}}},
			{Role: models.Developer, Group: "payments-developers", People: []PersonSeen{{Name: "Tomasz Reiter", Email: "tomasz@example.com", Seen: ago(2 * time.Hour)}, {Name: "Li Wen", Seen: ago(3 * 24 * time.Hour)}}, More: 9},
			{Role: models.Viewer, Group: "payments-viewers"},
		},
		Budget: "$2,500", Estimate: "$18.24", Share: 0.7, Left: "$2,481.76 of the budget left", PriceNote: "List prices of 20 Nov 2026, eu-west-1", NotEstimated: []string{"data transfer", "CloudTrail data events"},
		Requests: requestRows()[9:10], Runs: runRows()[3:4], SeesAll: true,
		Activity: []ui.Entry{
			{Icon: ui.IconCircleCheck, Tone: ui.OK, Who: "Slipway", Text: "finished the run of", URL: urls.Run(id2), Word: "REQ-1822", When: ago(9 * 24 * time.Hour)},
			{Icon: ui.IconStamp, Tone: ui.Wait, Who: "Jonas Weil", Text: "approved plan 9f3ca17e", When: ago(9*24*time.Hour + time.Hour)},
			{Icon: ui.IconListChecks, Tone: ui.Idle, Who: "Tomasz Reiter", Text: "asked for it", URL: urls.Request(id1), Word: "REQ-1822", When: ago(9*24*time.Hour + 2*time.Hour)},
		},
	}
}

func tenantPageStories() []story {
	creating := readyTenant()
	creating.State, creating.Progress, creating.Activity, creating.Runs = models.Creating, "Step 4 of 11: Wait for access to payments-nonprod", nil, runRows()[:1]
	creating.Accounts[0] = AccountCard{Name: "payments-nonprod", Class: models.NonProd, AWSID: "209355718840", Email: "aws+payments-nonprod-1@example.com", State: models.Creating, AWSState: "PENDING_ACTIVATION", AWSStateAt: ago(4 * time.Second)}
	creating.Accounts[1] = AccountCard{Name: "payments-prod", Class: models.Prod, Email: "aws+payments-prod-2@example.com", State: models.Creating}
	broken := readyTenant()
	broken.State, broken.CanRetry, broken.Share, broken.Estimate, broken.Left = models.Broken, true, 104.5, "$2,612.30", "$112.30 over the budget"
	broken.Failure = &Failure{What: "AWS refused to create the account: the organization has no accounts left", Cause: "10 of 10 accounts are in use, closed ones count until AWS has removed them.", Next: "Raise the quota L-E619E033 in the management account, then retry.", Owner: "Platform team", Code: "ACCOUNT_LIMIT_EXCEEDED", RequestID: "car-examplecreateaccountrequestid111"}
	broken.Accounts[1].State, broken.Accounts[1].AWSState, broken.Accounts[1].Late = models.Broken, "SUSPENDED", true
	holds := readyTenant()
	holds.Holds = Holds{MayAsk: true, Networks: []NetworkRow{{Name: "nonprod-eu-west-1", State: models.Ready, CIDR: "10.64.16.0/20", Monthly: "$36.50/mo"}, {Name: "prod-eu-west-1", State: models.Creating, Registered: true}}, Services: serviceRows(), ServicesAll: 12,
		Environments: environmentRows(), EnvsAll: 14}
	begins := readyTenant()
	begins.Holds.MayAsk = true
	wide := readyTenant()
	wide.Name, wide.Description, wide.CostCentre = long, long+" "+hostile, long
	wide.Accounts[0].Name, wide.Accounts[0].OU, wide.Accounts[0].AWSState = long, long, "A_WORD_AWS_INVENTED_LATER"
	wide.Members[0].People = append(wide.Members[0].People, PersonSeen{Name: long, Email: long, Seen: ago(0)})
	wide.Members[0].Group = long
	return []story{{"tenant-holds", TenantPage(developer(), holds)}, {"tenant-begins", TenantPage(developer(), begins)}, {"tenant", TenantPage(admin(), readyTenant())}, {"tenant-creating", TenantPage(developer(), creating)}, {"tenant-broken", TenantPage(admin(), broken)}, {"tenant-long", TenantPage(admin(), wide)}, {"tenant-bare", TenantPage(ui.Page{}, Tenant{})}}
}
