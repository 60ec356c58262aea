package models

import (
	"slices"
	"time"
)

// PlatformRole is a right over the whole platform, granted by the mapping of identity provider groups.
type PlatformRole string

// The platform roles. Nobody holds one by default.
const (
	PlatformAdmin PlatformRole = "platform-admin" // everything, approves
	Auditor       PlatformRole = "auditor"        // reads everything, changes nothing
	Requester     PlatformRole = "requester"      // may ask for a tenant
)

// PlatformRoles lists the roles that a group can be mapped to.
func PlatformRoles() []PlatformRole { return []PlatformRole{PlatformAdmin, Auditor, Requester} }

// TenantRole is a right over one tenant, granted only by the tenant's own groups.
type TenantRole string

// The tenant roles, strongest first: an owner may all a developer may, a developer all a viewer may.
const (
	Owner     TenantRole = "owner"
	Developer TenantRole = "developer"
	Viewer    TenantRole = "viewer"
)

var tenantRank = map[TenantRole]int{Viewer: 1, Developer: 2, Owner: 3}

// Includes tells whether holding r grants all that other grants.
func (r TenantRole) Includes(other TenantRole) bool {
	return tenantRank[r] >= tenantRank[other] && tenantRank[r] > 0
}

// RoleMapping grants a platform role to everyone in a group. FromConfig marks break-glass groups, which the page cannot edit.
type RoleMapping struct {
	ID         string
	Group      string
	Role       PlatformRole
	FromConfig bool
	CreatedBy  string
	CreatedAt  time.Time
}

// SystemIssuer is the issuer of rows that stand for components of Slipway as requesters. No provider has it, so nobody signs in as one.
const SystemIssuer = "slipway"

// Person is somebody who has signed in: issuer and subject are the key, never the e-mail address.
type Person struct {
	ID           string
	Issuer       string
	Subject      string
	Name         string
	Email        string   // only when the provider said it is verified
	Groups       []string // as last seen at a sign-in
	GroupsSeenAt time.Time
}

// Membership is a person's role in one tenant.
type Membership struct {
	TenantID string
	Slug     string
	Role     TenantRole
}

// Actor is who acts: a person with the roles computed for this HTTP request, or a system component.
// Every store method takes one. The zero Actor may do nothing.
type Actor struct {
	Person      Person
	Roles       []PlatformRole
	Memberships []Membership
	System      string // component name; empty for a person
	OnBehalfOf  string // person id that a system actor works for
	RequestID   string // HTTP request or run that this is part of
	Address     string // client address
}

// System makes the actor of a background component. It can never approve.
func System(component, onBehalfOf string) Actor {
	return Actor{System: component, OnBehalfOf: onBehalfOf}
}

// IsSystem tells a component from a person.
func (a Actor) IsSystem() bool { return a.System != "" }

// Has tells whether the person holds the platform role.
func (a Actor) Has(r PlatformRole) bool { return !a.IsSystem() && slices.Contains(a.Roles, r) }

// Name is what audit entries and pages call the actor.
func (a Actor) Name() string {
	if a.IsSystem() {
		return a.System
	}
	return a.Person.Name
}

// TenantRole is the actor's role in the tenant; empty when there is none.
func (a Actor) TenantRole(tenantID string) TenantRole {
	for _, m := range a.Memberships {
		if m.TenantID == tenantID && tenantID != "" {
			return m.Role
		}
	}
	return ""
}

// StrongestRole is the one word that the audit log keeps for the actor's right over a tenant.
func (a Actor) StrongestRole(tenantID string) string {
	switch {
	case a.IsSystem():
		return "system"
	case a.Has(PlatformAdmin):
		return string(PlatformAdmin)
	case a.TenantRole(tenantID) != "":
		return string(a.TenantRole(tenantID))
	case len(a.Roles) > 0:
		return string(a.Roles[0])
	}
	return "none"
}

// SeesAll tells whether every tenant and request is visible to the actor.
func (a Actor) SeesAll() bool { return a.IsSystem() || a.Has(PlatformAdmin) || a.Has(Auditor) }

// SeesTenant tells whether the tenant exists for the actor.
func (a Actor) SeesTenant(tenantID string) bool { return a.SeesAll() || a.TenantRole(tenantID) != "" }

// MayRequestTenant tells whether the actor may ask for a new tenant.
func (a Actor) MayRequestTenant() bool { return a.Has(Requester) || a.Has(PlatformAdmin) }

// MayOrderFor tells whether the actor may ask for what a tenant's accounts hold: its owners and developers, platform admins, and
// components of Slipway, whose requests are decided like everybody's.
func (a Actor) MayOrderFor(tenantID string) bool {
	return a.IsSystem() || a.Has(PlatformAdmin) || a.TenantRole(tenantID).Includes(Developer)
}

// MayRunTenant tells whether the actor may ask for changes of a tenant itself, and correct what is said of it: its owners and platform admins.
func (a Actor) MayRunTenant(tenantID string) bool {
	return a.Has(PlatformAdmin) || a.TenantRole(tenantID) == Owner
}

// NoAccess tells whether a signed-in person holds no role at all and gets the page that says so.
func (a Actor) NoAccess() bool { return !a.IsSystem() && len(a.Roles) == 0 && len(a.Memberships) == 0 }
