package e2e

import (
	"net/url"
	"strings"
	"testing"
)

// older are accounts of the demo organization that were there before Slipway.
var older = []string{"411111111111", "422222222222", "433333333333"}

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
	e.walk(e.enrol(slug, older[0]))
	e.compare(slug, 1)
	if at := e.parent(older[0]); at != "ou-demo-prod0001" {
		t.Errorf("the enrolled account is in %s", at)
	}
	before := e.beforeEnd(slug)
	e.walk(e.closing(slug))
	e.compareEnd(slug, before)
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

// end is what a tenant has right before it is closed.
type end struct{ made, enrolled string } // numbers of accounts; enrolled may be empty

func (e *estate) beforeEnd(slug string) end {
	e.t.Helper()
	const numbers = `SELECT string_agg(a.aws_id, ' ') FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND a.enrolled = $2::boolean`
	return end{e.ask(numbers, slug, "false"), e.ask(numbers, slug, "true")}
}

// compareEnd holds what is left of a tenant against its receipt: nothing but accounts, its own closed once, the enrolled one released.
func (e *estate) compareEnd(slug string, before end) {
	e.t.Helper()
	seen := e.look()
	for _, a := range seen.Accounts {
		if a.ID == before.made && (a.State != "SUSPENDED" || a.Parent != "ou-demo-suspend1") {
			e.t.Errorf("the account that Slipway made is %s in %s", a.State, a.Parent)
		}
		if a.ID == before.enrolled && a.State != "ACTIVE" {
			e.t.Errorf("the account that was there before is %s", a.State)
		}
	}
	for _, s := range seen.Stacks {
		if s.Account == before.made && strings.HasPrefix(s.Name, "slw-") && s.Status != "DELETE_COMPLETE" {
			e.t.Errorf("stack %s is left: %s", s.Name, s.Status)
		}
	}
	for _, b := range seen.Budgets {
		if b.Name == "slw-"+slug {
			e.t.Errorf("its budget is left")
		}
	}
	for what, sql := range map[string]string{
		"state of the tenant":      `SELECT CASE WHEN state <> 'deleted' THEN state END FROM tenants WHERE slug = $1`,
		"accounts that are living": `SELECT string_agg(a.name || ' ' || a.state, ' ') FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND a.state <> 'deleted'`,
		"networks that are living": `SELECT string_agg(n.name || ' ' || n.state, ' ') FROM networks n JOIN tenants t ON t.id = n.tenant_id WHERE t.slug = $1 AND n.state <> 'deleted'`,
		"a receipt that is not":    `SELECT CASE WHEN count(*) <> 1 THEN count(*)::text END FROM receipts WHERE object_type = 'tenant' AND object_name = $1`,
		"locks":                    `SELECT string_agg(l.object_type || ' ' || l.object_id, E'\n') FROM locks l JOIN requests q ON q.id = l.request_id JOIN tenants t ON t.id = q.tenant_id WHERE t.slug = $1`,
		"open journal rows":        `SELECT string_agg(j.kind || ' ' || j.object_id, E'\n') FROM journal j JOIN requests q ON q.id = j.object_id JOIN tenants t ON t.id = q.tenant_id WHERE NOT j.done AND t.slug = $1`,
	} {
		if left := e.ask(sql, slug); left != "" {
			e.t.Errorf("%s: %s", what, left)
		}
	}
}
