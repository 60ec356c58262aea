package handlers

import (
	"testing"
	"time"

	"slipway/models"
	"slipway/views"
)

func TestAccessOf(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	tenant := models.Tenant{OwnerGroup: "o", DeveloperGroup: "d", ViewerGroup: "d", Accounts: []models.Account{{ID: "a1", Name: "payments-prod", Class: models.Prod, AWSID: "600000000001"},
		{ID: "a2", Name: "payments-nonprod", Class: models.NonProd, State: models.Deleted}}}
	at := func(ago time.Duration, role models.TenantRole, group, set string, state models.AccessState) models.AccountAccess {
		return models.AccountAccess{AccountID: "a1", Role: role, Group: group, PermissionSet: "arn:" + set, SetName: set, State: state, At: now.Add(-ago)}
	}
	seen := []models.AccountAccess{at(time.Minute, models.Owner, "o", "Old", models.AccessRemoved), at(time.Hour, models.Owner, "o", "Owner", models.AccessAssigned),
		at(time.Hour, models.Developer, "d", "Viewer", models.AccessAssigned), at(time.Hour, models.Viewer, "before", "Viewer", models.AccessFailed), at(time.Hour, models.Viewer, "gone", "Viewer", models.AccessRemoved)}
	got := accessOf(now, Portal{Configured: true, URL: "https://portal.example.com/start"}, tenant, seen)
	if len(got.Accounts) != 1 || len(got.Accounts[0].Rows) != 4 {
		t.Fatalf("got %+v", got)
	}
	want := []views.AccessRow{
		{Role: models.Owner, Group: "o", Set: "Owner", State: models.AccessAssigned, URL: "https://portal.example.com/start/#/console?account_id=600000000001&role_name=Owner"},
		{Role: models.Developer, Group: "d", Set: "Viewer", State: models.AccessAssigned, URL: "https://portal.example.com/start/#/console?account_id=600000000001&role_name=Viewer"},
		{Role: models.Viewer, Group: "d", Set: "Viewer", State: models.AccessAssigned, URL: "https://portal.example.com/start/#/console?account_id=600000000001&role_name=Viewer"},
		{Role: models.Viewer, Group: "before", Set: "Viewer", State: models.AccessFailed},
	}
	for i, row := range got.Accounts[0].Rows {
		row.Seen = want[i].Seen
		if row != want[i] {
			t.Errorf("row %d: got %+v, want %+v", i, row, want[i])
		}
	}
	if none := accessOf(now, Portal{}, tenant, seen); none.Configured || len(none.Accounts) != 0 {
		t.Errorf("not configured: %+v", none)
	}
}
