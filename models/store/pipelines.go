package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/models"
)

// RequestPipeline submits an order for a pipeline. What it stands on may be on its way: the order then waits in planning, without a lock.
func (s *Store) RequestPipeline(ctx context.Context, actor models.Actor, tenantSlug, key string, in models.PipelineInputs, draftID string) (models.Request, error) {
	in = typedPipeline(in)
	if err := in.Validate(models.CreatePipeline); err != nil {
		return models.Request{}, err
	}
	if err := s.fitPipeline(ctx, actor, &in); err != nil {
		return models.Request{}, err
	}
	return s.order(ctx, actor, tenantSlug, key, draftID, func(t *tx, tenant models.Tenant) (submission, error) {
		after, err := t.standPipeline(tenant, &in)
		return submission{kind: models.CreatePipeline, objectID: models.NewID(), name: in.Name, inputs: in, field: "name", after: after}, err
	})
}

// typedPipeline is what people typed without the spaces around it, without what another kind of pipeline or source would need, and without
// what only the store may set. Gates stand in the order of the guide, each once.
func typedPipeline(in models.PipelineInputs) models.PipelineInputs {
	for _, f := range []*string{&in.Name, &in.Service, &in.Connection, &in.Confirm, &in.Source.Repository, &in.Source.RepositoryID, &in.Source.OwnerID, &in.Source.Branch, &in.Source.Tag} {
		*f = strings.TrimSpace(*f)
	}
	in.Source = typedSource(in.Kind, in.Source)
	if in.Kind == models.GitHubActions || in.Source.Kind == models.SourceImage {
		in.Connection = ""
	}
	in.Digest, in.AccountID, in.ServiceID, in.ConnectionID = "", "", "", ""
	in.Inputs, in.Stages = maps.Clone(in.Inputs), slices.Clone(in.Stages)
	for i := range in.Stages {
		g := &in.Stages[i]
		g.Environment, g.EnvironmentID, g.Stage = strings.TrimSpace(g.Environment), "", ""
		g.Gates = typedGates(g.Gates)
		if in.Kind == models.GitHubActions { // nothing waits with a time-out: its workflow asks again
			g.TimeoutMinutes = 0
		}
	}
	return in
}

func typedSource(kind models.PipelineKind, s models.PipelineSource) models.PipelineSource {
	switch {
	case kind == models.GitHubActions:
		return models.PipelineSource{Repository: s.Repository, RepositoryID: s.RepositoryID, OwnerID: s.OwnerID, Branch: s.Branch}
	case s.Kind == models.SourceImage:
		return models.PipelineSource{Kind: s.Kind, Tag: s.Tag}
	}
	typed := models.PipelineSource{Kind: s.Kind, Repository: s.Repository, Branch: s.Branch}
	for _, p := range s.Paths {
		if p = strings.TrimSpace(p); p != "" {
			typed.Paths = append(typed.Paths, p)
		}
	}
	return typed
}

// typedGates puts known gates in order and leaves unknown ones at the end, for the validation to name.
func typedGates(chosen []models.Gate) []models.Gate {
	gates := []models.Gate{}
	for _, g := range models.Gates() {
		if slices.Contains(chosen, g.Gate) {
			gates = append(gates, g.Gate)
		}
	}
	for _, g := range chosen {
		if !slices.Contains(gates, g) {
			gates = append(gates, g)
		}
	}
	return gates
}

// pipelineBlueprint is what a kind of pipeline is made of.
func pipelineBlueprint(kind models.PipelineKind) string {
	if kind == models.GitHubActions {
		return models.GitHubActionsBlueprint
	}
	return models.CodePipelineBlueprint
}

// fitPipeline holds the inputs against the newest version of the kind's blueprint.
func (s *Store) fitPipeline(ctx context.Context, actor models.Actor, in *models.PipelineInputs) error {
	name := pipelineBlueprint(in.Kind)
	v, err := s.OfferedBlueprint(ctx, actor, name)
	if err != nil {
		return notOffered(err, name)
	}
	clean, problems := v.Meta.Validate(in.Inputs)
	if len(problems) > 0 {
		return models.InvalidFields(problems)
	}
	in.Inputs, in.Digest = clean, v.Digest
	return nil
}

