package handlers

import (
	"fmt"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

const (
	lateWork      = time.Minute // due work that nobody took for this long wants somebody to look: workers sweep every 2 s
	muchThrottled = 0.1         // share of attempts from which on runs take longer for it
	manyFailed    = 0.1
)

// platformWork turns the figures of what Slipway does into the work half of the platform page. Wall is wall time: processes tell theirs by it.
func platformWork(now, wall time.Time, f models.WorkFigures) views.PlatformWork {
	var d views.PlatformWork
	var oldest time.Duration
	for _, q := range f.Queue {
		row := views.WorkRow{Name: workName(q.Kind), Due: ui.Count(q.Due), Leased: ui.Count(q.Leased), Lapsed: ui.Count(q.Lapsed), Waiting: ui.Count(q.Waiting), Dead: q.Lapsed > 0}
		if q.Oldest >= time.Second {
			row.Oldest = ui.Span(q.Oldest)
		}
		oldest = max(oldest, q.Oldest)
		d.Queue = append(d.Queue, row)
	}
	if oldest >= time.Second {
		d.Late, d.Stuck = ui.Span(oldest), oldest > lateWork
	}
	for _, p := range f.Processes {
		d.Processes = append(d.Processes, views.ProcessRow{Owner: p.Owner, Role: p.Role, Version: p.Version, Started: ui.Ago(wall, p.Started), Seen: ui.Ago(wall, p.Seen), Gone: p.Gone(wall)})
	}
	for _, a := range f.Accounts {
		d.Calls = append(d.Calls, callsRow(a))
	}
	for _, r := range f.Runs {
		d.Runs = append(d.Runs, outcomeRow(r))
	}
	d.Sweep = sweepFacts(now, f.Sweep)
	for _, r := range models.Retentions() {
		d.Kept = append(d.Kept, views.KeptRow{What: r.What, Since: r.Since, Age: wholeAge(r.Age), Note: r.Note})
	}
	d.Never = strings.Join(models.KeptForEver(), ", ")
	return d
}

// workName is a kind of background work in words; one that this version does not know keeps its stored name.
func workName(k models.JournalKind) string {
	switch k {
	case models.PlanWork:
		return "Plans"
	case models.RunWork:
		return "Runs"
	case models.UndoWork:
		return "Taking runs back"
	case models.VendWork:
		return "Account creations"
	case models.DriftWork:
		return "Drift checks"
	case models.CollectWork:
		return "Collectors' rounds"
	}
	return string(k)
}

func callsRow(a models.AccountCalls) views.CallsRow {
	row := views.CallsRow{Account: a.Account, Name: a.Name, Calls: ui.Count(int(a.Calls)), Throttles: ui.Count(int(a.Throttles)), Share: "0 %"}
	switch a.Account {
	case "hub":
		row.Account, row.Name = "hub", "Slipway's own account"
	case "other":
		row.Account, row.Name = "other", "Further accounts"
	default:
		row.Account = ui.AccountNumber(a.Account)
	}
	if a.Tenant != "" {
		row.URL = urls.Tenant(a.Tenant)
	}
	if a.Calls > 0 {
		share := float64(a.Throttles) / float64(a.Calls)
		row.Share, row.Much = fmt.Sprintf("%.1f %%", 100*share), share > muchThrottled
	}
	return row
}

func outcomeRow(r models.RunFigure) views.OutcomeRow {
	ended := r.Succeeded + r.Failed
	row := views.OutcomeRow{Name: strings.TrimSpace(r.Kind.Title("")), Ended: ui.Count(ended), Failed: ui.Count(r.Failed), Succeeded: fmt.Sprintf("%.0f %%", 100*r.Rate())}
	if r.Failed > 0 && r.Rate() > 0.994 { // would be rounded to all of them
		row.Succeeded = "99 %"
	}
	row.Bad = ended > 0 && 1-r.Rate() > manyFailed
	if r.Median > 0 {
		row.Median, row.P95 = ui.Span(r.Median.Std()), ui.Span(r.P95.Std())
	}
	return row
}

func sweepFacts(now time.Time, s models.SweepReport) views.SweepFacts {
	f := views.SweepFacts{Started: ui.Ago(now, s.Started), Ended: ui.Ago(now, s.Ended), Due: ui.In(now, s.Due)}
	for _, r := range models.Retentions() {
		if n := s.Removed[r.Name]; n > 0 {
			f.Removed = append(f.Removed, ui.Pair{Label: strings.ToLower(r.What[:1]) + r.What[1:], Value: ui.Count(int(n))})
		}
	}
	return f
}

// wholeAge writes an age in days or hours.
func wholeAge(d time.Duration) string {
	if days := int(d / (24 * time.Hour)); days > 1 && d%(24*time.Hour) == 0 {
		return ui.Plural(days, "day", "days")
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
