package models

import "fmt"

// GateEvent is what a tenant's people are told when a promotion fails a gate.
func GateEvent(p Promotion, failing GateResult) Event {
	info, _ := GateOf(failing.Gate)
	return Event{Kind: TellGate, Object: "promotion", ObjectID: p.ID, ObjectName: p.Pipeline + " to " + p.Environment, TenantID: p.TenantID, State: string(failing.Gate), ByID: p.PersonID, ByName: p.AskedByName,
		Subject: fmt.Sprintf("%s is kept from %s: %s", p.ServiceName, p.Environment, info.Title),
		Words:   sentence(failing.Words) + " It goes on by itself once the gate passes. An owner of the tenant can waive it; the pipeline's page has all gates."}
}
