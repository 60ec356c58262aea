package e2e

import (
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

// TestTenantLife leads the demo tenant of another team through the rest of its life: corrected at once, changed by request, held by a
// freeze, told by e-mail, checked for its roles, and closed by two admins.
func TestTenantLife(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	const slug = "storefront"
	owner, admin, approver := newVisitor(t, a, desk).signIn("outsider"), newVisitor(t, a, desk).signIn("admin"), newVisitor(t, a, desk).signIn("approver")
	eventually(t, "the tenant", walkTime, func() (bool, string) {
		owner.open("/tenants/" + slug)
		n := owner.count(owner.page.Locator("main").GetByText("ACTIVE", playwright.LocatorGetByTextOptions{Exact: playwright.Bool(true)}))
		return n == 2, owner.page.URL()
	})

	owner.open("/tenants/" + slug + "/edit")
	owner.fill("display_name", "The shop window")
	owner.click("button", "Save")
	owner.ok(owner.page.WaitForURL("**/tenants/" + slug))
	owner.sees("The shop window")
	owner.everyLook("tenant's page", "life-tenant")

	admin.open("/admin/freezes")
	admin.fill("tenant", slug)
	admin.fill("reason", "Stock-taking until tomorrow.")
	admin.click("button", "Stop new runs")
	admin.sees("Stock-taking until tomorrow.")
	owner.open("/tenants/" + slug + "/change")
	owner.fill("budget", "5200")
	change := owner.asks("Plan the change")
	approver.open(change)
	approver.state("Awaiting approval")
	approver.click("button", "Approve this plan")
	owner.open(change)
	owner.sees("Stock-taking until tomorrow.") // approved, and held
	owner.state("Approved")
	admin.open("/admin/freezes")
	admin.click("button", "Lift")
	owner.state("Succeeded") // live, by itself
	owner.open("/tenants/" + slug)
	owner.sees("$5,200")

	owner.open("/tenants/" + slug + "/accounts/nonprod")
	owner.click("button", "Check now")
	owner.ok(owner.must.Locator(owner.page.Locator("main")).ToContainText("Slipway's roles may do all they need", playwright.LocatorAssertionsToContainTextOptions{Timeout: playwright.Float(float64(time.Minute.Milliseconds()))}))

	owner.open("/dev/mail")
	owner.ok(owner.must.Locator(owner.page.Locator("body")).ToContainText("Change tenant " + slug + " is done"))

	owner.open("/tenants/" + slug + "/close")
	owner.fill("reason", "The shop moves in with another team.")
	owner.fill("confirm", "storefrnt")
	owner.click("button", "Ask for the closing")
	owner.sees("Type storefront to show that you mean this tenant.")
	owner.everyLook("form to close", "life-close")
	owner.fill("confirm", slug)
	closing := owner.asks("Ask for the closing")
	approver.approvesOne(closing)
	admin.approves(closing)
	owner.ends(closing)
	owner.open("/tenants/" + slug)
	owner.sees("reinstated")
	owner.everyLook("closed tenant", "life-closed")
}

// approvesOne gives the first of two approvals: the request goes on waiting.
func (v *visitor) approvesOne(path string) {
	v.t.Helper()
	v.open(path)
	v.state("Awaiting approval")
	if read := v.page.Locator("[name=seen]"); v.count(read) > 0 {
		v.ok(read.First().Check())
	}
	v.click("button", "Approve this plan")
	v.ok(v.must.Locator(v.page.Locator("main")).ToContainText("1 of 2"))
}
