package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/models"
	"slipway/provisioners"
)

// planPipeline plans what makes or changes a pipeline, and with the first one whose workflow signs in by itself, whom its account trusts.
func (s *Stacks) planPipeline(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	have, want, err := s.pipelineWish(ctx, p)
	if err != nil {
		return provisioners.Draft{}, err
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	service, err := s.books.Service(ctx, want.ServiceID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	account, err := buildAccount(tenant, want.AccountID, service.Stack.Class)
	if err != nil {
		return provisioners.Draft{}, err
	}
	if want.Kind == models.GitHubActions && (p.Request.Kind == models.PausePipeline || p.Request.Kind == models.ResumePipeline) {
		return s.planPause(tenant, have, want), nil
	}
	o, err := s.pipelineOrder(ctx, p, tenant, account, have, want)
	if err != nil {
		return provisioners.Draft{}, err
	}
	orders := []order{o}
	if want.Kind == models.GitHubActions && o.part.Mode == models.StackCreate {
		provider, err := s.providerOrder(ctx, p, tenant, account)
		if err != nil {
			return provisioners.Draft{}, err
		}
		if provider != nil { // roles trust what is there
			orders = []order{*provider, o}
		}
	}
	return s.draft(ctx, p, orders...)
}

// pipelineWish is the pipeline as it is, zero while there is none, and as the request wants it.
func (s *Stacks) pipelineWish(ctx context.Context, p provisioners.Planning) (have, want models.Pipeline, err error) {
	in, err := pipelineInputs(p.Request.ID, p.Request.Inputs)
	if err != nil {
		return have, want, err
	}
	create := p.Request.Kind == models.CreatePipeline
	have, err = s.books.Pipeline(ctx, p.Request.ObjectID)
	if err != nil && (models.KindOf(err) != models.NotFound || !create) {
		return have, want, err
	}
	want = have
	switch p.Request.Kind {
	case models.CreatePipeline:
		want = models.Pipeline{ID: p.Request.ObjectID, Name: in.Name, Kind: in.Kind, ServiceID: in.ServiceID, ServiceName: in.Service, AccountID: in.AccountID,
			ConnectionID: in.ConnectionID, ConnectionName: in.Connection, Source: in.Source, Stages: in.Stages}
		want.Stack.Digest, want.Stack.Inputs = in.Digest, in.Inputs
	case models.UpdatePipeline:
		want.ConnectionID, want.ConnectionName, want.Source, want.Stages = in.ConnectionID, in.Connection, in.Source, in.Stages
		want.Stack.Inputs = over(have.Stack.Inputs, in.Inputs)
		if in.Digest != "" {
			want.Stack.Digest = in.Digest
		}
	case models.PausePipeline, models.ResumePipeline:
		want.Paused = p.Request.Kind == models.PausePipeline
	}
	if len(want.Stages) == 0 || len(want.Stages) > models.MaxStages {
		return have, want, lacking("A pipeline delivers to one to %d environments.", "Choose them, then plan again.", models.MaxStages)
	}
	return have, want, s.connected(ctx, want)
}

func pipelineInputs(request string, inputs json.RawMessage) (models.PipelineInputs, error) {
	var in models.PipelineInputs
	if err := json.Unmarshal(inputs, &in); err != nil {
		return in, fmt.Errorf("read the inputs of request %s: %w", request, err)
	}
	return in, nil
}

// connected refuses a pipeline whose connection nobody has finished: it could read nothing.
func (s *Stacks) connected(ctx context.Context, want models.Pipeline) error {
	if want.Kind != models.CodePipeline || want.Source.Kind != models.SourceConnection {
		return nil
	}
	c, err := s.books.Connection(ctx, want.ConnectionID)
	if models.KindOf(err) == models.NotFound {
		return lacking("The pipeline needs a connection to its source host.", "Order one, or choose another, then plan again.")
	}
	if err != nil {
		return err
	}
	if err := ready(c.State, "connection "+c.Name); err != nil {
		return err
	}
	if c.Status != models.ConnectionAvailable {
		return lacking("The connection %s is %s, so the pipeline could read nothing.", "Have it finished in the AWS console, or order another, then plan again.", c.Name, orUnknown(string(c.Status)))
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "not known yet"
	}
	return s
}

// pipelineOrder works out place, tags and parameters.
func (s *Stacks) pipelineOrder(ctx context.Context, p provisioners.Planning, tenant models.Tenant, account models.Account, have, want models.Pipeline) (order, error) {
	name, mode, region := models.CodePipelineBlueprint, models.StackUpdate, have.Stack.Region
	if want.Kind == models.GitHubActions {
		name = models.GitHubActionsBlueprint
	}
	if p.Request.Kind == models.CreatePipeline {
		mode, region = models.StackCreate, s.clients.Region
	}
	var o order
	var err error
	if o.version, err = s.versionFor(ctx, want.Stack.Digest, have.Stack.Digest, name); err != nil {
		return o, err
	}
	o.object = object{Stacks: s, typ: models.PipelineObject, part: models.PlanPart{Name: "Pipeline " + want.Name, Account: account.AWSID, Class: account.Class, Region: region,
		StackName: models.PipelineStack(tenant.Slug, want.Name), Mode: mode, Tags: stackTags(tenant, account.Class, o.version.Name, p.Request.ObjectID, models.TagPipeline, want.Name)}}
	if err := o.readRow(ctx); err != nil {
		return o, err
	}
	inputs := maps.Clone(want.Stack.Inputs)
	maps.DeleteFunc(inputs, func(name, _ string) bool { return mode == models.StackUpdate && !asks(o.version, name) }) // a newer version may ask less
	only := ""
	if p.Request.Kind == models.PausePipeline || p.Request.Kind == models.ResumePipeline {
		only = "pipeline.paused"
	}
	g := &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: want.Name, service: want.ServiceID, pipeline: want}
	if err := o.fill(ctx, g, inputs, only); err != nil {
		return o, err
	}
	if mode == models.StackUpdate {
		o.compareInputs()
		o.row = append(o.row, comparePipelines(have, want)...)
	}
	o.notes = s.pipelineNotes(want, mode)
	return o, nil
}

// comparePipelines says what would change in Slipway's own row.
func comparePipelines(have, want models.Pipeline) (row []models.PropertyChange) {
	put := func(path, before, after string) {
		if before != after {
			row = append(row, models.PropertyChange{Path: path, Before: &before, After: &after})
		}
	}
	put("/Paused", fmt.Sprint(have.Paused), fmt.Sprint(want.Paused))
	put("/Source", sourceWords(have), sourceWords(want))
	for i := range max(len(have.Stages), len(want.Stages)) {
		put(fmt.Sprintf("/Stages/%d", i+1), stageWords(have.Stages, i), stageWords(want.Stages, i))
	}
	return row
}

func sourceWords(p models.Pipeline) string {
	s := p.Source
	if s.Kind == models.SourceImage {
		return "image " + s.Tag
	}
	return strings.Join(slices.DeleteFunc([]string{s.Repository, s.Branch, s.RepositoryID, s.OwnerID, strings.Join(s.Paths, " "), p.ConnectionName}, func(w string) bool { return w == "" }), ", ")
}

// stageWords is one stage with what must hold before it, in one line.
func stageWords(all []models.PipelineStage, i int) string {
	if i >= len(all) {
		return ""
	}
	s := all[i]
	words := s.Environment + ": " + (map[bool]string{true: "automatic", false: "by approval"})[s.Automatic]
	for _, info := range models.Gates() {
		if slices.Contains(s.Gates, info.Gate) {
			words += ", " + string(info.Gate)
		}
	}
	for _, sev := range models.Severities() {
		limit := "any"
		if n := s.Scan.Of(sev); n != models.NoLimit {
			limit = fmt.Sprint(n)
		}
		words += fmt.Sprintf(", %s %s", limit, sev)
	}
	return words + fmt.Sprintf(", waits %d minutes", s.TimeoutMinutes)
}

// planPause is of a pipeline that is its repository's own workflow: only Slipway's row says that nothing of it is delivered.
func (s *Stacks) planPause(tenant models.Tenant, have, want models.Pipeline) provisioners.Draft {
	o := object{Stacks: s, typ: models.PipelineObject, part: models.PlanPart{Name: "Pipeline " + have.Name, Account: have.Stack.Account, Class: have.Class, Region: have.Stack.Region,
		Tags: stackTags(tenant, have.Class, have.Stack.Blueprint, have.ID, models.TagPipeline, have.Name)}}
	o.part.Changes = []models.Change{{Step: o.step(stepNote), LogicalID: logicalPause, Type: "Deliveries", Action: models.Modify, Properties: comparePipelines(have, want),
		Note: "The workflow goes on building in its repository. While the pipeline is paused, Slipway promotes nothing that it asks for."}}
	return provisioners.Draft{Parts: []models.PlanPart{o.part}, Region: o.part.Region, PriceDigest: s.prices.Digest}
}

// settlePipeline writes what a run made of a pipeline, as its kind says.
func (o object) settlePipeline(ctx context.Context, run *provisioners.Run, estimate *models.Estimate) error {
	in, err := pipelineInputs(run.RequestID, run.Plan.Content.Inputs)
	if err != nil {
		return err
	}
	return o.books.SavePipeline(ctx, actorOf(run), o.id(), func(p *models.Pipeline) {
		keepEstimate(&p.Estimate, estimate)
		switch run.Kind {
		case models.UpdatePipeline:
			p.Source, p.Stages, p.ConnectionID, p.ConnectionName = in.Source, in.Stages, in.ConnectionID, in.Connection
		case models.PausePipeline, models.ResumePipeline:
			p.Paused = run.Kind == models.PausePipeline
		}
	})
}
