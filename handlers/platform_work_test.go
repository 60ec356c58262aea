package handlers

import (
	"testing"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// TestPlatformWork reads figures as a person will.
func TestPlatformWork(t *testing.T) {
	wall := testNow.Add(-time.Hour)
	d := platformWork(testNow, wall, models.WorkFigures{
		Queue:     []models.QueueFigure{{Kind: models.RunWork, Due: 1200, Leased: 3, Waiting: 4, Oldest: 61 * time.Second}, {Kind: "of-the-future", Lapsed: 1, Oldest: 300 * time.Millisecond}},
		Processes: []models.Process{{Owner: "a/1/x", Role: "all", Version: "v1", Started: wall.Add(-time.Hour), Seen: wall.Add(-4 * time.Second)}, {Owner: "b/1/x", Role: "web", Seen: wall.Add(-50 * time.Second)}},
		Accounts:  []models.AccountCalls{{Account: "209355718840", Tenant: "payments", Name: "payments-prod", Calls: 1000, Throttles: 101}, {Account: "hub", Calls: 3}, {Account: "333333333333"}},
		Runs:      []models.RunFigure{{Kind: models.CreateTenant, Succeeded: 999, Failed: 1, Median: 60_000, P95: 120_000}, {Kind: models.DeployEnvironment, Failed: 2}, {Kind: "future.kind", Succeeded: 9, Failed: 1, Median: 10}},
		Sweep:     models.SweepReport{Started: testNow.Add(-2 * time.Hour), Ended: testNow.Add(-time.Hour), Due: testNow.Add(22 * time.Hour), Removed: map[models.Swept]int64{models.SweptEvents: 3100}},
	})
	if !d.Stuck || d.Late != "1 m 01 s" || d.Queue[0].Name != "Runs" || d.Queue[0].Due != "1,200" || d.Queue[0].Oldest != "1 m 01 s" || d.Queue[1].Name != "of-the-future" || !d.Queue[1].Dead || d.Queue[1].Oldest != "" {
		t.Errorf("queue %+v, late %q", d.Queue, d.Late)
	}
	if d.Processes[0].Gone || d.Processes[0].Seen.Ago != "4 s ago" || !d.Processes[1].Gone {
		t.Errorf("processes %+v", d.Processes)
	}
	want := []views.CallsRow{{Account: "2093-5571-8840", Name: "payments-prod", URL: "/tenants/payments", Calls: "1,000", Throttles: "101", Share: "10.1 %", Much: true},
		{Account: "hub", Name: "Slipway's own account", Calls: "3", Throttles: "0", Share: "0.0 %"}, {Account: "3333-3333-3333", Calls: "0", Throttles: "0", Share: "0 %"}}
	for i, w := range want {
		if d.Calls[i] != w {
			t.Errorf("calls %+v, want %+v", d.Calls[i], w)
		}
	}
	outcomes := []views.OutcomeRow{{Name: "Create tenant", Ended: "1,000", Succeeded: "99 %", Failed: "1", Median: "1 m 00 s", P95: "2 m 00 s"},
		{Name: "Deploy to environment", Ended: "2", Succeeded: "0 %", Failed: "2", Bad: true}, {Name: "future.kind", Ended: "10", Succeeded: "90 %", Failed: "1", Median: "0.0 s", P95: "0.0 s"}}
	for i, w := range outcomes {
		if d.Runs[i] != w {
			t.Errorf("runs %+v, want %+v", d.Runs[i], w)
		}
	}
	if s := d.Sweep; s.Ended.Ago != "1 h ago" || s.Due.Ago != "in 22 h" || len(s.Removed) != 1 || s.Removed[0] != (ui.Pair{Label: "step events of runs", Value: "3,100"}) {
		t.Errorf("sweep %+v", s)
	}
	if len(d.Kept) != len(models.Retentions()) || d.Kept[0].Age != "24 h" || d.Never == "" {
		t.Errorf("kept %+v", d.Kept)
	}
	if calm := platformWork(testNow, wall, models.WorkFigures{}); calm.Late != "" || calm.Stuck || !calm.Sweep.Started.At.IsZero() {
		t.Errorf("nothing at all: %+v", calm)
	}
}
