package delivery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// TestFromPushToGreenStage: an execution waits, Slipway leads the promotion, and CodePipeline is told once the image runs, and only then.
func TestFromPushToGreenStage(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	key := x.pushes(1, "shop-dev")
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'succeeded' AND answer = 'sent'`)
	if x.cloud.deployed != 1 || !slices.Equal(x.cloud.answers[key], []bool{true}) {
		t.Errorf("deployed %d times, answered %v", x.cloud.deployed, x.cloud.answers)
	}
	if s := x.cloud.summaries[0]; !strings.Contains(s, "https://slipway.test/requests/") || !strings.Contains(s, "has deployed it") {
		t.Errorf("CodePipeline was told %q", s)
	}
	if n := get[int](x, `SELECT count(*) FROM pipeline_executions`); n != 2 {
		t.Errorf("%d executions, want 2", n)
	}
	if get[int](x, `SELECT number FROM pipeline_executions WHERE external_id = 'execution-1'`) == get[int](x, `SELECT number FROM pipeline_executions WHERE external_id = 'older'`) {
		t.Error("two executions have one number")
	}
	if n := get[int](x, `SELECT count(*) FROM deployments WHERE succeeded AND image = $1`, images+"@"+digest(1)); n != 1 {
		t.Errorf("%d deployments, want 1", n)
	}
}

// TestKilledAnywhere dies at every point of watching and promoting: nothing is doubled, nothing lost.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	points := map[string]bool{}
	x.dies(points)
	key := x.pushes(1, "shop-dev")
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'succeeded' AND answer IN ('sent', 'gone')`)
	for _, want := range []string{"watch read after-aws-call", "watch read after-outcome-commit", "promote scan after-aws-call", "promote scan after-outcome-commit", "promote lead after-aws-call",
		"promote lead after-outcome-commit", "promote answer after-aws-call", "promote answer after-outcome-commit"} {
		if !points[want] {
			t.Errorf("point %q was never reached", want)
		}
	}
	if x.cloud.deployed != 1 || !slices.Equal(x.cloud.answers[key], []bool{true}) {
		t.Errorf("deployed %d times, answered %v", x.cloud.deployed, x.cloud.answers)
	}
	for table, want := range map[string]int{"promotions": 1, "deployments": 1, "builds": 1, "pipeline_executions": 2} {
		if n := get[int](x, `SELECT count(*) FROM `+table); n != want {
			t.Errorf("%d rows in %s, want %d", n, table, want)
		}
	}
	if n := get[int](x, `SELECT count(*) FROM requests WHERE kind = 'environment.deploy'`); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if got := get[string](x, `SELECT answer FROM promotions`); got != "sent" {
		t.Errorf("after an answer that a crash hid it is %q, want sent", got)
	}
}

// TestRejectedWhenItFails: CodePipeline is told Rejected with the run's address when the run failed.
func TestRejectedWhenItFails(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	x.breaks = true
	key := x.pushes(1, "shop-dev")
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'failed' AND answer = 'sent'`)
	if !slices.Equal(x.cloud.answers[key], []bool{false}) || !strings.Contains(x.cloud.summaries[0], "https://slipway.test/requests/") {
		t.Errorf("answered %v: %q", x.cloud.answers, x.cloud.summaries)
	}
	if n := get[int](x, `SELECT count(*) FROM deployments WHERE NOT succeeded`); n != 1 {
		t.Errorf("%d failed deployments, want 1", n)
	}
}

// TestTokenThatWasUsed: somebody answered in AWS's console while the promotion waited. It is read anew, said, and not failed.
func TestTokenThatWasUsed(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	key := x.pushes(1, "shop-prod") // waits for a platform admin
	x.until(`SELECT count(*) = 1 FROM requests WHERE kind = 'environment.deploy' AND state = 'awaiting_approval'`)
	x.cloud.mu.Lock()
	delete(x.cloud.waiting, key)
	x.cloud.mu.Unlock()
	x.exec(`UPDATE pipelines SET read_due = now()`)
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'superseded' AND answer = 'gone' AND reason LIKE '%does not wait%'`)
	if s := get[string](x, `SELECT state FROM requests WHERE kind = 'environment.deploy'`); s != string(models.Cancelled) {
		t.Errorf("its request is %s", s)
	}
	if len(x.cloud.answers[key]) != 0 || x.cloud.deployed != 0 {
		t.Errorf("answered %v, deployed %d", x.cloud.answers, x.cloud.deployed)
	}
}

