package ui

// Theme is the reader's choice, kept in a cookie and rendered by the server; no script takes part.
type Theme string

// The three themes. Auto follows the system.
const (
	Auto  Theme = "auto"
	Light Theme = "light"
	Dark  Theme = "dark"
)

// ParseTheme reads the cookie or the form field; anything unknown is Auto.
func ParseTheme(s string) Theme {
	switch Theme(s) {
	case Light, Dark:
		return Theme(s)
	}
	return Auto
}

// Section is the entry of the navigation that a page belongs to.
type Section string

// The sections that exist.
const (
	AtHome         Section = "home"
	AtApprovals    Section = "approvals"
	AtRequests     Section = "requests"
	AtRuns         Section = "runs"
	AtTenants      Section = "tenants"
	AtEnvironments Section = "environments"
	AtHealth       Section = "health"
	AtServices     Section = "services"
	AtPipelines    Section = "pipelines"
	AtBlueprints   Section = "blueprints"
	AtCosts        Section = "costs"
	AtAudit        Section = "audit"
	AtAdmin        Section = "admin"

	AtNotifications Section = "notifications" // in no list of the navigation: behind the reader's name
)

// Page is what surrounds the content of every signed-in page. Handlers fill it once, alike for every page,
// but for Title, Section, Crumbs, Live and Bar: those the page's own view sets.
type Page struct {
	Name       string  // of the signed-in person
	Role       string  // strongest role, in one word: platform-admin, auditor, owner of payments
	CSRF       string  // the session's token, for every form
	Path       string  // path and query of this page, so that switching the theme comes back here
	Theme      Theme   // from the cookie
	Approvals  int     // how many requests wait for this person's decision
	Runs       int     // how many runs are going on that this person may see
	Failing    int     // how many environments fail that this person may see
	SeesAudit  bool    // shows Audit in the navigation
	SeesAdmin  bool    // shows Admin in the navigation
	MayRequest bool    // shows the New tenant button
	Simulated  bool    // AWS is the simulator: a banner says so on every page
	Flash      []Flash // what just happened, from the redirect before

	Title   string  // what is true, for the browser's tab
	Section Section // entry of the navigation
	Crumbs  []Crumb // path to this page; the last one is the page itself and has no address
	Live    bool    // the page listens to an event stream
	Bar     bool    // the page ends in a decision bar
}

// Flash is a message about what just happened.
type Flash struct {
	Tone Tone
	Text string
	Link string // optional address with more
	Word string // words of the link
}

// Crumb is one step of the path to a page.
type Crumb struct{ Label, URL string }

// On gives the page its place: section, title and path.
func (p Page) On(s Section, title string, crumbs ...Crumb) Page {
	p.Section, p.Title, p.Crumbs = s, title, crumbs
	return p
}

func (t Theme) attr() string {
	switch t {
	case Light:
		return "slipway-light"
	case Dark:
		return "slipway-dark"
	}
	return ""
}

func (t Theme) scheme() string {
	switch t {
	case Light:
		return "light"
	case Dark:
		return "dark"
	}
	return "light dark"
}

type navItem struct {
	label   string
	url     string
	icon    Icon
	section Section
	count   int
	counted string // what the count counts, for screen readers
}
