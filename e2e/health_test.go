package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// collects has the collector of health read everything now, as often as it takes for a change to count.
func (v *visitor) collects() {
	v.t.Helper()
	for range 2 {
		v.open("/")
		_, err := v.page.Evaluate(`async () => {
			const sent = await fetch('/admin/collectors/run', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'},
				body: new URLSearchParams({_csrf: document.querySelector('[name=_csrf]').value, collector: 'health'})});
			if (!sent.ok) throw new Error(sent.status);
			for (let i = 0; i < 100; i++) {
				const page = await (await fetch('/admin/collectors?collector=health')).text();
				if (!page.includes('every 2s')) return;
				await new Promise(next => setTimeout(next, 200));
			}
			throw new Error('the rounds do not end');
		}`)
		v.ok(err)
	}
}

// TestHealthIsSaidAndSeen reads how an environment runs, then has its account refuse to say, and looks at every page that tells of it.
// It runs alone: nobody reads a stack of that account meanwhile.
func TestHealthIsSaidAndSeen(t *testing.T) {
	a := sharedApp(t)
	account := homeReady(t, a)
	const site = "well-site"
	asks, owner, admin := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner"), newVisitor(t, a, desk).signIn("admin")
	asks.orderOf("static-site", "us-east-1", site)
	order := asks.asks("Make the plan")
	owner.approves(order)
	asks.ends(order)

	admin.collects()
	asks.open("/health?q=" + site)
	asks.sees("Its stack is as it should be")
	asks.axe("health")
	asks.noSideways("health")
	asks.shot("healthy")
	asks.open(env(site) + "?range=1h")
	asks.sees("It has no load balancer that would count requests.") // the signals, loaded after the page
	asks.axe("environment with health and signals")

	rule := postRule(t, a, fmt.Sprintf(`{"op": "DescribeStacks", "account": %q, "action": "access_denied"}`, account))
	admin.collects()
	simulate(t, a, http.MethodDelete, "/rules/"+rule, nil, nil)
	for path, where := range map[string]string{"/health?health=unknown&q=" + site: "health that is not known", "/health/wall": "wall", env(site): "environment that is not known", "/tenants/" + home: "tenant that is not known"} {
		asks.open(path)
		asks.sees("Slipway cannot read its stack: cloudformation:DescribeStacks is missing")
		asks.axe(where)
		asks.noSideways(where)
	}
	asks.shot("not-known")
	narrow := newVisitor(t, a, look{360, 780, "dark", false}).signIn("developer")
	narrow.open("/health")
	narrow.axe("health on a phone")
	narrow.noSideways("health on a phone")
	admin.collects()
	asks.open("/health?q=" + site)
	asks.sees("Its stack is as it should be")
}
