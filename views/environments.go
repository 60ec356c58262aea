package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Environments is the list of environments.
type Environments struct {
	Facts     []ui.Fact
	Filters   ui.Filters
	Rows      []EnvironmentRow
	Sorts     ui.Sorts
	Pager     ui.Pager
	CSV       string
	MayAsk    bool // this person may order one
	NewTenant bool // there is no tenant yet, and this person may ask for one
}

// EnvironmentRow is one environment in a list.
type EnvironmentRow struct {
	Tenant    string
	Name      string
	Stage     models.Stage
	State     ui.State
	Drift     string // "2 drifted"; empty: none known
	Region    string
	Blueprint string
	Version   string
	Newest    string // newest version offered; empty: none is newer
	Service   string
	Monthly   string // "$118.24"; empty: not known
	Ends      ui.When
	EndsSoon  bool
	Changed   ui.When
}

// Services is the list of services.
type Services struct {
	Facts   []ui.Fact
	Filters ui.Filters
	Rows    []ServiceRow
	Sorts   ui.Sorts
	Pager   ui.Pager
	CSV     string
	NewURL  string // where a service is asked for; empty: this person may not, or for several tenants
}

// ServiceRow is one service in a list.
type ServiceRow struct {
	Tenant       string
	Name         string
	State        models.ObjectState
	Repository   string // URI; empty before it exists
	Environments int
	Monthly      string
	Changed      ui.When
}

// empty says what belongs into the list and what to do first.
func (d Environments) empty() ui.Empty {
	switch {
	case d.Filters.Set:
		return ui.Empty{Title: "No environment matches", Text: "Nothing you may see fits these filters.", URL: urls.Environments, Word: "Show all environments"}
	case d.MayAsk:
		return ui.Empty{Title: "No environment yet", Text: "An environment is a running place for one of your services: three answers, and you see the plan and its cost before anyone approves.", URL: urls.NewEnvironment, Word: "Order the first one", Icon: ui.IconPlus}
	case d.NewTenant:
		return ui.Empty{Title: "No environment yet", Text: "Environments belong to a tenant: a team with its budget and its own AWS accounts. Ask for one first.", URL: urls.NewTenant, Word: "Ask for a tenant", Icon: ui.IconPlus}
	}
	return ui.Empty{Title: "No environment yet", Text: "Owners and developers of a tenant order them. As soon as one exists that you may see, it appears here."}
}

func (d Services) empty() ui.Empty {
	switch {
	case d.Filters.Set:
		return ui.Empty{Title: "No service matches", Text: "Nothing you may see fits these filters.", URL: urls.Services, Word: "Show all services"}
	case d.NewURL != "":
		return ui.Empty{Title: "No service yet", Text: "A service is what your team builds and deploys: a name and one image repository. Environments run it.", URL: d.NewURL, Word: "Ask for the first one", Icon: ui.IconPlus}
	}
	return ui.Empty{Title: "No service yet", Text: "A service is a name and one image repository. Owners and developers of a tenant ask for one on the tenant's page, or while they order an environment."}
}
