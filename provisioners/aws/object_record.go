package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// recordStep makes Slipway's own row: from here on the object exists for Slipway.
func (o object) recordStep() provisioners.Step {
	return provisioners.Step{Title: "Register " + o.words(), Find: o.look(o.recorded), Start: o.act(o.record), Stays: "nothing of it but its history"}
}

func (o object) recorded(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	var err error
	switch o.typ {
	case models.EnvironmentObject:
		_, err = o.books.Environment(ctx, o.id())
	case models.NetworkObject:
		_, err = o.books.Network(ctx, o.id())
	case models.ServiceObject:
		_, err = o.books.Service(ctx, o.id())
	case models.ConnectionObject:
		_, err = o.books.Connection(ctx, o.id())
	case models.PipelineObject:
		_, err = o.books.Pipeline(ctx, o.id())
	case models.ZoneObject:
		return o.zoneRecorded(ctx, run)
	case models.IdentityProviderObject:
		return o.providerRecorded(ctx, run)
	}
	if models.KindOf(err) == models.NotFound {
		return absent, nil
	}
	return presence(err == nil), err
}

func (o object) record(ctx context.Context, run *provisioners.Run) error {
	tenant, account, err := o.owner(ctx, run)
	if err != nil {
		return err
	}
	row, err := o.row(ctx)
	if err != nil {
		return err
	}
	row.TenantID, row.AccountID = tenant.ID, account.ID
	if o.typ == models.ZoneObject {
		zone, err := o.books.EnsureZone(ctx, actorOf(run), run.RequestID, models.Zone{ID: o.id(), TenantID: tenant.ID, AccountID: account.ID,
			Name: o.part.Tags[models.TagZone], State: models.Creating, Stack: row})
		if err == nil && zone.ID != o.id() {
			err = provisioners.Mismatch{Words: fmt.Sprintf("the hosted zone of account %s was made by another request meanwhile", account.Name)}
		}
		return err
	}
	if o.typ == models.IdentityProviderObject {
		return o.recordProvider(ctx, run, account, row)
	}
	if err := o.books.EnsureObject(ctx, actorOf(run), run.RequestID, row); err != nil || o.typ != models.EnvironmentObject {
		return err
	}
	host, err := o.host(ctx)
	if err != nil || host == "" {
		return err
	}
	return o.books.SaveEnvironment(ctx, actorOf(run), o.id(), func(e *models.Environment) { e.Host = host })
}

// host is the environment's name as its template is given it; empty when it has none.
func (o object) host(ctx context.Context) (string, error) {
	v, err := o.books.BlueprintByDigest(ctx, o.part.Digest)
	return o.part.Parameters[parameterOf(v, "environment.host")], err
}

// owner is the tenant of the run and its account that the object is in.
func (o object) owner(ctx context.Context, run *provisioners.Run) (models.Tenant, models.Account, error) {
	tenant, err := o.books.Tenant(ctx, run.TenantID)
	if err != nil {
		return tenant, models.Account{}, err
	}
	for _, a := range tenant.Accounts {
		if a.AWSID == o.part.Account {
			return tenant, a, nil
		}
	}
	return tenant, models.Account{}, fmt.Errorf("tenant %s has no account %s", tenant.Slug, o.part.Account)
}

// row is the stack row as the plan says it will be.
func (o object) row(ctx context.Context) (models.Stack, error) {
	if o.registered() {
		return models.Stack{ObjectID: o.id(), ObjectType: o.typ, ObjectName: o.name(), TenantSlug: o.tenant(), Account: o.part.Account, Class: o.part.Class, Region: o.part.Region,
			Outputs: o.part.Parameters, State: models.Creating}, nil
	}
	v, err := o.books.BlueprintByDigest(ctx, o.part.Digest)
	if err != nil {
		return models.Stack{}, err
	}
	return models.Stack{ObjectID: o.id(), ObjectType: o.typ, ObjectName: o.name(), TenantSlug: o.tenant(), CostCentre: o.part.Tags[models.TagCostCentre],
		Account: o.part.Account, Class: o.part.Class, Region: o.part.Region, Name: o.part.StackName, Blueprint: v.Name, Version: v.Version, Digest: v.Digest,
		Inputs: inputsOf(v, o.part.Parameters), Parameters: o.part.Parameters, State: models.Creating}, nil
}

