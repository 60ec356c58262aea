package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func deliveryForm(tenant, pipeline, title string) ObjectForm {
	f := ObjectForm{Section: ui.AtPipelines, Title: title, Back: urls.Pipeline(tenant, pipeline), Crumbs: pipelineCrumbs(tenant, pipeline, ui.Crumb{Label: title})}
	return f
}

// PipelineDelete asks for a pipeline's end.
func PipelineDelete(tenant, name string, in ChangeForm) ObjectForm {
	f := deliveryForm(tenant, name, "Delete pipeline "+tenant+" / "+name)
	f.Lead, f.Action, f.Button, f.Icon, f.Danger = "Its stack goes, for good. Environments, what runs in them, and images stay.", urls.ChangePipeline(tenant, name, "delete"), "Ask for its deletion", ui.IconTrash, true
	f.Then, f.General = deleteThen("Open promotions end."), in.Errors[""]
	confirm := confirmField(name, in.Confirm)
	confirm.ID, confirm.Error = "confirm", in.Errors["confirm"]
	f.Fields = []ui.Field{confirm}
	return f
}

// WaiverForm is what is typed to let a gate pass.
type WaiverForm struct {
	Environment string `form:"environment"` // name, or id
	Gate        string `form:"gate"`
	Digest      string `form:"digest"` // empty: whatever image
	Reason      string `form:"reason"`
	Until       string `form:"until"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// WaiveGate asks to let a gate pass.
func WaiveGate(tenant, pipeline string, stages []ui.Option, in WaiverForm) ObjectForm {
	f := deliveryForm(tenant, pipeline, "Waive a gate of "+pipeline)
	f.Lead, f.Action, f.Button, f.Icon = "The gate lets an image pass although it fails or waits, until a moment. Everybody sees by whom and why, and it is in the audit log.", urls.ChangePipeline(tenant, pipeline, "waive"), "Waive the gate", ui.IconSignpost
	f.Foot, f.General = "It holds at once.", in.Errors[""]
	gates := []ui.Option{{Label: "Choose"}}
	for _, g := range models.Gates() {
		gates = append(gates, ui.Option{Value: string(g.Gate), Label: g.Title})
	}
	f.Fields = withErrors(in.Errors,
		ui.Field{Name: "environment", Label: "Stage", Kind: "select", Options: stages, Value: in.Environment},
		ui.Field{Name: "gate", Label: "Gate", Kind: "select", Options: gates, Value: in.Gate},
		ui.Field{Name: "digest", Label: "Only for the image", Hint: "sha256: and 64 hex digits. Left open, it holds for every image.", Value: in.Digest, Mono: true, Max: 100, Optional: true},
		ui.Field{Name: "reason", Label: "Why", Hint: "10 to 500 characters. Everybody reads it.", Kind: "textarea", Rows: 3, Value: in.Reason, Max: 500},
		ui.Field{Name: "until", Label: "Until (UTC)", Hint: "At most 30 days ahead. It ends by itself, and you can end it before.", Kind: "datetime-local", Value: in.Until})
	f.Then = []Then{{"It holds at once", "Open promotions to the stage are judged again."}, {"It ends by itself", "From then on the gate counts again for what asks then. What runs stays."}}
	return f
}

func withErrors(errors map[string]string, fields ...ui.Field) []ui.Field {
	for i := range fields {
		fields[i].ID, fields[i].Error = fields[i].Name, errors[fields[i].Name]
	}
	return fields
}

// StageFreezeForm is what is typed to stop promotions to a stage.
type StageFreezeForm struct {
	Environment string `form:"environment"`
	Reason      string `form:"reason"`
	Until       string `form:"until"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// FreezeStage asks to stop promotions to a stage.
func FreezeStage(tenant, pipeline string, stages []ui.Option, in StageFreezeForm) ObjectForm {
	f := deliveryForm(tenant, pipeline, "Freeze a stage of "+pipeline)
	f.Lead, f.Action, f.Button, f.Icon = "No promotion reaches the stage until a moment, by whatever pipeline. What runs goes on, and a roll-back stays possible.", urls.ChangePipeline(tenant, pipeline, "freeze"), "Freeze the stage", ui.IconSnowflake
	f.Foot, f.General = "It holds at once.", in.Errors[""]
	f.Fields = withErrors(in.Errors,
		ui.Field{Name: "environment", Label: "Stage", Kind: "select", Options: stages, Value: in.Environment},
		ui.Field{Name: "reason", Label: "Why", Hint: "Everybody who waits reads it.", Kind: "textarea", Rows: 3, Value: in.Reason, Max: 500},
		ui.Field{Name: "until", Label: "Until (UTC)", Hint: "At most 30 days ahead. It ends by itself, and you can lift it before.", Kind: "datetime-local", Value: in.Until})
	f.Then = []Then{{"Promotions are held", "They stay open and go on by themselves when it ends."}, {"CodePipeline does not wait longer", "An approval that reaches its time-out meanwhile fails there; the promotion says so."}}
	return f
}

// PromoteForm is what is typed to move an image to a stage.
type PromoteForm struct {
	Environment string `form:"environment"`
	Digest      string `form:"digest"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// PromoteImage asks to move an image to a stage.
func PromoteImage(tenant, pipeline string, stages, images []ui.Option, in PromoteForm) ObjectForm {
	f := deliveryForm(tenant, pipeline, "Promote an image of "+pipeline)
	f.Lead, f.Action, f.Button, f.Icon = "The gates of the stage are judged for it; then it is a request like every other.", urls.ChangePipeline(tenant, pipeline, "promote"), "Ask for the promotion", ui.IconRocket
	f.General = in.Errors[""]
	f.Fields = withErrors(in.Errors,
		ui.Field{Name: "environment", Label: "To the stage", Kind: "select", Options: stages, Value: in.Environment},
		ui.Field{Name: "digest", Label: "Image", Hint: "By its digest; a tag could move.", Kind: "select", Options: images, Value: in.Digest})
	if len(images) <= 1 {
		f.Blocked = "No image of the service is known yet. Push to the pipeline's source, or let its workflow register a build."
	}
	f.Then = []Then{{"Gates are judged", "Those that fail or wait keep it until they pass, or somebody waives them."}, {"Request, plan, decision", "With the gates, the digest and what runs there now; by a rule where the stage allows it."}, {"Run", "A change set of the environment's stack, nothing else."}}
	return f
}

// RejectForm is what is typed to end a promotion.
type RejectForm struct {
	Reason string `form:"reason"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// RejectPromotion asks to end a promotion.
func RejectPromotion(tenant string, x models.Promotion, in RejectForm) ObjectForm {
	version := Version("", x.Commit.ID, x.Image)
	f := deliveryForm(tenant, x.Pipeline, fmt.Sprintf("Reject %s to %s", version, x.Environment))
	f.Lead, f.Action, f.Button, f.Icon, f.Danger = "The image does not come there now. What runs there goes on.", urls.RejectPromotion(tenant, x.ID), "Reject the promotion", ui.IconX, true
	f.Back, f.Foot, f.General = urls.Promotion(tenant, x.ID), "It holds at once.", in.Errors[""]
	f.Fields = withErrors(in.Errors, ui.Field{Name: "reason", Label: "Why", Hint: "Whoever asked for it reads it, here and at AWS.", Kind: "textarea", Rows: 3, Value: in.Reason, Max: 500})
	f.Then = []Then{{"Its request is cancelled", "If there is one that still can be."}}
	if x.Approval != nil {
		f.Then = append(f.Then, Then{"CodePipeline is told", "The stage fails there, and the execution that waits behind goes on."})
	}
	if x.State.Ended() {
		f.Blocked = "This promotion has ended: " + lowerFirst(PromotionState(x.State).Label) + ". Nothing is left to reject."
	}
	return f
}

// RollbackForm asks to bring back what ran before. Previous is empty when there is nothing to bring back.
func RollbackForm(tenant, environment, now, previous, when string) ObjectForm {
	f := ObjectForm{Section: ui.AtEnvironments, Title: "Roll back " + tenant + " / " + environment, Back: urls.Environment(tenant, environment), Action: urls.Rollback(tenant, environment), Button: "Roll back", Icon: ui.IconUndo,
		Lead:   "The image before, which ran healthy there, comes back. A shipped rule approves it; no gate keeps it.",
		Crumbs: []ui.Crumb{{Label: "Environments", URL: urls.Environments}, {Label: tenant, URL: urls.Tenant(tenant)}, {Label: environment, URL: urls.Environment(tenant, environment)}, {Label: "Roll back"}},
		Foot:   "A request with a plan follows, approved by a rule.",
		Then:   []Then{{"Request and plan", "An update of the environment with the digest, nothing else. Data is not rolled back."}, {"Run", "The same change set and health watch as every deployment."}}}
	if previous == "" {
		f.Blocked = "No other image ran healthy in this environment before."
		return f
	}
	f.Now = []ui.Pair{{Label: "Runs now", Value: orElse(now, "nothing")}, {Label: "Comes back", Value: previous}, {Label: "It ran there", Value: when}}
	return f
}

// ConnectionForm is what is typed to ask for a connection, or for its end.
type ConnectionForm struct {
	Name     string `form:"name"`
	Provider string `form:"provider"`
	Confirm  string `form:"confirm"`
	Back     string `form:"back"` // the form that the connection is asked for from

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

// NewConnection asks for a connection.
func NewConnection(tenant string, in ConnectionForm) ObjectForm {
	f := ObjectForm{Section: ui.AtPipelines, Title: "New connection of " + tenant, Lead: "AWS sees pushes at a source host through it. One is enough for all repositories of an organization there.", Action: urls.NewConnection(tenant), Button: "Ask for the connection",
		Icon: ui.IconPlug, Back: orElse(in.Back, urls.Tenant(tenant)), General: in.Errors[""],
		Crumbs: []ui.Crumb{{Label: "Pipelines", URL: urls.Pipelines}, {Label: tenant, URL: urls.Tenant(tenant)}, {Label: "New connection"}}}
	if in.Back != "" {
		f.Hidden = []ui.Pair{{Label: "back", Value: in.Back}}
	}
	var hosts []ui.Choice
	for _, h := range models.SourceHosts() {
		hosts = append(hosts, ui.Choice{Value: string(h), Label: string(h), Checked: in.Provider == string(h)})
	}
	f.Fields = withErrors(in.Errors, ui.Field{Name: "provider", Label: "Source host", Kind: "pick", Picks: hosts},
		ui.Field{Name: "name", Label: "Name", Hint: "Lower case letters, digits and hyphens, 2 to 20. It never changes.", Value: in.Name, Mono: true, Max: 20})
	f.Then = []Then{{"Plan and decision", "One small stack in the tenant's account. It costs nothing."}, {"Run", "AWS makes the connection; it is pending then."},
		{"A person finishes it", "In the AWS console, by installing AWS's app at the source host. The connection's page has the link and the words."}, {"It goes on by itself", "Within a minute. Pipelines that wait for it are made then."}}
	return f
}

// DeleteConnection asks for a connection's end.
func DeleteConnection(tenant, name string, users []ui.Pair, in ConnectionForm) ObjectForm {
	f := ObjectForm{Section: ui.AtPipelines, Title: "Delete connection " + tenant + " / " + name, Lead: "Pushes are no longer seen through it.", Action: urls.DeleteConnection(tenant, name), Button: "Ask for its deletion", Icon: ui.IconTrash, Danger: true,
		Back: urls.Connection(tenant, name), General: in.Errors[""], Then: deleteThen("AWS forgets the connection. The app stays installed at the source host."),
		Crumbs: []ui.Crumb{{Label: "Pipelines", URL: urls.Pipelines}, {Label: tenant, URL: urls.Tenant(tenant)}, {Label: name, URL: urls.Connection(tenant, name)}, {Label: "Delete"}}}
	if len(users) > 0 {
		f.Blocked, f.Users = "It starts "+ui.Plural(len(users), "pipeline", "pipelines")+". Change or delete them first.", users
		return f
	}
	confirm := confirmField(name, in.Confirm)
	confirm.ID, confirm.Error = "confirm", in.Errors["confirm"]
	f.Fields = []ui.Field{confirm}
	return f
}
