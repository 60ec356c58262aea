package views

import (
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// recover asks how a roll-back that stopped is brought to its end.
func (c EnvironmentChange) recover(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Recover "+c.title(), "Plan the recovery", ui.IconWrench
	f.Lead = "CloudFormation goes on with the roll-back that stopped. Nothing else can be changed before it has ended."
	box := ui.Choices{ID: "skip", Name: "skip", Label: "Resources to pass over", Error: c.In.Errors["skip"],
		Hint: "Leave all unticked to try again, once what stood against it is gone. One that is passed over stays as it is in the account, and CloudFormation takes it for rolled back."}
	for _, r := range c.Stuck {
		box.Choices = append(box.Choices, ui.Choice{Value: r.LogicalID, Label: r.LogicalID, Text: joinText(typeWord(r.Type), r.Reason), Checked: has(c.In.Skip, r.LogicalID)})
	}
	if len(box.Choices) > 0 {
		f.Boxes = []ui.Choices{box}
	}
	f.Now = []ui.Pair{{Label: "CloudFormation says", Value: c.Status}}
	f.Then = stackThen("The roll-back goes on. Afterwards the stack is as it was before the change that failed, but for what was passed over.")
	f.Then[0].Text = "What the roll-back still has to do, and what it passes over."
}

// delete says what will go, what stays, and asks for the name.
func (c EnvironmentChange) delete(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Danger = "Delete "+c.title(), "Ask for its deletion", ui.IconTrash, true
	f.Lead = "Everything its stack made goes, for good. Images in the repository stay."
	if len(c.Buckets) > 0 {
		f.Boxes = append(f.Boxes, ui.Choices{ID: "empty", Name: "empty", Label: "What is in its buckets", Error: c.In.Errors["empty"],
			Hint:    "A bucket that is not empty cannot be deleted: " + strings.Join(c.Buckets, ", ") + ".",
			Choices: []ui.Choice{{Value: "yes", Label: "Empty them first", Text: "Every object and version in them is lost. Without this, the deletion is refused while something is in them.", Checked: c.In.Empty}}})
	}
	if len(c.Stuck) > 0 {
		box := ui.Choices{ID: "retain", Name: "retain", Label: "Resources to keep in the account", Error: c.In.Errors["retain"],
			Hint: "The last deletion stopped at these. Leave all unticked to try again, once what stood against it is gone. What is kept goes on costing, and nobody looks after it."}
		for _, r := range c.Stuck {
			box.Choices = append(box.Choices, ui.Choice{Value: r.LogicalID, Label: r.LogicalID, Text: joinText(typeWord(r.Type), r.Reason), Checked: has(c.In.Retain, r.LogicalID)})
		}
		f.Boxes = append(f.Boxes, box)
	}
	f.Fields = []ui.Field{c.field(confirmField(c.Name, c.In.Confirm))}
	f.Now = []ui.Pair{{Label: "Stage", Value: string(c.Stage)}, {Label: "CloudFormation says", Value: orElse(c.Status, "nothing yet")}}
	f.Then = deleteThen("Buckets are emptied only if you said so here.")
}

// confirmField asks for the name of what is to be deleted.
func confirmField(name, typed string) ui.Field {
	return ui.Field{Name: "confirm", Label: "Type its name", Hint: "To be sure that it is this one: " + name, Value: typed, Mono: true, Max: 60}
}

func deleteThen(first string) []Then {
	return []Then{
		{"Plan, in seconds", "What the account holds of it, each with what becomes of it; what stands against the deletion is said at once."},
		{"Decision", "The rules name who approves a deletion."},
		{"Run", strings.TrimSpace(first + " Then CloudFormation deletes the stack.")},
		{"Receipt", "The account is looked through once more: what is gone, what is left, and what that still costs."},
	}
}

func joinText(kind, reason string) string {
	if reason == "" {
		return kind
	}
	return kind + ": " + reason
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// ServiceChange is what the forms about a service are drawn from.
type ServiceChange struct {
	Kind   models.RequestKind
	Tenant string
	Name   string // typed, or the service's
	Back   string // the form that a new service is asked for from
	In     ChangeForm
	Users  []ui.Pair // environments that run it: name and address
}

// Form draws the form of the kind.
func (c ServiceChange) Form() ObjectForm {
	f := ObjectForm{Section: ui.AtServices, CSRF: c.In.CSRF, Key: c.In.Key, General: c.In.Errors[""],
		Crumbs: []ui.Crumb{{Label: "Services", URL: urls.Services}, {Label: c.Tenant, URL: urls.Tenant(c.Tenant)}}}
	if c.Kind == models.CreateService {
		f.Title, f.Button, f.Icon, f.Back = "New service of "+c.Tenant, "Ask for the service", ui.IconPlus, urls.Tenant(c.Tenant)
		if c.Back != "" {
			f.Back, f.Hidden = c.Back, []ui.Pair{{Label: "back", Value: c.Back}}
		}
		f.Lead, f.Action = "A service is what you build and deploy: a name and one image repository.", urls.NewService(c.Tenant)
		f.Fields = []ui.Field{{ID: "name", Name: "name", Label: "Name", Value: c.Name, Mono: true, Max: 60, Error: c.In.Errors["name"],
			Hint: "2 to 20 lower case letters, digits and single hyphens. It becomes part of the repository's name and never changes."}}
		f.Then = []Then{
			{"Plan, in seconds", "The repository with its key: tags that never move, a scan of every push, and pull rights for the tenant's accounts."},
			{"Decision", "A shipped rule approves it by itself unless another rule wants a person."},
			{"Run", "The repository is there after about a minute. Its page says how to push."},
		}
		f.Crumbs = append(f.Crumbs, ui.Crumb{Label: "New service"})
		return f
	}
	f.Title, f.Button, f.Icon, f.Danger, f.Back = "Delete service "+c.Tenant+" / "+c.Name, "Ask for its deletion", ui.IconTrash, true, urls.Service(c.Tenant, c.Name)
	f.Lead, f.Action = "Its repository and every image in it go, for good.", urls.DeleteService(c.Tenant, c.Name)
	f.Crumbs = append(f.Crumbs, ui.Crumb{Label: c.Name, URL: f.Back}, ui.Crumb{Label: "Delete"})
	f.Then = deleteThen("Images are deleted only if you said so here.")
	if len(c.Users) > 0 {
		f.Blocked, f.Users = "It runs in "+ui.Plural(len(c.Users), "environment", "environments")+". Delete them first, or order them anew for another service.", c.Users
		return f
	}
	f.Boxes = []ui.Choices{{ID: "empty", Name: "empty", Label: "Images in the repository", Error: c.In.Errors["empty"], Choices: []ui.Choice{
		{Value: "yes", Label: "Delete them, too", Text: "Without this, the deletion is refused while an image is in it.", Checked: c.In.Empty}}}}
	confirm := confirmField(c.Name, c.In.Confirm)
	confirm.ID, confirm.Error = "confirm", c.In.Errors["confirm"]
	f.Fields = []ui.Field{confirm}
	return f
}
