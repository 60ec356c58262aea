package views

import (
	"slipway/views/ui"
	"slipway/views/urls"
)

// FrameConnect is what a frame shows while nobody is connected.
type FrameConnect struct {
	ConnectURL string // of the window in which its reader signs in
	PageURL    string // the same in Slipway itself
	View       string // what the frame shows afterwards
}

// FrameNote is a frame with words in it and nothing else.
type FrameNote struct {
	Title   string
	Text    string
	Request string // id to quote
	Link    string // a page of Slipway
	Word    string
	Again   string // a frame to begin anew with; empty: none
}

// Connect is the window that a frame opened.
type Connect struct {
	Name    string
	CSRF    string
	Nonce   string // of the frame
	View    string
	PageURL string
}

// Connected is the window that hands the code to the frame.
type Connected struct {
	Code    string
	PageURL string
}

// ApprovalsFrame is what waits for its reader.
type ApprovalsFrame struct {
	Rows []QueueRow // the oldest
	All  int
}

func (d ApprovalsFrame) title() string {
	if d.All == 0 {
		return "Nothing waits for you"
	}
	return ui.Plural(d.All, "request waits", "requests wait") + " for you"
}

// CostsFrame is what a tenant costs, without filters and forms.
type CostsFrame struct {
	Costs
	Tenant string // slug
}

// ReadOnly is a tenant's costs as a frame shows them.
func (d Costs) ReadOnly(tenant string) CostsFrame {
	d.Meter, d.Filters, d.CSV = nil, ui.Filters{}, ""
	if d.Budget != nil {
		b := *d.Budget
		b.FixURL, d.Budget = "", &b
	}
	return CostsFrame{Costs: d, Tenant: tenant}
}

// ReadOnly is the environment without anything that could be done to it.
func (d Environment) ReadOnly() Environment {
	d.MayChange, d.Actions, d.CSRF, d.Key, d.Secrets = false, nil, "", "", nil
	d.Drift.CheckURL, d.Drift.RevertURL, d.Drift.AcceptURL = "", "", ""
	if d.Expiry != nil {
		e := *d.Expiry
		e.ExtendURL, d.Expiry = "", &e
	}
	if d.First != nil {
		f := *d.First
		f.DeployURL, d.First = "", &f
	}
	return d
}

func (d Environment) frameTrigger() string { return frameTrigger(d.moving()) }

// frameTrigger is how often a frame asks for itself: soon while something moves, and once a minute to be true and to notice its session's end.
func frameTrigger(moving bool) string {
	if moving {
		return "every 4s"
	}
	return "every 60s"
}

func (d Environment) frameURL() string { return urls.FrameEnvironment(d.Tenant, d.Name) }
