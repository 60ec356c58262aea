package views

import (
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Health is the page of how environments run, worst first.
type Health struct {
	Tally   HealthTally
	Filters ui.Filters
	Rows    []HealthRow
	Sorts   ui.Sorts
	Pager   ui.Pager
	CSV     string
	Tenant  string // the tenant it is narrowed to; empty: all that the reader may see
	MayAsk  bool   // this person may order an environment
}

// HealthTally counts environments by how they run.
type HealthTally struct {
	Failing, Degraded, Unread, NoData, Healthy, All int

	Late   int     // whose last reading is older than it should be
	Oldest ui.When // the oldest of those readings; zero: one of them was never read
}

// HealthRow is one environment in a list of health.
type HealthRow struct {
	Tenant string
	Name   string
	Stage  models.Stage
	Region string
	State  ui.State
	Reason string
	Later  string     // what the last round found and the next has to confirm; may be empty
	Notes  []ui.State // drift, a near end: what is known beside
	Since  ui.When
	Read   ui.When // the last reading; zero: none
	Late   bool
}

var conditions = map[models.Condition]ui.State{
	models.Failing:  {Label: "Failing", Tone: ui.Fail},
	models.Degraded: {Label: "Degraded", Tone: ui.Warn},
	models.Unread:   {Label: "Not known", Tone: ui.Wait, Icon: ui.IconEyeOff},
	models.NoData:   {Label: "No data", Tone: ui.Idle},
	models.Healthy:  {Label: "Healthy", Tone: ui.OK},
}

// Condition is how pages show how an environment runs.
func Condition(c models.Condition) ui.State {
	if s, ok := conditions[c]; ok {
		return s
	}
	return ui.State{Label: string(c), Tone: ui.Idle}
}

// words say how all stand, worst first: "2 failing, 1 degraded".
func (t HealthTally) words() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{t.Failing, "failing"}, {t.Degraded, "degraded"}, {t.Unread, "not known"}} {
		if p.n > 0 {
			parts = append(parts, ui.Count(p.n)+" "+p.word)
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case t.All == 0:
		return "No environment yet"
	case t.Healthy == 0:
		return "No health is known yet"
	case t.NoData > 0:
		return ui.Plural(t.Healthy, "environment is healthy", "environments are healthy") + ", " + ui.Count(t.NoData) + " without data"
	case t.All == 1:
		return "The one environment is healthy"
	case t.All == 2:
		return "Both environments are healthy"
	}
	return "All " + ui.Count(t.All) + " environments are healthy"
}

// late says how old what the page shows is, where that is older than it should be.
func (t HealthTally) late() string {
	if t.Oldest.At.IsZero() {
		return ui.Plural(t.Late, "environment was not read when it should have been", "environments were not read when they should have been") + ". What is shown of " + one(t.Late, "it", "them") + " may not be true any more."
	}
	return ui.Plural(t.Late, "environment was", "environments were") + " last read longer ago than " + one(t.Late, "it", "they") + " should have been, the oldest " + t.Oldest.Ago + ". What is shown may not be true any more."
}

type tallyCell struct {
	state ui.State
	n     int
	url   string
}

func (d Health) cells() []tallyCell {
	t := d.Tally
	cell := func(c models.Condition, n int) tallyCell {
		return tallyCell{Condition(c), n, urls.With(urls.Health, "health", string(c), "tenant", d.Tenant)}
	}
	return []tallyCell{cell(models.Failing, t.Failing), cell(models.Degraded, t.Degraded), cell(models.Unread, t.Unread), cell(models.NoData, t.NoData), cell(models.Healthy, t.Healthy)}
}

func (d Health) title() string {
	if d.Tenant != "" {
		return d.Tenant + ": " + lowerFirst(d.Tally.words())
	}
	return d.Tally.words()
}

func (d Health) facts() []ui.Fact {
	return []ui.Fact{{Value: ui.Plural(d.Tally.All, "environment", "environments")}, {Text: "read every 5 minutes"}}
}

func (d Health) empty() ui.Empty {
	switch {
	case d.Filters.Set:
		return ui.Empty{Title: "No environment matches", Text: "Nothing you may see fits these filters.", URL: urls.Health, Word: "Show all environments"}
	case d.MayAsk:
		return ui.Empty{Title: "Nothing runs yet", Text: "As soon as an environment is made, its stack, tasks, targets, alarms and certificate are looked at every five minutes, and the worst stands here first.", URL: urls.NewEnvironment, Word: "Order an environment", Icon: ui.IconPlus}
	}
	return ui.Empty{Title: "Nothing runs yet", Text: "As soon as an environment exists that you may see, how it runs stands here, the worst first."}
}

// Wall is the page for a big screen.
type Wall struct {
	Tally HealthTally
	Rows  []HealthRow // those that are not healthy, worst first
	More  int         // how many more there are
	At    ui.When     // when it was made
	Theme ui.Theme
	Link  string // its own address
}

// HealthPanel is what a tenant's page and home say of health.
type HealthPanel struct {
	Tally  HealthTally
	Rows   []HealthRow // the worst few that are not healthy
	Tenant string      // empty: of all that the reader may see
}

func (p HealthPanel) url() string { return urls.HealthOf(p.Tenant) }

// rest is how many that are not healthy the panel does not show.
func (p HealthPanel) rest() int {
	return max(0, p.Tally.Failing+p.Tally.Degraded+p.Tally.Unread-len(p.Rows))
}

func healthWell(t HealthTally) string {
	switch {
	case t.All == 0:
		return "Nothing runs yet. As soon as an environment exists, how it runs stands here."
	case t.Healthy == 0:
		return "No round has looked at it yet. Stacks, tasks, targets, alarms and certificates are read every five minutes."
	}
	return "Nothing is wrong. Stacks, tasks, targets, alarms and certificates are read every five minutes; the worst would stand here first."
}

// wallState is what the wall shows when nothing is wrong.
func wallState(t HealthTally) models.Condition {
	if t.Healthy == 0 {
		return models.NoData
	}
	return models.Healthy
}
