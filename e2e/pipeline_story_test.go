package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
)

const (
	storyLine, storyDev, storyProd = "story-line", "line-dev", "line-prod"
	storyRepository                = "acme/line"
)

// TestPipelineStory orders a connection and a pipeline by form, finishes the handshake at AWS, and leads two images through it to production:
// the first by rule and by the queue, the second past a gate that an owner waives; then takes the second back.
func TestPipelineStory(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	account := furnished(t, a)
	const service, connection = "line-api", "story-host"
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	platform := newVisitor(t, a, desk).signIn("approver") // whom the shipped rules ask about production
	asks.open("/tenants/" + home + "/networks/new?class=prod&region=us-east-1")
	network := asks.asks("Plan the network")
	platform.approves(network)
	asks.ends(network)
	serves(asks, map[string]*visitor{"dev": owner, "prod": platform}, service, map[string]string{storyDev: "dev", storyProd: "prod"})

	handshake(asks, owner, account, connection)
	ordersLine(asks, owner, platform, service, connection)
	asks.open(line(storyLine))
	asks.ok(asks.must.Locator(asks.within("executions")).ToContainText("#1"))
	asks.boxSays(storyProd, "Decide in the queue") // the execution that CodePipeline began by itself is there by now
	readsFirst(asks)

	first := platform.decidesInQueue(storyProd)
	platform.sees("Image scan")
	platform.twoLooks("promotion's request")
	platform.approves(first)
	asks.ends(first)
	asks.open(line(storyLine))
	asks.boxSays(storyProd, "Runs")
	newVisitor(t, a, desk).signIn("admin").collects() // only what was seen healthy is rolled back to

	simulate(t, a, http.MethodPost, "/images/next", map[string]string{"account": account, "region": deliveryRegion, "name": "slw-" + home + "/" + service, "value": "critical"}, nil)
	asks.ok(asks.must.Locator(asks.page.Locator("[sse-connect]")).ToHaveCount(1))
	second := push(asks, storyRepository, "Take cards without a number")
	asks.boxSays(storyDev, second.short()) // by the stream, and by a rule: nobody was asked
	waives(asks, owner, platform, second)
	backAgain(asks, owner, service, second)
}

// handshake orders a connection and finishes it as a person does in AWS's console.
func handshake(asks, owner *visitor, account, connection string) {
	asks.t.Helper()
	asks.open("/tenants/" + home + "/connections/new")
	asks.ok(asks.page.Locator("[name=provider][value=GitHub]").Check())
	asks.fill("name", connection)
	order := asks.asks("Ask for the connection")
	owner.approves(order)
	asks.watches(order)
	asks.sees("Finish the connection in AWS") // the step that waits for a person, with words and link
	asks.sees("choose Update pending connection")
	asks.twoLooks("handshake")
	asks.open("/tenants/" + home + "/connections/" + connection)
	asks.sees("A person must finish it at AWS")
	asks.twoLooks("connection pending")
	simulate(asks.t, asks.app, http.MethodPut, "/connections", map[string]string{"account": account, "region": deliveryRegion, "name": "slw-" + connection, "value": "AVAILABLE", "author": "Mina Vogel"}, nil)
	asks.state("Available") // the page asks for itself
	asks.ends(order)
}

// ordersLine fills the pipeline's form in and has its plan approved.
func ordersLine(asks, owner, platform *visitor, service, connection string) {
	asks.t.Helper()
	asks.open("/pipelines/new?tenant=" + home + "&kind=codepipeline&service=" + service + "&connection=" + connection)
	asks.fill("name", storyLine)
	asks.fill("repository", storyRepository)
	asks.fill("branch", "main")
	choose(asks, "stage-1-environment", storyDev)
	asks.ok(asks.page.Locator("[name=stage-1-automatic]").Check())
	asks.ok(asks.page.Locator("[name=stage-1-gates][value=image-scan]").Uncheck())
	asks.click("button", "Another stage")
	asks.ok(asks.page.Locator("select[name=stage-2-environment]").WaitFor())
	choose(asks, "stage-2-environment", storyProd)
	asks.ok(asks.must.Locator(asks.page.Locator("[name=stage-1-automatic]")).ToBeChecked()) // nothing typed is lost
	asks.twoLooks("pipeline's form")
	order := asks.asks("Make the plan")
	asks.state("Awaiting approval")
	asks.sees("AWS::CodePipeline::Pipeline")
	asks.sees("Monthly cost")
	asks.twoLooks("pipeline's plan")
	owner.approvesOne(order) // its gates are the owner's matter, the way to production is the platform team's, too
	platform.approves(order)
	asks.ends(order)
}

