package awssim

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// keys are condition context keys of one call, e.g. "cloudformation:RoleArn". The keys
// of the principal (aws:PrincipalOrgID, aws:PrincipalTag/..., aws:SourceIdentity ...) and
// aws:RequestedRegion are there already.
type keys map[string][]string

// may asks whether the caller may do the call's own action on a resource; the refusal
// has AWS's words. Every operation must ask before it answers.
func (c *Call) may(ctx context.Context, resource string, k keys) error {
	return c.mayAs(ctx, c.Principal, c.Service+":"+c.Op, resource, k)
}

// mayAs asks for any principal and action: a pass of a role, or what a service does
// with the role it was passed.
func (c *Call) mayAs(ctx context.Context, p Principal, action, resource string, k keys) error {
	c.asked = true
	q := c.question(p, action, resource, k)
	why, err := c.refusalOf(ctx, q)
	if err != nil || why == "" {
		return err
	}
	return denied(c.Service, fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", p.ARN, action, resource, why))
}

// question fills in the context every request has. A key given by the caller wins.
func (c *Call) question(p Principal, action, resource string, k keys) question {
	ctx := keys{
		"aws:principalorgid":        {demoOrganization},
		"aws:principalaccount":      {p.Account},
		"aws:principalarn":          {p.ARN},
		"aws:principaltype":         {"AssumedRole"},
		"aws:requestedregion":       {requestedRegion(action, c.Region)},
		"aws:securetransport":       {"true"}, // the wire here is loopback; AWS itself takes nothing else
		"aws:sourceip":              {c.SourceIP},
		"aws:userid":                {p.UserID},
		"aws:viaawsservice":         {fmt.Sprint(p.Service != "")},
		"aws:principalisawsservice": {"false"},
	}
	if p.RoleARN != "" {
		ctx["aws:principalarn"] = []string{p.RoleARN}
	} else if p.Admin {
		ctx["aws:principaltype"] = []string{"User"}
	}
	if p.Service != "" {
		ctx["aws:calledvia"] = []string{p.Service}
		ctx["aws:calledviafirst"] = []string{p.Service}
	}
	if p.SourceIdentity != "" {
		ctx["aws:sourceidentity"] = []string{p.SourceIdentity}
	}
	for name, value := range p.Tags {
		ctx["aws:principaltag/"+strings.ToLower(name)] = []string{value}
	}
	if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 && parts[4] != "" {
		ctx["aws:resourceaccount"] = []string{parts[4]}
		ctx["aws:resourceorgid"] = []string{demoOrganization}
	}
	for name, values := range k {
		if len(values) > 0 {
			ctx[strings.ToLower(name)] = values
		}
	}
	return question{principal: p, action: action, resource: resource, ctx: ctx}
}

// requestedRegion is where AWS says a call goes: services without regions are in us-east-1,
// whatever the client signed for.
func requestedRegion(action, region string) string {
	switch service, _, _ := strings.Cut(action, ":"); service {
	case "iam", "organizations", "account", "budgets", "ce", "route53":
		return "us-east-1"
	}
	return region
}

// refusalOf is why a question is answered with no, in AWS's words; empty is yes. Order as
// AWS evaluates: an explicit deny anywhere, then each kind of policy that must allow.
func (c *Call) refusalOf(ctx context.Context, q question) (string, error) {
	if q.principal.Admin {
		return "", nil
	}
	why, err := c.controlPolicies(ctx, q)
	if err != nil || why != "" {
		return why, err
	}
	identity, boundary, err := c.identityPolicies(ctx, q.principal)
	if err != nil {
		return "", err
	}
	kinds := []struct {
		name string
		docs []document
	}{{"identity-based policy", identity}, {"permissions boundary", boundary}}
	if q.principal.SessionPolicy != "" {
		d, err := parsePolicy(q.principal.SessionPolicy)
		if err != nil {
			return "", fmt.Errorf("session policy of %s: %w", q.principal.ARN, err)
		}
		kinds = append(kinds, struct {
			name string
			docs []document
		}{"session policy", []document{d}})
	}
	for _, k := range kinds {
		if slices.ContainsFunc(k.docs, func(d document) bool { return d.decide(q) == denies }) {
			article := "a"
			if k.name[0] == 'i' {
				article = "an"
			}
			return "with an explicit deny in " + article + " " + k.name, nil
		}
	}
	for _, k := range kinds {
		if k.name == "permissions boundary" && len(k.docs) == 0 {
			continue // no boundary is set
		}
		if !slices.ContainsFunc(k.docs, func(d document) bool { return d.decide(q) == allows }) {
			return "because no " + k.name + " allows the " + q.action + " action", nil
		}
	}
	return "", nil
}

// identityPolicies are the documents attached to the principal's role, and its boundary.
// A role that is gone has none, so its sessions may nothing.
func (c *Call) identityPolicies(ctx context.Context, p Principal) (identity, boundary []document, err error) {
	r, ok, err := c.role(ctx, p.Account, p.RoleName)
	if err != nil || !ok {
		return nil, nil, err
	}
	add := func(list *[]document, name, text string) error {
		d, err := parsePolicy(text)
		if err != nil {
			return fmt.Errorf("policy %s of role %s: %w", name, r.Name, err)
		}
		*list = append(*list, d)
		return nil
	}
	for name, text := range r.Inline {
		if err := add(&identity, name, text); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range r.Managed {
		mp, ok, err := c.policy(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			if err := add(&identity, a, mp.Document); err != nil {
				return nil, nil, err
			}
		}
	}
	if r.Boundary == "" {
		return identity, nil, nil
	}
	bp, ok, err := c.policy(ctx, r.Boundary)
	if err != nil {
		return nil, nil, err
	}
	if !ok { // a boundary that was deleted allows nothing
		return identity, []document{{}}, nil
	}
	return identity, boundary, add(&boundary, r.Boundary, bp.Document)
}

// controlPolicies evaluates the organization's service control policies: at each level
// from the root down to the account one must allow, and none may deny. They never bind
// the management account.
func (c *Call) controlPolicies(ctx context.Context, q question) (string, error) {
	if q.principal.Account == demoManagement {
		return "", nil
	}
	levels, err := c.controlLevels(ctx, q.principal.Account)
	if err != nil {
		return "", err
	}
	for _, docs := range levels {
		if slices.ContainsFunc(docs, func(d document) bool { return d.decide(q) == denies }) {
			return "with an explicit deny in a service control policy", nil
		}
	}
	for _, docs := range levels {
		if !slices.ContainsFunc(docs, func(d document) bool { return d.decide(q) == allows }) {
			return "because no service control policy allows the " + q.action + " action", nil
		}
	}
	return "", nil
}
