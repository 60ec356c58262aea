package store

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"slipway/models"
)

// EnsureObject makes the row that a create request asks for, with its stack's; what is there already stays.
func (g *Registry) EnsureObject(ctx context.Context, actor models.Actor, requestID string, stack models.Stack) error {
	return g.s.tx(ctx, func(t *tx) error {
		req, err := t.loadRequest(requestID)
		if err != nil {
			return err
		}
		table := tables[req.ObjectType]
		type counted struct{ N int }
		there, err := one[counted](t.db, `SELECT count(*) AS n FROM `+table+` WHERE id = ?`, req.ObjectID)
		if err != nil || there.N > 0 {
			return err
		}
		stack.ObjectID, stack.ObjectType, stack.TenantID = req.ObjectID, req.ObjectType, req.TenantID
		switch req.ObjectType {
		case models.EnvironmentObject:
			err = t.insertEnvironment(req, stack)
		case models.NetworkObject:
			err = t.insertNetwork(req, stack)
		case models.ServiceObject:
			err = t.db.Exec(`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at)
				SELECT ?, ?, a.id, a.class, ?, 'creating', ?, ?, ? FROM accounts a WHERE a.id = ?`, req.ObjectID, req.TenantID, req.ObjectName, req.ID, t.now(), t.now(), stack.AccountID).Error
		case models.ConnectionObject:
			err = t.insertConnection(req, stack)
		case models.PipelineObject:
			err = t.insertPipeline(req, stack)
		default:
			err = fmt.Errorf("no object of type %s is made so", req.ObjectType)
		}
		if err != nil {
			return fmt.Errorf("make %s %s: %w", req.ObjectType, req.ObjectName, err)
		}
		if err := t.insertStack(stack); err != nil {
			return err
		}
		return t.audit(actor, string(req.ObjectType)+".creating", about{string(req.ObjectType), req.ObjectID, req.ObjectName, req.TenantID}, nil, stackFacts(stack))
	})
}

func (t *tx) insertEnvironment(req models.Request, stack models.Stack) error {
	in, err := inputsOf[models.EnvironmentInputs](req)
	if err != nil {
		return err
	}
	usage, err := document(in.Usage)
	if err != nil {
		return err
	}
	if usage == nil {
		usage = jsonb(`{}`)
	}
	var expires time.Time
	if in.Days > 0 {
		expires = t.now().AddDate(0, 0, in.Days)
	}
	return t.db.Exec(`INSERT INTO environments (id, tenant_id, account_id, network_id, service_id, name, stage, region, blueprint, image, usage, empty_buckets, expires_at,
			state, request_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'creating', ?, ?, ?)`,
		req.ObjectID, req.TenantID, stack.AccountID, orNull(in.NetworkID), orNull(in.ServiceID), in.Name, in.Stage, stack.Region, in.Blueprint, in.Image, usage, in.EmptyBuckets,
		timeOrNull(expires), req.ID, t.now(), t.now()).Error
}

func (t *tx) insertNetwork(req models.Request, stack models.Stack) error {
	in, err := inputsOf[models.NetworkInputs](req)
	if err != nil {
		return err
	}
	return t.db.Exec(`INSERT INTO networks (id, tenant_id, account_id, class, region, name, registered, cidr, state, request_id, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?::cidr, 'creating', ?, ?, ?)`,
		req.ObjectID, req.TenantID, stack.AccountID, in.Class, in.Region, req.ObjectName, req.Kind == models.RegisterNetwork, orNull(in.CIDR), req.ID, t.now(), t.now()).Error
}

func (t *tx) insertStack(s models.Stack) error {
	err := t.db.Exec(`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (object_id) DO NOTHING`,
		s.ObjectID, s.ObjectType, s.TenantID, s.AccountID, s.Region, s.Name).Error
	if err != nil {
		return fmt.Errorf("make the stack row %s: %w", s.Name, err)
	}
	return t.writeStack(s)
}