// inputsOf are the parameters that people choose.
func inputsOf(v blueprint.Version, parameters map[string]string) map[string]string {
	inputs := map[string]string{}
	for name, value := range parameters {
		if _, given := v.Meta.Given[name]; !given && asks(v, name) {
			inputs[name] = value
		}
	}
	return inputs
}

// asks tells whether a version's form has a field.
func asks(v blueprint.Version, name string) bool {
	properties, ok := v.Meta.Inputs["properties"].(map[string]any)
	if !ok {
		return false
	}
	_, ok = properties[name]
	return ok
}

// name of the object, from its own tag.
func (o object) name() string {
	return o.part.Tags[nameTags[o.typ]]
}

// outcomeStep writes down what the stack holds now, and what people chose. It changes nothing but Slipway's own row, so that it can be
// repeated at any time.
func (o object) outcomeStep() provisioners.Step {
	return provisioners.Step{Title: "Record what came of " + o.words(), Find: o.look(o.outcome), Stays: "what was recorded"}
}

func (o object) outcome(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	f, err := o.follow(ctx, run)
	if err != nil {
		return absent, err
	}
	if f.st == nil {
		return absent, fmt.Errorf("the stack %s is not there any more", f.s.name)
	}
	held, err := f.s.resources(ctx)
	if err != nil {
		return absent, err
	}
	row, err := o.row(ctx)
	if err != nil {
		return absent, err
	}
	outputs := outputsOf(f.st)
	var resources []models.StackResource
	for _, r := range held {
		resources = append(resources, models.StackResource{LogicalID: sdk.ToString(r.LogicalResourceId), PhysicalID: sdk.ToString(r.PhysicalResourceId), Type: sdk.ToString(r.ResourceType),
			Status: string(r.ResourceStatus), Reason: clip(sdk.ToString(r.ResourceStatusReason), 400), At: sdk.ToTime(r.LastUpdatedTimestamp)})
	}
	err = o.books.SaveStack(ctx, actorOf(run), o.id(), func(st *models.Stack) {
		f.describeOn(st)
		st.Outputs, st.Resources = outputs, resources
		if o.part.Mode != models.StackRecover { // a roll-back leaves what was chosen before
			st.Blueprint, st.Version, st.Digest, st.Inputs, st.Parameters = row.Blueprint, row.Version, row.Digest, row.Inputs, row.Parameters
		}
	})
	if err != nil {
		return absent, err
	}
	return present, o.settle(ctx, run)
}

func outputsOf(st *cfn.Stack) map[string]string {
	outputs := map[string]string{}
	for _, out := range st.Outputs {
		outputs[sdk.ToString(out.OutputKey)] = sdk.ToString(out.OutputValue)
	}
	return outputs
}

// estimateOf is the object's share of the plan's estimate; nil when the plan has none.
func (o object) estimateOf(plan models.Plan) *models.Estimate {
	whole := plan.Notes.Estimate
	if whole == nil || o.part.Mode == models.StackRecover {
		return nil
	}
	own := *whole
	own.Lines = nil
	for _, l := range whole.Lines {
		if l.Part == "" || l.Part == o.part.Name {
			own.Lines = append(own.Lines, l)
		}
	}
	return &own
}

// settle writes what the run made of the object itself.
func (o object) settle(ctx context.Context, run *provisioners.Run) error {
	estimate := o.estimateOf(run.Plan)
	actor := actorOf(run)
	switch o.typ {
	case models.NetworkObject:
		return o.books.SaveNetwork(ctx, actor, o.id(), func(n *models.Network) { keepEstimate(&n.Estimate, estimate) })
	case models.ServiceObject:
		return o.books.SaveService(ctx, actor, o.id(), func(s *models.Service) { keepEstimate(&s.Estimate, estimate) })
	case models.ZoneObject:
		return o.books.SaveZone(ctx, actor, o.id(), func(z *models.Zone) { z.State = models.Ready })
	case models.IdentityProviderObject:
		return o.books.SaveIdentityProvider(ctx, actor, o.id(), func(p *models.IdentityProvider) { p.State = models.Ready })
	case models.ConnectionObject:
		return o.books.SaveConnection(ctx, actor, o.id(), func(c *models.Connection) { keepEstimate(&c.Estimate, estimate) })
	case models.PipelineObject:
		return o.settlePipeline(ctx, run, estimate)
	}
	return o.settleEnvironment(ctx, run, estimate)
}

func keepEstimate(kept **models.Estimate, now *models.Estimate) {
	if now != nil {
		*kept = now
	}
}
