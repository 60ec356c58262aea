package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// fillTenant types a valid order into the form.
func (v *visitor) fillTenant(slug string) {
	v.t.Helper()
	for name, values := range tenantForm(slug) {
		if name != "classes" {
			v.fill(name, values[0])
		}
	}
}

// ask orders a tenant by form and ends on the request's page.
func (v *visitor) ask(slug string) string {
	v.t.Helper()
	v.open("/tenants/new")
	v.fillTenant(slug)
	v.click("button", "Make the plan")
	v.ok(v.page.WaitForURL(regexp.MustCompile(`/requests/[0-9a-f-]{36}$`)))
	return strings.TrimPrefix(v.page.URL(), v.app.url)
}

// state waits until the page's head says where the request or run stands.
func (v *visitor) state(word string) {
	v.t.Helper()
	v.ok(v.must.Locator(v.page.Locator(".s-head .s-pill").First()).ToHaveText(regexp.MustCompile(`^\s*` + regexp.QuoteMeta(word) + `\s*$`)))
}

// decide opens the request from the queue, as an approver would.
func (v *visitor) openFromQueue(slug string) {
	v.t.Helper()
	v.open("/approvals?q=" + slug)
	v.ok(v.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Create tenant " + slug}).First().Click())
	v.state("Awaiting approval")
}

func TestTheWholeStory(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	const slug = "story-team"
	asks := newVisitor(t, a, desk).signIn("developer")
	asks.open("/tenants/new")
	asks.fill("slug", "Story Team")
	asks.ok(asks.page.Locator("[name=display_name]").Focus()) // blur: the server answers with the field
	asks.sees(`Use "story-team"`)
	asks.shot("form-error")
	path := asks.ask(slug)
	asks.state("Awaiting approval") // live, without a reload
	asks.shot("request")
	asks.sees("You asked for this yourself")

	decides := newVisitor(t, a, desk).signIn("approver")
	decides.openFromQueue(slug)
	decides.shot("decision")
	decides.click("button", "Approve this plan")
	decides.ok(decides.page.WaitForURL("**" + path))

	asks.open(path)
	asks.ok(asks.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Open the run"}).First().Click())
	asks.ok(asks.page.WaitForURL("**/runs/*"))
	asks.shot("running")
	asks.state("Succeeded") // the stream brings it
	asks.shot("run")
	asks.open("/tenants?q=" + slug)
	asks.ok(asks.must.Locator(asks.page.Locator("main")).ToContainText("No tenant"))

	decides.open("/tenants/" + slug)
	decides.sees("Ready")
	accounts := decides.page.Locator("main").GetByText("ACTIVE", playwright.LocatorGetByTextOptions{Exact: playwright.Bool(true)})
	decides.ok(decides.must.Locator(accounts).ToHaveCount(2))
	decides.shot("tenant")
	if n := accountsNamed(t, a, slug); n != 2 {
		t.Errorf("AWS has %d accounts of %s, want 2", n, slug)
	}
}

// accountsNamed counts the accounts that the simulator's organization holds for a tenant.
func accountsNamed(t *testing.T, a *app, slug string) int {
	t.Helper()
	n := 0
	for _, acc := range (&world{t: t, sim: a.sim}).look().Accounts {
		if isOf(acc.Name, slug) {
			n++
		}
	}
	return n
}

func TestRejectionNeedsAReason(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	asks := newVisitor(t, a, desk).signIn("developer")
	path := asks.ask("reject-me")
	asks.state("Awaiting approval")
	judge := newVisitor(t, a, desk).signIn("admin")
	judge.openFromQueue("reject-me")
	judge.click("button", "Reject")
	judge.ok(judge.page.Locator("#rej-why").Fill("Use the payments tenant instead."))
	judge.click("button", "Reject plan")
	judge.state("Rejected")
	asks.open(path)
	asks.sees("Use the payments tenant instead.")
	asks.open("/tenants/new") // the name is free again
	asks.fill("slug", "reject-me")
	asks.ok(asks.page.Locator("[name=display_name]").Focus())
	asks.ok(asks.must.Locator(asks.page.Locator("#slug[aria-invalid=true]")).ToHaveCount(0))
}

func TestChangesAskedForArePlannedAnew(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	asks := newVisitor(t, a, desk).signIn("outsider")
	path := asks.ask("rethink")
	asks.state("Awaiting approval")
	judge := newVisitor(t, a, desk).signIn("approver")
	judge.openFromQueue("rethink")
	judge.click("button", "Ask for changes")
	judge.ok(judge.page.Locator("#ask-why").Fill("Halve the budget."))
	judge.click("button", "Give it back")
	judge.state("Changes asked for")
	asks.open(path)
	asks.sees("Halve the budget.")
	asks.click("link", "Change the answers")
	asks.fill("budget", "450")
	asks.click("button", "Plan with these answers")
	asks.state("Awaiting approval")
	asks.sees("$450")
	judge.open(path)
	judge.click("button", "Approve this plan")
	judge.ok(judge.page.WaitForURL("**" + path))
}

func TestRetryAfterAnInjectedFailure(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	asks := newVisitor(t, a, desk).signIn("owner")
	const slug = "bumpy"
	rule := postRule(t, a, `{"service":"cloudformation","action":"create_failed","logical_id":"BaselineKey","match":"slw-`+slug+`-baseline","reason":"Simulated: the key quota is used up","times":1}`)
	t.Log("failure rule", rule)
	path := asks.ask(slug)
	asks.state("Awaiting approval")
	judge := newVisitor(t, a, desk).signIn("approver")
	judge.openFromQueue(slug)
	judge.click("button", "Approve this plan")
	judge.open(path)
	judge.ok(judge.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Open the run"}).First().Click())
	judge.state("Failed")
	judge.sees("the key quota is used up")
	judge.shot("failed")
	judge.axe("failed run")
	judge.ok(judge.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Retry from step"}).Click())
	judge.state("Succeeded")
	if n := accountsNamed(t, a, slug); n != 2 {
		t.Errorf("AWS has %d accounts of %s, want 2", n, slug)
	}
}

func TestDraftOutlivesTheSession(t *testing.T) {
	t.Parallel()
	a := ownApp(t, "SLIPWAY_SESSION_IDLE=1m", "SLIPWAY_SESSION_MAX=1m")
	v := newVisitor(t, a, desk).signIn("admin")
	v.open("/tenants/new")
	v.fillTenant("draft-team")
	v.click("button", "Keep as draft")
	v.ok(v.page.WaitForURL(a.url + "/"))
	v.sees("New tenant draft-team")
	v.open("/tenants/new")
	v.fillTenant("late-team")
	eventually(t, "the end of the session", 3*time.Minute, func() (bool, string) { // seen from another tab
		answer, err := v.page.Evaluate(`async () => (await fetch('/tenants', {redirect: 'manual'})).type`)
		return answer == "opaqueredirect", fmt.Sprint(answer, err)
	})
	v.click("button", "Make the plan")
	v.sees("Sign in again")
	v.shot("expired")
	v.axe("expired session")
	v.click("link", "Sign in")
	v.fill("username", "admin")
	v.fill("password", "admin")
	v.ok(v.page.Locator("form:has([name=password]) [type=submit]").Click())
	v.ok(v.must.Locator(v.page.Locator("#slug")).ToHaveValue("late-team"))
	v.sees("Your session had ended")
	v.click("button", "Make the plan")
	v.state("Awaiting approval")
}

func TestWithoutScript(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	plain := desk
	plain.noScript = true
	v := newVisitor(t, a, plain).signIn("developer")
	v.open("/tenants/new")
	v.fill("slug", "UPPER")
	v.click("button", "Make the plan")
	v.sees("Give the tenant a name people know it by.")
	v.ok(v.must.Locator(v.page.Locator("#slug")).ToHaveValue("UPPER"))
	path := v.ask("no-script")
	eventually(t, "a plan", patience, func() (bool, string) {
		v.open(path)
		body, err := v.page.Content()
		return strings.Contains(body, "Awaiting approval"), fmt.Sprint(err)
	})
	judge := newVisitor(t, a, plain).signIn("approver")
	judge.openFromQueue("no-script")
	judge.click("button", "Approve this plan")
	judge.ok(judge.page.WaitForURL("**" + path))
}
