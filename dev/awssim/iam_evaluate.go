package awssim

import (
	"slices"
	"strings"
)

// question is one permission that is asked for.
type question struct {
	principal Principal
	action    string
	resource  string
	ctx       keys // lower-case names
}

type effect int

const (
	silent effect = iota
	allows
	denies
)

// decide is what one document says: a deny beats every allow.
func (d document) decide(q question) effect {
	out := silent
	for _, st := range d.statements {
		if !st.applies(q) {
			continue
		}
		if st.deny {
			return denies
		}
		out = allows
	}
	return out
}

func (st statement) applies(q question) bool {
	return st.namesAction(q.action) && st.namesResource(q) && !slices.ContainsFunc(st.conditions, func(c condition) bool { return !c.holds(q.ctx) })
}

func (st statement) namesAction(action string) bool {
	fits := func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(action)) }
	if len(st.notActions) > 0 {
		return !slices.ContainsFunc(st.notActions, fits)
	}
	return slices.ContainsFunc(st.actions, fits)
}

func (st statement) namesResource(q question) bool {
	fits := func(p string) bool {
		pattern, ok := substitute(p, q.ctx, false)
		return ok && wildcard(pattern, q.resource)
	}
	switch {
	case len(st.notResources) > 0:
		return !slices.ContainsFunc(st.notResources, fits)
	case len(st.resources) == 0:
		return true // a trust policy: the resource is the role itself
	default:
		return slices.ContainsFunc(st.resources, fits)
	}
}

// namesPrincipal is for trust policies; direct says that the principal itself is named,
// not just its account.
func (st statement) namesPrincipal(p Principal) (named, direct bool) {
	for _, m := range st.principals {
		switch {
		case m.kind == "Service":
			if p.Service != "" && m.value == p.Service {
				named, direct = true, true
			}
		case m.kind == "Federated":
			if p.Federated != "" && m.value == p.Federated {
				named, direct = true, true
			}
		case m.kind == "AWS" && p.Service == "" && p.Federated == "":
			switch m.value {
			case p.Account, arn("iam", "", p.Account, "root"):
				named = true
			case p.ARN, p.RoleARN:
				named, direct = true, true
			}
		}
	}
	if st.anyPrincipal && p.Service == "" {
		named, direct = true, true
	}
	if st.notPrincipal {
		return !named, false
	}
	return named, direct
}

// trust decides a role's trust policy. direct is true when the policy names the caller
// itself, which in the caller's own account is enough.
func (d document) trust(q question) (e effect, direct bool) {
	for _, st := range d.statements {
		named, straight := st.namesPrincipal(q.principal)
		if !named || !st.applies(q) {
			continue
		}
		if st.deny {
			return denies, false
		}
		e, direct = allows, direct || straight
	}
	return e, direct
}
