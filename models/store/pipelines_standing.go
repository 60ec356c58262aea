package store

import (
	"fmt"
	"slices"

	"slipway/models"
)

// standPipeline finds what a pipeline stands on: its service, which decides the account, its connection, and the environments that it
// delivers to, all of the same tenant. What it gives back are the open requests that make what is not there yet.
func (t *tx) standPipeline(tenant models.Tenant, in *models.PipelineInputs) (after []string, err error) {
	in.ServiceID, in.ConnectionID, in.AccountID = "", "", ""
	id, first, err := t.find(tenant, place{models.ServiceObject, `name = ?`, []any{in.Service}, `r.kind = 'service.create' AND r.object_name = ?`, []any{in.Service}})
	switch {
	case err != nil:
		return nil, err
	case id == "":
		return nil, models.InvalidFields(map[string]string{"service": fmt.Sprintf("%s has no service %q. Make it first; this order then waits for it.", tenant.Slug, clip(in.Service))})
	}
	in.ServiceID, after = id, first
	if in.AccountID, err = t.accountOfObject(models.ServiceObject, id); err != nil {
		return nil, err
	}
	if in.Connection != "" {
		request, err := t.standConnection(tenant, in)
		if err != nil {
			return nil, err
		}
		after = append(after, request...)
	}
	made, err := t.standStages(tenant, in)
	return append(after, made...), err
}

// standConnection finds the connection of a pipeline. CodePipeline takes only one of its own account.
func (t *tx) standConnection(tenant models.Tenant, in *models.PipelineInputs) (after []string, err error) {
	id, after, err := t.find(tenant, place{models.ConnectionObject, `name = ?`, []any{in.Connection}, `r.kind = 'connection.create' AND r.object_name = ?`, []any{in.Connection}})
	switch {
	case err != nil:
		return nil, err
	case id == "":
		return nil, models.InvalidFields(map[string]string{"connection": fmt.Sprintf("%s has no connection %q. Make it first; this order then waits for it.", tenant.Slug, clip(in.Connection))})
	}
	account, err := t.accountOfObject(models.ConnectionObject, id)
	if err != nil {
		return nil, err
	}
	if account != in.AccountID {
		return nil, models.InvalidFields(map[string]string{"connection": fmt.Sprintf("%s is in another account than the images of %s, and a pipeline needs both in one. Make a connection there.",
			in.Connection, in.Service)})
	}
	in.ConnectionID = id
	return after, nil
}

// accountOfObject is the account row of a service or connection, or that of the open request that makes it.
func (t *tx) accountOfObject(object models.ObjectType, id string) (string, error) {
	account, err := one[string](t.db, `SELECT account_id::text FROM `+tables[object]+` WHERE id = ? UNION ALL
		SELECT r.inputs->>'account_id' FROM requests r WHERE r.object_id = ? AND r.kind = ? LIMIT 1`, id, id, string(object)+".create")
	if err != nil {
		return "", fmt.Errorf("find the account of %s %s: %w", object, id, err)
	}
	return account, nil
}

// ground is an environment that a pipeline may deliver to, or the open request that makes it.
type ground struct {
	ID        string
	Name      string
	Stage     models.Stage
	ServiceID *string
	State     models.ObjectState // empty while it is only asked for
	RequestID string
}

// standStages finds the environments of the stages and holds their order against that of the stages.
func (t *tx) standStages(tenant models.Tenant, in *models.PipelineInputs) (after []string, err error) {
	names := texts{}
	for _, g := range in.Stages {
		names = append(names, g.Environment)
	}
	found, err := t.grounds(tenant.ID, `o.name = ANY (?::text[])`, `r.object_name = ANY (?::text[])`, names)
	if err != nil {
		return nil, err
	}
	bad := map[string]string{}
	for i := range in.Stages {
		g := &in.Stages[i]
		at := slices.IndexFunc(found, func(e ground) bool { return e.Name == g.Environment })
		switch {
		case at < 0:
			bad["stages"] = fmt.Sprintf("%s has no environment %q. Make it first; this order then waits for it.", tenant.Slug, clip(g.Environment))
		case value(found[at].ServiceID) != in.ServiceID:
			bad["stages"] = fmt.Sprintf("%s does not run %s, so nothing can be delivered to it.", g.Environment, in.Service)
		default:
			g.EnvironmentID, g.Stage = found[at].ID, found[at].Stage
			if s := found[at].State; s == "" || s == models.Creating || s == models.Broken {
				after = append(after, found[at].RequestID)
			}
		}
		if bad["stages"] != "" {
			return nil, models.InvalidFields(bad)
		}
		if i > 0 && slices.Index(models.Stages(), g.Stage) < slices.Index(models.Stages(), in.Stages[i-1].Stage) {
			before := in.Stages[i-1]
			return nil, models.InvalidFields(map[string]string{"stages": fmt.Sprintf("%s (%s) comes before %s (%s), which goes backwards. Deliver to dev first, then to staging, then to prod.",
				before.Environment, before.Stage, g.Environment, g.Stage)})
		}
	}
	return after, nil
}

// grounds lists environments of a tenant that live, and those that open requests make.
func (t *tx) grounds(tenantID, living, open string, args ...any) ([]ground, error) {
	all := append(append([]any{tenantID}, args...), append([]any{tenantID}, args...)...)
	list, err := many[ground](t.db, `SELECT o.id, o.name, o.stage, o.service_id, o.state, o.request_id FROM environments o
			WHERE o.tenant_id = ? AND o.state NOT IN ('deleted', 'deleting') AND `+living+`
		UNION ALL SELECT r.object_id, r.object_name, r.inputs->>'stage', (r.inputs->>'service_id')::uuid, '', r.id FROM requests r
			WHERE r.tenant_id = ? AND r.kind = 'environment.create' AND r.ended_at IS NULL AND `+open+`
			AND NOT EXISTS (SELECT FROM environments o WHERE o.id = r.object_id) ORDER BY 2 LIMIT 500`, all...)
	if err != nil {
		return nil, fmt.Errorf("list the environments that a pipeline can deliver to: %w", err)
	}
	return list, nil
}

// standPipelineAgain looks anew for what a pipeline in planning stands on; failed says in words what is missing.
func (t *tx) standPipelineAgain(req *models.Request) (failed string, err error) {
	in, err := inputsOf[models.PipelineInputs](*req)
	if err != nil {
		return "", err
	}
	tenant, err := findTenant(t.db, req.TenantID)
	if err != nil || tenant == nil {
		return "", err
	}
	before := in
	in.Stages = slices.Clone(in.Stages)
	after, err := t.standPipeline(*tenant, &in)
	same := in.AccountID == before.AccountID && in.ServiceID == before.ServiceID && in.ConnectionID == before.ConnectionID &&
		slices.EqualFunc(in.Stages, before.Stages, func(a, b models.PipelineStage) bool { return a.EnvironmentID == b.EnvironmentID && a.Stage == b.Stage })
	return t.stoodOn(req, in, same, after, err)
}
