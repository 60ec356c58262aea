// Package blueprints holds the blueprints that Slipway ships, one folder per name and version, and reads them and those of
// the platform team's own directory.
package blueprints

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"slipway/models/blueprint"
)

//go:embed */*/template.yaml */*/meta.yaml
var shipped embed.FS

// TenantBaseline is the blueprint every tenant account gets, in its newest version.
const (
	TenantBaseline        = "tenant-baseline"
	TenantBaselineVersion = "1.0.0"
)

// Load reads a shipped version, and refuses one whose template or description is wrong.
func Load(name, version string) (blueprint.Version, error) {
	return LoadFrom(shipped, name, version, blueprint.Checker{})
}

// LoadFrom reads a version from NAME/VERSION under root.
func LoadFrom(root fs.FS, name, version string, c blueprint.Checker) (blueprint.Version, error) {
	f := check(c, read(root, name, version))
	if f.Sound() {
		return f.Content, nil
	}
	errs := make([]error, 0, len(f.Problems))
	for _, p := range blueprint.Errors(f.Problems) {
		errs = append(errs, errors.New(p.String()))
	}
	return f.Content, fmt.Errorf("blueprint %q %q: %w", name, version, errors.Join(errs...))
}

// Versions lists the shipped versions of a blueprint, oldest first.
func Versions(name string) ([]string, error) {
	if !blueprint.IsName(name) {
		return nil, fmt.Errorf("blueprint %q: no such name", name)
	}
	entries, err := fs.ReadDir(shipped, name)
	if err != nil {
		return nil, fmt.Errorf("list versions of blueprint %s: %w", name, err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && blueprint.IsVersion(e.Name()) {
			out = append(out, e.Name())
		}
	}
	slices.SortFunc(out, blueprint.CompareVersions)
	return out, nil
}
