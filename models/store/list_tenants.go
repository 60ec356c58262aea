package store

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

const tenantColumns = `t.id, t.slug, t.display_name, t.description, t.owner_group, t.developer_group, t.viewer_group, t.cost_centre, t.budget, t.state,
	t.request_id, t.estimate, t.created_at, t.updated_at, t.closing_at`

type tenantRow struct {
	ID             string
	Slug           string
	DisplayName    string
	Description    string
	OwnerGroup     string
	DeveloperGroup string
	ViewerGroup    string
	CostCentre     string
	Budget         decimal.Decimal
	State          models.ObjectState
	RequestID      string
	Estimate       *decimal.Decimal
	CreatedAt      time.Time
	UpdatedAt      time.Time
	ClosingAt      *time.Time
}

func (r tenantRow) model() models.Tenant {
	return models.Tenant{ID: r.ID, Slug: r.Slug, DisplayName: r.DisplayName, Description: r.Description, OwnerGroup: r.OwnerGroup, DeveloperGroup: r.DeveloperGroup,
		ViewerGroup: r.ViewerGroup, CostCentre: r.CostCentre, Budget: r.Budget, State: r.State, RequestID: r.RequestID, Estimate: r.Estimate,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, ClosingAt: value(r.ClosingAt)}
}

type tenantListRow struct {
	Tenant         tenantRow `gorm:"embedded"`
	AccountsAll    int
	AccountsActive int
}

func (r tenantListRow) model() models.TenantRow {
	return models.TenantRow{Tenant: r.Tenant.model(), AccountsAll: r.AccountsAll, AccountsActive: r.AccountsActive}
}

var tenantsList = listing[tenantListRow]{
	columns: tenantColumns + `,
		(SELECT count(*) FROM accounts a WHERE a.tenant_id = t.id AND a.state <> 'deleted') AS accounts_all,
		(SELECT count(*) FROM accounts a WHERE a.tenant_id = t.id AND a.state <> 'deleted' AND a.aws_state = 'ACTIVE') AS accounts_active`,
	from: `tenants t`, id: `t.id`, usual: "slug",
	sorts: map[string]column{
		"slug": {`t.slug`, "text"}, "name": {`lower(t.display_name)`, "text"}, "state": {`t.state`, "text"}, "cost_centre": {`t.cost_centre`, "text"},
		"budget": {`t.budget`, "numeric"}, "estimate": {`COALESCE(t.estimate, -1)`, "numeric"}, "created": {`t.created_at`, "timestamptz"},
	},
}

func tenantConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := tenantScope(actor, `t.id`)
	c.add(seen, args...)
	if err := c.search(q.Search, `t.slug`, `t.display_name`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state":       oneOf(`t.state`, []models.ObjectState{models.Creating, models.Ready, models.Changing, models.Broken, models.Deleting, models.Deleted}),
		"cost_centre": equals(`t.cost_centre`),
	})
}

// Tenants lists the tenants the actor may see.
func (s *Store) Tenants(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.TenantRow], error) {
	c, err := tenantConditions(actor, q)
	if err != nil {
		return models.List[models.TenantRow]{}, err
	}
	list, err := tenantsList.read(ctx, s, c, q)
	return convert(list, tenantListRow.model), err
}

// EachTenant exports the tenants of a list, audited.
func (s *Store) EachTenant(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.TenantRow) error) error {
	c, err := tenantConditions(actor, q)
	if err != nil {
		return err
	}
	return tenantsList.each(ctx, s, actor, "tenants", c, q, func(r tenantListRow) error { return fn(r.model()) })
}

// convert gives a list of rows the form that the rest of the house knows.
func convert[R, M any](list models.List[R], model func(R) M) models.List[M] {
	out := models.List[M]{Prev: list.Prev, Next: list.Next, Total: list.Total, Rows: make([]M, 0, len(list.Rows))}
	for _, r := range list.Rows {
		out.Rows = append(out.Rows, model(r))
	}
	return out
}
