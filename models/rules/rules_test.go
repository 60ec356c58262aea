package rules

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

func facts(budget, planned string, classes ...models.Class) models.RuleFacts {
	in := models.TenantInputs{Slug: "logistics", OwnerGroup: "o", DeveloperGroup: "d", ViewerGroup: "v", CostCentre: "CC-1",
		Budget: decimal.RequireFromString(budget), Classes: classes}
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return models.RuleFacts{
		Request: models.Request{Kind: models.CreateTenant, ObjectType: models.TenantObject, ObjectName: "logistics", Inputs: raw},
		Roles:   []models.PlatformRole{models.Requester}, Now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		Content: models.PlanContent{Cost: []models.CostLine{{Planned: decimal.RequireFromString(planned)}},
			Parts: []models.PlanPart{{Name: "Account logistics-prod", Class: models.Prod, Changes: []models.Change{{Type: "AWS account", Action: models.Add}}}}},
	}
}

// file writes rules from "id effect when [role count]" lines.
func file(lines ...string) []byte {
	var b strings.Builder
	for _, l := range lines {
		f := strings.Split(l, "|")
		fmt.Fprintf(&b, "- id: %s\n  version: 1\n  title: T\n  effect: %s\n  when: %q\n  message: M\n", f[0], f[1], f[2])
		if len(f) == 5 {
			fmt.Fprintf(&b, "  require: {role: %s, count: %s}\n", f[3], f[4])
		}
	}
	return []byte(b.String())
}

func TestEvaluateFailsClosed(t *testing.T) {
	admin := func(n int, rules ...string) []models.Demand {
		return []models.Demand{{Role: "platform-admin", Count: n, Rules: rules}}
	}
	for name, tc := range map[string]struct {
		rules    []string
		denied   bool
		demands  []models.Demand
		approved string
	}{
		"nothing matches: one admin":       {rules: []string{"aa|warn|false"}, demands: admin(1)},
		"a warning asks for nobody else":   {rules: []string{"aa|warn|true"}, demands: admin(1)},
		"a rule approves":                  {rules: []string{"aa|approve|true"}, approved: "aa"},
		"the first approving rule counts":  {rules: []string{"aa|approve|false", "bb|approve|true", "cc|approve|true"}, approved: "bb"},
		"a demand beats an approval":       {rules: []string{"aa|approve|true", "bb|require|true|platform-admin|1"}, demands: admin(1, "bb")},
		"deny beats all":                   {rules: []string{"aa|approve|true", "bb|require|true|owner|1", "cc|deny|true"}, denied: true},
		"the highest number per role":      {rules: []string{"aa|require|true|platform-admin|1", "bb|require|true|platform-admin|3", "cc|require|true|platform-admin|2"}, demands: admin(3, "aa", "bb", "cc")},
		"the union of roles":               {rules: []string{"aa|require|true|owner|1", "bb|require|true|platform-admin|2"}, demands: []models.Demand{{Role: "owner", Count: 1, Rules: []string{"aa"}}, {Role: "platform-admin", Count: 2, Rules: []string{"bb"}}}},
		"an evaluation error denies":       {rules: []string{"aa|approve|true", "bb|warn|inputs.nowhere == 1"}, denied: true},
		"an approve that errs denies":      {rules: []string{"aa|approve|inputs.nowhere == 1"}, denied: true},
		"a division by zero denies":        {rules: []string{"aa|warn|1 / size(plan.items.filter(i, false)) == 1"}, denied: true},
		"too costly an expression denies":  {rules: []string{"aa|approve|'" + strings.Repeat("x", 1000) + "'.split('').all(a, '" + strings.Repeat("y", 300) + "'.split('').all(b, '" + strings.Repeat("z", 300) + "'.split('').all(c, !(a == b && b == c))))"}, denied: true},
		"wrong type at run time denies":    {rules: []string{"aa|approve|inputs.slug > 3"}, denied: true},
		"a demand that did not match":      {rules: []string{"aa|require|false|owner|2", "bb|approve|true"}, approved: "bb"},
		"deny with an error elsewhere too": {rules: []string{"aa|deny|true", "bb|warn|inputs.nowhere == 1"}, denied: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Load(file(tc.rules...))
			if err != nil {
				t.Fatal(err)
			}
			v := s.Evaluate(facts("100", "1", models.NonProd))
			if v.Denied != tc.denied || v.ApprovedBy != tc.approved || !reflect.DeepEqual(v.Demands, tc.demands) {
				t.Errorf("got denied=%v approved=%q demands=%+v\noutcomes %+v", v.Denied, v.ApprovedBy, v.Demands, v.Outcomes)
			}
			if len(v.Outcomes) != len(tc.rules) || v.Digest != s.Digest() {
				t.Errorf("outcomes or digest missing: %+v", v)
			}
		})
	}
}

