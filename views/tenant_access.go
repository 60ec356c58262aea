package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// PeoplesAccess is who gets into a tenant's accounts, as last seen.
type PeoplesAccess struct {
	Configured bool // IAM Identity Center is
	Accounts   []AccountPeople
}

// AccountPeople are the roles of people in one account.
type AccountPeople struct {
	Name  string
	Class models.Class
	Rows  []AccessRow
}

// AccessRow is one role in one account. Without a state nothing was assigned yet.
type AccessRow struct {
	Role   models.TenantRole
	Group  string
	Set    string // name of the permission set, or its ARN while that was never seen
	State  models.AccessState
	Detail string
	Seen   ui.When
	URL    string // opens the account through the access portal; empty: no portal is configured, or there is no access
}

func (r AccessRow) state() ui.State {
	switch r.State {
	case models.AccessAssigned:
		return ui.State{Label: "assigned", Tone: ui.OK}
	case models.AccessWorking:
		return ui.State{Label: "being assigned", Tone: ui.Run}
	case models.AccessFailed:
		return ui.State{Label: "failed", Tone: ui.Fail}
	case models.AccessRemoved:
		return ui.State{Label: "removed", Tone: ui.Idle}
	}
	return ui.State{Label: "not assigned", Tone: ui.Idle}
}
