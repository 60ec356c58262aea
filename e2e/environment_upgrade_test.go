package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpgrade orders the older version of a golden path while the platform team hides the newer one, and upgrades once it is offered.
// It runs alone: what is hidden is hidden from everybody.
func TestUpgrade(t *testing.T) {
	a := sharedApp(t)
	furnished(t, a)
	hidden := filepath.Join(a.blueprints, "hidden.yaml")
	if err := os.WriteFile(hidden, []byte("- {blueprint: ecs-web-service@1.1.0, reason: Tried by the platform team first.}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(hidden) })
	const web = "grow-web"
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	eventually(t, "the newer version to be hidden", patience, func() (bool, string) {
		asks.orderOf("ecs-web-service", "us-east-1", web)
		chosen, err := asks.page.Locator("label:has([name=blueprint]:checked)").InnerText()
		return err == nil && strings.Contains(chosen, "1.0.0"), chosen
	})
	choose(asks, "service", "checkout")
	asks.fill("Port", "8080")
	asks.fill("HealthCheckPath", "/healthz")
	order := asks.asks("Make the plan")
	owner.approves(order)
	asks.ends(order)
	asks.open(env(web))
	asks.sees("ecs-web-service 1.0.0")

	if err := os.Remove(hidden); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the newer version to be offered", patience, func() (bool, string) {
		asks.open(env(web) + "/upgrade")
		body, err := asks.page.Locator("main").InnerText()
		return err == nil && strings.Contains(body, "What changes in 1.1.0"), clip(body, 300)
	})
	asks.sees("New: blue/green deployments") // its upgrade notes
	asks.shot("form")
	asks.axe("upgrade form")
	upgrade := asks.asks("Plan the upgrade")
	asks.state("Awaiting approval")
	asks.ok(asks.must.Locator(asks.within("plan")).ToContainText("CloudWatch::CompositeAlarm"))
	asks.shot("plan")
	owner.approves(upgrade)
	asks.ends(upgrade)
	asks.open(env(web))
	asks.sees("ecs-web-service 1.1.0")
	asks.state("Waits for an image")
	if states := stackOf(t, a, "slw-"+home+"-env-"+web); strings.Join(states, " ") != "UPDATE_COMPLETE" {
		t.Errorf("stacks of %s: %v, want one that was changed", web, states)
	}
}
