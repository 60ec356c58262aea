package models

import (
	"encoding/json"
	"slices"
)

// Addition is one statement to add to a role's policies, for one or more actions that it lost.
type Addition struct {
	Actions   []string
	Statement string // JSON
}

// Additions joins the statements of what is missing: actions that differ in nothing else go into one. What a statement of some policy
// denies is left out, for adding another does not help there.
func (r RoleCheck) Additions() []Addition {
	type group struct {
		statement map[string]any
		actions   []string
	}
	var groups []*group
	at := map[string]*group{}
	for _, a := range r.Missing() {
		var s map[string]any
		if a.Denied != "" || json.Unmarshal([]byte(a.Statement), &s) != nil {
			continue
		}
		delete(s, "Action")
		rest, err := json.Marshal(s)
		if err != nil {
			continue // it was JSON a moment ago
		}
		g := at[string(rest)]
		if g == nil {
			g = &group{statement: s}
			at[string(rest)] = g
			groups = append(groups, g)
		}
		if !slices.Contains(g.actions, a.Action) {
			g.actions = append(g.actions, a.Action)
		}
	}
	var out []Addition
	for _, g := range groups {
		slices.Sort(g.actions)
		g.statement["Action"] = g.actions
		if text, err := json.MarshalIndent(g.statement, "", "  "); err == nil {
			out = append(out, Addition{Actions: g.actions, Statement: string(text)})
		}
	}
	return out
}
