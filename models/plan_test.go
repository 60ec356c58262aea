package models

import (
	"testing"

	"github.com/shopspring/decimal"
)

func TestPlanTallyMonthlyAndEmpty(t *testing.T) {
	plan := PlanContent{
		Parts: []PlanPart{{Changes: []Change{{Action: Add}, {Action: Add}, {Action: Exists}}}, {Changes: []Change{{Action: Delete}}}},
		Cost:  []CostLine{{Now: decimal.RequireFromString("0.1"), Planned: decimal.RequireFromString("0.2")}, {Planned: decimal.RequireFromString("0.1")}},
	}
	n := plan.Tally()
	if n[Add] != 2 || n[Delete] != 1 || n[Exists] != 1 || n[Modify] != 0 {
		t.Errorf("tally %v", n)
	}
	if now, planned := plan.Monthly(); now.String() != "0.1" || planned.String() != "0.3" {
		t.Errorf("monthly %s and %s, want 0.1 and exactly 0.3", now, planned)
	}
	for name, tc := range map[string]struct {
		changes []Change
		want    bool
	}{
		"nothing": {nil, true}, "all there": {[]Change{{Action: Exists}}, true}, "one replaced": {[]Change{{Action: Exists}, {Action: Replace}}, false},
		"one deleted": {[]Change{{Action: Delete}}, false}, "one changed": {[]Change{{Action: Modify}}, false},
	} {
		if got := (PlanContent{Parts: []PlanPart{{Changes: tc.changes}}}).Empty(); got != tc.want {
			t.Errorf("%s: empty is %v, want %v", name, got, tc.want)
		}
	}
}

func TestHigher(t *testing.T) {
	one, two, owner := []Demand{{Role: "platform-admin", Count: 1}}, []Demand{{Role: "platform-admin", Count: 2}}, []Demand{{Role: "owner", Count: 1}}
	for name, tc := range map[string]struct {
		before, now []Demand
		want        bool
	}{
		"the same": {one, one, false}, "more people": {one, two, true}, "fewer": {two, one, false}, "another role": {one, owner, true}, "none before": {nil, one, true},
		"none now": {one, nil, false},
	} {
		if got := Higher(tc.before, tc.now); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
