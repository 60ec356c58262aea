package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// SaveTenant changes a tenant under a row lock and audits what differs. Slug and state are not its to change.
func (g *Registry) SaveTenant(ctx context.Context, actor models.Actor, id string, change func(*models.Tenant)) error {
	return g.s.tx(ctx, func(t *tx) error { return t.saveTenant(actor, id, change) })
}

// EnsureAccount makes the account row that a request asks for, or gives the living one of the class back. One to enrol keeps its own
// name and address.
func (g *Registry) EnsureAccount(ctx context.Context, actor models.Actor, requestID string, class models.Class, enrol *models.Account) (models.Account, error) {
	var made models.Account
	err := g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		if enrol == nil {
			err = t.ensureAccount(actor, req, class)
		} else {
			err = t.enrolAccount(actor, req, class, *enrol)
		}
		if err != nil {
			return err
		}
		row, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE a.tenant_id = ? AND a.class = ? AND a.state <> 'deleted'`, req.ObjectID, class)
		made = row.model()
		return err
	})
	return made, err
}

// enrolAccount binds an account that AWS has already. The unique index on living rows decides between two tenants that want it.
func (t *tx) enrolAccount(actor models.Actor, req models.Request, class models.Class, a models.Account) error {
	if _, err := t.pgx.Exec(t.ctx, `SELECT pg_advisory_xact_lock(hashtextextended('account:' || $1, 0))`, a.AWSID); err != nil {
		return fmt.Errorf("queue for account %s: %w", a.AWSID, err)
	}
	there, err := many[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE a.state <> 'deleted' AND (a.aws_id = ? OR a.tenant_id = ? AND a.class = ?)`,
		a.AWSID, req.ObjectID, class)
	if err != nil {
		return fmt.Errorf("look for account %s: %w", a.AWSID, err)
	}
	for _, r := range there {
		if value(r.AWSID) == a.AWSID && r.TenantID == req.ObjectID && r.Class == class {
			return nil
		}
	}
	if len(there) > 0 && value(there[0].AWSID) == a.AWSID {
		return models.Errorf(models.Conflict, "The account %s belongs to a tenant already.", a.AWSID)
	}
	if len(there) > 0 {
		return models.Errorf(models.Conflict, "%s has its %s account already: %s.", req.ObjectName, class, there[0].Name)
	}
	id := models.NewID()
	err = t.db.Exec(`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, aws_state, aws_state_at, ou, enrolled, by_hand, created_at)
		VALUES (?, ?, ?, ?, ?, ?, 'creating', ?, ?, ?, true, ?, ?)`,
		id, req.ObjectID, class, a.Name, a.Email, a.AWSID, a.AWSState, timeOrNull(a.AWSStateAt), a.OU, a.ByHand, t.now()).Error
	if err != nil {
		return fmt.Errorf("enrol account %s: %w", a.AWSID, err)
	}
	return t.audit(actor, "account.enrolled", about{string(models.AccountObject), id, a.Name, req.ObjectID}, nil, map[string]any{"class": class, "aws_id": a.AWSID, "email": a.Email})
}

// BoundAccount is the living account row of an AWS account.
func (g *Registry) BoundAccount(ctx context.Context, awsID string) (models.Account, error) {
	r, err := one[accountRecord](g.s.read(ctx), `SELECT `+accountColumns+` FROM accounts a WHERE a.aws_id = ? AND a.state <> 'deleted'`, awsID)
	return r.model(), translate(err)
}

// ReleaseAccount takes an enrolled account's row back: it can be enrolled again.
func (g *Registry) ReleaseAccount(ctx context.Context, actor models.Actor, accountID string) error {
	return g.s.tx(ctx, func(t *tx) error {
		return t.saveAccount(actor, accountID, func(a *models.Account) {
			if a.Enrolled {
				a.State = models.Deleted
			}
		})
	})
}

// contentOrder is the order in which what a tenant has can be deleted: nothing before what stands on it.
var contentOrder = []models.ObjectType{models.PipelineObject, models.ConnectionObject, models.EnvironmentObject, models.ServiceObject, models.NetworkObject, models.ZoneObject,
	models.IdentityProviderObject}

