package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCrashWalkPipeline makes a pipeline and leads one push through it, to the answer that CodePipeline waits for; and kills the server
// at every named point of both, each once. Connection and environment come up before, without a kill, and so does the image that
// CodePipeline builds by itself once the pipeline is made.
func TestCrashWalkPipeline(t *testing.T) {
	t.Parallel()
	const slug, service, name, pipeline, repository = "walk-line", "walk-api", "line-dev", "walked", "acme/walked"
	e := newEstate(t, 500)
	still := func() {}
	for _, ground := range []errand{e.tenant(slug), e.network(slug), e.service(slug, service), e.environment(slug, name, service)} {
		e.carry(ground, still)
	}
	e.carry(e.connection(slug, "host"), e.shakesHands(slug, "host"))
	e.walk(e.pipeline(slug, pipeline, service, "host", repository, name))
	e.compareStacks(slug)

	e.promoted(1, still)
	points := filepath.Join(t.TempDir(), "points")
	e.kill()
	dies := []string{"SLIPWAY_CRASH_LOG=" + points, "SLIPWAY_CRASH_KINDS=watch,promote,plan,run"}
	e.start(dies...)
	e.answers(e.sim + "/_slipway/world")
	simulate(t, &app{sim: e.sim}, http.MethodPost, "/commits", map[string]any{"name": repository, "key": "main", "value": "Walk on", "author": "Ada Demo"}, nil)
	crashes := 0
	e.promoted(2, func() {
		if e.restart(dies...) {
			crashes++
		}
	})
	e.cameBy(points, crashes, dies)
	e.compareDelivery(slug, pipeline)
	e.compareStacks(slug)
}

// cameBy waits until the walk of a promotion has died at all of its points, and goes on without one.
func (e *estate) cameBy(points string, crashes int, dies []string) {
	e.t.Helper()
	want := []string{"plan·plan·after-intent-commit", "plan·plan·after-aws-call", "plan·plan·after-outcome-commit"}
	for _, step := range []string{"watch·read", "promote·lead", "promote·scan", "promote·answer"} {
		want = append(want, step+"·after-aws-call", step+"·after-outcome-commit")
	}
	for _, step := range strings.Fields(e.ask(`SELECT string_agg(s.name, ' ') FROM steps s JOIN requests q ON q.run_id = s.run_id JOIN promotions p ON p.request_id = q.id
		JOIN pipeline_executions x ON x.id = p.execution_id WHERE x.number = 2`)) {
		want = append(want, "run·"+step+"·after-outcome-commit")
	}
	var hit []string
	eventually(e.t, "the walk of a promotion to come by "+strings.Join(want, ", "), patience, func() (bool, string) {
		e.restart(dies...)
		hit = lines(points)
		return !slices.ContainsFunc(want, func(point string) bool { return !slices.Contains(hit, point) }), strings.Join(hit, "\n")
	})
	e.t.Logf("promotion: %d crashes, %d points:\n%s", crashes, len(hit), strings.Join(hit, "\n"))
	if !e.server.ended() {
		e.kill()
	}
	e.start()
	e.answers(e.public + "/healthz")
}

// promoted leads the promotion of an execution to its end, with the approval that it needs; tick may kill.
func (e *estate) promoted(execution int, tick func()) {
	e.t.Helper()
	column := func(what string) string {
		return e.ask(`SELECT `+what+` FROM promotions p JOIN pipeline_executions x ON x.id = p.execution_id LEFT JOIN requests q ON q.id = p.request_id WHERE x.number = $1`, execution)
	}
	deadline := time.Now().Add(walkTime)
	for state := ""; state != "succeeded sent"; state = column(`p.state || ' ' || p.answer`) {
		if time.Now().After(deadline) {
			e.t.Fatalf("the promotion of execution %d is %q after %s: %s\n%s", execution, state, walkTime, column(`p.reason || ' ' || coalesce(q.state, 'no request') || ' ' || coalesce(q.reason, '')`),
				e.ask(`SELECT string_agg(number || ' ' || state || ' ' || stages::text, E'\n') FROM pipeline_executions`))
		}
		tick()
		if column(`q.state`) == "awaiting_approval" {
			e.decides().tryApprove(column(`q.id::text`))
		}
		if slices.ContainsFunc([]string{"failed", "rejected", "superseded"}, func(end string) bool { return strings.HasPrefix(state, end) }) {
			e.t.Fatalf("the promotion of execution %d is %s: %s", execution, state, column(`p.reason`))
		}
		e.pause()
	}
}

