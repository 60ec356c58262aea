package models

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

func TestValidSlug(t *testing.T) {
	for slug, want := range map[string]string{
		"payments": "", "a1b": "", "a-b": "", "abcdefghijklmnopqrst": "",
		"": "Give the tenant a short name", "new": "reserved", "platform": "reserved", "slipway": "reserved",
		"Payments": `Use "payments"`, "my team": `Use "my-team"`, "a_b_c": `Use "a-b-c"`, "-abc": `Use "abc"`, "abc-": `Use "abc"`, "a--b": "3 to 20",
		"ab": "3 to 20", "abcdefghijklmnopqrstu": "3 to 20", "1abc": "3 to 20", "été": "3 to 20", "abc\n": `Use "abc"`, "../etc": `Use "etc"`, "a\x00b": `Use "a-b"`,
	} {
		got := ValidSlug(slug)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q in it", slug, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	groups := regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,62}$`)
	good := TenantInputs{Slug: "payments", DisplayName: "Payments", OwnerGroup: "p-owners", DeveloperGroup: "p-developers", ViewerGroup: "p-viewers", CostCentre: "CC-4100",
		Budget: decimal.NewFromInt(4000), Classes: Classes()}
	for name, tc := range map[string]struct {
		change func(*TenantInputs)
		fields string
	}{
		"good":               {func(*TenantInputs) {}, ""},
		"one account":        {func(in *TenantInputs) { in.Classes = []Class{Prod} }, ""},
		"cents":              {func(in *TenantInputs) { in.Budget = decimal.RequireFromString("0.01") }, ""},
		"trailing zeros":     {func(in *TenantInputs) { in.Budget = decimal.RequireFromString("10.5000") }, ""},
		"the largest":        {func(in *TenantInputs) { in.Budget = MaxBudget }, ""},
		"lines":              {func(in *TenantInputs) { in.Description = "one\r\ntwo\tthree" }, ""},
		"nothing":            {func(in *TenantInputs) { *in = TenantInputs{} }, "budget classes cost_centre developer_group display_name owner_group slug viewer_group"},
		"blank name":         {func(in *TenantInputs) { in.DisplayName = " \t" }, "display_name"},
		"long name":          {func(in *TenantInputs) { in.DisplayName = strings.Repeat("é", 61) }, "display_name"},
		"name of 60":         {func(in *TenantInputs) { in.DisplayName = strings.Repeat("é", 60) }, ""},
		"control":            {func(in *TenantInputs) { in.DisplayName = "a\x1b[2Jb" }, "display_name"},
		"NUL":                {func(in *TenantInputs) { in.Description = "a\x00b" }, "description"},
		"broken UTF-8":       {func(in *TenantInputs) { in.Description = "a\xffb" }, "description"},
		"long description":   {func(in *TenantInputs) { in.Description = strings.Repeat("x", 501) }, "description"},
		"odd group":          {func(in *TenantInputs) { in.OwnerGroup = "Domain Admins" }, "owner_group"},
		"long group":         {func(in *TenantInputs) { in.ViewerGroup = strings.Repeat("g", 300) }, "viewer_group"},
		"owner=developer":    {func(in *TenantInputs) { in.DeveloperGroup = in.OwnerGroup }, "developer_group"},
		"developer=viewer":   {func(in *TenantInputs) { in.ViewerGroup = in.DeveloperGroup }, "viewer_group"},
		"owner=viewer":       {func(in *TenantInputs) { in.ViewerGroup = in.OwnerGroup }, "viewer_group"},
		"odd cost centre":    {func(in *TenantInputs) { in.CostCentre = "=cmd()" }, "cost_centre"},
		"no budget":          {func(in *TenantInputs) { in.Budget = decimal.Zero }, "budget"},
		"negative":           {func(in *TenantInputs) { in.Budget = decimal.NewFromInt(-1) }, "budget"},
		"too much":           {func(in *TenantInputs) { in.Budget = MaxBudget.Add(decimal.NewFromInt(1)) }, "budget"},
		"mills":              {func(in *TenantInputs) { in.Budget = decimal.RequireFromString("1.001") }, "budget"},
		"huge exponent":      {func(in *TenantInputs) { in.Budget = decimal.New(1, 1<<30) }, "budget"},
		"tiny exponent":      {func(in *TenantInputs) { in.Budget = decimal.New(1, -1<<30) }, "budget"},
		"no account":         {func(in *TenantInputs) { in.Classes = nil }, "classes"},
		"unknown class":      {func(in *TenantInputs) { in.Classes = []Class{"staging"} }, "classes"},
		"a class twice":      {func(in *TenantInputs) { in.Classes = []Class{Prod, Prod} }, "classes"},
		"everything at once": {func(in *TenantInputs) { in.Slug, in.CostCentre, in.Budget = "A", "", decimal.Zero }, "budget cost_centre slug"},
	} {
		in := good
		tc.change(&in)
		var got []string
		for field, message := range Fields(in.Validate(groups)) {
			got = append(got, field)
			if message == "" {
				t.Errorf("%s: %s has no message", name, field)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tc.fields {
			t.Errorf("%s: got %q, want %q", name, strings.Join(got, " "), tc.fields)
		}
	}
}
