package urls

import (
	"net/url"

	"slipway/models"
)

// EditTenant changes at once what people read of a tenant.
func EditTenant(slug string) string { return Tenant(slug) + "/edit" }

// ChangeTenant asks for other groups or another budget.
func ChangeTenant(slug string) string { return Tenant(slug) + "/change" }

// CloseTenant asks for a tenant's end.
func CloseTenant(slug string) string { return Tenant(slug) + "/close" }

// NewAccount asks for one more account of a tenant, made or enrolled.
func NewAccount(slug string) string { return Tenant(slug) + "/accounts/new" }

// NewAccountOf is NewAccount with a class chosen.
func NewAccountOf(slug string, c models.Class) string {
	return With(NewAccount(slug), "class", string(c))
}

// MoveAccount asks for an account to be moved into the unit of its class.
func MoveAccount(slug string, c models.Class) string {
	return Tenant(slug) + "/accounts/" + url.PathEscape(string(c)) + "/move"
}

// Undo takes back what a failed run has made.
func Undo(id string) string { return Run(id) + "/undo" }

// tenantLinks are the addresses above with sample names.
func tenantLinks(id string) []Link {
	const tenant = "payments"
	var links []Link
	for _, address := range []string{EditTenant(tenant), ChangeTenant(tenant), CloseTenant(tenant), NewAccount(tenant), MoveAccount(tenant, models.Prod)} {
		links = append(links, Link{"GET", address}, Link{"POST", address})
	}
	return append(links, Link{"GET", NewAccountOf(tenant, models.Prod)}, Link{"POST", Undo(id)})
}
