package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCrashWalkEnvironment leads a web service from its order through an upgrade to its deletion, and kills the server at every named
// point of each of the three, each once. Tenant, network and service come up before, without a kill.
func TestCrashWalkEnvironment(t *testing.T) {
	t.Parallel()
	const slug, service, name = "walk-estate", "walk-service", "walked"
	e := newEstate(t, 500)
	still := func() {}
	for _, ground := range []errand{e.tenant(slug), e.network(slug), e.service(slug, service)} {
		e.carry(ground, still)
	}
	e.newest(false)
	e.walk(e.environment(slug, name, service))
	e.newest(true)
	e.compareStacks(slug)
	e.walk(e.upgrade(slug, name))
	if v := e.ask(`SELECT version FROM stacks s JOIN environments n ON n.id = s.object_id WHERE n.name = $1`, name); v != "1.1.0" {
		t.Errorf("the environment is of version %s, want 1.1.0", v)
	}
	e.compareStacks(slug)
	e.walk(e.deletion(slug, name))
	e.compareStacks(slug)
	if n := e.ask(`SELECT count(*)::text FROM environments WHERE name = $1 AND state = 'deleted'`, name); n != "1" {
		t.Errorf("%s deleted environments, want 1", n)
	}
}

// walk carries one errand while the server dies at each of its points.
func (e *estate) walk(x errand) {
	e.t.Helper()
	points := filepath.Join(e.t.TempDir(), "points")
	crashes := 0
	e.kill()
	dies := []string{"SLIPWAY_CRASH_LOG=" + points, "SLIPWAY_CRASH_KINDS=plan,run"}
	e.start(dies...)
	e.carry(x, func() {
		if e.restart(dies...) {
			crashes++
		}
	})
	want := []string{"plan·plan·after-intent-commit", "plan·plan·after-aws-call", "plan·plan·after-outcome-commit"}
	for _, step := range strings.Fields(e.ask(`SELECT string_agg(s.name, ' ') FROM steps s JOIN requests q ON q.run_id = s.run_id WHERE q.kind = $1 AND q.idempotency_key = $2`, x.kind, x.key)) {
		want = append(want, "run·"+step+"·after-outcome-commit")
		if strings.HasSuffix(step, ".stack") || strings.HasSuffix(step, ".remove") {
			want = append(want, "run·"+step+"·after-intent-commit", "run·"+step+"·after-aws-call")
		}
	}
	var hit []string
	eventually(e.t, "the walk of "+x.kind+" to come by "+strings.Join(want, ", "), patience, func() (bool, string) {
		hit = lines(points) // the last outcome is seen before the server dies of it
		return !slices.ContainsFunc(want, func(point string) bool { return !slices.Contains(hit, point) }), strings.Join(hit, "\n")
	})
	e.t.Logf("%s: %d crashes, %d points:\n%s", x.kind, crashes, len(hit), strings.Join(hit, "\n"))
	if !e.server.ended() {
		e.kill()
	}
	e.start()
	e.answers(e.public + "/healthz")
}
