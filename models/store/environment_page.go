package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"slipway/models"
)

// How much of each kind an object's page shows.
const (
	pageRuns   = 10
	pageEvents = 20
	pageUsers  = 50
)

// byName finds an object of a visible tenant by its name: the living one, or else the one that was deleted last.
const byName = `t.slug = ? AND %[1]s.name = ? AND %[2]s ORDER BY %[1]s.state = 'deleted', %[1]s.created_at DESC, %[1]s.id LIMIT 1`

func named(actor models.Actor, alias, tenantSlug, name string) (string, []any) {
	seen, args := tenantScope(actor, `t.id`)
	return fmt.Sprintf(byName, alias, seen), append([]any{clip(tenantSlug), clip(name)}, args...)
}

// livingEnvironment reads an environment that the actor may see; what is not theirs is NotFound, and the attempt is audited.
func (s *Store) livingEnvironment(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.Environment, error) {
	where, args := named(actor, "e", tenantSlug, name)
	env, err := readEnvironment(s.read(ctx), where, args...)
	if err != nil {
		return env, s.unseen(ctx, actor, string(models.EnvironmentObject), tenantSlug+"/"+name, err)
	}
	return env, nil
}

// EnvironmentPage reads all that an environment's page shows, in eight queries.
func (s *Store) EnvironmentPage(ctx context.Context, actor models.Actor, tenantSlug, name string) (p models.EnvironmentPage, err error) {
	if p.Environment, err = s.livingEnvironment(ctx, actor, tenantSlug, name); err != nil {
		return p, err
	}
	env, db := p.Environment, s.read(ctx)
	if p.Tenant, err = readTenant(db, env.TenantID); err != nil {
		return p, translate(err)
	}
	if env.State == models.Deleted {
		if p.Receipt, err = readReceipt(db, env.ID); err != nil {
			return p, translate(err)
		}
	}
	if p.Newer, err = s.newer(db, env.Stack); err != nil {
		return p, translate(err)
	}
	if env.State != models.Deleted {
		d, err := newestDrift(db, env.ID)
		if err == nil {
			p.Drift = &d
		} else if models.KindOf(translate(err)) != models.NotFound {
			return p, translate(err)
		}
	}
	around, err := s.around(ctx, actor, env.ID)
	if err != nil {
		return p, err
	}
	p.Open, p.Requests, p.Runs, p.Entries = around.open, around.requests, around.runs, around.entries
	if len(p.Runs) > 0 {
		if env.State == models.Broken {
			p.Failure = p.Runs[0].Failure
		}
		p.Events, err = newestEvents(db, p.Runs[0].ID)
	}
	return p, translate(err)
}

// newer lists the versions that a stack's blueprint can be upgraded to, oldest first.
func (s *Store) newer(db *gorm.DB, stack models.Stack) ([]string, error) {
	if stack.Blueprint == "" {
		return nil, nil
	}
	rows, err := many[versionRow](db, `SELECT `+versionColumns+` FROM blueprint_versions b WHERE b.name = ? AND `+offeredToday+`
		ORDER BY string_to_array(b.version, '.')::int[]`, stack.Blueprint)
	if err != nil {
		return nil, fmt.Errorf("read the versions of %s: %w", stack.Blueprint, err)
	}
	var versions []string
	for _, r := range rows {
		v, err := r.version(&s.metas)
		if err != nil {
			return nil, err
		}
		if v.Meta.UpgradesFrom(stack.Version) && v.Meta.Deprecated == "" {
			versions = append(versions, v.Version)
		}
	}
	return versions, nil
}

// surroundings is what every object's page shows of what happened to it.
type surroundings struct {
	open, requests []models.RequestRow
	runs           []models.RunRow
	entries        []models.AuditEntry
}

// around reads an object's requests, runs and audit entries, newest first, in three queries.
func (s *Store) around(ctx context.Context, actor models.Actor, objectID string) (a surroundings, err error) {
	its := conditions{}
	its.add(`r.object_id = ?`, objectID)
	if a.requests, _, err = s.firstRequests(ctx, its, "-asked", pageEntries, false); err != nil {
		return a, fmt.Errorf("read the requests of %s: %w", objectID, err)
	}
	for _, r := range a.requests {
		if !r.State.Final() {
			a.open = append(a.open, r)
		}
	}
	runs := conditions{}
	runs.add(`n.request_id = ANY (ARRAY(SELECT q.id FROM requests q WHERE q.object_id = ?))`, objectID)
	if a.runs, err = s.firstRuns(ctx, runs, pageRuns); err != nil {
		return a, fmt.Errorf("read the runs of %s: %w", objectID, err)
	}
	seen, args := auditScope(actor)
	rows, err := many[entryRow](s.read(ctx), `SELECT `+auditList.columns+` FROM `+auditList.from+` WHERE e.object_id = ? AND `+seen+` ORDER BY e.at DESC, e.id DESC LIMIT ?`,
		append(append([]any{objectID}, args...), pageEntries)...)
	if err != nil {
		return a, translate(fmt.Errorf("read the audit entries of %s: %w", objectID, err))
	}
	for _, e := range rows {
		a.entries = append(a.entries, e.model())
	}
	return a, nil
}

func newestEvents(db *gorm.DB, runID string) ([]models.RunEvent, error) {
	events, err := many[models.RunEvent](db, `SELECT id, run_id, step_id, at, level, text, key FROM run_events WHERE run_id = ? ORDER BY id DESC LIMIT ?`, runID, pageEvents)
	if err != nil {
		return nil, fmt.Errorf("read the events of run %s: %w", runID, err)
	}
	return events, nil
}
