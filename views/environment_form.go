package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// ChangeForm is what is typed into the forms that change or end an object. Each kind of request reads its own part.
type ChangeForm struct {
	Version string   `form:"version"`
	Image   string   `form:"image"`
	Days    string   `form:"days"`
	Until   string   `form:"until"`
	Reason  string   `form:"reason"`
	Confirm string   `form:"confirm"`
	Empty   bool     `form:"empty"`
	Retain  []string `form:"retain"`
	Skip    []string `form:"skip"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// EnvironmentChange is what a form about an environment is drawn from.
type EnvironmentChange struct {
	Kind       models.RequestKind
	Tenant     string
	Name       string
	Stage      models.Stage
	Version    string // it is made with now
	Image      string // it runs now; may be empty
	Ends       string // in words; empty: never
	Status     string // CloudFormation's own word
	Repository string // of its service; may be empty

	In        ChangeForm
	Questions ui.BlueprintFields
	Usage     []ui.Field

	Versions []VersionLink // upgrade
	Notes    string
	Breaking bool
	Dropped  []string // titles of what the newer version does not ask any more
	Drift    []DriftRow
	Stuck    []StackResource // resources that stopped a roll-back or deletion
	Buckets  []string        // names of buckets in the stack
	Blocked  string
}

func (c EnvironmentChange) title() string { return c.Tenant + " / " + c.Name }

// Form draws the form of the kind.
func (c EnvironmentChange) Form() ObjectForm {
	f := ObjectForm{
		Section: ui.AtEnvironments, Action: urls.ChangeEnvironment(c.Tenant, c.Name, ChangeVerb(c.Kind)), Back: urls.Environment(c.Tenant, c.Name), Blocked: c.Blocked,
		General: c.In.Errors[""], Questions: c.Questions, Usage: c.Usage, CSRF: c.In.CSRF, Key: c.In.Key,
	}
	switch c.Kind {
	case models.UpdateEnvironment:
		c.update(&f)
	case models.UpgradeEnvironment:
		c.upgrade(&f)
	case models.DeployEnvironment:
		c.deploy(&f)
	case models.ExtendEnvironment:
		c.extend(&f)
	case models.WakeEnvironment:
		c.wake(&f)
	case models.AcceptDrift:
		c.accept(&f)
	case models.RecoverEnvironment:
		c.recover(&f)
	case models.DeleteEnvironment:
		c.delete(&f)
	}
	f.Crumbs = []ui.Crumb{{Label: "Environments", URL: urls.Environments}, {Label: c.Tenant, URL: urls.Tenant(c.Tenant)}, {Label: c.Name, URL: f.Back}, {Label: c.Kind.Verb()}}
	return f
}

// ChangeVerb is the last part of the address of a change.
func ChangeVerb(k models.RequestKind) string {
	return map[models.RequestKind]string{
		models.UpdateEnvironment: "update", models.UpgradeEnvironment: "upgrade", models.DeployEnvironment: "deploy", models.HibernateEnvironment: "hibernate",
		models.WakeEnvironment: "wake", models.ExtendEnvironment: "extend", models.RevertEnvironment: "revert", models.AcceptDrift: "accept",
		models.RecoverEnvironment: "recover", models.DeleteEnvironment: "delete"}[k]
}

// stackThen is what follows a form that changes a stack.
func stackThen(run string) []Then {
	return []Then{
		{"Plan, in seconds", "CloudFormation lists every change per property. Replacements and deletions stand first, with the monthly cost before and after."},
		{"Decision", "The rules name who reads exactly that plan and approves it, or approve it themselves."},
		{"Run", run},
	}
}

// noteThen is what follows a form that changes only Slipway's own row.
func noteThen(run string) []Then {
	return []Then{
		{"Plan, in a second", "Before and after of what Slipway keeps. Nothing in AWS changes."},
		{"Decision", "The rules name who approves it, or approve it themselves."},
		{"Then", run},
	}
}

func (c EnvironmentChange) field(f ui.Field) ui.Field {
	f.ID, f.Error = f.Name, c.In.Errors[f.Name]
	return f
}

func (c EnvironmentChange) update(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Change "+c.title(), "Plan the change", ui.IconPencil
	f.Lead = "Other answers of the same version. You see what they change before anything happens."
	f.Now = []ui.Pair{{Label: "Version", Value: c.Version}}
	f.Then = stackThen("CloudFormation changes the stack and rolls it back by itself when a change fails.")
	if c.Questions.Empty() && len(c.Usage) == 0 {
		f.Blocked = orElse(f.Blocked, "This blueprint asks nothing, so there is nothing to change. Deploy an image or upgrade it instead.")
	}
}

func (c EnvironmentChange) upgrade(f *ObjectForm) {
	f.Title, f.Button, f.Icon = fmt.Sprintf("Upgrade %s to %s", c.title(), c.In.Version), "Plan the upgrade", ui.IconArrowUp
	f.Lead = "A newer version of its blueprint. Your answers stay; only what is new is asked."
	f.Versions, f.Notes, f.Breaking, f.NotesHead = c.Versions, c.Notes, c.Breaking, "What changes in "+c.In.Version
	f.Hidden = []ui.Pair{{Label: "version", Value: c.In.Version}}
	f.Now = []ui.Pair{{Label: "Version", Value: c.Version}}
	if len(c.Dropped) > 0 {
		f.Now = append(f.Now, ui.Pair{Label: "No longer asked", Value: commas(c.Dropped...)})
	}
	f.Then = stackThen("CloudFormation changes the stack to the new version and rolls it back by itself when a change fails.")
}

func (c EnvironmentChange) deploy(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Deploy to "+c.title(), "Plan the deployment", ui.IconRocket
	f.Lead = "One image by its digest, and nothing else."
	hint := "Tags can move, digests cannot: repository@sha256: and 64 hex digits."
	if c.Repository != "" {
		hint = "The digest that docker push prints, sha256: and 64 hex digits. Images come from " + c.Repository + "."
	}
	f.Fields = []ui.Field{c.field(ui.Field{Name: "image", Label: "Image", Hint: hint, Value: c.In.Image, Mono: true, Max: 400})}
	f.Now = []ui.Pair{{Label: "Runs now", Value: orElse(c.Image, "no image yet")}}
	f.Then = stackThen("New tasks start beside the old ones. They take over once they are healthy; when they do not become healthy, the old ones stay.")
}

func (c EnvironmentChange) daysField(label, hint string) ui.Field {
	return c.field(ui.Field{Name: "days", Label: label, Hint: hint, Value: c.In.Days, Mode: "numeric", Suffix: "days", Max: 4})
}

func (c EnvironmentChange) extend(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Extend "+c.title(), "Ask for the extension", ui.IconClock
	f.Lead = "A later end. Extensions apply to everyone, admins too."
	f.Fields = []ui.Field{c.daysField("Lives for, from today", fmt.Sprintf("1 to %d. Before the end you are warned 7 days, 1 day and 2 hours ahead.", models.MaxLife))}
	f.Now = []ui.Pair{{Label: "Ends", Value: orElse(c.Ends, "never")}}
	f.Then = noteThen("The end moves. When it comes, the environment hibernates, and seven days later Slipway asks for its deletion.")
}

func (c EnvironmentChange) wake(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Wake "+c.title(), "Plan the waking", ui.IconPlay
	f.Lead = "Tasks start again and schedules are switched on."
	days := c.daysField("Lives for, from today", "After that it hibernates again.")
	if c.Stage == models.Production {
		days.Optional, days.Hint = true, "Empty: it has no end."
	}
	f.Fields = []ui.Field{days}
	f.Now = []ui.Pair{{Label: "Runs", Value: "nothing: it hibernates"}}
	f.Then = stackThen("CloudFormation starts what was put to sleep. It answers again after a few minutes.")
}

func (c EnvironmentChange) accept(f *ObjectForm) {
	f.Title, f.Button, f.Icon = "Accept the drift of "+c.title(), "Ask to accept it", ui.IconCheck
	f.Lead = "The differences stay as they are until a day, and count as drift again after it."
	f.Fields = []ui.Field{
		c.field(ui.Field{Name: "until", Label: "Until", Hint: fmt.Sprintf("At most %d days from now.", models.MaxAccept), Kind: "date", Value: c.In.Until}),
		c.field(ui.Field{Name: "reason", Label: "Why it may stay", Hint: "Whoever reads this page next sees it.", Kind: "textarea", Value: c.In.Reason, Max: 500}),
	}
	for _, r := range c.Drift {
		f.Now = append(f.Now, ui.Pair{Label: r.Resource, Value: orElse(r.Path, "gone")})
	}
	f.Then = noteThen("The page says who let it be and until when. A later change of the stack may put the properties back.")
}
