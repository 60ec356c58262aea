package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/models"
)

// expiryAtOnce bounds one sweep; the next goes on with the rest.
const expiryAtOnce = 100

// expiryComponent is who asks for what follows an environment's end.
const expiryComponent = "expiry"

// SweepExpiry warns environments whose end is near, and asks for what follows it: hibernation at the end, deletion a week later. It asks
// as everybody does, by a request that the rules judge, and asks once: a request that was rejected or cancelled is not repeated before
// the environment gets another end.
func (s *Store) SweepExpiry(ctx context.Context) error {
	return errors.Join(s.warnOfEnds(ctx), s.askAtEnds(ctx, models.HibernateEnvironment, 0), s.askAtEnds(ctx, models.DeleteEnvironment, models.HibernateFor))
}

// warnOfEnds writes down the newest warning that is due. Pages show it, and those whom it concerns are told.
func (s *Store) warnOfEnds(ctx context.Context) error {
	now := s.clock.Now()
	warnings := models.ExpiryWarnings()
	type due struct {
		ID, ExpiryWarned string
		ExpiresAt        time.Time
	}
	rows, err := many[due](s.read(ctx), `SELECT id, expiry_warned, expires_at FROM environments WHERE expires_at > ? AND expires_at <= ? AND state NOT IN ('deleted', 'deleting')
		AND expiry_warned <> ? ORDER BY expires_at LIMIT ?`, now, now.Add(warnings[0].Before), warnings[len(warnings)-1].Key, expiryAtOnce)
	if err != nil {
		return translate(fmt.Errorf("look for ends to warn of: %w", err))
	}
	var failed []error
	for _, d := range rows {
		key := ""
		for _, w := range warnings {
			if d.ExpiresAt.Sub(now) <= w.Before {
				key = w.Key
			}
		}
		if key == "" || key == d.ExpiryWarned {
			continue
		}
		failed = append(failed, s.tx(ctx, func(t *tx) error {
			if err := t.saveEnvironment(models.System(expiryComponent, ""), d.ID, func(e *models.Environment) { e.ExpiryWarned = key }); err != nil {
				return err
			}
			return t.tellEnd(d.ID, key)
		}))
	}
	return errors.Join(failed...)
}

// askAtEnds submits a request for every environment whose end is over by some time and that was not asked for since it got that end.
func (s *Store) askAtEnds(ctx context.Context, kind models.RequestKind, over time.Duration) error {
	sleeping := kind == models.DeleteEnvironment
	ids, err := many[string](s.read(ctx), `SELECT e.id::text FROM environments e WHERE e.expires_at <= ? AND e.state IN ('ready', 'broken') AND (? OR NOT e.hibernated)
		AND NOT EXISTS (SELECT FROM requests r WHERE r.object_id = e.id AND r.kind = ? AND (r.ended_at IS NULL OR r.requester_id = '00000000-0000-4000-8000-000000000001'
			AND r.submitted_at >= e.expires_at)) ORDER BY e.expires_at LIMIT ?`, s.clock.Now().Add(-over), sleeping, kind, expiryAtOnce)
	if err != nil {
		return translate(fmt.Errorf("look for environments whose time is over: %w", err))
	}
	var failed []error
	for _, id := range ids {
		if err := s.askAtEnd(ctx, kind, id); err != nil {
			failed = append(failed, fmt.Errorf("%s of %s: %w", kind, id, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Store) askAtEnd(ctx context.Context, kind models.RequestKind, id string) error {
	env, err := s.Registry().Environment(ctx, id)
	if err != nil {
		return err
	}
	if env.MayNot(kind, s.clock.Now()) != "" { // something else is wrong with it: a person sees to that first
		return nil
	}
	in := models.EnvironmentInputs{}
	if kind == models.DeleteEnvironment {
		in.EmptyBuckets = env.EmptyBuckets // the consent that was given when it was ordered
	}
	actor := models.System(expiryComponent, "")
	_, err = s.ChangeEnvironment(ctx, actor, env.TenantSlug, env.Name, kind, fmt.Sprintf("%s:%s:%d", kind, id, env.ExpiresAt.Unix()), in)
	return err
}
