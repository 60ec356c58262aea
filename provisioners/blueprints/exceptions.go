package blueprints

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/models/blueprint"
)

// ShippedExceptions is the list for the shipped blueprints, guard-exceptions.yaml.
//
//go:embed guard-exceptions.yaml
var ShippedExceptions []byte

// Exception is a hit of cfn-guard that does not count, and why.
type Exception struct {
	Rule      string   `yaml:"rule"`      // CT.EC2.PR.1
	Blueprint string   `yaml:"blueprint"` // a name, or one version as name@version
	Resource  string   `yaml:"resource"`  // logical id
	Resources []string `yaml:"resources"` // in its place: several for the same reason
	Reason    string   `yaml:"reason"`

	line int
	used map[string]bool // by logical id
}

// Exceptions is a list of them that knows which were needed.
type Exceptions struct{ list []*Exception }

// ReadExceptions reads guard-exceptions.yaml.
func ReadExceptions(text []byte) (*Exceptions, error) {
	var nodes []yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&nodes); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read guard-exceptions.yaml: %w", err)
	}
	all := &Exceptions{}
	for _, n := range nodes {
		e := &Exception{line: n.Line, used: map[string]bool{}}
		if err := n.Decode(e); err != nil {
			return nil, fmt.Errorf("guard-exceptions.yaml:%d: %w", n.Line, err)
		}
		if e.Resource != "" {
			e.Resources = append(e.Resources, e.Resource)
		}
		if e.Rule == "" || e.Blueprint == "" || len(e.Resources) == 0 || strings.TrimSpace(e.Reason) == "" {
			return nil, fmt.Errorf("guard-exceptions.yaml:%d: an exception names rule, blueprint, resource (or resources) and reason", n.Line)
		}
		all.list = append(all.list, e)
	}
	return all, nil
}

// Apply moves the hits that an exception accepts out of a check, each with the reason as its words.
func (x *Exceptions) Apply(name, version string, c blueprint.Check) blueprint.Check {
	var left []blueprint.Problem
	for _, p := range c.Problems {
		id := strings.TrimPrefix(p.Path, "Resources.")
		i := slices.IndexFunc(x.list, func(e *Exception) bool {
			return e.Rule == p.Rule && slices.Contains(e.Resources, id) && (e.Blueprint == name || e.Blueprint == blueprint.Ref(name, version))
		})
		if i < 0 {
			left = append(left, p)
			continue
		}
		x.list[i].used[id] = true
		p.Message = strings.TrimSpace(x.list[i].Reason)
		c.Accepted = append(c.Accepted, p)
	}
	c.Problems = left
	if len(left) == 0 {
		c.State = blueprint.CheckPassed
	}
	return c
}

// Unused are the exceptions that no hit needed: each is a line to delete.
func (x *Exceptions) Unused() error {
	var errs []error
	for _, e := range x.list {
		for _, id := range e.Resources {
			if !e.used[id] {
				errs = append(errs, fmt.Errorf("guard-exceptions.yaml:%d: %s no longer fails for %s in %s: delete the exception", e.line, e.Rule, id, e.Blueprint))
			}
		}
	}
	return errors.Join(errs...)
}
