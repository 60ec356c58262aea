package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// How much of each kind a request's page shows.
const (
	pageApprovals = 100
	pageComments  = 500
)

// RequestPage reads all that a request's page shows, in at most seven queries. A plan older than a day that waits for a
// decision is sent to be computed again on the way.
func (s *Store) RequestPage(ctx context.Context, actor models.Actor, id string) (models.RequestPage, error) {
	p, err := s.requestPage(ctx, actor, id)
	if err != nil || p.Plan == nil || p.Request.State != models.AwaitingApproval || s.clock.Now().Sub(p.Plan.ComputedAt) <= models.PlanLife {
		return p, err
	}
	if err := s.refreshPlan(ctx, id); err != nil {
		return p, fmt.Errorf("compute the old plan of %s again: %w", id, err)
	}
	return s.requestPage(ctx, actor, id)
}

func (s *Store) requestPage(ctx context.Context, actor models.Actor, id string) (p models.RequestPage, err error) {
	if !models.ValidID(id) {
		return p, translate(gorm.ErrRecordNotFound)
	}
	db := s.read(ctx)
	seen, args := requestScope(actor)
	row, err := one[requestPageRow](db, `SELECT `+requestColumns+`, p.issuer, p.subject, p.email, p.groups, p.groups_seen_at FROM `+requestsJoined+`
		WHERE r.id = ? AND `+seen, append([]any{id}, args...)...)
	if err != nil {
		return p, s.unseen(ctx, actor, "request", id, err)
	}
	if p.Request, err = row.Request.model(); err != nil {
		return p, err
	}
	p.Requester = models.Person{ID: p.Request.RequesterID, Issuer: row.Issuer, Subject: row.Subject, Name: p.Request.RequesterName, Email: row.Email,
		Groups: row.Groups, GroupsSeenAt: row.GroupsSeenAt}
	if p.Request.TenantID != "" {
		tenant, err := readTenant(db, p.Request.TenantID)
		if err != nil {
			return p, translate(err)
		}
		p.Tenant = &tenant
	}
	if p.Request.PlanID != "" {
		plan, err := readPlan(db, p.Request.PlanID)
		if err != nil {
			return p, translate(err)
		}
		p.Plan = &plan
	}
	if p.Approvals, err = readApprovals(db, id); err != nil {
		return p, translate(err)
	}
	if p.Comments, err = readComments(db, id); err != nil {
		return p, translate(err)
	}
	if p.Request.HasRun() {
		if p.Run, err = readRunRow(db, p.Request.RunID); err != nil {
			return p, translate(err)
		}
		p.Failure = p.Run.Failure
	}
	p.NewGroups, err = newGroups(db, p.Request)
	return p, err
}

// requestPageRow is a request and who asked for it.
type requestPageRow struct {
	Request      requestRow `gorm:"embedded"`
	Issuer       string
	Subject      string
	Email        string
	Groups       texts
	GroupsSeenAt time.Time
}

type approvalRow struct {
	ID         string
	RequestID  string
	PlanHash   string
	Decision   models.Decision
	PersonID   *string
	PersonName *string
	Role       string
	RuleID     string
	Reason     string
	BreakGlass bool
	Dropped    bool
	At         time.Time
}

func (r approvalRow) model() (models.Approval, error) {
	return models.Approval{ID: r.ID, RequestID: r.RequestID, PlanHash: r.PlanHash, Decision: r.Decision, PersonID: value(r.PersonID), PersonName: value(r.PersonName),
		Role: r.Role, RuleID: r.RuleID, Reason: r.Reason, BreakGlass: r.BreakGlass, Dropped: r.Dropped, At: r.At}, nil
}

func readApprovals(db *gorm.DB, requestID string) ([]models.Approval, error) {
	rows, err := many[approvalRow](db, `SELECT * FROM (SELECT a.id, a.request_id, a.plan_hash, a.decision, a.person_id, p.name AS person_name, a.role, a.rule_id, a.reason,
		a.break_glass, a.dropped, a.at FROM approvals a LEFT JOIN people p ON p.id = a.person_id WHERE a.request_id = ? ORDER BY a.at DESC, a.id LIMIT ?) newest
		ORDER BY at, id`, requestID, pageApprovals)
	if err != nil {
		return nil, fmt.Errorf("read the decisions on %s: %w", requestID, err)
	}
	return modelsOf(rows, approvalRow.model)
}

func readComments(db *gorm.DB, requestID string) ([]models.Comment, error) {
	rows, err := many[models.Comment](db, `SELECT * FROM (SELECT c.id, c.request_id, c.person_id, p.name AS person_name, c.body, c.at
		FROM comments c JOIN people p ON p.id = c.person_id WHERE c.request_id = ? ORDER BY c.at DESC, c.id LIMIT ?) newest ORDER BY at, id`, requestID, pageComments)
	if err != nil {
		return nil, fmt.Errorf("read the discussion of %s: %w", requestID, err)
	}
	return rows, nil
}

func readRunRow(db *gorm.DB, id string) (*models.RunRow, error) {
	row, err := one[runListRow](db, runListWith+` SELECT `+runListColumns+` FROM `+runListFrom+` `+runListWide+` WHERE n.id = ?`, id)
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", id, err)
	}
	m, err := row.model()
	return &m, err
}

// newGroups lists the groups that a tenant request names and nobody has signed in with.
func newGroups(db *gorm.DB, r models.Request) ([]string, error) {
	groups, err := inputGroups(r)
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	return unseenGroups(db, groups)
}

func readTenant(db *gorm.DB, id string) (models.Tenant, error) {
	row, err := one[tenantRow](db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.id = ?`, id)
	if err != nil {
		return models.Tenant{}, fmt.Errorf("read tenant %s: %w", id, err)
	}
	return row.model(), nil
}
