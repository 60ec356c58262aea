package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"slipway/models"
)

// RunPage reads all that a run's page shows, in at most eight queries. A run that is not theirs is NotFound, and audited.
func (s *Store) RunPage(ctx context.Context, actor models.Actor, id string) (p models.RunPage, err error) {
	if p.Run, err = s.Run(ctx, actor, id); err != nil {
		return p, err
	}
	db := s.read(ctx)
	request, err := one[requestRow](db, `SELECT `+requestColumns+` FROM `+requestsJoined+` WHERE r.id = ?`, p.Run.RequestID)
	if err != nil {
		return p, translate(fmt.Errorf("read the request of run %s: %w", id, err))
	}
	if p.Request, err = request.model(); err != nil {
		return p, err
	}
	if p.Request.TenantID != "" {
		tenant, err := readTenant(db, p.Request.TenantID)
		if err != nil {
			return p, translate(err)
		}
		if tenant.Accounts, err = readAccounts(db, tenant.ID); err != nil {
			return p, translate(err)
		}
		p.Tenant = &tenant
	}
	if p.Events, err = s.RunEvents(ctx, actor, id, 0); err != nil {
		return p, err
	}
	if p.Usual, err = usualOf(db, p.Request.Kind); err != nil {
		return p, translate(err)
	}
	if p.Resources, err = readRunResources(db, id); err != nil {
		return p, translate(err)
	}
	p.Slot, err = s.slotOf(ctx, p)
	return p, err
}

// usualOf is the median duration of the kind's last runs; zero under five of them.
func usualOf(db *gorm.DB, kind models.RequestKind) (models.Duration, error) {
	type row struct {
		UsualMS *float64 `gorm:"column:usual_ms"`
	}
	r, err := one[row](db, `SELECT `+usualTime+` AS usual_ms FROM (SELECT ?::text AS kind) k`, kind)
	if err != nil {
		return 0, fmt.Errorf("read how long %s takes: %w", kind, err)
	}
	return models.Duration(value(r.UsualMS)), nil
}

// slotOf is the place in the queue while the run's current step waits to create an account; nil otherwise.
func (s *Store) slotOf(ctx context.Context, p models.RunPage) (*models.QueuePlace, error) {
	if p.Tenant == nil || p.Run.State != models.Running && p.Run.State != models.Stopping {
		return nil, nil
	}
	for _, step := range p.Run.Steps {
		class, creates := strings.CutPrefix(step.Name, "account.create.")
		if !creates || step.State != models.StepWaiting && step.State != models.StepRunning {
			continue
		}
		type key struct{ ID string }
		waiting, err := many[key](s.read(ctx), `SELECT a.id FROM accounts a JOIN creation_slots c ON c.account_id = a.id
			WHERE a.tenant_id = ? AND a.class = ? AND c.freed_at IS NULL AND c.taken_at IS NULL`, p.Tenant.ID, class)
		if err != nil || len(waiting) == 0 {
			return nil, translate(err)
		}
		place, err := s.Registry().SlotPlace(ctx, waiting[0].ID)
		return &place, err
	}
	return nil, nil
}
