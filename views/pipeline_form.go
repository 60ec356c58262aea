package views

import (
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// PipelineForm is what the form for a pipeline is sent with; its stages are apart.
type PipelineForm struct {
	Tenant       string `form:"tenant"`
	Kind         string `form:"kind"`
	Name         string `form:"name"`
	Service      string `form:"service"`
	Source       string `form:"source"`
	Connection   string `form:"connection"`
	Repository   string `form:"repository"`
	RepositoryID string `form:"repository_id"`
	OwnerID      string `form:"owner_id"`
	Branch       string `form:"branch"`
	Paths        string `form:"paths"` // one a line
	Tag          string `form:"tag"`
	Request      string `form:"request"` // whose answers are changed; empty: a new order
	Do           string `form:"do"`

	CSRF  string `form:"_csrf"`
	Key   string `form:"_key"`
	Draft string `form:"_draft"`

	Stages []StageForm       `form:"-"`
	Errors map[string]string `form:"-"`
}

// StageForm is one stage as it was typed.
type StageForm struct {
	Environment string
	Automatic   bool
	Gates       []string
	Limits      map[models.Severity]string // empty: no limit
	Hours       string                     // how long CodePipeline waits
}

// StageField is the name of a stage's answer in the form: stage-1-environment.
func StageField(n int, what string) string { return fmt.Sprintf("stage-%d-%s", n, what) }

// LimitName is the name of the answer that limits a severity.
func LimitName(s models.Severity) string { return strings.ToLower(string(s)) }

// PipelineOrderForm is the page that orders a pipeline, changes one, or changes what was asked for.
type PipelineOrderForm struct {
	Form        PipelineForm
	Pipeline    string      // whose stages and source are changed; empty: a new one
	Tenants     []ui.Option // that the reader may order for
	Services    []ui.Option
	Connections []ui.Option
	Envs        []ui.Option // that run the service
	NoEnvs      string      // why there is none to choose, in words
	Questions   ui.BlueprintFields
	NoBlueprint string // why it cannot be ordered here; empty: it can
	From        map[string]string

	Restored    ui.When
	RestoredWhy string
	EditNumber  string
	EditReason  string
	EditBy      string
	NameFixed   bool
}

func (d PipelineOrderForm) title() string {
	switch {
	case d.Form.Request != "":
		return "Change what " + d.EditNumber + " asks for"
	case d.Pipeline != "":
		return "Change " + d.Form.Tenant + " / " + d.Pipeline
	}
	return "New pipeline"
}

func (d PipelineOrderForm) action() string {
	switch {
	case d.Form.Request != "":
		return urls.EditRequest(d.Form.Request)
	case d.Pipeline != "":
		return urls.ChangePipeline(d.Form.Tenant, d.Pipeline, "update")
	}
	return urls.NewPipeline
}

func (d PipelineOrderForm) show() string {
	if d.Pipeline != "" {
		return urls.ShowPipelineUpdate(d.Form.Tenant, d.Pipeline)
	}
	return urls.ShowPipeline
}

// isNew tells whether kind, service and name can still be chosen.
func (d PipelineOrderForm) isNew() bool { return d.Pipeline == "" }

func (d PipelineOrderForm) actions() bool { return d.Form.Kind == string(models.GitHubActions) }

func (d PipelineOrderForm) byImage() bool {
	return !d.actions() && d.Form.Source == string(models.SourceImage)
}

func (d PipelineOrderForm) place(p ui.Page) ui.Page {
	title := d.title()
	if len(d.errors()) > 0 {
		title = "Error: " + title
	}
	switch {
	case d.Form.Request != "":
		return p.On(ui.AtRequests, title, ui.Crumb{Label: "Requests", URL: urls.Requests}, ui.Crumb{Label: d.EditNumber, URL: urls.Request(d.Form.Request)}, ui.Crumb{Label: "Change"})
	case d.Pipeline != "":
		return p.On(ui.AtPipelines, title, pipelineCrumbs(d.Form.Tenant, d.Pipeline, ui.Crumb{Label: "Change"})...)
	}
	return p.On(ui.AtPipelines, title, ui.Crumb{Label: "Pipelines", URL: urls.Pipelines}, ui.Crumb{Label: "New"})
}

// errors leads to each wrong answer, in the order of the page.
func (d PipelineOrderForm) errors() []ui.FieldError {
	var all []ui.FieldError
	if d.isNew() {
		all = append(all, ui.FieldErrors(d.tenant())...)
		all = append(all, d.kind().Errors()...)
		all = append(all, ui.FieldErrors(d.service(), d.name())...)
	}
	if !d.actions() {
		all = append(all, d.source().Errors()...)
	}
	all = append(all, ui.FieldErrors(d.sourceFields()...)...)
	if text := d.Form.Errors["stages"]; text != "" {
		all = append(all, ui.FieldError{ID: StageField(1, "environment"), Label: "Stages", Text: text})
	}
	for i, s := range d.Form.Stages {
		all = append(all, ui.FieldErrors(d.environment(i+1, s))...)
		all = append(all, d.gates(i+1, s).Errors()...)
		all = append(all, ui.FieldErrors(d.limits(i+1, s)...)...)
		if !d.actions() {
			all = append(all, ui.FieldErrors(d.hours(i+1, s))...)
		}
	}
	all = append(all, ui.FieldErrors(d.Questions.All()...)...)
	for _, key := range []string{"", "inputs", "confirm"} {
		if text := d.Form.Errors[key]; text != "" {
			all = append(all, ui.FieldError{ID: "pipeline-form", Label: "The answers together", Text: text})
		}
	}
	return all
}

func (d PipelineOrderForm) field(f ui.Field) ui.Field {
	f.ID, f.Error = f.Name, d.Form.Errors[f.Name]
	return f
}

func (d PipelineOrderForm) tenant() ui.Field {
	return d.field(ui.Field{Name: "tenant", Label: "Tenant", Hint: "You can order for " + ui.Plural(len(d.Tenants), "tenant", "tenants") + ".", Kind: "select", Options: d.Tenants, Value: d.Form.Tenant})
}

func (d PipelineOrderForm) kind() ui.Choices {
	c := ui.Choices{One: true, ID: "kind", Name: "kind", Label: "What moves it", Error: d.Form.Errors["kind"]}
	for _, k := range models.PipelineKinds() {
		text := "CodePipeline and CodeBuild in the tenant's own account: they build, and wait at each stage for Slipway."
		if k == models.GitHubActions {
			text = "The repository's own workflow builds, and asks Slipway by its own token. Nothing is stored there."
		}
		x := ui.Choice{Value: string(k), Label: PipelineKind(k), Text: text, Checked: d.Form.Kind == string(k)}
		if from := d.From[string(k)]; from != "" {
			x.Aside = "from " + from
		}
		c.Choices = append(c.Choices, x)
	}
	return c
}

func (d PipelineOrderForm) service() ui.Field {
	return d.field(ui.Field{Name: "service", Label: "Service", Hint: "Whose images it delivers.", Kind: "select", Options: d.Services, Value: d.Form.Service})
}

func (d PipelineOrderForm) name() ui.Field {
	return d.field(ui.Field{Name: "name", Label: "Name", Hint: "Lower case letters, digits and hyphens, 2 to 20. It never changes.", Value: d.Form.Name, Mono: true, Max: 20})
}

func (d PipelineOrderForm) source() ui.Choices {
	return ui.Choices{One: true, ID: "source", Name: "source", Label: "What starts it", Error: d.Form.Errors["source"], Choices: []ui.Choice{
		{Value: string(models.SourceConnection), Label: "A push to a branch", Text: "Through a connection to GitHub, GitLab or Bitbucket.", Checked: !d.byImage()},
		{Value: string(models.SourceImage), Label: "An image", Text: "Pushed to the service's repository under one tag, by whatever builds it.", Checked: d.byImage()},
	}}
}

// sourceFields are the questions that follow from what starts it.
func (d PipelineOrderForm) sourceFields() []ui.Field {
	f := d.Form
	repository := ui.Field{Name: "repository", Label: "Repository", Hint: "owner/name, as in its address.", Value: f.Repository, Mono: true, Max: 300}
	branch := ui.Field{Name: "branch", Label: "Branch", Hint: "The only one that is delivered.", Value: f.Branch, Mono: true, Max: 200}
	switch {
	case d.actions():
		owner, name, _ := strings.Cut(orElse(f.Repository, "OWNER/NAME"), "/")
		return d.fields(repository,
			ui.Field{Name: "repository_id", Label: "Number of the repository", Hint: "Names can be registered again by somebody else, numbers cannot. gh api repos/" + owner + "/" + name + " --jq .id prints it.", Value: f.RepositoryID, Mono: true, Max: 19, Mode: "numeric"},
			ui.Field{Name: "owner_id", Label: "Number of the owner", Hint: "gh api repos/" + owner + "/" + name + " --jq .owner.id prints it.", Value: f.OwnerID, Mono: true, Max: 19, Mode: "numeric"}, branch)
	case d.byImage():
		return d.fields(ui.Field{Name: "tag", Label: "Tag", Hint: "A push of it starts the pipeline. From then on the image's digest decides, wherever the tag goes.", Value: f.Tag, Mono: true, Max: 128})
	}
	return d.fields(ui.Field{Name: "connection", Label: "Connection", Kind: "select", Options: d.Connections, Value: f.Connection}, repository, branch,
		ui.Field{Name: "paths", Label: "Paths", Hint: "Globs, one a line, like services/orders/**. Left open, every push to the branch starts it.", Kind: "textarea", Rows: 2, Value: f.Paths, Mono: true, Max: 5000, Optional: true})
}

func (d PipelineOrderForm) fields(all ...ui.Field) []ui.Field {
	for i := range all {
		all[i] = d.field(all[i])
	}
	return all
}

func (d PipelineOrderForm) stageError(n int, what string) string {
	return d.Form.Errors[fmt.Sprintf("stage.%d.%s", n, what)]
}

func (d PipelineOrderForm) environment(n int, s StageForm) ui.Field {
	name := StageField(n, "environment")
	f := ui.Field{ID: name, Name: name, Label: "Environment", Kind: "select", Options: d.Envs, Value: s.Environment, Error: d.stageError(n, "environment"), Optional: n > 1}
	if n > 1 {
		f.Hint = "Left open, there is no such stage."
	}
	return f
}

func (d PipelineOrderForm) automatic(n int, s StageForm) ui.Choices {
	name := StageField(n, "automatic")
	return ui.Choices{ID: name, Name: name, Label: "Approval", Choices: []ui.Choice{{Value: "yes", Label: "A rule may approve promotions to it", Checked: s.Automatic,
		Text: "As long as no gate fails and the rules in force say so. Otherwise a person approves each."}}}
}

func (d PipelineOrderForm) gates(n int, s StageForm) ui.Choices {
	name := StageField(n, "gates")
	c := ui.Choices{ID: name, Name: name, Label: "Gates that must pass", Hint: "Those not chosen are shown as not configured.", Error: d.stageError(n, "gates")}
	for _, g := range models.Gates() {
		needs := "Needs evidence from CI for each image."
		switch {
		case g.Gate == models.GateBuild && d.byImage():
			needs = "This pipeline builds nothing, so it waits until another pipeline of the service has registered the build."
		case g.Own:
			needs = "Slipway checks it itself."
		}
		c.Choices = append(c.Choices, ui.Choice{Value: string(g.Gate), Label: g.Title, Text: g.Words + " " + needs, Checked: slices.Contains(s.Gates, string(g.Gate))})
	}
	return c
}

func (d PipelineOrderForm) limits(n int, s StageForm) []ui.Field {
	var all []ui.Field
	for _, sev := range models.Severities() {
		name := StageField(n, LimitName(sev))
		all = append(all, ui.Field{ID: name, Name: name, Label: strings.ToUpper(LimitName(sev)[:1]) + LimitName(sev)[1:], Value: s.Limits[sev], Mode: "numeric", Max: 5, Optional: true})
	}
	all[0].Error = d.stageError(n, "scan")
	return all
}

func (d PipelineOrderForm) hours(n int, s StageForm) ui.Field {
	name := StageField(n, "hours")
	return ui.Field{ID: name, Name: name, Label: "CodePipeline waits for", Hint: fmt.Sprintf("Until the promotion is decided and has run; then it gives up. 0.5 to %s hours; 168 are a week.", ui.Count(models.MaxApproval/60)), Value: s.Hours, Mode: "decimal", Suffix: "hours", Max: 6,
		Error: d.stageError(n, "timeout")}
}
