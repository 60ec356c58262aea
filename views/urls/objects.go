package urls

import "net/url"

// Addresses of what tenants' accounts hold.
const (
	Environments     = "/environments"
	NewEnvironment   = "/environments/new"
	ShowOrder        = "/environments/new/show"  // the form with the fields of what was chosen
	OrderPanel       = "/environments/new/panel" // cost, approval and usual time of what is typed
	CheckEnvironment = "/environments/new/check" // one field of the form
	Blueprints       = "/blueprints"
	Services         = "/services"
	Pools            = "/admin/pools"
	AddPool          = "/admin/pools/add"
	RemovePool       = "/admin/pools/remove"
)

// Environment is an environment's page.
func Environment(tenant, name string) string {
	return Tenant(tenant) + "/environments/" + url.PathEscape(name)
}

// ChangeEnvironment is where one kind of change is asked for, by its verb: update, upgrade, deploy, hibernate, wake, extend, revert,
// accept, recover, delete.
func ChangeEnvironment(tenant, name, verb string) string {
	return Environment(tenant, name) + "/" + verb
}

// CheckDrift has an environment compared with its account now.
func CheckDrift(tenant, name string) string { return Environment(tenant, name) + "/drift" }

// OrderEnvironment opens the order form for a tenant.
func OrderEnvironment(tenant string) string { return With(NewEnvironment, "tenant", tenant) }

// Blueprint is a blueprint's page.
func Blueprint(name string) string { return Blueprints + "/" + url.PathEscape(name) }

// OrderDraft opens the order form with what was typed before.
func OrderDraft(id string) string { return With(NewEnvironment, "draft", id) }

// Service is a service's page.
func Service(tenant, name string) string {
	return Tenant(tenant) + "/services/" + url.PathEscape(name)
}

// NewService asks for a service.
func NewService(tenant string) string { return Tenant(tenant) + "/services/new" }

// DeleteService asks for a service's end.
func DeleteService(tenant, name string) string { return Service(tenant, name) + "/delete" }

// Network is a network's page.
func Network(tenant, name string) string {
	return Tenant(tenant) + "/networks/" + url.PathEscape(name)
}

// NewNetwork asks for a network.
func NewNetwork(tenant string) string { return Tenant(tenant) + "/networks/new" }

// RegisterNetwork brings in a VPC that exists.
func RegisterNetwork(tenant string) string { return Tenant(tenant) + "/networks/register" }

// UpdateNetwork asks for other answers of a network.
func UpdateNetwork(tenant, name string) string { return Network(tenant, name) + "/update" }

// DeleteNetwork asks for a network's end.
func DeleteNetwork(tenant, name string) string { return Network(tenant, name) + "/delete" }

// objectLinks are the addresses above with sample names.
func objectLinks() []Link {
	const tenant, env = "payments", "orders-dev"
	links := []Link{
		{"GET", NewEnvironment}, {"POST", NewEnvironment}, {"POST", ShowOrder}, {"POST", OrderPanel}, {"POST", CheckEnvironment}, {"GET", Blueprints}, {"GET", Blueprint("ecs-web-service")},
		{"GET", Environments}, {"GET", Environment(tenant, env)}, {"POST", CheckDrift(tenant, env)},
		{"GET", Services}, {"GET", NewService(tenant)}, {"POST", NewService(tenant)}, {"GET", Service(tenant, "orders")},
		{"GET", DeleteService(tenant, "orders")}, {"POST", DeleteService(tenant, "orders")},
		{"GET", NewNetwork(tenant)}, {"POST", NewNetwork(tenant)}, {"GET", RegisterNetwork(tenant)}, {"POST", RegisterNetwork(tenant)},
		{"GET", Network(tenant, "nonprod-eu-west-1")}, {"GET", UpdateNetwork(tenant, "nonprod-eu-west-1")}, {"POST", UpdateNetwork(tenant, "nonprod-eu-west-1")},
		{"GET", DeleteNetwork(tenant, "nonprod-eu-west-1")}, {"POST", DeleteNetwork(tenant, "nonprod-eu-west-1")},
		{"GET", Pools}, {"POST", AddPool}, {"POST", RemovePool},
		{"POST", ChangeEnvironment(tenant, env, "hibernate")}, {"POST", ChangeEnvironment(tenant, env, "revert")},
	}
	for _, verb := range []string{"update", "upgrade", "deploy", "wake", "extend", "accept", "recover", "delete"} {
		links = append(links, Link{"GET", ChangeEnvironment(tenant, env, verb)}, Link{"POST", ChangeEnvironment(tenant, env, verb)})
	}
	return links
}
