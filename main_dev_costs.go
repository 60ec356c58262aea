//go:build dev

package main

import (
	"strings"
	"sync"

	"slipway/models/blueprint"
	"slipway/provisioners/blueprints"
)

// assumedUse is what a shipped blueprint assumes to be used at a size, so that the simulated bill comes to what was estimated. A version
// is known by its template; that of another, the platform team's own, has the newest one's use.
func assumedUse(name, template, size string) map[string]string {
	name, _, _ = strings.Cut(name, "@")
	var use map[string]map[string]string
	for _, v := range versionsOf(name) {
		if use = v.Meta.Cost.Usage; string(v.Template) == template {
			break
		}
	}
	if profile, ok := use[size]; ok {
		return profile
	}
	return use["S"]
}

var readVersions sync.Map // by name; what is shipped does not change

// versionsOf are the shipped versions of a blueprint, oldest first; none of what is not ours.
func versionsOf(name string) []blueprint.Version {
	if known, ok := readVersions.Load(name); ok {
		return known.([]blueprint.Version)
	}
	var all []blueprint.Version
	if numbers, err := blueprints.Versions(name); err == nil {
		for _, number := range numbers {
			if v, err := blueprints.Load(name, number); err == nil { // the catalogue says what is wrong with others
				all = append(all, v)
			}
		}
	}
	readVersions.Store(name, all)
	return all
}
