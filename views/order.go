package views

import (
	"fmt"

	"slipway/views/ui"
	"slipway/views/urls"
)

// OrderForm is what is typed into the order form beside the blueprint's own questions and the amounts of the estimate.
type OrderForm struct {
	Tenant       string `form:"tenant"`
	Blueprint    string `form:"blueprint"`
	Shown        string `form:"shown"` // whose questions the form showed: answers to others' are dropped
	Stage        string `form:"stage"`
	Region       string `form:"region"`
	Name         string `form:"name"`
	Service      string `form:"service"`
	Image        string `form:"image"`
	Days         string `form:"days"`
	EmptyBuckets bool   `form:"empty_buckets"`
	Request      string `form:"request"` // whose answers are changed; empty: a new order
	Do           string `form:"do"`

	CSRF  string `form:"_csrf"`
	Key   string `form:"_key"`
	Draft string `form:"_draft"`

	Errors map[string]string `form:"-"`
}

// Order is the page that orders an environment, or changes an order that was sent back.
type Order struct {
	Form    OrderForm
	Tenants []ui.Option // that the reader may order for
	Paths   []OrderPath
	Stages  []ui.Option
	Regions []ui.Option
	Network *OrderNetwork // what the order stands on; nil: it needs none

	Asks      OrderAsks
	Services  []ui.Option
	Questions ui.BlueprintFields
	Usage     []ui.Field
	Host      string // of the name as typed, once it was found free
	Max       int    // days of life
	Panel     OrderPanel

	Restored    ui.When
	RestoredWhy string
	EditNumber  string
	EditReason  string
	EditBy      string
	NameFixed   bool // the environment exists already, in part
}

// OrderAsks says which questions the chosen path and stage have.
type OrderAsks struct {
	Image   bool // a service, and an image of it
	Days    bool
	Buckets bool
}

// OrderPath is one golden path to choose.
type OrderPath struct {
	Name    string
	Title   string
	Version string
	Text    string
	From    string // $118/mo; empty: no price
	Chosen  bool
	Why     string // why it cannot be ordered
}

// OrderNetwork is the network of the stage's account in the region.
type OrderNetwork struct {
	Class, Region string
	Ready         bool
	RequestURL    string // of the request that makes it; empty with Ready false: nobody asked for one
}

// OrderPanel stands beside the form and follows it.
type OrderPanel struct {
	Waits    string // why there is no estimate, in words
	Estimate ui.Estimate
	Over     string // what it costs over its life
	Running  string // what it costs once an image runs, where none does yet
	Share    *OrderShare
	Rules    []OrderRule
	Passed   string // 6 of 8 rules have nothing to say
	Usual    string
}

// OrderShare is the tenant's budget with this order in it.
type OrderShare struct {
	Bar   ui.Bar
	Words string
}

// OrderRule is one thing that the rules would say of the order as it stands.
type OrderRule struct {
	State ui.State
	Text  string
	IDs   []string
}

func (d Order) title() string {
	if d.Form.Request != "" {
		return "Change what " + d.EditNumber + " asks for"
	}
	return "New environment"
}

func (d Order) action() string {
	if d.Form.Request != "" {
		return urls.EditRequest(d.Form.Request)
	}
	return urls.NewEnvironment
}

func (d Order) place(p ui.Page) ui.Page {
	title := d.title()
	if len(d.errors()) > 0 {
		title = "Error: " + title
	}
	if d.Form.Request != "" {
		return p.On(ui.AtRequests, title, ui.Crumb{Label: "Requests", URL: urls.Requests}, ui.Crumb{Label: d.EditNumber, URL: urls.Request(d.Form.Request)}, ui.Crumb{Label: "Change"})
	}
	return p.On(ui.AtEnvironments, title, ui.Crumb{Label: "Environments", URL: urls.Environments}, ui.Crumb{Label: "New"})
}