// ChangePipeline submits any other request about a pipeline.
func (s *Store) ChangePipeline(ctx context.Context, actor models.Actor, tenantSlug, name string, kind models.RequestKind, key string, in models.PipelineInputs) (models.Request, error) {
	if kind.Object() != models.PipelineObject || kind == models.CreatePipeline {
		return models.Request{}, models.Errorf(models.Invalid, "Pipelines know no %q.", clip(string(kind)))
	}
	p, err := s.livingPipeline(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.Request{}, err
	}
	if in, err = s.fitPipelineChange(ctx, actor, kind, p, in); err != nil {
		return models.Request{}, err
	}
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, tenant models.Tenant) (submission, error) {
		sub := submission{kind: kind, objectID: p.ID, name: p.Name}
		if kind == models.UpdatePipeline {
			if sub.after, err = t.standPipeline(tenant, &in); err != nil {
				return sub, err
			}
		}
		sub.inputs = in
		return sub, nil
	})
}

// fitPipelineChange holds a change against the pipeline as it is. Its service, and with it its account, never change.
func (s *Store) fitPipelineChange(ctx context.Context, actor models.Actor, kind models.RequestKind, p models.Pipeline, in models.PipelineInputs) (models.PipelineInputs, error) {
	if why := p.MayNot(kind); why != "" {
		return in, models.Errorf(models.Conflict, "%s", why)
	}
	if kind == models.UpdatePipeline {
		in.Kind, in.Name, in.Service, in.Confirm = p.Kind, "", p.ServiceName, ""
		if in.Connection == "" {
			in.Connection = p.ConnectionName
		}
		in = typedPipeline(in)
		if err := in.Validate(kind); err != nil {
			return in, err
		}
		return in, s.fitPipeline(ctx, actor, &in)
	}
	if kind == models.DeletePipeline && strings.TrimSpace(in.Confirm) != p.Name {
		return in, models.InvalidFields(map[string]string{"confirm": fmt.Sprintf("Type %s to show that you mean this pipeline.", p.Name)})
	}
	fixed := models.PipelineInputs{Kind: p.Kind, Digest: p.Stack.Digest, AccountID: p.AccountID, ServiceID: p.ServiceID, ConnectionID: p.ConnectionID}
	if kind == models.DeletePipeline {
		fixed.Confirm = p.Name
	}
	return fixed, nil
}

// EditPipelineRequest replaces the inputs of a request that was sent back or could not be planned, and plans it again.
func (s *Store) EditPipelineRequest(ctx context.Context, actor models.Actor, id string, in models.PipelineInputs) (models.Request, error) {
	r, err := s.Request(ctx, actor, id)
	if err != nil {
		return r, err
	}
	switch r.Kind {
	case models.CreatePipeline:
		in = typedPipeline(in)
		if err = in.Validate(r.Kind); err == nil {
			err = s.fitPipeline(ctx, actor, &in)
		}
	case models.UpdatePipeline:
		var p models.Pipeline
		if p, err = s.Registry().Pipeline(ctx, r.ObjectID); err == nil {
			in, err = s.fitPipelineChange(ctx, actor, r.Kind, p, in)
		}
	default:
		err = models.Errorf(models.Conflict, "There is nothing to change in what this request asks for.")
	}
	if err != nil {
		return r, err
	}
	return s.edit(ctx, actor, id, models.PipelineObject, func(t *tx, r models.Request) (submission, error) {
		sub := submission{name: r.ObjectName}
		if r.Kind == models.CreatePipeline {
			if err := sameAsMade(r, in); err != nil {
				return sub, err
			}
			sub.name, sub.field = in.Name, "name"
		}
		tenant, err := findTenant(t.db, r.TenantID)
		if err != nil || tenant == nil {
			return sub, err
		}
		sub.after, err = t.standPipeline(*tenant, &in)
		sub.inputs = in
		return sub, err
	})
}

// sameAsMade refuses what can no longer be another thing once an order has run, and with it made its row.
func sameAsMade(r models.Request, in models.PipelineInputs) error {
	if !r.HasRun() {
		return nil
	}
	was, err := inputsOf[models.PipelineInputs](r)
	if err != nil {
		return err
	}
	bad := map[string]string{}
	if in.Name != r.ObjectName {
		bad["name"] = "The pipeline exists already, and a name never changes."
	}
	if in.Kind != was.Kind {
		bad["kind"] = "The pipeline exists already, and its kind never changes."
	}
	if in.Service != was.Service {
		bad["service"] = "The pipeline exists already, and its service never changes."
	}
	return models.InvalidFields(bad)
}
