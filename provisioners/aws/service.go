package aws

import (
	"context"
	"encoding/json"
	"fmt"

	"slipway/models"
	"slipway/provisioners"
)

// planService plans a service's image repository: in the nonprod account of its tenant, or in the prod one of a tenant without.
func (s *Stacks) planService(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.ServiceInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	account, err := buildAccount(tenant, "", "")
	if err != nil {
		return provisioners.Draft{}, err
	}
	o := order{}
	if o.version, err = s.versionFor(ctx, in.Digest, "", models.ServiceBlueprint); err != nil {
		return provisioners.Draft{}, err
	}
	o.object = object{Stacks: s, typ: models.ServiceObject, part: models.PlanPart{Name: "Service " + in.Name, Account: account.AWSID, Class: account.Class, Region: s.clients.Region,
		StackName: models.ServiceStack(tenant.Slug, in.Name), Mode: models.StackCreate, Tags: stackTags(tenant, account.Class, o.version.Name, p.Request.ObjectID, models.TagService, in.Name)}}
	if err := o.readRow(ctx); err != nil {
		return provisioners.Draft{}, err
	}
	g := &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: in.Name, own: models.Service{Name: in.Name}}
	if err := o.fill(ctx, g, nil, ""); err != nil {
		return provisioners.Draft{}, err
	}
	return s.draft(ctx, p, o)
}
