package store

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

type environmentListRow struct {
	ID         string
	TenantSlug string
	Name       string
	Stage      models.Stage
	Region     string
	Account    *string
	Blueprint  *string
	Version    *string
	Newest     *string
	Service    *string
	Image      string
	Hibernated bool
	State      models.ObjectState
	Status     *string
	Drift      models.DriftState
	Drifted    int
	Monthly    *decimal.Decimal
	ExpiresAt  *time.Time
	UpdatedAt  time.Time
}

func (r environmentListRow) model() models.EnvironmentRow {
	return models.EnvironmentRow{ID: r.ID, TenantSlug: r.TenantSlug, Name: r.Name, Stage: r.Stage, Region: r.Region, Account: value(r.Account), Blueprint: value(r.Blueprint),
		Version: value(r.Version), Newest: value(r.Newest), Service: value(r.Service), Image: r.Image, Hibernated: r.Hibernated, State: r.State, Status: value(r.Status),
		Drift: r.Drift, Drifted: r.Drifted, Monthly: r.Monthly, ExpiresAt: value(r.ExpiresAt), UpdatedAt: r.UpdatedAt}
}

// offeredToday is the condition that a version b of blueprint_versions has a sound folder and is not hidden.
const offeredToday = `EXISTS (SELECT FROM blueprint_folders f WHERE f.digest = b.digest AND f.problems IS NULL)
	AND NOT EXISTS (SELECT FROM blueprint_hidden h WHERE h.name = b.name AND h.version IN ('', b.version))`

// newestOffered is the newest version that is offered of blueprint s.blueprint, when it is newer than the environment's own.
const newestOffered = `(SELECT b.version FROM blueprint_versions b WHERE b.name = s.blueprint AND string_to_array(b.version, '.')::int[] > string_to_array(s.version, '.')::int[]
	AND ` + offeredToday + ` ORDER BY string_to_array(b.version, '.')::int[] DESC LIMIT 1)`

var environmentsList = listing[environmentListRow]{
	columns: `e.id, t.slug AS tenant_slug, e.name, e.stage, e.region, a.aws_id AS account, e.blueprint, s.version, ` + newestOffered + ` AS newest, v.name AS service, e.image, e.hibernated, e.state,
		s.status, e.drift, e.drifted, CASE WHEN e.estimate IS NOT NULL THEN e.monthly END AS monthly, e.expires_at, e.updated_at`,
	from: `environments e JOIN tenants t ON t.id = e.tenant_id`,
	wide: `JOIN accounts a ON a.id = e.account_id LEFT JOIN stacks s ON s.object_id = e.id LEFT JOIN services v ON v.id = e.service_id`,
	id:   `e.id`, usual: "name",
	sorts: map[string]column{
		"name": {`e.name`, "text"}, "tenant": {`t.slug`, "text"}, "stage": {`e.stage`, "text"}, "state": {`e.state`, "text"}, "monthly": {`e.monthly`, "numeric"},
		"blueprint": {`e.blueprint`, "text"},
		"expires":   {`COALESCE(e.expires_at, 'infinity')`, "timestamptz"}, "updated": {`e.updated_at`, "timestamptz"},
	},
}

func environmentConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := tenantScope(actor, `e.tenant_id`)
	c.add(seen, args...)
	if q.Filters["state"] != string(models.Deleted) {
		c.add(`e.state <> 'deleted'`)
	}
	if err := c.search(q.Search, `e.name`, `t.slug`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state":     oneOf(`e.state`, []models.ObjectState{models.Creating, models.Ready, models.Changing, models.Broken, models.Deleting, models.Deleted}),
		"stage":     oneOf(`e.stage`, models.Stages()),
		"tenant":    equals(`t.slug`),
		"region":    equals(`e.region`),
		"blueprint": equals(`e.blueprint`),
		"service":   equals(`(SELECT q.name FROM services q WHERE q.id = e.service_id)`),
		"drift":     oneOf(`e.drift`, []models.DriftState{models.DriftNone, models.DriftFound, models.DriftFailed, models.DriftChecking}),
		"expiring": func(c *conditions, _ string) error {
			c.add(`e.expires_at IS NOT NULL`)
			return nil
		},
	})
}

// Environments lists the environments the actor may see. Deleted ones are left out, unless that state is asked for.
func (s *Store) Environments(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.EnvironmentRow], error) {
	c, err := environmentConditions(actor, q)
	if err != nil {
		return models.List[models.EnvironmentRow]{}, err
	}
	list, err := environmentsList.read(ctx, s, c, q)
	return convert(list, environmentListRow.model), err
}

