package e2e

import (
	"net/url"
	"strings"
	"testing"
)

// enrolled is an account of the demo organization that was there before Slipway, in a unit of its own.
const enrolled = "411111111111"

// TestCrashWalkTenant leads a tenant that has a network through a change, an account that is enrolled, and its end; and kills the server
// at every named point of each of the three, each once.
func TestCrashWalkTenant(t *testing.T) {
	t.Parallel()
	const slug = "walk-tenant"
	e := newEstate(t, 500)
	still := func() {}
	for _, ground := range []errand{e.tenant(slug), e.network(slug)} {
		e.carry(ground, still)
	}
	e.walk(e.change(slug, "6000"))
	if budget := e.ask(`SELECT budget::text FROM tenants WHERE slug = $1`, slug); budget != "6000.00" {
		t.Errorf("the budget is %s, want 6000.00", budget)
	}
	e.walk(e.enrol(slug, enrolled))
	e.compare(slug, 1)
	if at := e.parent(enrolled); at != "ou-demo-prod0001" {
		t.Errorf("the enrolled account is in %s", at)
	}
	made := e.ask(`SELECT a.aws_id FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND NOT a.enrolled`, slug)
	e.walk(e.closing(slug))
	e.compareEnd(slug, made)
}

// change asks for another budget.
func (e *estate) change(slug, budget string) errand {
	form := url.Values{"owner_group": {"payments-owners"}, "developer_group": {"payments-developers"}, "viewer_group": {"payments-viewers"}, "budget": {budget}}
	return errand{"tenant.change", "change-" + slug, func(key string) { e.decides().trySend("/tenants/"+slug+"/change", `name="budget"`, key, form) }, e.platform}
}

// enrol asks for an account that exists, moved into the unit of production accounts.
func (e *estate) enrol(slug, account string) errand {
	form := url.Values{"class": {"prod"}, "from": {"move"}, "account": {account}}
	return errand{"tenant.enrol", "enrol-" + slug, func(key string) { e.decides().trySend("/tenants/"+slug+"/accounts/new", `name="account"`, key, form) }, e.bothAdmins()}
}

// closing asks for the end of a tenant, with all that it has.
func (e *estate) closing(slug string) errand {
	form := url.Values{"confirm": {slug}, "reason": {"The team is no more."}, "empty": {"true"}, "images": {"true"}}
	return errand{"tenant.close", "close-" + slug, func(key string) { e.decides().trySend("/tenants/"+slug+"/close", `name="confirm"`, key, form) }, e.bothAdmins()}
}

// bothAdmins take turns, where two have to decide.
func (e *estate) bothAdmins() func() *script {
	turn := 0
	return func() *script {
		turn++
		return []*script{e.admin, e.approver}[turn%2]
	}
}

// parent is the unit that an account is in.
func (e *estate) parent(account string) string {
	e.t.Helper()
	for _, a := range e.look().Accounts {
		if a.ID == account {
			return a.Parent
		}
	}
	return ""
}

// compareEnd holds what is left of a tenant against its receipt: nothing but accounts, its own closed once, the enrolled one released.
func (e *estate) compareEnd(slug string, made string) {
	e.t.Helper()
	seen := e.look()
	for _, a := range seen.Accounts {
		if a.ID == made && (a.State != "SUSPENDED" || a.Parent != "ou-demo-suspend1") {
			e.t.Errorf("the account that Slipway made is %s in %s", a.State, a.Parent)
		}
		if a.ID == enrolled && a.State != "ACTIVE" {
			e.t.Errorf("the account that was there before is %s", a.State)
		}
	}
	for _, s := range seen.Stacks {
		if s.Account == made && strings.HasPrefix(s.Name, "slw-") && s.Status != "DELETE_COMPLETE" {
			e.t.Errorf("stack %s is left: %s", s.Name, s.Status)
		}
	}
	for _, b := range seen.Budgets {
		if b.Name == "slw-"+slug {
			e.t.Errorf("its budget is left")
		}
	}
	for what, sql := range map[string]string{
		"state of the tenant":      `SELECT CASE WHEN state <> 'deleted' THEN state END FROM tenants WHERE slug = 'walk-tenant'`,
		"accounts that are living": `SELECT string_agg(a.name || ' ' || a.state, ' ') FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = 'walk-tenant' AND a.state <> 'deleted'`,
		"networks that are living": `SELECT string_agg(name || ' ' || state, ' ') FROM networks WHERE state <> 'deleted'`,
		"a receipt that is not":    `SELECT CASE WHEN count(*) <> 1 THEN count(*)::text END FROM receipts WHERE object_type = 'tenant'`,
		"locks":                    `SELECT string_agg(object_type || ' ' || object_id, E'\n') FROM locks`,
		"open journal rows":        `SELECT string_agg(kind || ' ' || object_id, E'\n') FROM journal WHERE NOT done AND kind IN ('plan', 'run', 'undo', 'vend')`,
	} {
		if left := e.ask(sql); left != "" {
			e.t.Errorf("%s: %s", what, left)
		}
	}
}
