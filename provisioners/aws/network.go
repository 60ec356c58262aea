package aws

import (
	"context"
	"encoding/json"
	"fmt"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// planNetwork plans the creation or change of a network, and with it the hosted zone of its account where there is none yet.
func (s *Stacks) planNetwork(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.NetworkInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	have, err := s.books.Network(ctx, p.Request.ObjectID)
	if err != nil && (models.KindOf(err) != models.NotFound || p.Request.Kind != models.CreateNetwork) {
		return provisioners.Draft{}, err
	}
	mode := models.StackCreate
	if p.Request.Kind == models.UpdateNetwork {
		mode = models.StackUpdate
		if have.Registered {
			return provisioners.Draft{}, lacking("The network %s is a registered VPC: Slipway did not make it and cannot change it.", "Change it where it was made.", have.Name)
		}
		in.Class, in.Region, in.CIDR, in.Inputs = have.Class, have.Region, have.CIDR, over(have.Stack.Inputs, in.Inputs)
	}
	account, err := accountOf(tenant, in.Class)
	if err != nil {
		return provisioners.Draft{}, err
	}
	o := order{}
	if o.version, err = s.versionFor(ctx, in.Digest, have.Stack.Digest, models.NetworkBlueprint); err != nil {
		return provisioners.Draft{}, err
	}
	name := models.NetworkName(in.Class, in.Region)
	o.object = object{Stacks: s, typ: models.NetworkObject, part: models.PlanPart{Name: "Network " + name, Account: account.AWSID, Class: in.Class, Region: in.Region,
		StackName: models.NetworkStack(tenant.Slug), Mode: mode, Tags: stackTags(tenant, in.Class, o.version.Name, p.Request.ObjectID, models.TagNetwork, name)}}
	if err := o.readRow(ctx); err != nil {
		return provisioners.Draft{}, err
	}
	g := &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: name, cidr: in.CIDR}
	if err := o.fill(ctx, g, in.Inputs, ""); err != nil {
		return provisioners.Draft{}, err
	}
	o.compareInputs()
	orders := []order{o}
	if mode == models.StackCreate {
		zone, err := s.zoneOrder(ctx, p, tenant, account, in.Region)
		if err != nil {
			return provisioners.Draft{}, err
		}
		if zone != nil {
			orders = append(orders, *zone)
		}
	}
	return s.draft(ctx, p, orders...)
}

// versionFor is the version that a request names, or that the object is made of, or else the newest one that is offered.
func (s *Stacks) versionFor(ctx context.Context, asked, made, name string) (blueprint.Version, error) {
	switch {
	case asked != "":
		return s.books.BlueprintByDigest(ctx, asked)
	case made != "":
		return s.books.BlueprintByDigest(ctx, made)
	}
	return s.newest(ctx, name)
}

func (s *Stacks) newest(ctx context.Context, name string) (blueprint.Version, error) {
	v, err := s.books.NewestBlueprint(ctx, name)
	if models.KindOf(err) == models.NotFound {
		return v, finalf("The blueprint %s is not offered.", "Look at the blueprints page why it is not, then plan again.", name)
	}
	return v, err
}

// compareInputs says what would change in Slipway's own row of an object that has no more to it than its stack.
func (o *order) compareInputs() {
	if o.was == nil {
		return
	}
	put := func(path, before, after string) {
		if before != after {
			o.row = append(o.row, models.PropertyChange{Path: path, Before: &before, After: &after})
		}
	}
	put("/Version", o.was.Version, o.version.Version)
	inputs := inputsOf(o.version, o.part.Parameters)
	for _, name := range sortedKeys(over(o.was.Inputs, inputs)) {
		put("/Inputs/"+name, o.was.Inputs[name], inputs[name])
	}
}

// zoneOrder plans the hosted zone of an account, made with its first network; nil when it is there, or when there is no base domain to
// have a name under. The zone's id follows from what the request makes, so that every plan of the request has the same.
func (s *Stacks) zoneOrder(ctx context.Context, p provisioners.Planning, tenant models.Tenant, account models.Account, region string) (*order, error) {
	if s.clients.BaseDomain == "" {
		return nil, nil
	}
	id := models.DerivedID(p.Request.ObjectID, string(models.ZoneObject))
	have, err := s.books.ZoneOf(ctx, account.ID)
	switch {
	case err != nil && models.KindOf(err) != models.NotFound:
		return nil, err
	case err == nil && have.State == models.Ready:
		return nil, nil
	case err == nil: // what an earlier attempt left unfinished
		id, region = have.ID, have.Stack.Region
	}
	o := order{}
	if o.version, err = s.versionFor(ctx, "", have.Stack.Digest, models.ZoneBlueprint); err != nil {
		return nil, err
	}
	name := models.ZoneName(tenant.Slug, account.Class, s.clients.BaseDomain)
	o.object = object{Stacks: s, typ: models.ZoneObject, part: models.PlanPart{Name: "Zone " + name, Account: account.AWSID, Class: account.Class, Region: region,
		StackName: models.ZoneStack(tenant.Slug), Mode: models.StackCreate, Tags: stackTags(tenant, account.Class, o.version.Name, id, models.TagZone, name)}}
	if err := o.readRow(ctx); err != nil {
		return nil, err
	}
	o.also = []models.Change{{Step: o.step(stepZoneDelegate), LogicalID: name, Type: "Delegation", Action: models.Add,
		Note: "The zone of " + s.clients.BaseDomain + " names the servers of this one, so that the world finds it."}}
	return &o, o.fill(ctx, &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: name, zone: name}, nil, "")
}

// zoneRecorded looks for the account's zone row. Another one than was planned is another decision.
func (o object) zoneRecorded(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	_, account, err := o.owner(ctx, run)
	if err != nil {
		return absent, err
	}
	have, err := o.books.ZoneOf(ctx, account.ID)
	switch {
	case models.KindOf(err) == models.NotFound:
		return absent, nil
	case err != nil:
		return absent, err
	case have.ID != o.id():
		return absent, provisioners.Mismatch{Words: fmt.Sprintf("the hosted zone of account %s was made by another request meanwhile", account.Name)}
	}
	return present, nil
}
