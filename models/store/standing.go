package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
)

// stand finds what an order stands on: the account that its stage decides, network and service. What it gives back are the open
// requests that make what is not there yet.
func (t *tx) stand(tenant models.Tenant, in *models.EnvironmentInputs) (after []string, err error) {
	class := in.Stage.Class()
	i := slices.IndexFunc(tenant.Accounts, func(a models.Account) bool { return a.Class == class && a.State != models.Deleted })
	switch {
	case i < 0:
		return nil, models.InvalidFields(map[string]string{"stage": fmt.Sprintf("%s has no %s account, which %s needs.", tenant.Slug, class, in.Stage)})
	case tenant.Accounts[i].AWSID == "":
		return nil, models.InvalidFields(map[string]string{"stage": fmt.Sprintf("The %s account of %s is still being created.", class, tenant.Slug)})
	}
	in.AccountID = tenant.Accounts[i].ID
	in.NetworkID, in.ServiceID = "", ""
	if slices.Contains(in.Needs, blueprint.NeedsNetwork) {
		at := place{models.NetworkObject, `account_id = ? AND region = ?`, []any{in.AccountID, in.Region},
			`r.kind IN ('network.create', 'network.register') AND r.object_name = ?`, []any{models.NetworkName(class, in.Region)}}
		id, request, err := t.find(tenant, at)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return nil, models.InvalidFields(map[string]string{"region": fmt.Sprintf("There is no %s network in %s yet. Ask for it first; this order then waits for it.", class, in.Region)})
		}
		in.NetworkID = id
		after = append(after, request...)
	}
	if !slices.Contains(in.Needs, blueprint.NeedsService) {
		if in.Service != "" || in.Image != "" {
			return nil, models.InvalidFields(map[string]string{"service": "This path runs no image of yours, so it takes no service."})
		}
		return after, nil
	}
	if in.Service == "" {
		return nil, models.InvalidFields(map[string]string{"service": "Choose the service that runs here, or make a new one."})
	}
	id, request, err := t.find(tenant, place{models.ServiceObject, `name = ?`, []any{in.Service}, `r.kind = 'service.create' AND r.object_name = ?`, []any{in.Service}})
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, models.InvalidFields(map[string]string{"service": fmt.Sprintf("%s has no service %q. Make it first; this order then waits for it.", tenant.Slug, clip(in.Service))})
	}
	in.ServiceID = id
	return append(after, request...), nil
}

// place is how something that an order stands on is found: as a living object, or as the open request that makes it.
type place struct {
	object   models.ObjectType
	living   string
	args     []any
	open     string
	openArgs []any
}

func (t *tx) find(tenant models.Tenant, st place) (id string, after []string, err error) {
	type object struct {
		ID        string
		State     models.ObjectState
		RequestID string
	}
	there, err := many[object](t.db, `SELECT id, state, request_id FROM `+tables[st.object]+` WHERE tenant_id = ? AND state NOT IN ('deleted', 'deleting') AND `+st.living+` LIMIT 1`,
		append([]any{tenant.ID}, st.args...)...)
	if err != nil {
		return "", nil, fmt.Errorf("find the %s: %w", st.object, err)
	}
	if len(there) > 0 {
		if there[0].State == models.Creating || there[0].State == models.Broken {
			after = []string{there[0].RequestID}
		}
		return there[0].ID, after, nil
	}
	type request struct{ ID, ObjectID string }
	open, err := many[request](t.db, `SELECT r.id, r.object_id FROM requests r WHERE r.tenant_id = ? AND r.ended_at IS NULL AND `+st.open+` ORDER BY r.number DESC LIMIT 1`,
		append([]any{tenant.ID}, st.openArgs...)...)
	if err != nil || len(open) == 0 {
		return "", nil, err
	}
	return open[0].ObjectID, []string{open[0].ID}, nil
}

// standAgain looks anew for what an order in planning stands on; failed says in words what is missing.
func (t *tx) standAgain(req *models.Request) (failed string, err error) {
	var in models.EnvironmentInputs
	if err := jsonb(req.Inputs).decode(&in); err != nil {
		return "", err
	}
	tenant, err := findTenant(t.db, req.TenantID)
	if err != nil || tenant == nil {
		return "", err
	}
	before := in
	after, err := t.stand(*tenant, &in)
	same := in.AccountID == before.AccountID && in.NetworkID == before.NetworkID && in.ServiceID == before.ServiceID
	return t.stoodOn(req, in, same, after, err)
}

// stoodOn writes down what looking anew for what a request stands on has found.
func (t *tx) stoodOn(req *models.Request, in any, same bool, after []string, err error) (failed string, _ error) {
	if fields := models.Fields(err); fields != nil {
		return strings.Join(slices.Sorted(maps.Values(fields)), " "), nil
	}
	if err != nil {
		return "", err
	}
	if !same {
		doc, err := document(in)
		if err != nil {
			return "", err
		}
		req.Inputs = []byte(doc)
		if err := t.db.Exec(`UPDATE requests SET inputs = ? WHERE id = ?`, doc, req.ID).Error; err != nil {
			return "", fmt.Errorf("write what %s stands on: %w", req.ID, err)
		}
	}
	return "", t.waitFor(req.ID, after)
}