func TestErrorIsShownAsDeny(t *testing.T) {
	s, err := Load(file("aa|approve|inputs.nowhere == 1"))
	if err != nil {
		t.Fatal(err)
	}
	v := s.Evaluate(facts("1", "1"))
	if o := v.Outcomes[0]; o.Effect != Deny || !o.Matched || o.Error == "" || !strings.Contains(o.Message, "could not be evaluated") {
		t.Errorf("got %+v", o)
	}
	if refs := v.Refs(); refs[0].Effect != "deny" {
		t.Errorf("hashed as %+v", refs)
	}
	f := facts("1", "1")
	f.Request.Inputs = []byte(`{"budget":`)
	if v := s.Evaluate(f); !v.Denied {
		t.Error("unreadable inputs do not deny")
	}
}

func TestLoadRefuses(t *testing.T) {
	ok := string(file("aa|warn|true"))
	for name, tc := range map[string]struct {
		src  string
		want []string
	}{
		"not YAML":             {"\t- x", []string{"not YAML"}},
		"empty":                {"", []string{"must be a list"}},
		"a mapping":            {"rules: []", []string{"must be a list"}},
		"no rule":              {"[]", []string{"has 0 rules"}},
		"unknown field":        {ok + "  wen: true\n", []string{`line 7: unknown field "wen"`}},
		"unknown nested field": {ok + "  require: {rolle: owner, count: 1}\n", []string{`unknown field "rolle"`}},
		"field twice":          {ok + "  title: again\n", []string{"field title is there twice"}},
		"id twice":             {ok + ok, []string{"line 7: rule aa is there twice, first in line 1"}},
		"bad effect":           {string(file("aa|block|true")), []string{"effect must be"}},
		"demand without role":  {string(file("aa|require|true")), []string{"require.role", "require.count"}},
		"demand of nobody":     {string(file("aa|require|true|owner|0")), []string{"require.count must be 1 to 10"}},
		"demand of a viewer":   {string(file("aa|require|true|viewer|1")), []string{"require.role"}},
		"warn with a demand":   {string(file("aa|warn|true|owner|1")), []string{"only the effect require"}},
		"two compile errors":   {string(file("aa|warn|tenant.bugdet > 1.0", "bb|warn|true", "cc|warn|nobody == 1")), []string{"line 1: rule aa: when:", "bugdet", "line 13: rule cc: when:", "nobody"}},
		"not a condition":      {string(file("aa|warn|tenant.budget")), []string{"gives double, not bool"}},
		"dynamic condition":    {string(file("aa|warn|inputs.slug")), []string{"gives dyn, not bool"}},
		"too long":             {string(file("aa|warn|" + strings.Repeat("true && ", 400) + "true")), []string{"at most 2000 bytes"}},
		"message expression":   {strings.Replace(ok, "message: M", "message: 'costs ${cost.plannd}'", 1), []string{"message:", "plannd"}},
		"message not closed":   {strings.Replace(ok, "message: M", "message: 'costs ${cost.planned'", 1), []string{"no closing brace"}},
		"alias":                {"- &a {id: aa, version: 1, title: T, effect: warn, when: 'true', message: M}\n- *a\n", []string{"a mapping with"}},
		"too large":            {ok + "#" + strings.Repeat("x", MaxBytes), []string{"more than"}},
		"version missing":      {strings.Replace(ok, "  version: 1\n", "", 1), []string{"version must be"}},
		"version no number":    {strings.Replace(ok, "version: 1", "version: one", 1), []string{"line 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load([]byte(tc.src))
			if err == nil {
				t.Fatal("loaded")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in:\n%v", w, err)
				}
			}
		})
	}
}

