package views

import (
	"slipway/views/ui"
	"slipway/views/urls"
)

func (d NewTenant) title() string {
	switch {
	case d.EditID != "":
		return "Change what " + d.EditNumber + " asks for"
	case len(d.Form.Errors) > 0:
		return "New tenant"
	}
	return "Ask for a tenant"
}

func (d NewTenant) action() string {
	if d.EditID != "" {
		return urls.EditRequest(d.EditID)
	}
	return urls.NewTenant
}

// place puts the word Error in front of the tab's title when the form came back, as screen readers read that first.
func (d NewTenant) place(p ui.Page) ui.Page {
	title := d.title()
	if len(d.Form.Errors) > 0 {
		title = "Error: " + title
	}
	if d.EditID != "" {
		return p.On(ui.AtRequests, title, ui.Crumb{Label: "Requests", URL: urls.Requests}, ui.Crumb{Label: d.EditNumber, URL: urls.Request(d.EditID)}, ui.Crumb{Label: "Change"})
	}
	return p.On(ui.AtTenants, title, ui.Crumb{Label: "Tenants", URL: urls.Tenants}, ui.Crumb{Label: "New"})
}

// checkURL asks for one field. The slug is fixed while inputs are changed, so it is not asked then.
func checkURL(name string, edit bool) string {
	if edit && name == "slug" {
		return ""
	}
	return urls.With(urls.CheckTenant, "field", name)
}