// Contents lists the stacks of all that lives in the tenant's accounts, in the order in which it can be deleted.
func (g *Registry) Contents(ctx context.Context, tenantID string) ([]models.Stack, error) {
	db := g.s.read(ctx)
	type row struct {
		Name  string
		State models.ObjectState
		Stack stackRow `gorm:"embedded"`
	}
	var all []models.Stack
	for _, object := range contentOrder {
		rows, err := many[row](db, `SELECT `+stackColumns+`, s.resources, `+contentName(object)+` AS name, o.state FROM `+stackJoined+` JOIN `+contentTable(object)+` o ON o.id = s.object_id
			WHERE s.tenant_id = ? AND o.state <> 'deleted' ORDER BY `+contentName(object)+`, o.id`, tenantID)
		if err != nil {
			return nil, translate(fmt.Errorf("list the %ss of tenant %s: %w", object, tenantID, err))
		}
		for _, r := range rows {
			st, err := r.Stack.model()
			if err != nil {
				return nil, err
			}
			st.ObjectName, st.State = r.Name, r.State
			all = append(all, st)
		}
	}
	return all, nil
}

func contentTable(object models.ObjectType) string {
	switch object { // these have no requests of their own
	case models.ZoneObject:
		return "zones"
	case models.IdentityProviderObject:
		return "identity_providers"
	}
	return tables[object]
}

// contentName is what something that a tenant's accounts hold is called; o is its table.
func contentName(object models.ObjectType) string {
	if object == models.IdentityProviderObject {
		return "o.issuer"
	}
	return "o.name"
}

// BeginClosing refuses new requests about the tenant from now on, and ends those that nobody can go on with.
func (g *Registry) BeginClosing(ctx context.Context, actor models.Actor, requestID string) error {
	return g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		if err := t.saveTenant(actor, req.ObjectID, func(m *models.Tenant) {
			if m.ClosingAt.IsZero() {
				m.ClosingAt = t.now()
			}
		}); err != nil {
			return err
		}
		open := []models.RequestState{models.Planning, models.PlanFailed, models.ChangesRequested, models.AwaitingApproval, models.Approved, models.Failed}
		ids, err := many[string](t.db, `SELECT id::text FROM requests WHERE (tenant_id = ? OR object_id = ?) AND id <> ? AND state IN ? ORDER BY id`, req.ObjectID, req.ObjectID, req.ID, open)
		if err != nil {
			return fmt.Errorf("find the open requests of %s: %w", req.ObjectName, err)
		}
		for _, id := range ids {
			if err := t.endForClosing(req, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// endForClosing cancels a request that has not run; one that has is given up: what it left is deleted with the tenant.
func (t *tx) endForClosing(closing models.Request, id string) error {
	r, err := t.loadRequest(id)
	if err != nil {
		return err
	}
	reason := fmt.Sprintf("REQ-%d closes the tenant.", closing.Number)
	if r.State != models.Failed && !r.State.Final() {
		if err := t.move(engine(closing), &r, models.Cancelled, models.ByEngine, reason); err != nil {
			return err
		}
	}
	if r.State == models.Failed {
		return t.move(engine(closing), &r, models.Abandoned, models.ByEngine, reason)
	}
	return nil
}

// StopClosing lets the tenant be asked for things again.
func (g *Registry) StopClosing(ctx context.Context, actor models.Actor, requestID string) error {
	return g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		return t.saveTenant(actor, req.ObjectID, func(m *models.Tenant) { m.ClosingAt = time.Time{} })
	})
}

// EndContent writes that something is deleted as part of closing its tenant: names and addresses are free again.
func (g *Registry) EndContent(ctx context.Context, actor models.Actor, requestID string, object models.ObjectType, id string) error {
	if !slices.Contains(contentOrder, object) {
		return fmt.Errorf("a %s is nothing that a tenant's accounts hold", object)
	}
	return g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		type was struct {
			Name  string
			State models.ObjectState
		}
		table := contentTable(object)
		old, err := one[was](t.db, `SELECT `+contentName(object)+` AS name, o.state FROM `+table+` o WHERE o.id = ? AND o.tenant_id = ? FOR UPDATE`, id, req.ObjectID)
		if err != nil || old.State == models.Deleted {
			return err
		}
		if err := t.db.Exec(`UPDATE `+table+` SET state = 'deleted', updated_at = ? WHERE id = ?`, t.now(), id).Error; err != nil {
			return fmt.Errorf("end %s %s: %w", object, old.Name, err)
		}
		if err := t.moveReading(object, id, models.Deleted); err != nil {
			return err
		}
		for _, held := range []string{"names", "cidr_blocks"} {
			if err := t.db.Exec(`UPDATE `+held+` SET freed_at = ? WHERE freed_at IS NULL AND object_id = ?`, t.now(), id).Error; err != nil {
				return fmt.Errorf("free the %s of %s: %w", held, old.Name, err)
			}
		}
		if err := t.notify("object:" + id); err != nil {
			return err
		}
		return t.audit(actor, string(object)+".deleted", about{string(object), id, old.Name, req.ObjectID}, map[string]any{"state": old.State}, map[string]any{"state": models.Deleted})
	})
}

