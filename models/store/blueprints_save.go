package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
)

// SaveBlueprints takes over what one load of one origin found, in place of the report before it. A version is stored once, by
// whoever comes first; the same name and version with other content is refused by name, and what is stored stays. It gives the
// folders that are refused, for the log. Several processes may load at once.
func (s *Store) SaveBlueprints(ctx context.Context, actor models.Actor, r blueprint.Report) (refused []blueprint.Folder, err error) {
	if !actor.IsSystem() {
		return nil, models.Errorf(models.Forbidden, "Blueprints are read from folders, not sent.")
	}
	err = s.tx(ctx, func(t *tx) error {
		refused = nil
		if err := t.db.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('blueprints', 0))`).Error; err != nil {
			return fmt.Errorf("lock the catalogue: %w", err)
		}
		before, err := t.catalogue()
		if err != nil {
			return err
		}
		if err := t.db.Exec(`DELETE FROM blueprint_folders WHERE origin = ?`, string(r.Origin)).Error; err != nil {
			return fmt.Errorf("drop the catalogue's last report: %w", err)
		}
		for _, f := range r.Folders {
			f, err := t.saveFolder(r.Origin, f)
			if err != nil {
				return err
			}
			if !f.Sound() {
				refused = append(refused, f)
			}
		}
		if err := t.saveHidden(r); err != nil {
			return err
		}
		after, err := t.catalogue()
		if err != nil {
			return err
		}
		old, now := standing(before), standing(after)
		if reflect.DeepEqual(old, now) {
			return nil
		}
		return t.audit(actor, "blueprints.change", about{Type: "blueprints", ID: string(r.Origin), Name: originWords[r.Origin]}, old, now)
	})
	return refused, err
}

var originWords = map[blueprint.Origin]string{blueprint.Shipped: "shipped with Slipway", blueprint.Directory: "SLIPWAY_BLUEPRINTS_DIR"}

// standing says of each version what may be done with it, for the audit log.
func standing(all []blueprint.Listing) map[string]string {
	out := map[string]string{}
	for _, b := range all {
		for _, v := range b.Versions {
			out[v.Ref()] = strings.TrimSpace(string(v.State) + " " + v.Digest)
		}
	}
	return out
}

// saveFolder stores a sound version that is new, and says of one that has another's name that it is refused.
func (t *tx) saveFolder(origin blueprint.Origin, f blueprint.Folder) (blueprint.Folder, error) {
	if f.Sound() {
		v := f.Content
		err := t.db.Exec(`INSERT INTO blueprint_versions (digest, name, version, kind, template, source, first_seen) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			v.Digest, v.Name, v.Version, string(v.Meta.Kind), v.Template, v.Source, t.now()).Error
		if err != nil {
			return f, fmt.Errorf("store blueprint %s: %w", v.Ref(), err)
		}
		type stored struct{ Digest string }
		known, err := one[stored](t.db, `SELECT digest FROM blueprint_versions WHERE name = ? AND version = ?`, v.Name, v.Version)
		if err != nil {
			return f, fmt.Errorf("look for blueprint %s: %w", v.Ref(), err)
		}
		if known.Digest != v.Digest {
			f.Problems = append(slices.Clone(f.Problems), blueprint.Problem{File: blueprint.MetaFile, Level: blueprint.LevelError, Rule: "changed", Path: "version", Line: v.Line("version"),
				Message: fmt.Sprintf("%s was read before with other content (%.12s…), and a version never changes: give this one another number", v.Ref(), known.Digest)})
		}
	}
	problems, err := document(f.Problems)
	if err != nil {
		return f, err
	}
	checks, err := document(f.Checks)
	if err != nil {
		return f, err
	}
	err = t.db.Exec(`INSERT INTO blueprint_folders (origin, name, version, digest, problems, checks, reported_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(origin), f.Name, f.Version, f.Content.Digest, problems, checks, t.now()).Error
	if err != nil {
		return f, fmt.Errorf("report blueprint folder %s: %w", blueprint.Ref(f.Name, f.Version), err)
	}
	return f, nil
}

func (t *tx) saveHidden(r blueprint.Report) error {
	if r.KeepHidden {
		return nil
	}
	if err := t.db.Exec(`DELETE FROM blueprint_hidden`).Error; err != nil {
		return fmt.Errorf("drop what was hidden: %w", err)
	}
	for _, h := range r.Hidden {
		err := t.db.Exec(`INSERT INTO blueprint_hidden (name, version, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, h.Name, h.Version, h.Reason).Error
		if err != nil {
			return fmt.Errorf("hide blueprint %s: %w", blueprint.Ref(h.Name, h.Version), err)
		}
	}
	return nil
}
