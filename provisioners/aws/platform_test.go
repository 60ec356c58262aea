package aws

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// platform has the organization's set-up looked at now.
func (e *estate) platform() models.PlatformHealth {
	e.t.Helper()
	if err := e.store.CheckPlatformNow(e.t.Context(), e.asker); err != nil {
		e.t.Fatal(err)
	}
	e.driveTo("the look at the organization", func() bool {
		return one[int](e, `SELECT count(*) FROM journal WHERE kind = 'rolehealth' AND NOT done`) == 0
	})
	p, err := e.store.Platform(e.t.Context(), e.asker)
	if err != nil {
		e.t.Fatal(err)
	}
	return p
}

func unmetOf(p models.PlatformHealth) []string {
	var ids []string
	for _, i := range p.Items {
		if i.State != models.PrerequisiteMet {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// TestPlatform switches every prerequisite off in turn: it, and nothing else that could be read, is not met, with what to run.
func TestPlatform(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.clients.AnchorBucket = "slipway-audit-222222222222-eu-west-1"
	well := e.platform()
	if bad := unmetOf(well); len(bad) > 0 || len(well.Items) != 15 || len(well.Roles) != 2 || models.WorstHealth(well.Roles) != models.HealthOK {
		t.Fatalf("before: %v of %d\n%+v\n%+v", bad, len(well.Items), well.Items, well.Roles)
	}
	for requirement, want := range map[string]struct {
		ids     []string
		command string
	}{
		"features":         {[]string{"features"}, "enable-all-features"},
		"stacksets-access": {[]string{"stacksets"}, "activate-organizations-access"},
		"sso-access":       {[]string{"identity"}, "enable-aws-service-access --service-principal sso.amazonaws.com"},
		"account-access":   {[]string{"accounts"}, "enable-aws-service-access --service-principal account.amazonaws.com"},
		"delegation":       {[]string{"delegation", "stackset", "instances"}, "register-delegated-administrator --account-id 222222222222"},
		"auto-deployment":  {[]string{"stackset"}, "update-stack-set"},
		"guardrails":       {[]string{"nonprod", "prod"}, "attach-policy"},
		"cost-tags":        {[]string{"cost-tags"}, "TagKey=slipway:tenant,Status=Active"},
		"object-lock":      {[]string{"anchor"}, ""},
	} {
		e.w.deed(http.MethodPut, "requirements", map[string]any{"account": "111111111111", "name": requirement})
		items := e.clients.CheckPlatform(t.Context())
		p := models.PlatformHealth{Items: items}
		if got := unmetOf(p); !slices.Equal(got, want.ids) {
			t.Errorf("without %s: %v are not met, want %v", requirement, got, want.ids)
		} else if i := slices.IndexFunc(items, func(i models.Prerequisite) bool { return i.ID == want.ids[0] }); !strings.Contains(strings.Join(items[i].Commands, "\n"), want.command) || items[i].Next == "" {
			t.Errorf("without %s: %+v", requirement, items[i])
		}
		e.w.deed(http.MethodPut, "requirements", map[string]any{"account": "111111111111", "name": requirement, "on": true})
	}
}

// TestPlatformUnseen: what may not be read is said of that one thing, and what is full or has failed is told with its reason.
func TestPlatformUnseen(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	find := func(id string) models.Prerequisite {
		items := e.clients.CheckPlatform(t.Context())
		return items[slices.IndexFunc(items, func(i models.Prerequisite) bool { return i.ID == id })]
	}
	e.loses("111111111111", orgRole, "ce:ListCostAllocationTags")
	if p := find("cost-tags"); p.State != models.PrerequisiteUnseen || !strings.Contains(p.Next, "ce:ListCostAllocationTags") || !strings.Contains(p.Next, "slipway-org") {
		t.Errorf("without the permission: %+v", p)
	}
	if p := find("features"); p.State != models.PrerequisiteMet {
		t.Errorf("something else: %+v", p)
	}
	e.w.deed(http.MethodPut, "instances", map[string]any{"account": accountID, "value": "the role is there already"})
	if p := find("instances"); p.State != models.PrerequisiteUnmet || len(p.Details) != 1 || !strings.Contains(p.Details[0], accountID) || !strings.Contains(p.Details[0], "the role is there already") || len(p.Commands) != 1 {
		t.Errorf("a failed delivery: %+v", p)
	}
	e.w.fault(map[string]any{"op": "DescribeOrganizationalUnit", "action": "error500"})
	if p := find("prod"); p.State != models.PrerequisiteUnseen || p.Found == "" {
		t.Errorf("AWS does not answer: %+v", p)
	}
	e.w.mend()
	if p := find("quota"); p.State != models.PrerequisiteMet || !strings.Contains(p.Found, "are left") {
		t.Errorf("the quota: %+v", p)
	}
}