func TestShippedRules(t *testing.T) {
	s, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		facts   models.RuleFacts
		groups  []string
		matched string // rule ids, in the file's order
		people  int
		says    string
	}{
		"small":         {facts("500", "12.50", models.NonProd, models.Prod), nil, "tenant-new", 1, "cannot be deleted"},
		"at the limit":  {facts("20000", "12.50", models.NonProd), nil, "tenant-new", 1, ""},
		"large":         {facts("20000.01", "12.50", models.NonProd), nil, "tenant-large-budget tenant-new", 2, "two platform admins"},
		"above ceiling": {facts("1000000", "12.50", models.NonProd), nil, "tenant-budget-ceiling tenant-large-budget tenant-new", 0, "$1000000 a month"},
		"near budget":   {facts("15", "12.50", models.NonProd), nil, "tenant-new estimate-near-budget", 1, "$12.50 a month is above 80 % of the budget of $15"},
		"new group":     {facts("500", "1", models.NonProd), []string{"a", "b"}, "tenant-new group-never-seen", 1, "a, b"},
		"prod only":     {facts("500", "1", models.Prod), nil, "tenant-new tenant-prod-only", 1, "nothing can be tried"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.facts.NewGroups = tc.groups
			v := s.Evaluate(tc.facts)
			var ids, said []string
			for _, o := range v.Outcomes {
				if o.Error != "" {
					t.Errorf("%s: %s", o.ID, o.Error)
				}
				if o.Matched {
					ids, said = append(ids, o.ID), append(said, o.Message)
				}
			}
			people := 0
			for _, d := range v.Demands {
				people += d.Count
			}
			if got := strings.Join(ids, " "); got != tc.matched || people != tc.people {
				t.Errorf("matched %q, %d people; want %q, %d", got, people, tc.matched, tc.people)
			}
			if !strings.Contains(strings.Join(said, "\n"), tc.says) {
				t.Errorf("%q is not in %q", tc.says, said)
			}
		})
	}
}

func TestVerdictIsTheSameOnceTheTenantExists(t *testing.T) {
	s, err := Load(Default())
	if err != nil {
		t.Fatal(err)
	}
	f := facts("30000", "12.50", models.NonProd)
	before := s.Evaluate(f)
	f.Tenant = &models.Tenant{Slug: "logistics", Budget: decimal.NewFromInt(1), State: models.Creating}
	if after := s.Evaluate(f); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestLiveKeepsTheLastGoodSet(t *testing.T) {
	set, err := Load(file("aa|approve|true"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	l := NewLive(set, "first", at)
	if err := l.Replace(file("aa|approve|nowhere"), "second", at.Add(time.Minute)); err == nil {
		t.Fatal("a broken file was taken")
	}
	st := l.Status()
	if v := l.Evaluate(facts("1", "1")); v.ApprovedBy != "aa" || st.Origin != "first" || st.Error == "" || !st.LoadedAt.Equal(at) || !st.TriedAt.After(at) {
		t.Errorf("verdict %+v, status %+v", v, st)
	}
	if err := l.Replace(file("bb|deny|true"), "third", at.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if v := l.Evaluate(facts("1", "1")); !v.Denied || l.Status().Error != "" || l.Status().Origin != "third" {
		t.Errorf("verdict %+v, status %+v", v, l.Status())
	}
}

// TestSpendThatIsNotKnownDoesNotPass holds that a limit on what a tenant spends is never passed because nobody knows it.
func TestSpendThatIsNotKnownDoesNotPass(t *testing.T) {
	t.Parallel()
	set, err := Load(file("low|approve|tenant.spend.actual_percent < 80.0", "high|deny|tenant.spend.forecast_percent > 100.0"))
	if err != nil {
		t.Fatal(err)
	}
	amount := func(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }
	budget := decimal.NewFromInt(1000)
	for name, tc := range map[string]struct {
		tenant   *models.Tenant
		spend    *models.Spend
		approved bool
		denied   bool
	}{
		"a tenant that does not exist": {nil, nil, true, false},
		"nothing known":                {&models.Tenant{}, nil, false, true},
		"low":                          {&models.Tenant{}, &models.Spend{Budget: budget, Actual: amount("799.4"), Forecast: amount("1000")}, true, false},
		"no forecast yet":              {&models.Tenant{}, &models.Spend{Budget: budget, Actual: amount("1")}, false, true},
		"spent":                        {&models.Tenant{}, &models.Spend{Budget: budget, Actual: amount("800"), Forecast: amount("900")}, false, false},
		"expected to pass":             {&models.Tenant{}, &models.Spend{Budget: budget, Actual: amount("10"), Forecast: amount("1001")}, false, true},
	} {
		f := facts("15", "1", models.NonProd)
		f.Tenant, f.Spend = tc.tenant, tc.spend
		v := set.Evaluate(f)
		if v.Denied != tc.denied || (v.ApprovedBy != "") != tc.approved {
			t.Errorf("%s: %+v", name, v)
		}
		for _, o := range v.Outcomes {
			if o.Error != "" {
				t.Errorf("%s: rule %s: %s", name, o.ID, o.Error)
			}
		}
	}
}
