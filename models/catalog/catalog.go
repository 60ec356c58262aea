// Package catalog says how Slipway's objects look in Backstage's catalogue: entities, their names and relations, and the limits that
// Backstage holds them to. It does no I/O.
package catalog

import "slipway/models"

// Group is a group of the identity provider that a tenant's role is given to.
type Group struct {
	Name string // as the identity provider writes it
	Of   []Role // some of the tenants that use it, by slug
	All  int    // how many there are
}

// Role is what a group is to a tenant.
type Role struct {
	Slug string            `json:"slug"`
	Role models.TenantRole `json:"role"`
}

// Person is somebody who has signed in.
type Person struct {
	ID      string
	Subject string
	Name    string
	Email   string   // verified, or empty
	Groups  []string // those of their groups that are a tenant's
	Admin   bool     // of the platform
}

// Tenant is a team.
type Tenant struct {
	ID          string
	Slug        string
	DisplayName string
	Description string
	OwnerGroup  string
	State       models.ObjectState
	HasAccount  bool // there is an AWS account whose cost carries the tenant's tag
}

// Home is what everything that a tenant has says of it.
type Home struct {
	Slug       string
	OwnerGroup string
}

// Account is an AWS account of a tenant.
type Account struct {
	ID    string
	Home  Home
	Class models.Class
	AWSID string // 12 digits; empty before it exists
	State models.ObjectState
}

// Network is where environments of one account and region live.
type Network struct {
	ID     string
	Home   Home
	Class  models.Class
	Region string
	Name   string
	State  models.ObjectState
	Stack  Stack
}

// Stack is the CloudFormation stack of an object.
type Stack struct {
	Name    string `json:"name"`
	ARN     string `json:"arn"` // empty before it exists
	Account string `json:"-"`   // 12 digits; empty before the account exists
}

// Environment is a blueprint instance.
type Environment struct {
	ID        string
	Home      Home
	Name      string
	Stage     models.Stage
	Region    string
	Blueprint string
	Host      string // empty: it has no name of its own
	State     models.ObjectState
	Network   string   // name; empty: it stands on none
	ECS       []string // ARNs of its ECS services
	Stack     Stack
}

// Service is what a tenant builds and deploys.
type Service struct {
	ID         string
	Home       Home
	Name       string
	State      models.ObjectState
	Repository string // ARN; empty before it exists
	Account    string // 12 digits of the account it is in; empty before that exists
	Runs       []Runs
	Deliveries []Delivery // by its pipelines
}

// Runs is an environment that a service runs in.
type Runs struct {
	ID    string       `json:"id"`
	Name  string       `json:"name"`
	Stage models.Stage `json:"stage"`
	ECS   []string     `json:"ecs"`
}

// File is all that one tenant has.
type File struct {
	Tenant       Tenant
	Accounts     []Account
	Networks     []Network
	Environments []Environment
	Services     []Service
	Pipelines    []Pipeline
}

// Index is what the root document leads to.
type Index struct {
	Tenants []string // slugs, sorted
	People  []string // buckets that hold somebody, sorted
}

// Buckets are the parts that people are divided into, by the last digit of their id, so that no document grows without bound.
const Buckets = "0123456789abcdef"

// MaxPerFile bounds the entities of one document. What has more is read in pages.
const MaxPerFile = 20_000

// Section is one kind of things in the total order of all entities.
type Section int

// The sections, in order. Cursors that readers hold have their numbers: a new one goes to the end.
const (
	Groups Section = iota
	People
	Tenants
	Accounts
	Networks
	Environments
	Services
	Pipelines
	Sections // how many there are
)

// Cursor is the place after one entity. Within a section things are sorted by Key, then Sub.
type Cursor struct {
	Section Section `json:"s"`
	Key     string  `json:"k"`
	Sub     string  `json:"n,omitempty"`
}

// Batch is a piece of one section.
type Batch struct {
	Groups       []Group
	People       []Person
	Tenants      []Tenant
	Accounts     []Account
	Networks     []Network
	Environments []Environment
	Services     []Service
	Pipelines    []Pipeline
}

// Item is an entity with the place after it.
type Item struct {
	Entity Entity
	After  Cursor
}

// Items are the entities of a batch in their order.
func (a Addresses) Items(b Batch) []Item {
	var all []Item
	put := func(s Section, e Entity, key, sub string) { all = append(all, Item{e, Cursor{s, key, sub}}) }
	for _, x := range b.Groups {
		put(Groups, a.Group(x), x.Name, "")
	}
	for _, x := range b.People {
		put(People, a.User(x), x.ID, "")
	}
	for _, x := range b.Tenants {
		put(Tenants, a.System(x), x.Slug, "")
	}
	for _, x := range b.Accounts {
		put(Accounts, a.Account(x), x.Home.Slug, string(x.Class))
	}
	for _, x := range b.Networks {
		put(Networks, a.Network(x), x.Home.Slug, x.Name)
	}
	for _, x := range b.Environments {
		put(Environments, a.Environment(x), x.Home.Slug, x.Name)
	}
	for _, x := range b.Services {
		put(Services, a.Component(x), x.Home.Slug, x.Name)
	}
	for _, x := range b.Pipelines {
		put(Pipelines, a.Pipeline(x), x.Home.Slug, x.Name)
	}
	return all
}
