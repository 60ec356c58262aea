package views

import (
	"maps"
	"slices"
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// TenantLifeForm is what is typed into the forms about a tenant that exists. Each of them reads its own part.
type TenantLifeForm struct {
	DisplayName string `form:"display_name"`
	Description string `form:"description"`
	CostCentre  string `form:"cost_centre"`

	OwnerGroup     string `form:"owner_group"`
	DeveloperGroup string `form:"developer_group"`
	ViewerGroup    string `form:"viewer_group"`
	Budget         string `form:"budget"`

	Class   string `form:"class"`
	From    string `form:"from"`
	Account string `form:"account"`

	Confirm string `form:"confirm"`
	Reason  string `form:"reason"`
	Empty   bool   `form:"empty"`
	Images  bool   `form:"images"`

	CSRF  string `form:"_csrf"`
	Key   string `form:"_key"`
	Draft string `form:"_draft"`

	Errors map[string]string `form:"-"`
}

// TenantLife is what the forms about a tenant that exists are drawn from.
type TenantLife struct {
	Kind   models.RequestKind // empty: what is changed at once
	Slug   string
	Name   string // as people know it
	In     TenantLifeForm
	Groups string // how group names look here; may be empty
	Access bool   // IAM Identity Center is configured

	Was      TenantLifeForm    // as the tenant is
	Classes  []ui.Choice       // to choose from
	Account  models.Account    // that is moved
	Why      map[string]string // by class: why it is not among them
	Loss     *Loss
	Blocked  string
	Restored ui.When
	Expired  bool // it was kept because the session ended

	EditID     string // request whose answers are changed; empty for a new one
	EditNumber string
	EditReason string
	EditBy     string
}

func (l TenantLife) field(f ui.Field) ui.Field {
	f.ID, f.Error = f.Name, l.In.Errors[f.Name]
	return f
}

// asked are some of the questions of the form for a new tenant, with the answers of this one.
func (l TenantLife) asked(names ...string) []ui.Field {
	form := TenantForm{DisplayName: l.In.DisplayName, Description: l.In.Description, CostCentre: l.In.CostCentre, OwnerGroup: l.In.OwnerGroup, DeveloperGroup: l.In.DeveloperGroup,
		ViewerGroup: l.In.ViewerGroup, Budget: l.In.Budget, Errors: l.In.Errors}
	var all []ui.Field
	for _, name := range names {
		f := form.field(name, true)
		f.CheckURL = ""
		all = append(all, f)
	}
	return all
}

// Form draws the form of the kind.
func (l TenantLife) Form() ObjectForm {
	f := ObjectForm{Section: ui.AtTenants, Back: urls.Tenant(l.Slug), CSRF: l.In.CSRF, Key: l.In.Key, Draft: l.In.Draft, General: l.In.Errors[""], Blocked: l.Blocked, Restored: l.Restored,
		EditReason: l.EditReason, EditBy: l.EditBy, Crumbs: []ui.Crumb{{Label: "Tenants", URL: urls.Tenants}, {Label: l.Slug, URL: urls.Tenant(l.Slug)}}}
	if l.Expired {
		f.RestoredWhy = "Your session had ended"
	}
	word := l.Kind.Verb()
	switch l.Kind {
	case models.ChangeTenant:
		l.change(&f)
	case models.AddAccount, models.EnrolAccount:
		l.account(&f)
	case models.MoveAccount:
		l.move(&f)
	case models.CloseTenant:
		l.close(&f)
	default:
		l.facts(&f)
		word = "Edit"
	}
	f.Crumbs = append(f.Crumbs, ui.Crumb{Label: word})
	if len(f.errors()) == 0 { // what is wrong belongs to no question of this form
		for _, name := range slices.Sorted(maps.Keys(l.In.Errors)) {
			f.General = strings.TrimSpace(f.General + " " + sentence(name+": "+l.In.Errors[name]))
		}
	}
	if l.EditID != "" {
		f.Section, f.Action, f.Back = ui.AtRequests, urls.EditRequest(l.EditID), urls.Request(l.EditID)
		f.Title, f.Button = "Change what "+l.EditNumber+" asks for", "Plan with these answers"
		f.Crumbs = []ui.Crumb{{Label: "Requests", URL: urls.Requests}, {Label: l.EditNumber, URL: f.Back}, {Label: "Change"}}
	}
	return f
}

// facts asks for what is only read by people.
func (l TenantLife) facts(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Action = "Edit "+l.Name, "Save", ui.IconPencil, urls.EditTenant(l.Slug)
	f.Lead = "What people read of it. It changes at once, without a request."
	f.Foot = "Who changed it from what to what is in the audit log."
	f.Fields = l.asked("display_name", "description", "cost_centre")
	f.Then = []Then{
		{"At once", "Pages, lists and files show the new words."},
		{"Tags follow later", "What exists in AWS keeps the tag of its old cost centre until its next change. Costs are counted under the old one until then."},
	}
	f.Now = []ui.Pair{{Label: "Short name", Value: l.Slug + ", for good"}}
}

// change asks for groups and budget.
func (l TenantLife) change(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Action = "Change groups and budget of "+l.Name, "Plan the change", ui.IconPencil, urls.ChangeTenant(l.Slug)
	f.Lead = "Another group changes who gets in, here and in the tenant's AWS accounts."
	f.Fields = l.asked("owner_group", "developer_group", "viewer_group", "budget")
	f.Now = []ui.Pair{{Label: "Owners", Value: l.Was.OwnerGroup}, {Label: "Developers", Value: l.Was.DeveloperGroup}, {Label: "Viewers", Value: l.Was.ViewerGroup}, {Label: "Monthly budget", Value: l.Was.Budget}}
	f.Then = []Then{
		{"Plan, in seconds", "Groups and budget before and after" + l.assignments()},
		{"Decision", "The rules name who reads exactly that plan and approves it. You cannot approve what you asked for."},
		{"People", "Who is in a new group gets in. Who was only in an old one loses the tenant's pages with their next click" + l.accounts()},
		{"Budget", "AWS warns at 80 % and 100 % of the new one. Nothing is switched off."},
	}
	if l.Groups != "" {
		f.Then = append(f.Then, Then{"Group names", "Here they match " + l.Groups + "."})
	}
}

func (l TenantLife) assignments() string {
	if l.Access {
		return ", and every assignment of IAM Identity Center that is made or taken away in its accounts."
	}
	return ". IAM Identity Center is not configured, so access to the AWS accounts themselves is not Slipway's."
}

func (l TenantLife) accounts() string {
	if l.Access {
		return ", and its AWS accounts when what they are signed in with there ends."
	}
	return "."
}

// account asks for one more account: made, or enrolled.
func (l TenantLife) account(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Action = "Add an account to "+l.Name, "Plan the account", ui.IconPlus, urls.NewAccount(l.Slug)
	f.Lead = "One account per class. An environment's stage decides which one it goes to."
	class := models.Class("")
	if len(l.Classes) == 1 {
		class = models.Class(l.Classes[0].Value)
	}
	number := l.field(accountField("account", l.In.Account))
	from := l.field(originField("from", class, orElse(l.In.From, FromNew), number))
	f.Fields = []ui.Field{l.field(ui.Field{Name: "class", Label: "Class", Kind: "pick", Picks: l.Classes})}
	switch {
	case l.EditID == "":
		f.Fields = append(f.Fields, from)
	case l.Kind == models.EnrolAccount: // it stays an enrolment
		from.Label, from.Picks, from.More = "Where it stands afterwards", from.Picks[1:], nil
		f.Fields = append(f.Fields, number, from)
	}
	for _, c := range models.Classes() {
		if why := l.Why[string(c)]; why != "" {
			f.Now = append(f.Now, ui.Pair{Label: string(c), Value: why})
		}
	}
	f.Then = []Then{
		{"Plan, in seconds", "What is made or changed in the account, and its monthly cost. Of an account that is moved, every policy it gains and loses."},
		{"Decision", "Two platform admins decide about an account that exists. About a new one, the people whom the rules name."},
		{"A new account", "It is created, moved to its place in the organization, checked and given its baseline."},
		{"An existing one", "It keeps its name, its e-mail address and what is in it. It is bound to the tenant and given the baseline; where it stays in its unit, the run waits for you to create Slipway's roles there."},
		{"What follows", "What the tenant has already follows, such as the right to pull its images" + l.people()},
	}
}

func (l TenantLife) people() string {
	if l.Access {
		return ", and the access of its members."
	}
	return "."
}

// move asks for an account that stands elsewhere to be moved into the unit of its class.
func (l TenantLife) move(f *ObjectForm) {
	class := string(l.Account.Class)
	f.Title, f.Button, f.Icon, f.Action = "Move the "+class+" account of "+l.Name, "Plan the move", ui.IconSignpost, urls.MoveAccount(l.Slug, l.Account.Class)
	f.Lead = "Into the unit for " + class + " accounts, where the stack set keeps Slipway's roles up to date."
	f.Now = []ui.Pair{{Label: "Account", Value: orElse(ui.AccountNumber(l.Account.AWSID), l.Account.Name)}, {Label: "Stands in", Value: orElse(l.Account.OU, "not seen in a unit yet")},
		{Label: "Its roles", Value: "from the stack " + models.ManualStack + ", kept up to date by hand"}}
	f.Then = []Then{
		{"Plan, in seconds", "Every policy the account gains and loses on the way from its unit to the other one."},
		{"Decision", "The rules name who reads exactly that plan and approves it. You cannot approve what you asked for."},
		{"Run", "It waits until you have deleted the stack " + models.ManualStack + ", moves the account, and goes on once the stack set has brought its own roles."},
		{"Meanwhile", "Slipway cannot work in the account for a few minutes. What runs there goes on."},
	}
}
