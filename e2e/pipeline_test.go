package e2e

import (
	"regexp"
	"strings"

	"github.com/playwright-community/playwright-go"
)

// deliveryRegion is the home region: services, connections and pipelines are made there.
const deliveryRegion = "eu-west-1"

// line is the path of a pipeline's page.
func line(name string) string { return "/tenants/" + home + "/pipelines/" + name }

// twoLooks judges the page as it stands at both ends: wide and light, narrow and dark.
func (v *visitor) twoLooks(name string) {
	v.t.Helper()
	v.judged(playwright.ColorSchemeDark, 360, everyRule, name, name)
	v.judged(playwright.ColorSchemeLight, desk.width, everyRule, name, name)
}

// serves orders a service and the environments that run it, one in each stage, and has them approved by whom the rules name.
func serves(asks *visitor, judges map[string]*visitor, service string, stages map[string]string) {
	asks.t.Helper()
	asks.open("/tenants/" + home + "/services/new")
	asks.fill("name", service)
	asks.asks("Ask for the service") // the shipped rule approves it; what needs it waits
	orders := map[string]string{}
	for name, stage := range stages {
		asks.open("/environments/new?tenant=" + home + "&blueprint=ecs-web-service&stage=" + stage + "&region=us-east-1")
		asks.fill("name", name)
		choose(asks, "service", service)
		asks.fill("Port", "8080")
		asks.fill("HealthCheckPath", "/healthz")
		orders[stage] = asks.asks("Make the plan")
	}
	for stage, path := range orders {
		judges[stage].approves(path)
	}
	for _, path := range orders {
		asks.ends(path)
	}
}

// box is a stage on the pipeline's page.
func (v *visitor) box(environment string) playwright.Locator {
	return v.page.Locator("#stage-" + environment)
}

// boxSays waits until the stream, or the page's own question, has brought words into a stage's box.
func (v *visitor) boxSays(environment string, words ...string) {
	v.t.Helper()
	for _, w := range words {
		v.ok(v.must.Locator(v.box(environment)).ToContainText(w))
	}
}

var promotionURL = regexp.MustCompile(`/promotions/[0-9a-f-]{36}$`)

// opensPromotion follows a stage's box to the promotion that waits there.
func (v *visitor) opensPromotion(environment string) string {
	v.t.Helper()
	v.ok(v.box(environment).Locator(".s-box-wait a").First().Click())
	v.ok(v.page.WaitForURL(promotionURL))
	return strings.TrimPrefix(v.page.URL(), v.app.url)
}
