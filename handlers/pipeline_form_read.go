package handlers

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/ui"
)

// pipelining is one pipeline while its form is filled in.
type pipelining struct {
	in      views.PipelineForm
	answers map[string]string // to the blueprint's questions

	listings map[string]blueprint.Listed // by kind
	tenants  []models.Tenant
	choices  models.PipelineChoices
	fields   []blueprint.Field
	living   *models.Pipeline // that is changed; nil: a new one

	editing  *models.RequestPage
	restored models.SavedForm
}

const (
	stagePrefix = "stage-"
	hourMinutes = 60
)

// catalogue finds the blueprint of each kind of pipeline: it has the kind's own name.
func (h *PipelineOrders) catalogue(c *fiber.Ctx, o *pipelining) error {
	all, err := h.Blueprints.ListBlueprints(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	o.listings = map[string]blueprint.Listed{}
	for _, b := range all {
		for _, k := range models.PipelineKinds() {
			if v, ok := b.Newest(); ok && b.Name == string(k) {
				o.listings[b.Name] = v
			}
		}
	}
	return nil
}

// names are those of the blueprints' questions.
func (o *pipelining) names() []string {
	var names []string
	for _, v := range o.listings {
		if fields, err := v.Meta.Fields(); err == nil { // a stored version has a schema that compiled
			names = append(names, fieldNames(fields)...)
		}
	}
	return names
}

// typed reads a sent form.
func (h *PipelineOrders) typed(c *fiber.Ctx) (pipelining, error) {
	o := pipelining{}
	values, err := form.Read(c)
	if err != nil {
		return o, err
	}
	if err := h.catalogue(c, &o); err != nil {
		return o, err
	}
	if err := o.read(values); err != nil {
		return o, err
	}
	if o.in.Request != "" {
		r, err := h.Sent.RequestPage(c.UserContext(), actor(c), o.in.Request)
		if err != nil {
			return o, err
		}
		return o, pipelineSentBack(c, &o, r)
	}
	return o, nil
}

// read sorts what was sent, or saved, into the form's own fields, its stages and the blueprint's answers.
func (o *pipelining) read(values url.Values) error {
	stages, rest := url.Values{}, map[string][]string{}
	for name, v := range values {
		if strings.HasPrefix(name, stagePrefix) {
			stages[name] = v
			continue
		}
		rest[name] = v
	}
	in, answers, err := form.FieldsWith[views.PipelineForm](rest, o.names())
	o.in, o.answers = in, answers // what fits is kept, whatever else was sent
	var wrong error
	if o.in.Stages, wrong = stageForms(stages); err == nil {
		err = wrong
	}
	return err
}

// stageForms reads the stages. What is no answer of a stage is Invalid by name, as with every form.
func stageForms(values url.Values) ([]views.StageForm, error) {
	all := make([]views.StageForm, models.MaxStages)
	last, wrong := 0, map[string]string{}
	for name, v := range values {
		number, what, ok := strings.Cut(strings.TrimPrefix(name, stagePrefix), "-")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 || n > models.MaxStages || strconv.Itoa(n) != number {
			wrong["stages"] = "This form has no such stage."
			continue
		}
		last = max(last, n)
		if message := stageAnswer(&all[n-1], what, v); message != "" {
			wrong[fmt.Sprintf("stage.%d.%s", n, what)] = message
		}
	}
	return all[:last], models.InvalidFields(wrong)
}

func stageAnswer(s *views.StageForm, what string, v []string) string {
	if what == "gates" {
		s.Gates = v
		return ""
	}
	if len(v) != 1 {
		return "This was sent more than once."
	}
	switch what {
	case "environment":
		s.Environment = v[0]
		return ""
	case "automatic":
		s.Automatic = v[0] == "yes"
		return ""
	case "hours":
		s.Hours = v[0]
		return ""
	}
	for _, sev := range models.Severities() {
		if what == views.LimitName(sev) {
			if s.Limits == nil {
				s.Limits = map[models.Severity]string{}
			}
			s.Limits[sev] = v[0]
			return ""
		}
	}
	return "This form has no such field."
}

// newStage is what a stage begins with: what Slipway checks itself. Of images that others push it knows no build.
func newStage(source models.SourceKind) views.StageForm {
	s := stageTyped(models.PipelineStage{Scan: models.DefaultScan(), TimeoutMinutes: models.DefaultTimeout})
	for _, g := range models.Gates() {
		if g.Own && (g.Gate != models.GateBuild || source != models.SourceImage) {
			s.Gates = append(s.Gates, string(g.Gate))
		}
	}
	return s
}

// stageTyped fills the form with a stage as it is.
func stageTyped(p models.PipelineStage) views.StageForm {
	s := views.StageForm{Environment: p.Environment, Automatic: p.Automatic, Limits: map[models.Severity]string{}, Hours: strconv.FormatFloat(math.Round(float64(p.TimeoutMinutes)/hourMinutes*100)/100, 'f', -1, 64)}
	for _, g := range p.Gates {
		s.Gates = append(s.Gates, string(g))
	}
	for _, sev := range models.Severities() {
		if n := p.Scan.Of(sev); n != models.NoLimit {
			s.Limits[sev] = strconv.Itoa(n)
		}
	}
	return s
}

// inputs are what the request would ask for; what cannot be read is Invalid by field. A stage without an environment is none.
func (o *pipelining) inputs() (models.PipelineInputs, error) {
	f := o.in
	in := models.PipelineInputs{Name: strings.TrimSpace(f.Name), Kind: models.PipelineKind(f.Kind), Service: f.Service, Inputs: o.answers}
	in.Source = models.PipelineSource{Repository: strings.TrimSpace(f.Repository), Branch: strings.TrimSpace(f.Branch)}
	if in.Kind == models.GitHubActions {
		in.Source.RepositoryID, in.Source.OwnerID = strings.TrimSpace(f.RepositoryID), strings.TrimSpace(f.OwnerID)
	} else if in.Source.Kind = models.SourceKind(f.Source); in.Source.Kind == models.SourceImage {
		in.Source.Repository, in.Source.Branch, in.Source.Tag = "", "", strings.TrimSpace(f.Tag)
	} else {
		in.Connection, in.Source.Paths = f.Connection, strings.Fields(f.Paths)
	}
	wrong := map[string]string{}
	var kept []views.StageForm
	for _, s := range f.Stages {
		if s.Environment == "" && len(kept) > 0 {
			continue
		}
		kept = append(kept, s)
		in.Stages = append(in.Stages, stageInputs(s, len(kept), in.Kind, wrong))
	}
	o.in.Stages = kept
	return in, models.InvalidFields(wrong)
}

func stageInputs(s views.StageForm, n int, kind models.PipelineKind, wrong map[string]string) models.PipelineStage {
	out := models.PipelineStage{Environment: s.Environment, Automatic: s.Automatic, Gates: []models.Gate{}}
	for _, g := range s.Gates {
		out.Gates = append(out.Gates, models.Gate(g))
	}
	limit := func(sev models.Severity) int {
		text := strings.TrimSpace(s.Limits[sev])
		if text == "" {
			return models.NoLimit
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 {
			wrong[fmt.Sprintf("stage.%d.scan", n)] = "Give each as a whole number, or leave it open for no limit."
		}
		return number
	}
	out.Scan = models.ScanLimits{Critical: limit(models.Critical), High: limit(models.High), Medium: limit(models.Medium), Low: limit(models.Low)}
	if kind == models.GitHubActions {
		return out
	}
	hours, err := strconv.ParseFloat(strings.TrimSpace(s.Hours), 64)
	if err != nil || math.IsNaN(hours) || hours < 0 || hours > 10000 {
		wrong[fmt.Sprintf("stage.%d.timeout", n)] = "Give the hours as a number, for example 168 or 0.5."
		return out
	}
	out.TimeoutMinutes = int(math.Round(hours * hourMinutes))
	return out
}

// restore puts a saved form back as it was typed.
func (h *PipelineOrders) restore(c *fiber.Ctx, id string, o *pipelining) error {
	saved, err := h.Forms.LoadForm(c.UserContext(), actor(c), id)
	if err != nil {
		return err
	}
	if err := o.read(saved.Fields); err != nil && models.KindOf(err) != models.Invalid {
		return err
	}
	o.restored = saved
	o.in.Draft, o.in.Do, o.in.Key, o.in.Request = saved.ID, "", "", ""
	return nil
}

// environments are those that run the chosen service.
func (o *pipelining) environments() (options []ui.Option, none string) {
	options = []ui.Option{{Label: "Choose"}}
	id := ""
	for _, s := range o.choices.Services {
		if s.Name == o.in.Service {
			id = s.ID
		}
	}
	for _, e := range o.choices.Environments {
		if e.ServiceID == id && id != "" && e.State != models.Deleted {
			options = append(options, ui.Option{Value: e.Name, Label: fmt.Sprintf("%s, %s", e.Name, e.Stage)})
		}
	}
	if len(options) > 1 {
		return options, ""
	}
	if o.in.Service == "" {
		return options, "Choose the service first: its environments are offered then."
	}
	return options, "No environment runs " + o.in.Service + " yet. Order one first; you can keep this form as a draft."
}

// fill gives the form as many stages as it can use: those that were typed, and one that is empty while there is something to choose.
func (o *pipelining) fill(environments int) {
	stages := slices.Clone(o.in.Stages)
	if len(stages) == 0 {
		stages = append(stages, newStage(models.SourceKind(o.in.Source)))
	}
	if o.in.Do == "stage" && len(stages) < models.MaxStages && len(stages) < max(environments, 1) {
		stages = append(stages, newStage(models.SourceKind(o.in.Source)))
	}
	o.in.Stages = stages
}
