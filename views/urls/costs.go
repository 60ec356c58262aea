package urls

// Addresses of what the organization costs.
const (
	Costs     = "/costs"
	ReadCosts = "/costs/again"
)

// TenantCosts is the page with what a tenant costs.
func TenantCosts(slug string) string { return Tenant(slug) + "/costs" }

func costLinks() []Link {
	return []Link{{"GET", Costs}, {"POST", ReadCosts}, {"GET", TenantCosts("x")}}
}
