package rules

import (
	"testing"

	"slipway/models"
)

// TestAlways: a file that approves everything cannot enrol an account or close a tenant without two admins.
func TestAlways(t *testing.T) {
	set, err := Load([]byte("- {id: all, version: 1, title: T, effect: approve, when: 'true', message: M}\n"))
	if err != nil {
		t.Fatal(err)
	}
	enrols := models.PlanContent{Parts: []models.PlanPart{{Changes: []models.Change{{Type: models.EnrolledAccount, Action: models.Add}}}}}
	for name, tc := range map[string]struct {
		kind    models.RequestKind
		inputs  string
		content models.PlanContent
		people  int
	}{
		"enrolling":              {models.EnrolAccount, `{"class":"nonprod","account":"123456789012"}`, enrols, 2},
		"a tenant that enrols":   {models.CreateTenant, `{"slug":"payments","budget":"10"}`, enrols, 2},
		"a tenant that does not": {models.CreateTenant, `{"slug":"payments","budget":"10"}`, models.PlanContent{}, 0},
		"closing":                {models.CloseTenant, `{"reason":"over"}`, models.PlanContent{}, 2},
		"changing":               {models.ChangeTenant, `{"budget":"10"}`, models.PlanContent{}, 0},
	} {
		v := set.Evaluate(models.RuleFacts{Request: models.Request{Kind: tc.kind, ObjectType: models.TenantObject, Inputs: []byte(tc.inputs)}, Content: tc.content})
		people := 0
		for _, d := range v.Demands {
			if d.Role == string(models.PlatformAdmin) {
				people = d.Count
			}
		}
		if people != tc.people || (tc.people == 0) != (v.ApprovedBy == "all") || v.Denied {
			t.Errorf("%s: %d people, approved by %q, %+v", name, people, v.ApprovedBy, v.Outcomes)
		}
	}
	if _, err := Load([]byte("- {id: slipway-enrol, version: 1, title: T, effect: approve, when: 'true', message: M}\n")); err == nil {
		t.Error("a file may take the id of a built-in rule")
	}
}
