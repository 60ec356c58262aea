package urls

// Addresses of how environments run.
const (
	Health     = "/health"
	HealthWall = "/health/wall" // for a big screen; it asks for itself again
)

// HealthOf lists how a tenant's environments run.
func HealthOf(tenant string) string { return With(Health, "tenant", tenant) }

// Signals are the four signals of an environment over a range; without one, over the usual.
func Signals(tenant, name, span string) string {
	return With(Environment(tenant, name)+"/signals", "range", span)
}

// EnvironmentOver is an environment's page with its signals over a range.
func EnvironmentOver(tenant, name, span string) string {
	return With(Environment(tenant, name), "range", span)
}

func signalLinks() []Link {
	return []Link{{"GET", Health}, {"GET", HealthWall}, {"GET", HealthOf("payments")}, {"GET", Signals("payments", "orders-dev", "3h")}, {"GET", EnvironmentOver("payments", "orders-dev", "3h")}}
}
