package views

import (
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Environment is an environment's page: what is true of it, how old that knowledge is, and what can be done now.
type Environment struct {
	Cost       EnvironmentCost
	Delivery   *EnvironmentDelivery // nil: it runs no service
	Tenant     string               // slug
	Name       string
	Stage      models.Stage
	State      models.ObjectState
	Hibernated bool
	Made       ui.When

	Stack     StackFacts
	Blueprint string // name
	Version   string
	Newest    string // newest version it can be upgraded to; empty: none
	MayChange bool   // this person may ask for changes
	Network   string // name; empty: it stands on none
	Service   string // name; empty: it runs no image
	Image     string // repository@sha256:...

	Progress    string   // while something runs: "Step 4 of 9: Change the stack"
	RunID       string   // of the last run; empty before the first
	Failure     *Failure // while broken
	Expiry      *Expiry  // nil: no end date, or none any more
	First       *FirstImage
	Secrets     []Secret
	SecretsNote string // why it is not known whether they have values; may be empty

	Endpoints []NamedOut
	Outputs   []Output
	Groups    []ResourceGroup
	Resources int
	Drift     Drift
	Health    *EnvironmentHealth // nil once it is deleted
	Estimate  *ui.Estimate       // nil: not known
	Actions   []ui.Action
	Open      []RequestRow
	Requests  []RequestRow
	Runs      []RunRow
	Log       []ui.LogLine
	Activity  []ui.Entry
	Receipt   *Receipt
	SeesAll   bool

	CSRF string
	Key  string
}

// StackFacts are where an object's stack is and what CloudFormation says of it.
type StackFacts struct {
	Account string // 12 digits; empty before it exists
	Region  string
	Status  string // CloudFormation's own word; empty: never read
	Reason  string
	At      ui.When // when it was read
	Console ui.Out  // the stack's page at AWS; empty before it exists
}

// Expiry is an environment's end.
type Expiry struct {
	At        ui.When // "in 6 d"
	Soon      bool    // within 7 days: shown as a warning
	Past      bool    // it was hibernated at its end
	Deletes   ui.When // when Slipway asks for its deletion
	Empties   bool    // buckets may be emptied then
	ExtendURL string  // empty: this person may not, or not now
}

// FirstImage is how to push the image that an environment waits for.
type FirstImage struct {
	Repository string // URI; empty while the service's repository is not made yet
	Service    string
	ServiceURL string
	Commands   []ui.Command
	DeployURL  string // empty: this person may not
}

// Secret is a secret that a person fills in AWS. Slipway can neither read nor write its value.
type Secret struct {
	Name    string // logical id
	Known   bool   // it was looked at
	Filled  bool
	Console ui.Out
	Command ui.Command
}

// NamedOut is an output that is a link.
type NamedOut struct {
	Name string
	Text string // what it is, in the blueprint's words
	Out  ui.Out
}

// Output is one output of a stack.
type Output struct{ Name, Text, Value string }

// ResourceGroup is the resources of one AWS service.
type ResourceGroup struct {
	ID        string // unique on the page
	Service   string // "ECS"
	State     ui.State
	Open      bool // something in it is not as it should be
	Resources []StackResource
}

// StackResource is one resource as CloudFormation last listed it.
type StackResource struct {
	LogicalID  string
	PhysicalID string
	Type       string
	State      ui.State
	Word       string // CloudFormation's own
	Reason     string
	At         ui.When
}

// Drift is what the newest comparison found.
type Drift struct {
	State      models.DriftState
	At         ui.When // when it ended, or began while it goes on
	By         string
	Checked    int
	All        int      // resources in the stack
	Blind      []string // types that CloudFormation cannot compare
	Rows       []DriftRow
	Expected   []DriftRow // the blueprint says that these move by themselves
	Failure    string
	Accepted   ui.When // until when it may stay; zero: not accepted
	AcceptedBy string  // who accepted it
	Reason     string
	CheckURL   string // empty: this person may not, or a check goes on
	RevertURL  string
	AcceptURL  string
}

// DriftRow is one property, declared and found.
type DriftRow struct {
	Resource string
	Type     string
	Gone     bool // the resource itself is not there any more
	Path     string
	Declared string
	Found    string
	Kind     string // ADD, REMOVE, NOT_EQUAL
}

// Receipt is the proof at the end of a deletion.
type Receipt struct {
	At        ui.When
	Gone      []ReceiptLine
	Left      []ReceiptLine
	Emptied   []string
	ScannedIn []string
	CannotSee []string
	RequestID string
}

// ReceiptLine is one thing that is gone or left.
type ReceiptLine struct{ Name, ID, Type, Why, Cost string }

func (d Environment) title() string { return d.Tenant + " / " + d.Name }

func (d Environment) place(p ui.Page) ui.Page {
	return p.On(ui.AtEnvironments, d.title()+" is "+lowerFirst(EnvironmentState(d.State, d.Status(), d.Hibernated, d.First != nil).Label), ui.Crumb{Label: "Environments", URL: urls.Environments},
		ui.Crumb{Label: d.Tenant, URL: urls.Tenant(d.Tenant)}, ui.Crumb{Label: d.Name})
}

// Status is CloudFormation's own word.
func (d Environment) Status() string { return d.Stack.Status }

// moving tells whether the page keeps asking.
func (d Environment) moving() bool {
	return d.State == models.Creating || d.State == models.Changing || d.State == models.Deleting || d.Drift.State == models.DriftChecking
}

func (d Environment) url() string { return urls.Environment(d.Tenant, d.Name) }

func (d Environment) state() ui.State {
	return EnvironmentState(d.State, d.Stack.Status, d.Hibernated, d.First != nil)
}

// EnvironmentState is how pages show where an environment stands: a ready one may hibernate or wait for its first image.
func EnvironmentState(s models.ObjectState, status string, hibernated, first bool) ui.State {
	switch {
	case s == models.Ready && hibernated:
		return ui.State{Label: "Hibernates", Tone: ui.Idle, Icon: ui.IconSnowflake}
	case s == models.Ready && first:
		return ui.State{Label: "Waits for an image", Tone: ui.Wait, Icon: ui.IconPackage}
	case s == models.Broken && status == "UPDATE_ROLLBACK_FAILED":
		return ui.State{Label: "Roll-back stopped", Tone: ui.Fail}
	case s == models.Broken && status == "DELETE_FAILED":
		return ui.State{Label: "Deletion stopped", Tone: ui.Fail}
	}
	return ObjectState(s)
}

func (d Drift) tag() (ui.State, bool) {
	switch {
	case d.State == models.DriftFound && len(d.Rows) > 0 && !d.Accepted.At.IsZero():
		return ui.State{Label: "Drift accepted", Tone: ui.Idle}, true
	case d.State == models.DriftFound && len(d.Rows) > 0:
		return ui.State{Label: "Drifted, " + ui.Count(len(d.Rows)), Tone: ui.Warn}, true
	}
	return ui.State{}, false
}

func (d Drift) count() string {
	if len(d.Rows) == 0 {
		return ""
	}
	return ui.Plural(len(d.Rows), "property", "properties")
}

// coverage says how much of the stack a comparison can see.
func (d Drift) coverage() string {
	if d.All > 0 {
		return ui.Count(d.Checked) + " of " + ui.Plural(d.All, "resource", "resources") + " could be compared"
	}
	return ui.Plural(d.Checked, "resource", "resources") + " compared"
}

func (d Environment) facts() []ui.Fact {
	all := []ui.Fact{{Label: "Blueprint", Value: d.Blueprint + " " + d.Version, URL: ""}}
	if d.Newest != "" {
		newest := ui.Fact{Value: d.Newest + " offered"}
		if d.MayChange {
			newest.URL = urls.ChangeEnvironment(d.Tenant, d.Name, "upgrade")
		}
		all = append(all, newest)
	}
	if d.Stack.Account != "" {
		all = append(all, ui.Fact{Label: "Account", Value: ui.AccountNumber(d.Stack.Account)})
	}
	all = append(all, ui.Fact{Label: "Region", Value: d.Stack.Region})
	if d.Network != "" {
		all = append(all, ui.Fact{Label: "Network", Value: d.Network, URL: urls.Network(d.Tenant, d.Network)})
	}
	if d.Service != "" {
		all = append(all, ui.Fact{Label: "Service", Value: d.Service, URL: urls.Service(d.Tenant, d.Service)})
	}
	if _, digest, ok := strings.Cut(d.Image, "@sha256:"); ok {
		all = append(all, ui.Fact{Label: "Image", Value: ui.Short(digest), Code: true})
	}
	all = append(all, ui.Fact{Label: "Made", When: d.Made})
	switch {
	case d.Expiry == nil && d.State != models.Deleted:
		all = append(all, ui.Fact{Text: "No end date"})
	case d.Expiry != nil && d.Expiry.Past:
		all = append(all, ui.Fact{Label: "Ended", When: d.Expiry.At})
	case d.Expiry != nil:
		all = append(all, ui.Fact{Label: "Ends", When: d.Expiry.At})
	}
	return all
}
