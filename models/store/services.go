package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

// RequestService submits a request for a service: a name and one image repository, in the tenant's nonprod account, or its prod account
// when it has no other.
func (s *Store) RequestService(ctx context.Context, actor models.Actor, tenantSlug, key string, in models.ServiceInputs) (models.Request, error) {
	in = models.ServiceInputs{Name: strings.TrimSpace(in.Name)}
	if err := in.Validate(models.CreateService); err != nil {
		return models.Request{}, err
	}
	v, err := s.OfferedBlueprint(ctx, actor, models.ServiceBlueprint)
	if err != nil {
		return models.Request{}, notOffered(err, models.ServiceBlueprint)
	}
	in.Digest = v.Digest
	return s.order(ctx, actor, tenantSlug, key, "", func(_ *tx, tenant models.Tenant) (submission, error) {
		account, err := home(tenant)
		in.AccountID = account.ID
		return submission{kind: models.CreateService, objectID: models.NewID(), name: in.Name, inputs: in, field: "name"}, err
	})
}

// home is the account that holds what a tenant's accounts share.
func home(tenant models.Tenant) (models.Account, error) {
	for _, class := range models.Classes() { // nonprod first
		i := slices.IndexFunc(tenant.Accounts, func(a models.Account) bool { return a.Class == class && a.State != models.Deleted && a.AWSID != "" })
		if i >= 0 {
			return tenant.Accounts[i], nil
		}
	}
	return models.Account{}, models.Errorf(models.Conflict, "No account of %s exists yet.", tenant.Slug)
}

func notOffered(err error, name string) error {
	if models.KindOf(err) == models.NotFound {
		return models.Errorf(models.Conflict, "The blueprint %s is not offered today. The platform team can tell why on its page.", name)
	}
	return err
}

// ChangeService submits the deletion of a service. It is refused while something runs it.
func (s *Store) ChangeService(ctx context.Context, actor models.Actor, tenantSlug, name string, kind models.RequestKind, key string, in models.ServiceInputs) (models.Request, error) {
	if kind != models.DeleteService {
		return models.Request{}, models.Errorf(models.Invalid, "Services know no %q.", clip(string(kind)))
	}
	v, err := s.livingService(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.Request{}, err
	}
	if strings.TrimSpace(in.Confirm) != v.Name {
		return models.Request{}, models.InvalidFields(map[string]string{"confirm": fmt.Sprintf("Type %s to show that you mean this service.", v.Name)})
	}
	in = models.ServiceInputs{Empty: in.Empty, Confirm: v.Name, Digest: v.Stack.Digest, AccountID: v.AccountID}
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, _ models.Tenant) (submission, error) {
		return submission{kind: kind, objectID: v.ID, name: v.Name, inputs: in}, t.deletable(models.ServiceObject, v.ID, v.Name)
	})
}

