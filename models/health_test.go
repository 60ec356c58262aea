package models

import (
	"slices"
	"strings"
	"testing"
)

func TestAdditionsJoin(t *testing.T) {
	one := func(action, rest string) ActionCheck {
		return ActionCheck{Action: action, Statement: `{"Effect":"Allow","Action":["` + action + `"],` + rest + `}`}
	}
	r := RoleCheck{Actions: []ActionCheck{one("s3:B", `"Resource":["x"]`), one("s3:A", `"Resource":["x"]`), one("s3:C", `"Resource":["y"]`), {Action: "s3:D", Granted: true},
		{Action: "s3:E", Denied: "a service control policy", Statement: `{"Effect":"Allow"}`}}}
	got := r.Additions()
	if len(got) != 2 || !slices.Equal(got[0].Actions, []string{"s3:A", "s3:B"}) || !strings.Contains(got[0].Statement, `"s3:B"`) || !slices.Equal(got[1].Actions, []string{"s3:C"}) {
		t.Errorf("%+v", got)
	}
}

func TestHealthState(t *testing.T) {
	lost := RoleCheck{Actions: []ActionCheck{{Action: "a:B"}}}
	for name, tc := range map[string]struct {
		roles []RoleCheck
		want  HealthState
	}{
		"nothing was seen":             {nil, HealthUnseen},
		"all granted":                  {[]RoleCheck{{Actions: []ActionCheck{{Granted: true}}}}, HealthOK},
		"a difference":                 {[]RoleCheck{{}, {Differences: []RoleDifference{{Place: "x"}}}}, HealthDiffers},
		"something missing":            {[]RoleCheck{lost, {Differences: []RoleDifference{{Place: "x"}}}}, HealthMissing},
		"a role that cannot be seen":   {[]RoleCheck{lost, {Unseen: &HealthUnseenWhy{}}}, HealthUnseen},
		"a part that cannot be seen":   {[]RoleCheck{{Blind: []string{"x"}}}, HealthUnseen},
		"missing says more than blind": {[]RoleCheck{{Blind: []string{"x"}, Actions: []ActionCheck{{Action: "a:B"}}}}, HealthMissing},
	} {
		if got := WorstHealth(tc.roles); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