// Closures counts the accounts whose closing AWS took since a time.
func (g *Registry) Closures(ctx context.Context, since time.Time) (int, error) {
	type counted struct{ N int }
	c, err := one[counted](g.s.read(ctx), `SELECT count(*) AS n FROM accounts WHERE closed_at >= ?`, since)
	return c.N, translate(err)
}

// SaveAccess writes what an account's assignments look like now; rows that are not named stay.
func (g *Registry) SaveAccess(ctx context.Context, actor models.Actor, accountID string, access ...models.AccountAccess) error {
	return g.s.tx(ctx, func(t *tx) error {
		r, err := one[accountRecord](t.db, `SELECT `+accountColumns+` FROM accounts a WHERE id = ? FOR UPDATE`, accountID)
		if err != nil {
			return fmt.Errorf("read account %s: %w", accountID, err)
		}
		for _, a := range access {
			if err := t.saveAccess(actor, r.model(), a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) saveAccess(actor models.Actor, account models.Account, a models.AccountAccess) error {
	before, err := one[string](t.db, `SELECT state FROM account_access WHERE account_id = ? AND role = ? AND group_name = ? AND permission_set = ?`,
		account.ID, a.Role, a.Group, a.PermissionSet)
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return err
	}
	err = t.db.Exec(`INSERT INTO account_access (account_id, role, group_name, group_id, permission_set, set_name, state, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, role, group_name, permission_set) DO UPDATE SET group_id = COALESCE(NULLIF(EXCLUDED.group_id, ''), account_access.group_id),
			set_name = COALESCE(NULLIF(EXCLUDED.set_name, ''), account_access.set_name), state = EXCLUDED.state, detail = EXCLUDED.detail, at = EXCLUDED.at`,
		account.ID, a.Role, a.Group, a.GroupID, a.PermissionSet, a.SetName, a.State, clipped(a.Detail, 2000), t.now()).Error
	if err != nil {
		return fmt.Errorf("write access of %s to %s: %w", a.Group, account.Name, err)
	}
	if before == string(a.State) {
		return nil
	}
	return t.audit(actor, "account.access", about{string(models.AccountObject), account.ID, account.Name, account.TenantID}, map[string]any{"state": before},
		map[string]any{"role": a.Role, "group": a.Group, "permission_set": a.PermissionSet, "state": a.State, "detail": a.Detail})
}

// Access lists the assignments of a tenant's accounts, as last seen.
func (g *Registry) Access(ctx context.Context, tenantID string) ([]models.AccountAccess, error) {
	list, err := readAccess(g.s.read(ctx), tenantID)
	return list, translate(err)
}

func readAccess(db *gorm.DB, tenantID string) ([]models.AccountAccess, error) {
	list, err := many[models.AccountAccess](db, `SELECT x.account_id, x.role, x.group_name AS "group", x.group_id, x.permission_set, x.set_name, x.state, x.detail, x.at
		FROM account_access x JOIN accounts a ON a.id = x.account_id WHERE a.tenant_id = ? ORDER BY a.class, x.role, x.at DESC`, tenantID)
	if err != nil {
		return nil, fmt.Errorf("read who gets into the accounts of tenant %s: %w", tenantID, err)
	}
	return list, nil
}
