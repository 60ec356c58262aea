package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"slipway/dev/idp"
	"slipway/views/urls"
)

// run is one run of a workflow of GitHub, as the demo's issuer signs for it.
type run struct {
	t       *testing.T
	app     *app
	sha, id string
}

// token mints one token for a job, as the address inside of a run does.
func (r run) token(environment string) string {
	r.t.Helper()
	q := url.Values{"audience": {r.app.url}, "repository": {"acme/flow"}, "repository_id": {"700100777"}, "owner_id": {"900100"}, "ref": {"refs/heads/main"}, "sha": {r.sha}, "run_id": {r.id}}
	if environment != "" {
		q.Set("environment", environment)
	}
	res, err := http.Get(r.app.url + "/dev/github/token?" + q.Encode())
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var made struct{ Value string }
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || made.Value == "" {
		r.t.Fatalf("no token: %s %v", res.Status, err)
	}
	return made.Value
}

// says makes one call with a token, which Slipway has to answer by that status.
func (r run) says(path, token string, body any, status int) idp.Answer {
	r.t.Helper()
	a, err := idp.Send(r.t.Context(), r.app.url+path, token, body)
	if err != nil || a.Status != status {
		r.t.Fatalf("%s: %d %v, %v; want %d", path, a.Status, a.Body, err, status)
	}
	return a
}

// TestWorkflowStory orders a pipeline of GitHub Actions by form, reads its workflow file, and plays a run of it: a build, what a check
// found, a promotion that is asked for and waited for. No token counts twice.
func TestWorkflowStory(t *testing.T) {
	t.Parallel()
	a := sharedApp(t)
	account := furnished(t, a)
	const service, stage, pipeline = "flow-api", "flow-dev", "story-flow"
	asks, owner := newVisitor(t, a, desk).signIn("developer"), newVisitor(t, a, desk).signIn("owner")
	serves(asks, map[string]*visitor{"dev": owner}, service, map[string]string{stage: "dev"})
	ordersFlow(asks, owner, service, stage, pipeline)

	var image struct{ Digest string }
	simulate(t, a, http.MethodPost, "/images", map[string]string{"account": account, "region": deliveryRegion, "name": "slw-" + home + "/" + service, "key": "flow"}, &image)
	r := run{t, a, strings.Repeat("4b1d", 10), "90210"}
	build := map[string]any{"pipeline": home + "/" + pipeline, "digest": image.Digest, "result": "pass", "message": "Sort by price", "author": "Ada Demo"}
	used := r.token("")
	r.says(urls.CIBuilds, used, build, http.StatusCreated)
	if again := r.says(urls.CIBuilds, used, build, http.StatusUnauthorized); again.Text("error") == "" {
		t.Error("a token that was used before is refused without a word")
	}
	promotion := map[string]any{"pipeline": home + "/" + pipeline, "digest": image.Digest, "environment": stage}
	asked := r.says(urls.CIPromotions, r.token(stage), promotion, http.StatusAccepted)
	asks.open(line(pipeline))
	asks.ok(asks.must.Locator(asks.within("executions")).ToContainText("Sort by price"))
	asks.boxSays(stage, "A gate blocks it") // the evidence is not there yet
	asks.opensPromotion(stage)
	asks.ok(asks.must.Locator(asks.page.Locator("#gate-static-analysis")).ToContainText("Waiting"))

	r.says(urls.CIEvidence, r.token(""), map[string]any{"pipeline": home + "/" + pipeline, "digest": image.Digest, "gate": "static-analysis", "result": "pass", "words": "No finding in 214 files.",
		"url": "https://ci.example.com/90210", "file": map[string]any{"name": "report.txt", "type": "text/plain", "content": "bm90aGluZyBmb3VuZAo="}}, http.StatusCreated)
	eventually(t, "the promotion to end", patience, func() (bool, string) {
		now := r.says("/api/v1/ci/promotions/"+asked.Text("id"), r.token(stage), nil, http.StatusOK)
		return now.Body["ended"] == true && now.Text("state") == "succeeded", fmt.Sprint(now.Body)
	})
	asks.state("Runs there") // the page asked for itself
	asks.ok(asks.must.Locator(asks.page.Locator("#gate-static-analysis")).ToContainText("No finding in 214 files."))
	asks.sees("report.txt")
	asks.twoLooks("promotion")
	asks.open(line(pipeline))
	asks.boxSays(stage, "Runs", r.sha[:8])
	asks.twoLooks("pipeline")
	asks.open(line(pipeline) + "/executions/1")
	asks.sees("Sort by price")
	asks.twoLooks("execution")
}

// ordersFlow fills the form in, numbers included, and reads the workflow file on the page of what was made.
func ordersFlow(asks, owner *visitor, service, stage, pipeline string) {
	asks.t.Helper()
	asks.open("/pipelines/new?tenant=" + home + "&kind=github-actions&service=" + service)
	asks.fill("name", pipeline)
	asks.fill("repository", "acme/flow")
	asks.fill("branch", "main")
	choose(asks, "stage-1-environment", stage)
	asks.ok(asks.page.Locator("[name=stage-1-automatic]").Check())
	asks.ok(asks.page.Locator("[name=stage-1-gates][value=static-analysis]").Check())
	asks.click("button", "Make the plan")
	asks.ok(asks.must.Locator(asks.page.Locator("#repository_id[aria-invalid=true]")).ToHaveCount(1)) // names alone are not enough
	asks.ok(asks.must.Locator(asks.page.Locator("#pipeline-form")).ToContainText("gh api repos/acme/flow --jq .id"))
	asks.fill("repository_id", "700100777")
	asks.fill("owner_id", "900100")
	asks.twoLooks("form")
	order := asks.asks("Make the plan")
	asks.state("Awaiting approval")
	asks.twoLooks("plan")
	owner.approves(order)
	asks.ends(order)
	asks.open(line(pipeline))
	file := asks.page.Locator("#workflow-text")
	for _, part := range []string{"id-token: write", "promote-" + stage, asks.app.url} {
		asks.ok(asks.must.Locator(file).ToContainText(part))
	}
	saved, err := asks.page.Request().Get(asks.app.url + line(pipeline) + "/workflow")
	asks.ok(err)
	text, err := saved.Text()
	asks.ok(err)
	shown, err := file.TextContent()
	asks.ok(err)
	if text != shown || saved.Status() != http.StatusOK {
		asks.t.Errorf("the saved workflow file is not the one that is shown: %d", saved.Status())
	}
}