// EnsureZone makes the zone row of an account that has none, under the id that it was planned with.
func (g *Registry) EnsureZone(ctx context.Context, actor models.Actor, requestID string, zone models.Zone) (models.Zone, error) {
	var made models.Zone
	err := g.s.tx(ctx, func(t *tx) error {
		type key struct{ ID string }
		there, err := many[key](t.db, `SELECT id FROM zones WHERE account_id = ? AND state <> 'deleted' FOR UPDATE`, zone.AccountID)
		if err != nil {
			return err
		}
		if len(there) == 0 {
			if zone.ID == "" {
				zone.ID = models.NewID()
			}
			err := t.db.Exec(`INSERT INTO zones (id, tenant_id, account_id, name, state, request_id, created_at, updated_at) VALUES (?, ?, ?, ?, 'creating', ?, ?, ?)`,
				zone.ID, zone.TenantID, zone.AccountID, zone.Name, requestID, t.now(), t.now()).Error
			if err != nil {
				return fmt.Errorf("make zone %s: %w", zone.Name, err)
			}
			zone.Stack.ObjectID, zone.Stack.ObjectType, zone.Stack.TenantID = zone.ID, models.ZoneObject, zone.TenantID
			if err := t.insertStack(zone.Stack); err != nil {
				return err
			}
			if err := t.audit(actor, "zone.creating", about{string(models.ZoneObject), zone.ID, zone.Name, zone.TenantID}, nil, stackFacts(zone.Stack)); err != nil {
				return err
			}
		}
		made, err = readZone(t.db, `z.account_id = ? AND z.state <> 'deleted'`, zone.AccountID)
		return err
	})
	return made, err
}

// SaveStack changes the stack of an object under a row lock.
func (g *Registry) SaveStack(ctx context.Context, actor models.Actor, objectID string, change func(*models.Stack)) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM stacks WHERE object_id = ? FOR UPDATE`, objectID).Error; err != nil {
			return err
		}
		before, err := readStack(t.db, objectID)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if reflect.DeepEqual(before, after) {
			return nil
		}
		if err := t.writeStack(after); err != nil {
			return err
		}
		old, now := stackFacts(before), stackFacts(after)
		if reflect.DeepEqual(old, now) { // a fresh look that shows the same is no change to audit
			return nil
		}
		return t.audit(actor, string(before.ObjectType)+".stack", about{string(before.ObjectType), objectID, before.Name, before.TenantID}, old, now)
	})
}

func (t *tx) writeStack(s models.Stack) error {
	docs := make([]jsonb, 4)
	for i, m := range []map[string]string{s.Inputs, s.Parameters, s.Outputs} {
		if m == nil {
			m = map[string]string{}
		}
		var err error
		if docs[i], err = document(m); err != nil {
			return err
		}
	}
	if s.Resources == nil {
		s.Resources = []models.StackResource{}
	}
	var err error
	if docs[3], err = document(s.Resources); err != nil {
		return err
	}
	err = t.db.Exec(`UPDATE stacks SET stack_id = ?, status = ?, reason = ?, status_at = ?, blueprint = ?, version = ?, digest = ?, inputs = ?, parameters = ?, outputs = ?, resources = ?
		WHERE object_id = ?`, s.StackID, s.Status, clipped(s.Reason, 2000), timeOrNull(s.StatusAt), s.Blueprint, s.Version, s.Digest, docs[0], docs[1], docs[2], docs[3], s.ObjectID).Error
	if err != nil {
		return fmt.Errorf("write stack %s: %w", s.Name, err)
	}
	return t.notify("object:" + s.ObjectID)
}

// stackFacts are what an audit entry says of a stack.
func stackFacts(s models.Stack) map[string]any {
	return map[string]any{"stack": s.Name, "region": s.Region, "account": s.Account, "stack_id": s.StackID, "status": s.Status, "blueprint": s.Blueprint, "version": s.Version,
		"digest": s.Digest, "inputs": s.Inputs, "outputs": s.Outputs}
}

// SaveEnvironment changes an environment's own row under a lock; its state follows from its requests and is never written here.
func (g *Registry) SaveEnvironment(ctx context.Context, actor models.Actor, id string, change func(*models.Environment)) error {
	return g.s.tx(ctx, func(t *tx) error { return t.saveEnvironment(actor, id, change) })
}

func (t *tx) saveEnvironment(actor models.Actor, id string, change func(*models.Environment)) error {
	if err := t.db.Exec(`SELECT 1 FROM environments WHERE id = ? FOR UPDATE`, id).Error; err != nil {
		return err
	}
	before, err := readEnvironment(t.db, `e.id = ?`, id)
	if err != nil {
		return err
	}
	after := before
	change(&after)
	if reflect.DeepEqual(before, after) {
		return nil
	}
	docs := make([]jsonb, 2)
	usage := after.Usage
	if usage == nil {
		usage = map[string]string{}
	}
	for i, v := range []any{usage, after.Estimate} {
		if docs[i], err = document(v); err != nil {
			return err
		}
	}
	err = t.db.Exec(`UPDATE environments SET image = ?, hibernated = ?, host = ?, usage = ?, empty_buckets = ?, expires_at = ?, expiry_warned = ?, hibernated_at = ?, estimate = ?,
		monthly = ?, updated_at = ? WHERE id = ?`, after.Image, after.Hibernated, after.Host, docs[0], after.EmptyBuckets, timeOrNull(after.ExpiresAt), after.ExpiryWarned,
		timeOrNull(after.HibernatedAt), docs[1], monthlyOf(after.Estimate), t.now(), id).Error
	if err != nil {
		return fmt.Errorf("write environment %s: %w", before.Name, err)
	}
	if err := t.notify("object:" + id); err != nil {
		return err
	}
	return t.audit(actor, "environment.change", about{string(models.EnvironmentObject), id, before.Name, before.TenantID}, environmentFacts(before), environmentFacts(after))
}

func environmentFacts(e models.Environment) map[string]any {
	return map[string]any{"image": e.Image, "hibernated": e.Hibernated, "host": e.Host, "usage": e.Usage, "empty_buckets": e.EmptyBuckets, "expires_at": timeOrNull(e.ExpiresAt),
		"expiry_warned": e.ExpiryWarned, "monthly_usd": monthlyOf(e.Estimate)}
}

// SaveNetwork changes a network's own row under a lock.
func (g *Registry) SaveNetwork(ctx context.Context, actor models.Actor, id string, change func(*models.Network)) error {
	return g.s.tx(ctx, func(t *tx) error {
		before, err := readNetwork(t.db, `n.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		return t.saveEstimate(actor, models.NetworkObject, id, before.Name, before.TenantID, before.Estimate, after.Estimate)
	})
}

