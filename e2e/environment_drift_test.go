package e2e

import (
	"net/http"
	"testing"
)

// TestDriftIsReverted changes a bucket behind the stack's back, finds the difference, and has it put back by a request.
func TestDriftIsReverted(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	account := homeReady(t, a)
	const site = "drift-site"
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	asks.orderOf("static-site", "us-east-1", site)
	order := asks.asks("Make the plan")
	owner.approves(order)
	asks.ends(order)
	simulate(t, a, http.MethodPost, "/drift", map[string]any{"account": account, "region": "us-east-1", "stack": "slw-" + home + "-env-" + site,
		"resource": "Content", "path": "/VersioningConfiguration/Status", "value": "Suspended"}, nil)

	asks.open(env(site))
	asks.click("button", "Check now")
	drift := asks.within("drift")
	asks.ok(asks.must.Locator(drift.Locator("tbody tr")).ToHaveCount(1)) // the page asks for itself
	asks.ok(asks.must.Locator(drift.Locator("tbody tr")).ToContainText("/VersioningConfiguration/Status"))
	asks.ok(asks.must.Locator(drift.Locator("tbody [data-l=Declared]")).ToContainText("Enabled"))
	asks.ok(asks.must.Locator(drift.Locator("tbody [data-l=Found]")).ToContainText("Suspended"))
	asks.ok(asks.must.Locator(drift).ToContainText("of 8 resources")) // the coverage
	asks.shot("drifted")
	asks.axe("drifted environment")
	asks.ok(drift.GetByText("Put back as declared").Click())
	revert := asks.asks("Ask to put it back")
	owner.open(revert)
	owner.sees("VersioningConfiguration")
	owner.approves(revert)
	asks.ends(revert)

	asks.open(env(site))
	asks.click("button", "Check now")
	asks.ok(asks.must.Locator(asks.within("drift").Locator("tbody tr")).ToHaveCount(0))
	asks.ok(asks.must.Locator(asks.page.Locator(".s-head").First()).Not().ToContainText("Drifted"))
	asks.shot("reverted")
}
