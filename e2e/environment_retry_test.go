package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// TestEnvironmentFailsAndRetries lets one resource fail until somebody mends what was wrong: its cause stands first on the run's
// page, and the retry cleans up and makes the same one stack.
func TestEnvironmentFailsAndRetries(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	homeReady(t, a)
	const site = "bumpy-site"
	rule := postRule(t, a, `{"service":"cloudformation","action":"create_failed","logical_id":"Distribution","match":"slw-`+home+`-env-`+site+`","reason":"Simulated: the quota of distributions is used up"}`)
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	asks.orderOf("static-site", "us-east-1", site)
	order := asks.asks("Make the plan")
	owner.approves(order)
	asks.watches(order)
	asks.state("Failed")
	asks.sees("the quota of distributions is used up")
	first := asks.within("tree").Locator(".s-panel > *").First()
	asks.ok(asks.must.Locator(first).ToHaveClass(regexp.MustCompile(`\bs-roots\b`)))
	asks.ok(asks.must.Locator(first.Locator("li")).ToHaveCount(1)) // what was only cancelled with it is no cause
	asks.ok(asks.must.Locator(first).ToContainText("Distribution"))
	asks.shot("failed")
	asks.axe("failed run of an environment")
	asks.open(env(site))
	asks.state("Broken")
	asks.sees("the quota of distributions is used up")
	asks.shot("broken")

	simulate(t, a, http.MethodDelete, "/rules/"+rule, nil, nil)
	asks.watches(order)
	asks.ok(asks.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Retry from step"}).Click())
	asks.state("Succeeded")
	asks.open(env(site))
	asks.state("Ready")
	if states := stackOf(t, a, "slw-"+home+"-env-"+site); strings.Join(states, " ") != "CREATE_COMPLETE" {
		t.Errorf("stacks of %s: %v, want one that is made", site, states)
	}
}
