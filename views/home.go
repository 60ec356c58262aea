package views

import (
	"strings"

	"slipway/views/ui"
	"slipway/views/urls"
)

// Home is the page at /: worst first, then what waits for this person, then the rest.
type Home struct {
	Now        ui.When      // the moment the page was made
	Waiting    []QueueRow   // waits for this person's decision, oldest first; the first few
	WaitingAll int          // how many there are in all
	Failing    []FailRow    // failed runs and plans this person may see and nobody has ended, newest first
	FailingAll int          // how many there are in all
	Running    []RunRow     // runs going on
	Mine       []RequestRow // this person's latest requests
	MineAll    int
	Drafts     []DraftRow   // forms saved but not sent
	Budgets    []BudgetCell // up to five tenants, the fullest first
	Tenants    int          // tenants this person may see; with none and nothing asked, the page says how to begin
	MayRequest bool
	MayDecide  bool // platform-admin or owner: an empty queue is worth a line
	CSRF       string
	Broken     []BrokenGlass // of the last days, for admins
	Watch      Watch
	Health     HealthPanel
}

// Watch is what the home page says of environments, worst first. Each list is short; the counts are of all.
type Watch struct {
	Broken      []EnvironmentRow
	BrokenAll   int
	Expiring    []EnvironmentRow // within seven days, next end first
	ExpiringAll int
	Drifted     []EnvironmentRow
	DriftedAll  int
}

// BrokenGlass is an approval that one admin gave alone.
type BrokenGlass struct {
	Text, Reason, URL string
	At                ui.When
}

// FailRow is something that stands still until a person acts.
type FailRow struct {
	State  ui.State // Run failed, Plan failed
	Title  string
	Tenant string // slug; may be empty
	Text   string // what and why, in one or two sentences
	URL    string
	Action string // words of the button: Open run, Open request
	Since  ui.When
}

// DraftRow is a saved form.
type DraftRow struct {
	ID    string
	Title string // "New tenant logistics", or "New tenant, no name yet"
	URL   string // the form it goes on in; empty: the new tenant form
	Saved ui.When
	Why   string // "Saved when your session ended"; may be empty
}

func (r DraftRow) url() string {
	if r.URL == "" {
		return urls.ResumeDraft(r.ID)
	}
	return r.URL
}

func (h Home) title() string {
	var parts []string
	if n := h.WaitingAll; n > 0 {
		parts = append(parts, ui.Count(n)+" "+one(n, "waits", "wait")+" for you")
	}
	if n := h.FailingAll; n > 0 {
		parts = append(parts, ui.Count(n)+" "+one(n, "is", "are")+" failing")
	}
	if n := h.Health.Tally.Failing; n > 0 {
		parts = append(parts, ui.Plural(n, "environment fails", "environments fail"))
	}
	if n := h.Watch.BrokenAll; n > 0 && h.FailingAll == 0 {
		parts = append(parts, ui.Plural(n, "environment is broken", "environments are broken"))
	}
	if n := h.Watch.ExpiringAll; n > 0 {
		parts = append(parts, ui.Count(n)+" "+one(n, "ends", "end")+" this week")
	}
	if n := len(h.Running); n > 0 {
		parts = append(parts, ui.Count(n)+" "+one(n, "is", "are")+" running")
	}
	if len(parts) == 0 {
		return "Nothing waits for you"
	}
	return strings.Join(parts, ", ")
}

func (h Home) fresh() bool {
	return h.Tenants == 0 && len(h.Waiting)+len(h.Failing)+len(h.Running)+len(h.Mine)+len(h.Drafts) == 0
}

func one(n int, single, many string) string {
	if n == 1 {
		return single
	}
	return many
}

func savesWords(monthly string) string {
	if monthly == "" {
		return ""
	}
	return "costs about " + monthly + " a month"
}
