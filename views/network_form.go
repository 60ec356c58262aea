package views

import (
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// NetworkForm is what is typed into the forms about networks.
type NetworkForm struct {
	Class   string `form:"class"`
	Region  string `form:"region"`
	Pool    string `form:"pool"`
	VPC     string `form:"vpc"`
	Public  string `form:"public"`
	Private string `form:"private"`
	Confirm string `form:"confirm"`
	Back    string `form:"back"` // the form that the network is asked for from

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// NetworkChange is what the forms about networks are drawn from.
type NetworkChange struct {
	Kind       models.RequestKind
	Tenant     string
	Name       string // of an existing one
	Registered bool
	Version    string
	In         NetworkForm
	Classes    []ui.Choice // the tenant's accounts
	Regions    []ui.Option
	Pools      []ui.Option // empty: this person does not see them, and Slipway takes the region's own
	Questions  ui.BlueprintFields
	Users      []ui.Pair
	Blocked    string
}

func (c NetworkChange) field(f ui.Field) ui.Field {
	f.ID, f.Error = f.Name, c.In.Errors[f.Name]
	return f
}

func (c NetworkChange) where() []ui.Field {
	return []ui.Field{
		c.field(ui.Field{Name: "class", Label: "Account", Kind: "pick", Picks: c.Classes, Hint: "An environment's stage decides in which account, and so on which network, it is."}),
		c.field(ui.Field{Name: "region", Label: "Region", Kind: "select", Options: c.Regions, Value: c.In.Region}),
	}
}

// Form draws the form of the kind.
func (c NetworkChange) Form() ObjectForm {
	f := ObjectForm{Section: ui.AtTenants, Back: urls.Tenant(c.Tenant), CSRF: c.In.CSRF, Key: c.In.Key, General: c.In.Errors[""], Questions: c.Questions, Blocked: c.Blocked, Users: c.Users,
		Crumbs: []ui.Crumb{{Label: "Tenants", URL: urls.Tenants}, {Label: c.Tenant, URL: urls.Tenant(c.Tenant)}}}
	if c.In.Back != "" {
		f.Back, f.Hidden = c.In.Back, []ui.Pair{{Label: "back", Value: c.In.Back}}
	}
	switch c.Kind {
	case models.CreateNetwork:
		f.Title, f.Button, f.Icon, f.Action = "New network of "+c.Tenant, "Plan the network", ui.IconPlus, urls.NewNetwork(c.Tenant)
		f.Lead = "Environments of one account and region live on its network. There is one per account and region."
		f.Fields = c.where()
		if len(c.Pools) > 1 {
			f.Fields = append(f.Fields, c.field(ui.Field{Name: "pool", Label: "Address pool", Kind: "select", Options: c.Pools, Value: c.In.Pool, Hint: "Its block is taken from here. No two networks of a pool overlap."}))
		}
		f.Then = stackThen("VPC, subnets, ways out and flow logs are made; with the first network of an account its hosted zone, too.")
		f.Crumbs = append(f.Crumbs, ui.Crumb{Label: "New network"})
	case models.RegisterNetwork:
		f.Title, f.Button, f.Icon, f.Action = "Register a VPC of "+c.Tenant, "Plan the registration", ui.IconPlus, urls.RegisterNetwork(c.Tenant)
		f.Lead = "A VPC that exists, with its subnets. Slipway makes and changes nothing in it."
		f.Fields = append(c.where(),
			c.field(ui.Field{Name: "vpc", Label: "VPC", Hint: "Its id, like vpc-0a1b2c3d4e5f67890.", Value: c.In.VPC, Mono: true, Max: 60}),
			c.field(ui.Field{Name: "public", Label: "Public subnets", Hint: "Two to six ids, one per line. A route leads from them to the internet.", Value: c.In.Public, Kind: "textarea", Rows: 3, Mono: true, Max: 400}),
			c.field(ui.Field{Name: "private", Label: "Private subnets", Hint: "Two to six ids, one per line. Tasks run in them.", Value: c.In.Private, Kind: "textarea", Rows: 3, Mono: true, Max: 400}))
		f.Then = []Then{
			{"Plan, in seconds", "Slipway looks at the VPC and its subnets: zones, routes, address block, and whether they fit together."},
			{"Decision", "The rules name who approves it."},
			{"Then", "Its ids are given to every environment ordered into this account and region. With the first network of an account its hosted zone is made, too."},
		}
		f.Crumbs = append(f.Crumbs, ui.Crumb{Label: "Register a VPC"})
	case models.UpdateNetwork:
		f.Title, f.Button, f.Icon, f.Action, f.Back = "Change network "+c.Tenant+" / "+c.Name, "Plan the change", ui.IconPencil, urls.UpdateNetwork(c.Tenant, c.Name), urls.Network(c.Tenant, c.Name)
		f.Lead = "Environments stand on it: the plan shows what a change would do to them."
		f.Now = []ui.Pair{{Label: "Version", Value: c.Version}}
		f.Then = stackThen("CloudFormation changes the stack and rolls it back by itself when a change fails.")
		if c.Questions.Empty() {
			f.Blocked = orElse(f.Blocked, "This network asks nothing, so there is nothing to change.")
		}
		f.Crumbs = append(f.Crumbs, ui.Crumb{Label: c.Name, URL: f.Back}, ui.Crumb{Label: "Change"})
	default:
		c.delete(&f)
	}
	return f
}

func (c NetworkChange) delete(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Danger = "Delete network "+c.Tenant+" / "+c.Name, "Ask for its deletion", ui.IconTrash, true
	f.Action, f.Back = urls.DeleteNetwork(c.Tenant, c.Name), urls.Network(c.Tenant, c.Name)
	f.Lead = "VPC, subnets and ways out go, for good. Its address block becomes free."
	f.Then = deleteThen("")
	if c.Registered {
		f.Lead = "Slipway forgets it. The VPC itself stays as it is."
		f.Then = noteThen("Nothing can be ordered onto it any more. The VPC itself stays as it is.")
	}
	f.Fields = []ui.Field{c.field(confirmField(c.Name, c.In.Confirm))}
	f.Crumbs = append(f.Crumbs, ui.Crumb{Label: c.Name, URL: f.Back}, ui.Crumb{Label: "Delete"})
	if len(c.Users) > 0 {
		f.Blocked = ui.Plural(len(c.Users), "environment stands", "environments stand") + " on it. Delete them first."
	}
}