// errors leads to each wrong answer, in the order of the page.
func (d Order) errors() []ui.FieldError {
	all := ui.FieldErrors(d.tenant())
	if text := d.Form.Errors["blueprint"]; text != "" {
		all = append(all, ui.FieldError{ID: "blueprint", Label: "Golden path", Text: text})
	}
	if text := d.Form.Errors["version"]; text != "" {
		all = append(all, ui.FieldError{ID: "blueprint", Label: "Golden path", Text: text})
	}
	all = append(all, ui.FieldErrors(d.stage(), d.region(), OrderName(d.Form, ""))...)
	if d.Asks.Image {
		all = append(all, ui.FieldErrors(d.service())...)
	}
	all = append(all, ui.FieldErrors(d.Questions.All()...)...)
	if d.Asks.Image {
		all = append(all, ui.FieldErrors(d.image())...)
	}
	if d.Asks.Days {
		all = append(all, ui.FieldErrors(d.days())...)
	}
	all = append(all, ui.FieldErrors(d.Usage...)...)
	if text := d.Form.Errors[""]; text != "" {
		all = append(all, ui.FieldError{ID: "order-form", Label: "The answers together", Text: text})
	}
	return all
}

func (d Order) field(f ui.Field) ui.Field {
	f.ID, f.Error = f.Name, d.Form.Errors[f.Name]
	return f
}

func (d Order) tenant() ui.Field {
	hint := fmt.Sprintf("You can order for %s.", ui.Plural(len(d.Tenants), "tenant", "tenants"))
	return d.field(ui.Field{Name: "tenant", Label: "Tenant", Hint: hint, Kind: "select", Options: d.Tenants, Value: d.Form.Tenant})
}

func (d Order) stage() ui.Field {
	return d.field(ui.Field{Name: "stage", Label: "Stage", Kind: "select", Options: d.Stages, Value: d.Form.Stage})
}

func (d Order) region() ui.Field {
	return d.field(ui.Field{Name: "region", Label: "Region", Kind: "select", Options: d.Regions, Value: d.Form.Region})
}

// OrderName asks for the name; host is what follows from a free one.
func OrderName(f OrderForm, host string) ui.Field {
	q := ui.Field{ID: "name", Name: "name", Label: "Name", Hint: "Lower case letters, digits and hyphens, 2 to 20. Becomes part of its address and never changes.", Value: f.Name,
		Error: f.Errors["name"], Mono: true, Max: 20, CheckURL: urls.With(urls.CheckEnvironment, "field", "name")}
	if host != "" {
		q.Good, q.GoodCode = "Free.", host
	}
	return q
}

func (d Order) service() ui.Field {
	return d.field(ui.Field{Name: "service", Label: "Service", Hint: "Whose image runs here.", Kind: "select", Options: d.Services, Value: d.Form.Service})
}

func (d Order) image() ui.Field {
	return d.field(ui.Field{Name: "image", Label: "First image", Hint: "repository@sha256: and 64 hex digits, or what docker push prints. Left open, everything is made but no task runs until one is deployed.",
		Value: d.Form.Image, Mono: true, Max: 400, Optional: true})
}

func (d Order) days() ui.Field {
	return d.field(ui.Field{Name: "days", Label: "Lives for", Hint: fmt.Sprintf("1 to %d. It hibernates at its end; seven days later Slipway asks to delete it. You are warned 7 days, 1 day and 2 hours before, and can extend it.", d.Max),
		Value: d.Form.Days, Mode: "numeric", Suffix: "days", Max: 3})
}

func (d Order) consent() ui.Choices {
	return ui.Choices{ID: "empty_buckets", Name: "empty_buckets", Label: "At the end of its life", Choices: []ui.Choice{{Value: "yes", Label: "Buckets may be emptied",
		Text: "Without this, the deletion of what still holds objects waits for an owner.", Checked: d.Form.EmptyBuckets}}}
}

func (d Order) usageOpen() bool { return len(ui.FieldErrors(d.Usage...)) > 0 }

func (d Order) stands() bool { return d.Network == nil || d.Network.Ready }