// TestScanByDigestOnly: a gate that fails blocks; ECR is asked about digests alone, and what it says of another image is no answer.
func TestScanByDigestOnly(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	x.pushes(1, "shop-dev")
	x.cloud.scans[digest(1)] = models.ImageScan{Digest: digest(2), State: models.ScanComplete}
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'blocked' AND reason LIKE 'Image scan%'`)
	if s := get[string](x, `SELECT state FROM image_scans WHERE digest = $1`, digest(1)); s != string(models.ScanUnreadable) {
		t.Errorf("kept as %s", s)
	}
	for _, d := range x.cloud.asked {
		if d != digest(1) {
			t.Errorf("ECR was asked about %s", d)
		}
	}
	x.exec(`UPDATE image_scans SET read_at = read_at - interval '1 minute'`)
	x.cloud.mu.Lock()
	x.cloud.scans[digest(1)] = models.ImageScan{Digest: digest(1), State: models.ScanComplete, Counts: map[models.Severity]int{models.Critical: 3}}
	x.cloud.mu.Unlock()
	x.until(`SELECT count(*) = 1 FROM promotions WHERE state = 'blocked' AND reason LIKE '%3 critical (0 allowed)%'`)
}

// TestOrders: what a person asked is done once, and what AWS refuses is said.
func TestOrders(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	x.pushes(1, "shop-prod")
	x.until(`SELECT count(*) = 2 FROM pipeline_executions`)
	points := map[string]bool{}
	x.dies(points)
	first, err := x.store.OrderExecution(t.Context(), x.admin, "payments", "shop", "start", "", "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := x.store.OrderExecution(t.Context(), x.admin, "payments", "shop", "start", "", "")
	if err != nil || again.ID != first.ID {
		t.Errorf("asked twice: %s and %s, %v", first.ID, again.ID, err)
	}
	x.until(`SELECT count(*) = 1 FROM pipeline_orders WHERE done_at IS NOT NULL AND failure = ''`)
	if len(x.cloud.steered) != 1 || !points["watch start after-aws-call"] {
		t.Errorf("steered %v, died at %v", x.cloud.steered, points)
	}
	x.exec(`INSERT INTO pipeline_orders (id, pipeline_id, tenant_id, verb, stage, person_id, asked_at) SELECT gen_random_uuid(), id, tenant_id, 'retry', 'refused', $1, now() FROM pipelines`, x.admin.Person.ID)
	x.exec(`UPDATE pipelines SET read_due = now()`)
	x.until(`SELECT count(*) = 1 FROM pipeline_orders WHERE failure = 'AWS refuses'`)
}

// TestReadingThatFails: the last executions stay, and the page says why they are old.
func TestReadingThatFails(t *testing.T) {
	t.Parallel()
	x := newSite(t)
	x.cloud.fail = errors.New("no route to AWS")
	x.until(`SELECT read_gap IS NOT NULL FROM pipelines`)
	if !strings.Contains(get[string](x, `SELECT read_gap->>'words' FROM pipelines`), "no route to AWS") || get[bool](x, `SELECT read_at IS NOT NULL FROM pipelines`) {
		t.Error("the gap says nothing, or the reading counts")
	}
	x.cloud.mu.Lock()
	x.cloud.fail = nil
	x.cloud.mu.Unlock()
	x.pushes(1, "shop-dev")
	x.exec(`UPDATE pipelines SET read_due = now()`)
	x.until(`SELECT read_gap IS NULL AND read_at IS NOT NULL FROM pipelines`)
}
