package store

import (
	"context"
	"maps"

	"slipway/models"
)

// carryOver takes what was chosen before into an upgrade, where the version still asks for it and nothing else is chosen now.
func (s *Store) carryOver(ctx context.Context, actor models.Actor, env models.Environment, in *models.EnvironmentInputs) error {
	v, err := s.OfferedVersion(ctx, actor, env.Stack.Blueprint, in.Version)
	if kind := models.KindOf(err); err != nil && (kind == models.NotFound || kind == models.Conflict) {
		return nil // choose says so, by field
	}
	if err != nil {
		return err
	}
	fields, err := v.Meta.Fields()
	if err != nil {
		return err
	}
	kept := map[string]string{}
	for _, f := range fields {
		if value, ok := env.Stack.Inputs[f.Name]; ok {
			kept[f.Name] = value
		}
	}
	maps.Copy(kept, in.Inputs)
	in.Inputs = kept
	return nil
}
