package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Grants are the permissions of the role with which CloudFormation makes stacks in a tenant's account.
type Grants struct{ statements []grant }

type grant struct {
	allow        bool
	actions, not []string
	everywhere   bool // Resource is "*"
	resources    []string
	regional     bool     // holds in the allowed regions only
	conditional  bool     // has any condition
	passedTo     []string // iam:PassedToService
}

// The role in deploy/aws/spoke.yaml that Grants reads, by its logical id.
const execRole = "ExecRole"

// ReadGrants reads the permissions from the template that sets tenant accounts up (deploy/aws/spoke.yaml).
func ReadGrants(spoke []byte) (*Grants, error) {
	t, err := Parse(spoke)
	if err != nil {
		return nil, fmt.Errorf("read the template of tenant accounts: %w", err)
	}
	r, ok := t.Resource(execRole)
	if !ok {
		return nil, fmt.Errorf("the template of tenant accounts has no %s", execRole)
	}
	g := &Grants{}
	statements("", r.given("Policies"), func(_ string, s map[string]any) {
		g.statements = append(g.statements, readGrant(s))
	})
	if len(g.statements) == 0 {
		return nil, errors.New("the role of CloudFormation in tenant accounts may do nothing")
	}
	return g, nil
}

func readGrant(s map[string]any) grant {
	g := grant{allow: s["Effect"] == "Allow", actions: texts(s["Action"]), not: texts(s["NotAction"]), resources: texts(s["Resource"])}
	g.everywhere = slices.Contains(g.resources, "*")
	conditions, _ := s["Condition"].(map[string]any)
	g.conditional = len(conditions) > 0
	for _, operator := range conditions {
		keys, _ := operator.(map[string]any)
		for key, v := range keys {
			switch key {
			case "aws:RequestedRegion":
				g.regional = true
			case "iam:PassedToService":
				g.passedTo = texts(v)
			}
		}
	}
	return g
}

// texts are the texts of a value that is one or a list; a Sub counts as its pattern.
func texts(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var out []string
		for _, item := range x {
			out = append(out, texts(item)...)
		}
		return out
	case call:
		if x.fn == "Sub" {
			return texts(x.arg)
		}
	}
	return nil
}

// allows says whether an action is granted, for a service that has no region if global.
func (g *Grants) allows(action string, global bool) bool {
	allowed := false
	for _, s := range g.statements {
		if !s.names(action) {
			continue
		}
		if !s.allow && s.everywhere && !s.conditional {
			return false
		}
		if s.allow && !(global && s.regional) {
			allowed = true
		}
	}
	return allowed
}

// passes says whether a workload's role may be handed to a service.
func (g *Grants) passes(service string) bool {
	return slices.ContainsFunc(g.statements, func(s grant) bool {
		return s.allow && s.names("iam:PassRole") && (s.passedTo == nil || slices.Contains(s.passedTo, service))
	})
}

func (s grant) names(action string) bool {
	if len(s.not) > 0 {
		return !slices.ContainsFunc(s.not, func(p string) bool { return likeAction(p, action) })
	}
	return slices.ContainsFunc(s.actions, func(p string) bool { return likeAction(p, action) })
}

// likeAction matches an action with a pattern as IAM does: without regard to case, * for anything, ? for one character.
func likeAction(pattern, action string) bool {
	p, a := strings.ToLower(pattern), strings.ToLower(action)
	star, mark, i, j := -1, 0, 0, 0
	for j < len(a) {
		switch {
		case i < len(p) && (p[i] == '?' || p[i] == a[j]):
			i, j = i+1, j+1
		case i < len(p) && p[i] == '*':
			star, mark, i = i, j, i+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}

// Check says what of a template the role could not make.
func (g *Grants) Check(t *Template) []Problem {
	c := &checker{t: t}
	for _, need := range IAMActions(t) {
		switch {
		case need.PassedTo != "" && !g.passes(need.PassedTo):
			c.errorf("iam", "Resources."+need.Resource, "CloudFormation may not hand a role to %s (iam:PassRole in deploy/aws/spoke.yaml)", need.PassedTo)
		case need.PassedTo == "" && !g.allows(need.Action, need.Global):
			c.errorf("iam", "Resources."+need.Resource, "CloudFormation may not %s in a tenant's account (deploy/aws/spoke.yaml)", need.Action)
		}
	}
	for _, r := range t.Resources {
		if r.Type == "AWS::IAM::Role" {
			workloadRole(c, r)
		}
	}
	return c.problems
}

// The place and the boundary of every role a blueprint makes; nothing else is granted.
const (
	workloadPath  = "/slipway/workload/"
	boundaryMatch = ":policy/slipway/platform/slipway-boundary"
)

func workloadRole(c *checker, r Resource) {
	path := "Resources." + r.ID + ".Properties"
	if p := texts(r.given("Path")); len(p) != 1 || !strings.HasPrefix(p[0], workloadPath) {
		c.errorf("iam", join(path, "Path"), "must begin with %s: CloudFormation may make roles nowhere else", workloadPath)
	}
	if p := texts(r.given("PermissionsBoundary")); len(p) != 1 || !strings.HasSuffix(p[0], boundaryMatch) {
		c.errorf("iam", join(path, "PermissionsBoundary"), "must be the platform's boundary, arn:${AWS::Partition}:iam::${AWS::AccountId}%s", boundaryMatch)
	}
}
