package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

const accountColumns = `a.id, a.tenant_id, a.class, a.name, a.email, a.aws_id, a.create_id, a.state, a.aws_state, a.aws_state_at, a.ou, a.baseline_at, a.late, a.created_at,
	a.enrolled, a.by_hand, a.closed_at`

// How much of each kind a tenant's page shows.
const (
	pageRequests = 10
	pageEntries  = 20
	pagePeople   = 20
)

// TenantPage reads all that a tenant's page shows, in nine queries, eleven once it is closed. A tenant that is not theirs is NotFound, and audited.
func (s *Store) TenantPage(ctx context.Context, actor models.Actor, slug string) (models.TenantPage, error) {
	db := s.read(ctx)
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(slug)}, args...)...)
	if err != nil {
		return models.TenantPage{}, s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	p := models.TenantPage{Tenant: row.model()}
	if p.Tenant.Accounts, err = readAccounts(db, row.ID); err != nil {
		return p, translate(err)
	}
	request, err := one[requestRow](db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ?`, row.RequestID)
	if err != nil {
		return p, translate(fmt.Errorf("read the request of tenant %s: %w", slug, err))
	}
	if p.Request, err = request.model(); err != nil {
		return p, err
	}
	if p.Request.PlanID != "" {
		plan, err := readPlan(db, p.Request.PlanID)
		if err != nil {
			return p, translate(err)
		}
		p.Plan = &plan
	}
	return p, translate(s.tenantDetails(ctx, actor, &p))
}

func (s *Store) tenantDetails(ctx context.Context, actor models.Actor, p *models.TenantPage) (err error) {
	db := s.read(ctx)
	if p.Groups, err = readGroups(db, p.Tenant); err != nil {
		return err
	}
	its := conditions{}
	its.add(`(r.object_id = ? OR r.tenant_id = ?)`, p.Tenant.ID, p.Tenant.ID)
	if p.Requests, _, err = s.firstRequests(ctx, its, "-asked", pageRequests, false); err != nil {
		return fmt.Errorf("read the requests of %s: %w", p.Tenant.Slug, err)
	}
	runs := conditions{}
	runs.add(`n.request_id = ANY (ARRAY(SELECT q.id FROM requests q WHERE q.object_id = ? OR q.tenant_id = ?))`, p.Tenant.ID, p.Tenant.ID)
	if p.Runs, err = s.firstRuns(ctx, runs, pageRequests); err != nil {
		return fmt.Errorf("read the runs of %s: %w", p.Tenant.Slug, err)
	}
	if err := tenantEnd(db, p); err != nil {
		return err
	}
	if len(p.Runs) > 0 && p.Tenant.State == models.Broken {
		p.Failure = p.Runs[0].Failure
	}
	seen, args := auditScope(actor)
	entries, err := many[entryRow](db, `SELECT `+auditList.columns+` FROM `+auditList.from+` WHERE e.tenant_id = ? AND `+seen+` ORDER BY e.at DESC, e.id DESC LIMIT ?`,
		append(append([]any{p.Tenant.ID}, args...), pageEntries)...)
	if err != nil {
		return fmt.Errorf("read the audit entries of %s: %w", p.Tenant.Slug, err)
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, e.model())
	}
	return nil
}

// tenantEnd adds who gets into the accounts, and what closes or has closed the tenant.
func tenantEnd(db *gorm.DB, p *models.TenantPage) (err error) {
	if p.Access, err = readAccess(db, p.Tenant.ID); err != nil {
		return err
	}
	if p.Tenant.ClosingAt.IsZero() && p.Tenant.State != models.Deleted {
		return nil
	}
	closing, err := many[requestRow](db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.object_id = ? AND r.kind = ? ORDER BY r.number DESC LIMIT 1`, p.Tenant.ID, models.CloseTenant)
	if err != nil {
		return fmt.Errorf("read what closes tenant %s: %w", p.Tenant.Slug, err)
	}
	if len(closing) > 0 {
		r, err := closing[0].model()
		if err != nil {
			return err
		}
		p.Closing = &r
	}
	p.Receipt, err = readReceipt(db, p.Tenant.ID)
	return err
}

// readGroups finds who was last seen with which of the tenant's groups, in one query.
func readGroups(db *gorm.DB, t models.Tenant) ([]models.GroupPeople, error) {
	type row struct {
		Role         models.TenantRole
		GroupName    string
		Total        int
		ID           *string
		Issuer       *string
		Subject      *string
		Name         *string
		Email        *string
		GroupsSeenAt *time.Time
	}
	rows, err := many[row](db, `SELECT g.role, g.group_name, p.total, p.id, p.issuer, p.subject, p.name, p.email, p.groups_seen_at
		FROM (VALUES (1, 'owner', ?::text), (2, 'developer', ?::text), (3, 'viewer', ?::text)) AS g (place, role, group_name)
		LEFT JOIN LATERAL (SELECT q.id, q.issuer, q.subject, q.name, q.email, q.groups_seen_at, count(*) OVER () AS total FROM people q WHERE q.groups @> ARRAY[g.group_name] ORDER BY q.groups_seen_at DESC, q.id LIMIT ?) p ON true
		ORDER BY g.place, p.groups_seen_at DESC, p.id`, t.OwnerGroup, t.DeveloperGroup, t.ViewerGroup, pagePeople)
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", t.Slug, err)
	}
	var groups []models.GroupPeople
	for _, r := range rows {
		if n := len(groups); n == 0 || groups[n-1].Role != r.Role {
			groups = append(groups, models.GroupPeople{Role: r.Role, Group: r.GroupName, Total: r.Total})
		}
		if r.ID != nil {
			g := &groups[len(groups)-1]
			g.People = append(g.People, models.Person{ID: *r.ID, Issuer: value(r.Issuer), Subject: value(r.Subject), Name: value(r.Name), Email: value(r.Email),
				GroupsSeenAt: value(r.GroupsSeenAt)})
		}
	}
	return groups, nil
}

func readAccounts(db *gorm.DB, tenantID string) ([]models.Account, error) {
	rows, err := many[accountRecord](db, `SELECT `+accountColumns+` FROM accounts a WHERE a.tenant_id = ? ORDER BY a.class, a.state = 'deleted', a.created_at, a.id`, tenantID)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of tenant %s: %w", tenantID, err)
	}
	var accounts []models.Account
	for _, r := range rows {
		accounts = append(accounts, r.model())
	}
	return accounts, nil
}