// EachEnvironment exports the environments of a list, audited.
func (s *Store) EachEnvironment(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.EnvironmentRow) error) error {
	c, err := environmentConditions(actor, q)
	if err != nil {
		return err
	}
	return environmentsList.each(ctx, s, actor, "environments", c, q, func(r environmentListRow) error { return fn(r.model()) })
}

// firstEnvironments reads the beginning of a list without counting it.
func (s *Store) firstEnvironments(ctx context.Context, c conditions, sort string, limit int) ([]models.EnvironmentRow, error) {
	p, err := environmentsList.page(models.ListQuery{Sort: sort})
	if err != nil {
		return nil, err
	}
	rows, err := environmentsList.rows(ctx, s, c, p, limit)
	if err != nil {
		return nil, err
	}
	list := make([]models.EnvironmentRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.Row.model())
	}
	return list, nil
}

// BlueprintUses lists the environments of each version of a blueprint, as far as the actor may see them: the first fifty of each.
func (s *Store) BlueprintUses(ctx context.Context, actor models.Actor, name string) ([]models.BlueprintUse, error) {
	c := conditions{}
	seen, args := tenantScope(actor, `e.tenant_id`)
	c.add(seen, args...)
	c.add(`e.state <> 'deleted'`)
	c.add(`e.blueprint = ?`, clip(name))
	rows, err := s.firstEnvironments(ctx, c, "name", maxPage)
	if err != nil {
		return nil, err
	}
	var uses []models.BlueprintUse
	for _, r := range rows {
		i := 0
		for i < len(uses) && uses[i].Version != r.Version {
			i++
		}
		if i == len(uses) {
			uses = append(uses, models.BlueprintUse{Version: r.Version})
		}
		uses[i].Environments = append(uses[i].Environments, r)
	}
	return uses, nil
}

type serviceListRow struct {
	ID           string
	TenantSlug   string
	Name         string
	Class        models.Class
	Repository   *string
	State        models.ObjectState
	Environments int
	Estimate     jsonb
	UpdatedAt    time.Time
}

func (r serviceListRow) model() (models.ServiceRow, error) {
	m := models.ServiceRow{ID: r.ID, TenantSlug: r.TenantSlug, Name: r.Name, Class: r.Class, Repository: value(r.Repository), State: r.State, Environments: r.Environments, UpdatedAt: r.UpdatedAt}
	e, err := estimateOf(r.Estimate)
	if err != nil {
		return m, fmt.Errorf("read service %s: %w", r.Name, err)
	}
	if e != nil {
		monthly := e.Monthly()
		m.Monthly = &monthly
	}
	return m, nil
}

var servicesList = listing[serviceListRow]{
	columns: `v.id, t.slug AS tenant_slug, v.name, v.class, s.outputs->>'RepositoryUri' AS repository, v.state, v.estimate, v.updated_at,
		(SELECT count(*) FROM environments e WHERE e.service_id = v.id AND e.state <> 'deleted') AS environments`,
	from: `services v JOIN tenants t ON t.id = v.tenant_id`, wide: `LEFT JOIN stacks s ON s.object_id = v.id`, id: `v.id`, usual: "name",
	sorts: map[string]column{"name": {`v.name`, "text"}, "tenant": {`t.slug`, "text"}, "state": {`v.state`, "text"}, "updated": {`v.updated_at`, "timestamptz"}},
}

func serviceConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := tenantScope(actor, `v.tenant_id`)
	c.add(seen, args...)
	if q.Filters["state"] != string(models.Deleted) {
		c.add(`v.state <> 'deleted'`)
	}
	if err := c.search(q.Search, `v.name`, `t.slug`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state":  oneOf(`v.state`, []models.ObjectState{models.Creating, models.Ready, models.Changing, models.Broken, models.Deleting, models.Deleted}),
		"tenant": equals(`t.slug`),
	})
}

// Services lists the services the actor may see.
func (s *Store) Services(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.ServiceRow], error) {
	out := models.List[models.ServiceRow]{}
	c, err := serviceConditions(actor, q)
	if err != nil {
		return out, err
	}
	list, err := servicesList.read(ctx, s, c, q)
	if err != nil {
		return out, err
	}
	out.Prev, out.Next, out.Total = list.Prev, list.Next, list.Total
	out.Rows, err = modelsOf(list.Rows, serviceListRow.model)
	return out, err
}

// EachService exports the services of a list, audited.
func (s *Store) EachService(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.ServiceRow) error) error {
	c, err := serviceConditions(actor, q)
	if err != nil {
		return err
	}
	return servicesList.each(ctx, s, actor, "services", c, q, func(r serviceListRow) error {
		m, err := r.model()
		if err != nil {
			return err
		}
		return fn(m)
	})
}