// SaveService changes a service's own row under a lock.
func (g *Registry) SaveService(ctx context.Context, actor models.Actor, id string, change func(*models.Service)) error {
	return g.s.tx(ctx, func(t *tx) error {
		before, err := readService(t.db, `v.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		return t.saveEstimate(actor, models.ServiceObject, id, before.Name, before.TenantID, before.Estimate, after.Estimate)
	})
}

// saveEstimate is all that runs change in the row of a network or service: the rest is its stack's.
func (t *tx) saveEstimate(actor models.Actor, object models.ObjectType, id, name, tenantID string, before, after *models.Estimate) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	doc, err := document(after)
	if err != nil {
		return err
	}
	if err := t.db.Exec(`UPDATE `+tables[object]+` SET estimate = ?, updated_at = ? WHERE id = ?`, doc, t.now(), id).Error; err != nil {
		return fmt.Errorf("write %s %s: %w", object, name, err)
	}
	return t.audit(actor, string(object)+".estimate", about{string(object), id, name, tenantID}, map[string]any{"monthly_usd": monthlyOf(before)}, map[string]any{"monthly_usd": monthlyOf(after)})
}

// SaveZone changes a zone's own row under a lock: the state that its network's run leads it to, and when it was delegated.
func (g *Registry) SaveZone(ctx context.Context, actor models.Actor, id string, change func(*models.Zone)) error {
	return g.s.tx(ctx, func(t *tx) error {
		if err := t.db.Exec(`SELECT 1 FROM zones WHERE id = ? FOR UPDATE`, id).Error; err != nil {
			return err
		}
		before, err := readZone(t.db, `z.id = ?`, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if after.State == before.State && after.DelegatedAt.Equal(before.DelegatedAt) {
			return nil
		}
		err = t.db.Exec(`UPDATE zones SET state = ?, delegated_at = ?, updated_at = ? WHERE id = ?`, after.State, timeOrNull(after.DelegatedAt), t.now(), id).Error
		if err != nil {
			return fmt.Errorf("write zone %s: %w", before.Name, err)
		}
		return t.audit(actor, "zone.change", about{string(models.ZoneObject), id, before.Name, before.TenantID},
			map[string]any{"state": before.State, "delegated_at": timeOrNull(before.DelegatedAt)}, map[string]any{"state": after.State, "delegated_at": timeOrNull(after.DelegatedAt)})
	})
}
