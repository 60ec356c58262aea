package models

import "fmt"

// LostEvent is what platform admins are told when Slipway cannot do all its work any more: in an account, or without one in the
// organization. False: it can, or could not before either.
func LostEvent(before, after HealthState, missing int, a *Account, tenantID string) (Event, bool) {
	works := func(s HealthState) bool { return s == "" || s == HealthOK || s == HealthDiffers }
	if !works(before) || works(after) {
		return Event{}, false
	}
	e := Event{Kind: TellRoleLost, Object: "platform", ByName: "health", Subject: "The organization lacks something that Slipway needs", Words: "Look at what it is, and at the command that helps."}
	if a == nil {
		return e, true
	}
	e.Object, e.ObjectID, e.ObjectName, e.TenantID, e.State = AccountObject, a.ID, a.Name, tenantID, string(a.Class)
	e.Subject, e.Words = "Slipway cannot see its roles in "+a.Name, "Runs in this account will stop or wait. Its page says what the trust policy must hold."
	if after == HealthMissing {
		e.Subject = fmt.Sprintf("Slipway lacks %d permissions in %s", missing, a.Name)
		if missing == 1 {
			e.Subject = "Slipway lacks a permission in " + a.Name
		}
		e.Words = "Runs that need them will wait. The account's page has the statements to add."
	}
	return e, true
}