// compareDelivery holds what came of two executions: one promotion, one request, one deployment and one answer of each, and nothing open.
func (e *estate) compareDelivery(slug, pipeline string) {
	e.t.Helper()
	eventually(e.t, "both executions to be read as ended", patience, func() (bool, string) {
		e.restart()
		seen := e.ask(`SELECT string_agg(number || ' ' || state, ', ' ORDER BY number) FROM pipeline_executions`)
		return seen == "1 succeeded, 2 succeeded", seen
	})
	for what, sql := range map[string]string{
		"promotions":             `SELECT count(*) || ' ' || count(DISTINCT execution_id) || ' ' || count(DISTINCT request_id) FROM promotions WHERE state = 'succeeded' AND answer = 'sent' AND answered_at IS NOT NULL`,
		"all promotions":         `SELECT count(*) || ' ' || count(DISTINCT execution_id) || ' ' || count(DISTINCT image) FROM promotions`,
		"requests of deployment": `SELECT count(*) || ' ' || count(run_id) || ' ' || count(*) FILTER (WHERE state = 'succeeded') FROM requests WHERE kind = 'environment.deploy'`,
		"deployments":            `SELECT count(*) || ' ' || count(DISTINCT promotion_id) || ' ' || count(*) FILTER (WHERE succeeded) FROM deployments`,
		"builds":                 `SELECT count(*) || ' ' || count(DISTINCT execution_id) || ' ' || count(*) FILTER (WHERE passed) FROM builds`,
	} {
		if n := e.ask(sql); n != "2 2 2" {
			e.t.Errorf("%s: %s, want 2 of each", what, n)
		}
	}
	if left := e.ask(`SELECT string_agg(kind || ' ' || object_id, ' ') FROM journal WHERE kind = 'promote' AND NOT done`); left != "" {
		e.t.Errorf("promotions are still led: %s", left)
	}
	if runs := e.ask(`SELECT CASE WHEN d.image <> p.image THEN d.image || ' is not ' || p.image END FROM deployments d JOIN promotions p ON p.id = d.promotion_id ORDER BY d.ended_at DESC LIMIT 1`); runs != "" {
		e.t.Errorf("pipeline %s/%s: %s", slug, pipeline, runs)
	}
}

func (e *estate) connection(slug, name string) errand {
	form := url.Values{"provider": {"GitHub"}, "name": {name}}
	return errand{"connection.create", "connection-" + name, func(key string) { e.asks().trySend("/tenants/"+slug+"/connections/new", `name="provider"`, key, form) }, e.decides}
}

// shakesHands is the person who finishes the connection in AWS's console, once.
func (e *estate) shakesHands(slug, name string) func() {
	done := false
	return func() {
		if !done && e.ask(`SELECT status FROM connections WHERE name = $1`, name) == "PENDING" {
			account := e.ask(`SELECT a.aws_id FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = $1`, slug)
			simulate(e.t.(*testing.T), &app{sim: e.sim}, http.MethodPut, "/connections", map[string]string{"account": account, "region": estateRegion, "name": "slw-" + name, "value": "AVAILABLE"}, nil)
			done = true
		}
	}
}

func (e *estate) pipeline(slug, name, service, connection, repository string, stages ...string) errand {
	query := url.Values{"tenant": {slug}, "kind": {"codepipeline"}, "service": {service}, "connection": {connection}}
	form := url.Values{"tenant": {slug}, "kind": {"codepipeline"}, "service": {service}, "connection": {connection}, "name": {name}, "source": {"connection"}, "repository": {repository}, "branch": {"main"}, "do": {"plan"},
		"ComputeSize": {"small"}, "Architecture": {"ARM64"}}
	for i, environment := range stages {
		at := fmt.Sprintf("stage-%d-", i+1)
		form[at+"environment"], form[at+"gates"], form[at+"critical"], form[at+"high"], form[at+"hours"] = []string{environment}, []string{"build", "lint", "guard", "image-scan"}, []string{"0"}, []string{"0"}, []string{"168"}
	}
	return errand{"pipeline.create", "pipeline-" + name, func(key string) { e.asks().trySend("/pipelines/new?"+query.Encode(), `name="repository"`, key, form) }, e.decides}
}