// readsFirst looks at the execution that CodePipeline started by itself, and at its build's log.
func readsFirst(v *visitor) {
	v.t.Helper()
	v.twoLooks("pipeline")
	v.open(line(storyLine) + "/executions/1")
	v.sees("CodePipeline started this one by itself")
	v.ok(v.must.Locator(v.within("stages")).ToContainText(storyProd))
	v.twoLooks("execution")
	v.ok(v.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Log of Build"}).First().Click())
	v.sees("The log ends here.")
	v.ok(v.page.Locator("#log-lines li a").First().Click()) // each line has an address
	v.ok(v.page.WaitForURL(regexp.MustCompile(`#L?\w+$`)))
	v.twoLooks("log")
}

// waives reads why the second image does not go on, lets the gate pass for a day, and has the promotion approved.
func waives(asks, owner, platform *visitor, second pushed) {
	asks.t.Helper()
	asks.boxSays(storyProd, "A gate blocks it")
	asks.twoLooks("pipeline blocked")
	owner.open(line(storyLine))
	promotion := owner.opensPromotion(storyProd)
	owner.state("A gate blocks it")
	scan := owner.page.Locator("#gate-image-scan")
	owner.ok(owner.must.Locator(scan).ToContainText(regexp.MustCompile(`[1-9] critical \(0 allowed\)`))) // with the numbers
	owner.twoLooks("promotion blocked")
	asks.open(promotion)
	if n := asks.count(asks.page.Locator("#gate-image-scan a[href*='/waive']")); n != 0 {
		asks.t.Error("a developer is offered to waive a gate")
	}
	owner.ok(scan.GetByRole("link").Filter(playwright.LocatorFilterOptions{HasText: "Waive"}).First().Click())
	owner.fill("reason", "The weakness is in a tool that is not run; a new base image comes tomorrow.")
	owner.fill("until", time.Now().UTC().Add(24*time.Hour).Format("2006-01-02T15:04"))
	owner.click("button", "Waive the gate")
	owner.ok(owner.page.WaitForURL(func(u string) bool { return !strings.Contains(u, "/waive") }))
	owner.open(promotion)
	owner.state("Requested") // it goes on by itself
	owner.ok(owner.must.Locator(scan).ToContainText("Waived by"))
	owner.twoLooks("promotion waived")
	request := platform.decidesInQueue(storyProd)
	platform.sees("gates of this promotion are waived") // the shipped rule warns
	platform.approves(request)
	asks.ends(request)
	asks.open(promotion)
	asks.state("Runs there")
	asks.open(line(storyLine))
	asks.boxSays(storyProd, second.short())
	asks.ok(asks.must.Locator(asks.within("executions").Locator("tbody tr").First()).ToContainText("Succeeded"))
	asks.twoLooks("pipeline green")
}

// backAgain rolls the later stage back with one button, and reads what runs where.
func backAgain(asks, owner *visitor, service string, second pushed) {
	asks.t.Helper()
	asks.ok(asks.box(storyProd).GetByRole("link").Filter(playwright.LocatorFilterOptions{HasText: "Roll back"}).First().Click())
	asks.click("button", "Roll back")
	asks.ok(asks.page.WaitForURL(promotionURL))
	asks.state("Runs there") // a shipped rule approved it
	asks.twoLooks("rolled back")
	asks.open(line(storyLine))
	asks.ok(asks.must.Locator(asks.box(storyProd)).Not().ToContainText(second.short()))
	asks.open("/tenants/" + home + "/where")
	row := asks.page.Locator("tbody tr").Filter(playwright.LocatorFilterOptions{HasText: service})
	asks.ok(asks.must.Locator(row.First()).ToContainText(second.short())) // in dev
	asks.ok(asks.must.Locator(row.First()).ToContainText(storyProd))
	asks.twoLooks("what is where")
	asks.open("/tenants/" + home + "/services/" + service)
	asks.ok(asks.must.Locator(asks.page.Locator("main")).ToContainText(storyProd))
	asks.twoLooks("service")
	owner.open("/pipelines?q=" + storyLine)
	owner.ok(owner.must.Locator(owner.page.Locator("tbody tr").First()).ToContainText(second.short()))
	owner.twoLooks("pipelines")
}

// pushed is what a push to a repository was and started.
type pushed struct{ Commit string }

func (p pushed) short() string { return p.Commit[:8] }

func push(v *visitor, repository, message string) pushed {
	v.t.Helper()
	var p pushed
	simulate(v.t, v.app, http.MethodPost, "/commits", map[string]any{"name": repository, "key": "main", "value": message, "author": "Ada Demo"}, &p)
	if len(p.Commit) < 8 {
		v.t.Fatalf("the push has no commit: %+v", p)
	}
	return p
}

// decidesInQueue takes a stage's request from the queue, where it is like every other, and gives its path.
func (v *visitor) decidesInQueue(environment string) string {
	v.t.Helper()
	v.open("/approvals?q=" + environment)
	v.sees("Brings sha256:") // what comes for what, before anything is opened
	v.ok(v.page.Locator("main a[href^='/requests/']").First().Click())
	v.ok(v.page.WaitForURL(requestURL))
	path := strings.TrimPrefix(v.page.URL(), v.app.url)
	v.state("Awaiting approval")
	return path
}
