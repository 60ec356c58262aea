package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestEnvironmentStory orders a network, a service and two environments by form, has them approved and made, and deploys an image.
func TestEnvironmentStory(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	account := homeReady(t, a)
	const region, service, web, site = "eu-west-1", "story-api", "story-web", "story-site"
	asks := newVisitor(t, a, desk).signIn("developer")
	asks.open("/tenants/" + home + "/networks/new?class=nonprod&region=" + region)
	network := asks.asks("Plan the network")
	asks.open("/tenants/" + home + "/services/new")
	asks.fill("name", service)
	made := asks.asks("Ask for the service") // the shipped rule approves it
	asks.orderOf("ecs-web-service", region, web)
	asks.sees("The nonprod network in " + region + " is on its way")
	choose(asks, "service", service)
	asks.fill("Port", "8080")
	asks.fill("HealthCheckPath", "/healthz")
	order := asks.asks("Make the plan")
	asks.state("Planning")
	asks.sees("Open what it waits for") // the network, which nobody has approved
	asks.shot("waits")
	asks.orderOf("static-site", region, site)
	second := asks.asks("Make the plan")

	newVisitor(t, a, desk).signIn("approver").approves(network)
	asks.watches(network)
	asks.inTree("Vpc", "Created")
	asks.state("Succeeded")
	asks.ends(made)

	owner := newVisitor(t, a, desk).signIn("owner")
	asks.open(order)
	asks.state("Awaiting approval") // by itself, now that its network is there
	seen := asks.planHash()
	if approved := owner.approves(order); approved != seen {
		t.Errorf("the owner approved plan %s, the developer saw %s", approved, seen)
	}
	asks.watches(order)
	asks.inTree("LoadBalancer", "Created") // the stream brings it
	asks.state("Succeeded")
	asks.shot("run")
	owner.approves(second)
	asks.ends(second)
	looksAtIt(asks, web, site)
	deploysTo(asks, account, region, service, web)
}

// looksAtIt reads the pages of what was made.
func looksAtIt(v *visitor, web, site string) {
	v.t.Helper()
	v.open(env(site))
	v.state("Ready")
	v.ok(v.must.Locator(v.within("outputs")).ToContainText("cloudfront.net"))
	v.ok(v.must.Locator(v.within("outputs")).ToContainText("slw-" + home + "-env-" + site))
	v.open(env(web))
	v.state("Waits for an image")
	v.ok(v.must.Locator(v.within("first")).ToContainText("docker push"))
	v.ok(v.must.Locator(v.within("outputs").GetByRole("link").First()).ToHaveAttribute("href", "https://"+web+"."+home+"-nonprod.apps.example.com"))
	v.ok(v.must.Locator(v.within("resources")).ToContainText("CertificateManager::Certificate"))
	v.ok(v.must.Locator(v.within("secrets")).ToContainText("No value yet"))
	v.shot("waiting for an image")
	if states := stackOf(v.t, v.app, "slw-"+home+"-env-"+web); strings.Join(states, " ") != "CREATE_COMPLETE" {
		v.t.Errorf("stacks of %s: %v", web, states)
	}
}

// deploysTo pushes an image and deploys it by its digest, which in dev needs nobody.
func deploysTo(v *visitor, account, region, service, web string) {
	v.t.Helper()
	var pushed struct{ Digest, Image string }
	simulate(v.t, v.app, http.MethodPost, "/images", map[string]string{"account": account, "region": region, "name": "slw-" + home + "/" + service, "key": "first"}, &pushed)
	v.open(env(web))
	v.click("link", "Deploy an image")
	v.fill("image", pushed.Digest)
	v.ends(v.asks("Plan the deployment"))
	v.open(env(web))
	v.state("Ready")
	v.ok(v.must.Locator(v.within("first")).ToHaveCount(0))
	res, err := http.Get(v.app.sim + "/_slipway/things?" + url.Values{"account": {account}, "region": {region}}.Encode())
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(page), "slw-"+home+"-env-"+web+": "+service+": 1 of 1 tasks run") {
		v.t.Errorf("its task does not run: %v\n%s", err, clip(string(page), 3000))
	}
	v.shot("deployed")
}
