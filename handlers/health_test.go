package handlers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"slipway/models"
	"slipway/views"
)

// TestHealthPage shows each lost permission by its name, with what it is needed for and the statement to add.
func TestHealthPage(t *testing.T) {
	tenant, account := models.Tenant{ID: "t", Slug: "payments"}, models.Account{Class: models.NonProd, AWSID: "600000000001", State: models.Ready, ByHand: true}
	for n := range 5 {
		action := fmt.Sprintf("s3:Lost%d", n)
		h := models.RoleHealth{State: models.HealthMissing, At: testNow, By: models.NightlyHealth, Roles: []models.RoleCheck{{Role: "slipway-deploy", ARN: "arn", Actions: []models.ActionCheck{
			{Action: "s3:Kept", Granted: true}, {Action: action, Needed: "empty a bucket", Statement: `{"Effect":"Allow","Action":["` + action + `"],"Resource":["arn:aws:s3:::slw-*"]}`}}}}}
		html := healthHTML(t, HealthView(testNow, models.Actor{Memberships: []models.Membership{{TenantID: "t", Role: models.Owner}}}, tenant, account, h, "token"))
		for _, want := range []string{`data-missing="` + action + `"`, "needed to empty a bucket", "arn:aws:s3:::slw-*", "1 permission is missing", "slipway-spoke-manual", `action="/tenants/payments/accounts/nonprod/check"`} {
			if !strings.Contains(html, want) {
				t.Errorf("%s is lost: the page does not say %q", action, want)
			}
		}
		if strings.Contains(html, `data-missing="s3:Kept"`) {
			t.Errorf("%s is lost: another is named, too", action)
		}
	}
	for name, who := range map[string]models.Actor{"a developer": developerOf("t"), "an auditor": {Roles: []models.PlatformRole{models.Auditor}}} {
		if d := HealthView(testNow, who, tenant, account, models.RoleHealth{}, ""); d.CheckURL != "" {
			t.Errorf("%s may check", name)
		}
	}
}

func healthHTML(t *testing.T, d views.AccountHealth) string {
	t.Helper()
	var b bytes.Buffer
	if err := views.AccountHealthOf(d).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHealthOf leads from a run that misses a permission to the account that it misses it in.
func TestHealthOf(t *testing.T) {
	tenant := &models.Tenant{Slug: "payments", Accounts: []models.Account{{Class: models.Prod, AWSID: "600000000002"}, {Class: models.NonProd, AWSID: "600000000001"}}}
	for words, want := range map[string]string{"Slipway may not do s3:GetObject in account 600000000001.": "/tenants/payments/accounts/nonprod#health", "in account 111111111111": ""} {
		if got := healthOf(tenant, &models.WaitingOn{For: "a permission", Words: words}); got != want {
			t.Errorf("%s leads to %q, want %q", words, got, want)
		}
	}
	if got := healthOf(tenant, &models.WaitingOn{For: "AWS", Words: "600000000001"}); got != "" {
		t.Errorf("AWS at work leads to %q", got)
	}
}
