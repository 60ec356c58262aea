// Package rules judges plans by the platform team's rules: CEL expressions with an effect. It fails closed and does no I/O.
package rules

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/models"
)

// Limits of a rules file. They bound what a mistake or an attack in the file can cost.
const (
	MaxBytes      = 256 << 10
	maxRules      = 200
	maxExpression = 2000
	maxMessage    = 500
	maxTitle      = 120
	maxPeople     = 10
)

//go:embed default.yaml
var shipped []byte

//go:embed always.yaml
var builtIn []byte

// builtInPrefix starts the ids of rules that come with the binary; a file cannot have one.
const builtInPrefix = "slipway-"

// Default is the rules file that comes with Slipway; it counts until the platform team names its own.
func Default() []byte { return slices.Clone(shipped) }

// Rule is one entry of the file.
type Rule struct {
	ID      string  `yaml:"id"`
	Version int     `yaml:"version"` // raised by its author when the meaning changes; part of what an approval is bound to
	Title   string  `yaml:"title"`
	Effect  string  `yaml:"effect"`
	When    string  `yaml:"when"`    // CEL, true when the rule applies
	Message string  `yaml:"message"` // text with ${CEL} in it, shown where the rule applied
	Require Require `yaml:"require"`
	Line    int     `yaml:"-"`
}

// Require says who must approve where a rule with the effect require applies.
type Require struct {
	Role  string `yaml:"role"`
	Count int    `yaml:"count"`
}

// The effects, strongest first.
const (
	Deny    = "deny"    // the plan is refused
	Demand  = "require" // people of a role must approve
	Warn    = "warn"    // shown to whoever decides
	Approve = "approve" // no person is needed, unless another rule asks for one
)

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	ruleKeys = []string{"id", "version", "title", "effect", "when", "message", "require"}
	needKeys = []string{"role", "count"}
)

// read parses the file's structure and names every mistake with its line.
func read(src []byte) ([]Rule, error) {
	if len(src) > MaxBytes {
		return nil, fmt.Errorf("the rules file has %d bytes, more than %d", len(src), MaxBytes)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("the rules file is not YAML: %w", err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil, errors.New("the rules file must be a list of rules")
	}
	list := doc.Content[0].Content
	if len(list) == 0 || len(list) > maxRules {
		return nil, fmt.Errorf("the rules file has %d rules; 1 to %d are possible", len(list), maxRules)
	}
	var rs []Rule
	var wrong []error
	seen := map[string]int{}
	for _, n := range list {
		r, errs := readRule(n)
		if first := seen[r.ID]; first > 0 && r.ID != "" {
			errs = append(errs, fmt.Errorf("line %d: rule %s is there twice, first in line %d", r.Line, r.ID, first))
		}
		seen[r.ID] = n.Line
		rs, wrong = append(rs, r), append(wrong, errs...)
	}
	return rs, errors.Join(wrong...)
}

func readRule(n *yaml.Node) (Rule, []error) {
	r := Rule{Line: n.Line}
	if wrong := keys(n, ruleKeys, true); len(wrong) > 0 {
		return r, wrong
	}
	if err := n.Decode(&r); err != nil {
		return r, []error{fmt.Errorf("line %d: %w", n.Line, err)}
	}
	r.Line = n.Line
	r.Title, r.When, r.Message = strings.TrimSpace(r.Title), strings.TrimSpace(r.When), strings.TrimSpace(r.Message)
	return r, r.check()
}

// keys refuses what is no plain mapping of known fields, each once. Aliases are refused: they could multiply.
func keys(n *yaml.Node, known []string, top bool) []error {
	if n.Kind != yaml.MappingNode {
		return []error{fmt.Errorf("line %d: a mapping with %s is expected", n.Line, strings.Join(known, ", "))}
	}
	var wrong []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, k.Value):
			wrong = append(wrong, fmt.Errorf("line %d: unknown field %q", k.Line, k.Value))
		case seen[k.Value]:
			wrong = append(wrong, fmt.Errorf("line %d: field %s is there twice", k.Line, k.Value))
		case top && k.Value == "require":
			wrong = append(wrong, keys(v, needKeys, false)...)
		case v.Kind != yaml.ScalarNode:
			wrong = append(wrong, fmt.Errorf("line %d: field %s must be a plain value", v.Line, k.Value))
		}
		seen[k.Value] = true
	}
	return wrong
}

// check names what is wrong with a rule beside its expressions.
func (r Rule) check() []error {
	var wrong []error
	say := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf("line %d: rule %s: "+format, append([]any{r.Line, r.ID}, args...)...))
		}
	}
	say(!idForm.MatchString(r.ID), "the id must be lower case letters, digits and hyphens, starting with a letter")
	say(r.Version < 1, "the version must be a number from 1")
	say(r.Title == "" || len(r.Title) > maxTitle, "a title of at most %d bytes is needed", maxTitle)
	say(r.When == "" || len(r.When) > maxExpression, "when needs an expression of at most %d bytes", maxExpression)
	say(r.Message == "" || len(r.Message) > maxMessage, "a message of at most %d bytes is needed", maxMessage)
	say(!slices.Contains([]string{Deny, Demand, Warn, Approve}, r.Effect), "the effect must be deny, require, warn or approve")
	if r.Effect == Demand {
		say(r.Require.Role != string(models.PlatformAdmin) && r.Require.Role != string(models.Owner), "require.role must be platform-admin or owner")
		say(r.Require.Count < 1 || r.Require.Count > maxPeople, "require.count must be 1 to %d", maxPeople)
	} else {
		say(r.Require != Require{}, "only the effect require takes the field require")
	}
	return wrong
}
