package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// Registry is what the steps of a run may know and record of Slipway's own objects.
type Registry struct{ s *Store }

// Registry gives provisioners their view of the store.
func (s *Store) Registry() *Registry { return &Registry{s} }

type accountRecord struct {
	ID         string
	TenantID   string
	Class      models.Class
	Name       string
	Email      string
	AWSID      *string `gorm:"column:aws_id"`
	CreateID   string
	State      models.ObjectState
	AWSState   string     `gorm:"column:aws_state"`
	AWSStateAt *time.Time `gorm:"column:aws_state_at"`
	OU         string     `gorm:"column:ou"`
	BaselineAt *time.Time
	Late       bool
	CreatedAt  time.Time
	Enrolled   bool
	ByHand     bool
	ClosedAt   *time.Time
}

func (r accountRecord) model() models.Account {
	return models.Account{ID: r.ID, TenantID: r.TenantID, Class: r.Class, Name: r.Name, Email: r.Email, AWSID: value(r.AWSID), CreateID: r.CreateID,
		State: r.State, AWSState: r.AWSState, AWSStateAt: value(r.AWSStateAt), OU: r.OU, BaselineAt: value(r.BaselineAt), Late: r.Late, CreatedAt: r.CreatedAt,
		Enrolled: r.Enrolled, ByHand: r.ByHand, ClosedAt: value(r.ClosedAt)}
}

// findTenant reads a tenant with its accounts; nil when it does not exist.
func findTenant(db *gorm.DB, id string) (*models.Tenant, error) {
	if id == "" {
		return nil, nil
	}
	t, err := readTenant(db, id)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t.Accounts, err = readAccounts(db, id)
	return &t, err
}

// Tenant reads a tenant with its accounts.
func (g *Registry) Tenant(ctx context.Context, id string) (models.Tenant, error) {
	t, err := findTenant(g.s.read(ctx), id)
	if err == nil && t == nil {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return models.Tenant{}, translate(err)
	}
	return *t, nil
}

// UsedSlug tells whether another object than objectID has the slug, or had it.
func (g *Registry) UsedSlug(ctx context.Context, slug, objectID string) (bool, error) {
	type answer struct{ Used bool }
	a, err := one[answer](g.s.read(ctx), `SELECT EXISTS (SELECT FROM tenants WHERE slug = ? AND id <> ?)
		OR EXISTS (SELECT FROM names WHERE object_type = 'tenant' AND name = ? AND object_id <> ? AND freed_at IS NULL) AS used`, slug, objectID, slug, objectID)
	return a.Used, translate(err)
}

// Account reads one account.
func (g *Registry) Account(ctx context.Context, id string) (models.Account, error) {
	r, err := one[accountRecord](g.s.read(ctx), `SELECT `+accountColumns+` FROM accounts a WHERE id = ?`, id)
	if err != nil {
		return models.Account{}, translate(fmt.Errorf("read account %s: %w", id, err))
	}
	return r.model(), nil
}

// EnsureTenant makes the tenant that a request asks for, with an account row and a reserved e-mail address per class; what is there
// already is given back unchanged.
func (g *Registry) EnsureTenant(ctx context.Context, actor models.Actor, requestID string) (models.Tenant, error) {
	var made models.Tenant
	err := g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		var in models.TenantInputs
		if err := jsonb(req.Inputs).decode(&in); err != nil {
			return err
		}
		there, err := findTenant(t.db, req.ObjectID)
		if err != nil {
			return err
		}
		if there == nil {
			if err := t.insertTenant(actor, req, in); err != nil {
				return err
			}
		}
		for _, class := range in.Classes {
			if _, enrolled := in.Enrolled(class); enrolled { // the step that enrols it makes its row
				continue
			}
			if err := t.ensureAccount(actor, req, class); err != nil {
				return err
			}
		}
		there, err = findTenant(t.db, req.ObjectID)
		if err != nil {
			return err
		}
		made = *there
		return nil
	})
	return made, err
}

func (t *tx) insertTenant(actor models.Actor, req models.Request, in models.TenantInputs) error {
	err := t.db.Exec(`INSERT INTO tenants (id, slug, display_name, description, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id,
			estimate, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'creating', ?, (SELECT monthly_planned FROM plans WHERE id = ?), ?, ?)`,
		req.ObjectID, in.Slug, in.DisplayName, in.Description, in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup, in.CostCentre, in.Budget, req.ID,
		orNull(req.PlanID), t.now(), t.now()).Error
	if err != nil {
		return fmt.Errorf("make tenant %s: %w", in.Slug, err)
	}
	if err := t.db.Exec(`UPDATE requests SET tenant_id = ? WHERE id = ?`, req.ObjectID, req.ID).Error; err != nil {
		return fmt.Errorf("bind tenant to %s: %w", req.ID, err)
	}
	return t.audit(actor, "tenant.creating", about{string(models.TenantObject), req.ObjectID, in.Slug, req.ObjectID}, nil, in)
}

// ensureAccount reserves the account's name and an address that was never used: its number comes from a sequence that never repeats.
func (t *tx) ensureAccount(actor models.Actor, req models.Request, class models.Class) error {
	type counted struct{ N int64 }
	there, err := one[counted](t.db, `SELECT count(*) AS n FROM accounts WHERE tenant_id = ? AND class = ? AND state <> 'deleted'`, req.ObjectID, class)
	if err != nil || there.N > 0 {
		return err
	}
	next, err := one[counted](t.db, `SELECT nextval('account_numbers') AS n`)
	if err != nil {
		return fmt.Errorf("number an account of %s: %w", req.ObjectName, err)
	}
	name := req.ObjectName + "-" + string(class)
	email := strings.NewReplacer("{tenant}", req.ObjectName, "{class}", string(class), "{n}", fmt.Sprint(next.N)).Replace(t.s.opt.AccountEmail)
	id := models.NewID()
	err = t.db.Exec(`INSERT INTO accounts (id, tenant_id, class, name, email, state, created_at) VALUES (?, ?, ?, ?, ?, 'creating', ?)`,
		id, req.ObjectID, class, name, email, t.now()).Error
	if err != nil {
		return fmt.Errorf("reserve account %s: %w", name, err)
	}
	return t.audit(actor, "account.creating", about{string(models.AccountObject), id, name, req.ObjectID}, nil, map[string]any{"class": class, "email": email})
}
