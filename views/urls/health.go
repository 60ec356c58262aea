package urls

import "net/url"

// Addresses of what can be said of Slipway's own set-up.
const (
	Platform      = "/admin/platform"
	CheckPlatform = "/admin/platform/check"
)

// Account is the page of a tenant's account of a class.
func Account(tenant, class string) string {
	return Tenant(tenant) + "/accounts/" + url.PathEscape(class)
}

// CheckAccount has Slipway's roles in an account checked now.
func CheckAccount(tenant, class string) string { return Account(tenant, class) + "/check" }

// healthLinks are the addresses above with sample names.
func healthLinks() []Link {
	return []Link{{"GET", Account("payments", "nonprod")}, {"POST", CheckAccount("payments", "nonprod")}, {"GET", Platform}, {"POST", CheckPlatform}}
}
