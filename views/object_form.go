package views

import (
	"slipway/views/ui"
)

// ObjectForm asks for one change of an object. It leads to the request's page, where the plan is seen before anything happens.
type ObjectForm struct {
	Section ui.Section
	Crumbs  []ui.Crumb
	Title   string // what is asked for: "Extend payments / orders-dev"
	Lead    string // what follows from it, in a sentence
	Action  string // where it is posted
	Back    string // the object's page

	Notes     string // upgrade notes, as the blueprint's author wrote them
	NotesHead string
	Breaking  bool
	Versions  []VersionLink // other versions to choose from
	Now       []ui.Pair     // what holds now
	Fields    []ui.Field
	Questions ui.BlueprintFields
	Usage     []ui.Field // changes to the usage assumption, folded
	Boxes     []ui.Choices
	Last      []ui.Field // asked after the boxes
	Hidden    []ui.Pair
	General   string // what is wrong with the answers together

	Then    []Then // what will happen, in order
	Button  string
	Icon    ui.Icon
	Danger  bool
	Foot    string    // beside the buttons; empty: nothing happens before the plan is approved
	Blocked string    // why it cannot be asked for now; the form is left out
	Users   []ui.Pair // with Blocked: what stands against it, label and address

	Loss        *Loss   // what goes for good, said before anything is asked
	Draft       string  // id of the saved form that this continues
	Restored    ui.When // it came back as it was typed then; zero: it did not
	RestoredWhy string
	EditReason  string // what an approver asked to change
	EditBy      string

	CSRF string
	Key  string
}

// Loss is what a request takes away.
type Loss struct {
	Title string
	Text  string
	Lists []LossList
	Words []string // what cannot be taken back, in sentences
}

// LossList is the things of one kind that go.
type LossList struct {
	Label string // "3 environments"
	Items []LossItem
	More  int    // beyond those listed
	URL   string // where all of them are; may be empty
}

// LossItem is one thing that goes.
type LossItem struct{ Name, Text, URL string }

// Then is one thing that happens after a form was sent.
type Then struct{ Title, Text string }

// VersionLink is one version that can be upgraded to.
type VersionLink struct {
	Version string
	URL     string
	Chosen  bool
}

func (f ObjectForm) errors() []ui.FieldError {
	var all []ui.FieldError
	if f.General != "" {
		all = append(all, ui.FieldError{ID: "form", Label: "The answers together", Text: f.General})
	}
	all = append(all, ui.FieldErrors(f.Fields...)...)
	all = append(all, ui.FieldErrors(f.Questions.All()...)...)
	all = append(all, ui.FieldErrors(f.Usage...)...)
	for _, b := range f.Boxes {
		all = append(all, b.Errors()...)
	}
	return append(all, ui.FieldErrors(f.Last...)...)
}

// place puts the word Error in front of the tab's title when the form came back, as screen readers read that first.
func (f ObjectForm) place(p ui.Page) ui.Page {
	title := f.Title
	if len(f.errors()) > 0 {
		title = "Error: " + title
	}
	return p.On(f.Section, title, f.Crumbs...)
}

func (f ObjectForm) kind() string {
	if f.Danger {
		return string(ui.Danger)
	}
	return string(ui.Primary)
}

func (f ObjectForm) foot() string {
	return orElse(f.Foot, "Nothing happens before the plan is approved.")
}

func (f ObjectForm) usageOpen() bool { return len(ui.FieldErrors(f.Usage...)) > 0 }
