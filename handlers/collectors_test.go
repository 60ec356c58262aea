package handlers

import (
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/views"
)

func TestCollectorRows(t *testing.T) {
	t.Parallel()
	wall := testNow
	info := models.CollectorInfo{Name: "health", Title: "Health", Every: 5 * time.Minute}
	row := collectorRow(wall, info, models.CollectorFigures{Name: "health", Targets: 5, OK: 2, Partial: 1, Denied: 1, Fail: 1, Oldest: wall.Add(-12 * time.Minute), Calls: 1200, Throttles: 3, Metered: 4})
	if !row.Late || row.Calls != "1,200" || row.Metered != "4" || len(row.Troubled) != 3 || row.Troubled[0].Label != "Cannot read" {
		t.Errorf("%+v", row)
	}
	if fresh := collectorRow(wall, info, models.CollectorFigures{Targets: 1, OK: 1, Oldest: wall.Add(-10 * time.Minute)}); fresh.Late || fresh.Metered != "" {
		t.Errorf("%+v", fresh)
	}
	target := collectTargetRow(testNow, wall, info, models.CollectStatus{ID: "t1", Collector: "health", TenantSlug: "payments", Class: models.NonProd, State: models.CollectOK, ReadAt: wall.Add(-time.Hour),
		Gaps: []models.ReadGap{{What: "the alarms", Kind: models.GapDenied, Permission: "cloudwatch:DescribeAlarms"}}})
	if !target.Late || target.AccountURL != "/tenants/payments/accounts/nonprod" || target.Gaps[0].Permission == "" {
		t.Errorf("%+v", target)
	}
}

// TestCollectorsPageRuns: admins get a button for each collector and target, auditors none.
func TestCollectorsPageRuns(t *testing.T) {
	t.Parallel()
	d := views.Collectors{Rows: []views.CollectorRow{{Name: "health", Title: "Health", Targets: 1}}, Targets: []views.CollectTargetRow{{ID: "t1", Collector: "health", Title: "Health"}}, Reload: "/admin/collectors"}
	for url, want := range map[string]int{"": 0, "/admin/collectors/run": 2} {
		d.RunURL = url
		var b strings.Builder
		if err := views.CollectorsContent(d).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), `action="/admin/collectors/run"`); n != want {
			t.Errorf("%d buttons, want %d", n, want)
		}
	}
}