// deletable refuses to delete what is gone, or what others stand on.
func (t *tx) deletable(object models.ObjectType, id, name string) error {
	type was struct{ State models.ObjectState }
	now, err := one[was](t.db, `SELECT state FROM `+tables[object]+` WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if now.State == models.Deleted || now.State == models.Creating {
		return models.Errorf(models.Conflict, "The %s %s is %s.", object, name, now.State)
	}
	users, err := usersOf(t.db, id)
	if err == nil && len(users) > 0 {
		err = models.Errorf(models.Conflict, "The %s %s is in use by %s. Delete those first.", object, name, strings.Join(users, ", "))
	}
	return err
}

func (s *Store) livingService(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.Service, error) {
	where, args := named(actor, "v", tenantSlug, name)
	v, err := readService(s.read(ctx), where, args...)
	if err != nil {
		return v, s.unseen(ctx, actor, string(models.ServiceObject), tenantSlug+"/"+name, err)
	}
	return v, nil
}

// ServicePage reads all that a service's page shows, in seven queries.
func (s *Store) ServicePage(ctx context.Context, actor models.Actor, tenantSlug, name string) (p models.ServicePage, err error) {
	if p.Service, err = s.livingService(ctx, actor, tenantSlug, name); err != nil {
		return p, err
	}
	db := s.read(ctx)
	if p.Tenant, err = readTenant(db, p.Service.TenantID); err != nil {
		return p, translate(err)
	}
	if p.Environments, p.Receipt, err = s.standing(ctx, actor, `e.service_id = ?`, p.Service.ID, p.Service.State); err != nil {
		return p, err
	}
	around, err := s.around(ctx, actor, p.Service.ID)
	if err != nil {
		return p, err
	}
	p.Open, p.Requests, p.Runs, p.Entries = around.open, around.requests, around.runs, around.entries
	if len(p.Runs) > 0 && p.Service.State == models.Broken {
		p.Failure = p.Runs[0].Failure
	}
	return p, nil
}

// standing reads the environments on an object, or its receipt once it is deleted.
func (s *Store) standing(ctx context.Context, actor models.Actor, where, id string, state models.ObjectState) (envs []models.EnvironmentRow, receipt *models.Receipt, err error) {
	if state == models.Deleted {
		receipt, err = readReceipt(s.read(ctx), id)
		return nil, receipt, translate(err)
	}
	c := conditions{}
	seen, args := tenantScope(actor, `e.tenant_id`)
	c.add(seen, args...)
	c.add(`e.state <> 'deleted'`)
	c.add(where, id)
	envs, err = s.firstEnvironments(ctx, c, "name", pageUsers)
	return envs, nil, err
}

// OrderTenants lists the tenants that the actor may order for, with their accounts.
func (s *Store) OrderTenants(ctx context.Context, actor models.Actor) ([]models.Tenant, error) {
	ids := texts{}
	for _, m := range actor.Memberships {
		if actor.MayOrderFor(m.TenantID) {
			ids = append(ids, m.TenantID)
		}
	}
	where, args := `t.id = ANY (?::uuid[])`, []any{ids}
	if actor.Has(models.PlatformAdmin) {
		where, args = `TRUE`, nil
	}
	db := s.read(ctx)
	rows, err := many[tenantRow](db, `SELECT `+tenantColumns+` FROM tenants t WHERE `+where+` AND t.state IN ('ready', 'changing') ORDER BY t.slug LIMIT 500`, args...)
	if err != nil {
		return nil, translate(fmt.Errorf("list tenants to order for: %w", err))
	}
	found := texts{}
	for _, r := range rows {
		found = append(found, r.ID)
	}
	accounts, err := many[accountRecord](db, `SELECT `+accountColumns+` FROM accounts a WHERE a.tenant_id = ANY (?::uuid[]) AND a.state <> 'deleted' ORDER BY a.class, a.id`, found)
	if err != nil {
		return nil, translate(fmt.Errorf("list the accounts of tenants to order for: %w", err))
	}
	of := map[string][]models.Account{}
	for _, a := range accounts {
		of[a.TenantID] = append(of[a.TenantID], a.model())
	}
	tenants := make([]models.Tenant, 0, len(rows))
	for _, r := range rows {
		t := r.model()
		t.Accounts = of[t.ID]
		tenants = append(tenants, t)
	}
	return tenants, nil
}

// OrderChoices reads what an order form of the tenant can offer: what exists, and what is on its way.
func (s *Store) OrderChoices(ctx context.Context, actor models.Actor, tenantSlug string) (c models.OrderChoices, err error) {
	err = s.tx(ctx, func(t *tx) error {
		if c.Tenant, err = t.forTenant(actor, tenantSlug); err != nil {
			return err
		}
		if c.Networks, err = choices(t.db, models.NetworkObject, c.Tenant.ID); err != nil {
			return err
		}
		if c.Services, err = choices(t.db, models.ServiceObject, c.Tenant.ID); err != nil {
			return err
		}
		names, err := many[string](t.db, `SELECT name FROM names WHERE object_type = 'environment' AND scope = ?::text AND freed_at IS NULL`, c.Tenant.ID)
		if err != nil {
			return err
		}
		c.Taken = map[string]bool{}
		for _, n := range names {
			c.Taken[n] = true
		}
		c.Count, c.Monthly, err = tenantUse(t.db, c.Tenant.ID, "")
		return err
	})
	return c, err
}

// choices are the living objects of a type, and those that open requests make.
func choices(db *gorm.DB, object models.ObjectType, tenantID string) ([]models.Choice, error) {
	create := `'network.create', 'network.register'`
	columns := `o.class, o.region`
	open := `COALESCE(r.inputs->>'class', '') AS class, COALESCE(r.inputs->>'region', '') AS region`
	if object == models.ServiceObject {
		create, columns, open = `'service.create'`, `o.class, '' AS region`, `'' AS class, '' AS region`
	}
	list, err := many[models.Choice](db, `SELECT o.id, o.name, `+columns+`, o.state, CASE WHEN o.state IN ('creating', 'broken') THEN o.request_id::text ELSE '' END AS request_id
			FROM `+tables[object]+` o WHERE o.tenant_id = ? AND o.state NOT IN ('deleted', 'deleting')
		UNION ALL SELECT r.object_id, r.object_name, `+open+`, '', r.id::text FROM requests r WHERE r.tenant_id = ? AND r.kind IN (`+create+`) AND r.ended_at IS NULL
			AND NOT EXISTS (SELECT FROM `+tables[object]+` o WHERE o.id = r.object_id) ORDER BY 2 LIMIT 500`, tenantID, tenantID)
	if err != nil {
		return nil, fmt.Errorf("list what orders can stand on: %w", err)
	}
	return list, nil
}

// RulesFor gathers the facts of a request that is not made yet, for the panel beside its form.
func (s *Store) RulesFor(ctx context.Context, actor models.Actor, tenantSlug string, kind models.RequestKind, object string, inputs []byte, content models.PlanContent) (models.RuleFacts, error) {
	facts := models.RuleFacts{Request: models.Request{Kind: kind, ObjectType: kind.Object(), ObjectName: object, Inputs: inputs}, Requester: actor.Person, Roles: actor.Roles,
		Content: content, Now: s.clock.Now()}
	err := s.tx(ctx, func(t *tx) error {
		tenant, err := t.forTenant(actor, tenantSlug)
		if err != nil {
			return err
		}
		facts.Tenant, facts.Request.TenantID = &tenant, tenant.ID
		if facts.Environments, facts.Monthly, err = tenantUse(t.db, tenant.ID, ""); err != nil {
			return err
		}
		facts.Spend, err = spendNow(t.db, tenant, s.clock.Wall())
		return err
	})
	return facts, err
}

// UsualTime tells how long runs of a kind took; zero under five of them.
func (s *Store) UsualTime(ctx context.Context, _ models.Actor, kind models.RequestKind) (models.PlanNotes, error) {
	n := models.PlanNotes{}
	err := s.tx(ctx, func(t *tx) error { return t.usualTime(kind, &n) })
	return n, err
}
