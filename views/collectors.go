package views

import (
	"strings"

	"slipway/models"
	"slipway/views/ui"
)

// Collectors is what Slipway reads in all accounts again and again, and how old it is.
type Collectors struct {
	Rows    []CollectorRow
	Targets []CollectTargetRow // worst first
	All     int                // targets that the filter lets through, shown or not
	Filters ui.Filters
	Working bool   // a round is under way: the page asks for itself
	Reload  string // its own address, with the filter
	RunURL  string // empty: this person only reads
	CSRF    string
}

// CollectorRow is one collector.
type CollectorRow struct {
	Name, Title, Words string
	URL                string // its targets
	Every              string
	Read               ui.When // the oldest last reading of its targets
	Never              bool    // a target was never read
	Late               bool
	Targets, Fine      int
	Troubled           []ui.Pair // counts of those that are not fine, by state
	Calls, Throttles   string    // of the last round of each target
	Metered            string    // calls of those that AWS charges for; empty: none
	Working            bool
}

// CollectTargetRow is one target of a collector.
type CollectTargetRow struct {
	ID, Collector, Title string
	Account, AWSID       string // both empty: the organization
	AccountURL           string
	Region               string
	State                models.CollectState
	Late                 bool // its figures are older than they should be
	Read, Since, Due     ui.When
	Took                 string
	Calls, Throttles     string
	By                   string
	Working              bool
	Gaps                 []GapRow
}

// GapRow is something that could not be read.
type GapRow struct {
	What       string
	Kind       models.GapKind
	Permission string
	Words      string
}

var collectStates = map[models.CollectState]ui.State{
	"":                    {Label: "Not read yet", Tone: ui.Idle},
	models.CollectOK:      {Label: "Read", Tone: ui.OK},
	models.CollectPartial: {Label: "Read in part", Tone: ui.Warn},
	models.CollectDenied:  {Label: "Cannot read", Tone: ui.Fail},
	models.CollectFailed:  {Label: "No answer", Tone: ui.Warn},
}

// CollectState is how a target stands, as people read it.
func CollectState(s models.CollectState) ui.State { return collectStates[s] }

func (r CollectTargetRow) state() ui.State {
	if r.Late && r.State == models.CollectOK {
		return ui.State{Label: "Late", Tone: ui.Warn}
	}
	return CollectState(r.State)
}

func (r CollectTargetRow) name() string {
	if r.AWSID == "" {
		return "The organization"
	}
	return r.Account
}

var gapTitles = map[models.GapKind]string{
	models.GapDenied:      "A permission is missing",
	models.GapThrottled:   "AWS asked to slow down",
	models.GapUnavailable: "AWS did not answer",
	models.GapSkewed:      "The clocks differ",
	models.GapCapped:      "The daily limit is reached",
	models.GapAbsent:      "AWS does not know it",
}

func (g GapRow) title() string { return gapTitles[g.Kind] }

func (r CollectorRow) state() ui.State {
	switch {
	case r.Targets == 0:
		return ui.State{Label: "Nothing to read", Tone: ui.Idle}
	case r.Fine == r.Targets && r.Late:
		return ui.State{Label: "Late", Tone: ui.Warn}
	case r.Fine == r.Targets:
		return ui.State{Label: "All read", Tone: ui.OK}
	case r.Fine == 0 && len(r.Troubled) == 0:
		return ui.State{Label: "Not read yet", Tone: ui.Idle}
	}
	return ui.State{Label: ui.Count(r.Fine) + " of " + ui.Count(r.Targets) + " read", Tone: ui.Warn}
}

func (r CollectorRow) facts() []ui.Fact {
	f := []ui.Fact{{Label: "every", Value: r.Every}}
	if r.Targets > 0 && !r.Never {
		f = append(f, ui.Fact{Label: "oldest reading", When: r.Read})
	}
	calls := r.Calls
	if r.Metered != "" {
		calls += ", " + r.Metered + " of them paid"
	}
	f = append(f, ui.Fact{Label: "calls of the last rounds", Value: calls})
	if r.Throttles != "0" {
		f = append(f, ui.Fact{Label: "put off by AWS", Value: r.Throttles})
	}
	for _, t := range r.Troubled {
		f = append(f, ui.Fact{Label: t.Label, Value: t.Value})
	}
	return f
}

func (d Collectors) facts() []ui.Fact {
	fine, all := 0, 0
	for _, r := range d.Rows {
		fine, all = fine+r.Fine, all+r.Targets
	}
	return []ui.Fact{{Value: ui.Plural(len(d.Rows), "collector", "collectors")}, {Value: ui.Count(fine) + " of " + ui.Plural(all, "target", "targets") + " read"}}
}

func (d Collectors) more() string {
	if n := d.All - len(d.Targets); n > 0 {
		return ui.Plural(n, "more target is", "more targets are") + " not shown; the worst come first. Filter to see the others."
	}
	return ""
}

func (r CollectTargetRow) lead() string {
	parts := []string{r.Title}
	if r.Region != "" {
		parts = append(parts, r.Region)
	}
	return strings.Join(parts, " · ")
}
