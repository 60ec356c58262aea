package store

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// delivers brings an image to an environment, from the promotion to the end of its run.
func (d delivery) delivers(t testing.TB, env models.Environment, n int, to models.RequestState) models.Promotion {
	t.Helper()
	d.built(t, n, true)
	d.evidenced(t, n, models.GateSecrets, true)
	o, err := d.AskPromotion(t.Context(), d.developer, "payments", "shop", env.Name, digestNo(n), models.NewID())
	if err != nil {
		t.Fatal(err)
	}
	if o = d.step(t, o.ID, clean(n)); o.State != models.PromotionRequested {
		t.Fatalf("image %d to %s: %s, %s", n, env.Name, o.State, o.Reason)
	}
	d.deploys(t, o, to)
	exec(t, d.Store, `UPDATE environments SET state = 'ready' WHERE id = $1`, env.ID)
	return d.step(t, o.ID, models.PromotionFound{})
}

// TestRollback brings back what ran healthy before, and not what never did or was taken back itself.
func TestRollback(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	if _, err := d.Rollback(t.Context(), d.developer, "payments", "shop-dev", "k0"); models.KindOf(err) != models.Conflict {
		t.Errorf("with nothing to go back to: %v", err)
	}
	exec(t, d.Store, `UPDATE environments SET health = 'degraded' WHERE id = $1`, d.dev.ID) // the collector of health tells of it
	healthy := func(env models.Environment) {
		d.within(t, func(w *tx) error { return w.seenHealthy(texts{env.ID}, d.clock.Wall()) })
	}
	d.delivers(t, d.dev, 1, models.Succeeded)
	healthy(d.dev)
	d.delivers(t, d.dev, 2, models.Succeeded) // never healthy
	d.delivers(t, d.dev, 3, models.Succeeded)
	healthy(d.dev)
	d.delivers(t, d.dev, 4, models.Succeeded)
	for who, want := range map[*models.Actor]models.Kind{&d.viewer: models.Forbidden, &d.outsider: models.NotFound} {
		if _, err := d.Rollback(t.Context(), *who, "payments", "shop-dev", "k"); models.KindOf(err) != want {
			t.Errorf("%s rolls back: %v", who.Name(), err)
		}
	}
	back, err := d.Rollback(t.Context(), d.developer, "payments", "shop-dev", "k1")
	if err != nil || back.Image != image(3) || !back.Rollback {
		t.Fatalf("rolled back to %s, %v", back.Image, err)
	}
	if again, err := d.Rollback(t.Context(), d.developer, "payments", "shop-dev", "k1"); err != nil || again.ID != back.ID {
		t.Errorf("the same form is another roll-back: %v", err)
	}
	exec(t, d.Store, `UPDATE image_scans SET counts = '{"CRITICAL": 5}'`)
	if back = d.step(t, back.ID, models.PromotionFound{}); back.State != models.PromotionRequested || gate(back, models.GateScan).State != models.GateFail {
		t.Fatalf("it is %s: %s, %+v", back.State, back.Reason, back.Gates)
	}
	r, err := d.Request(t.Context(), d.developer, back.RequestID)
	if err != nil {
		t.Fatal(err)
	}
	if facts, err := promotionOf(r); err != nil || !facts.Rollback || facts.Count(models.GateFail) != 1 || facts.Was != image(4) {
		t.Errorf("its request carries %+v, %v", facts, err)
	}
	exec(t, d.Store, `UPDATE image_scans SET counts = '{}'`)
	d.deploys(t, back, models.Succeeded)
	healthy(d.dev)
	d.step(t, back.ID, models.PromotionFound{})
	further, err := d.Rollback(t.Context(), d.developer, "payments", "shop-dev", "k2")
	if err != nil || further.Image != image(1) {
		t.Errorf("rolled back once more to %s, %v: 4 was taken back, 2 was never healthy", further.Image, err)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM deployments WHERE environment_id = $1 AND succeeded AND replaced_at IS NULL`, d.dev.ID); n != 1 {
		t.Errorf("%d deployments run, want 1", n)
	}
	if _, err := d.Rollback(t.Context(), d.developer, "payments", "shop-aside", "k3"); models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "No pipeline") {
		t.Errorf("where no pipeline delivers: %v", err)
	}
}

// TestFiguresAreTrue holds the figures of delivery, and what runs where, against the rows themselves.
func TestFiguresAreTrue(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	for n := 1; n <= 3; n++ {
		d.delivers(t, d.prod, n, models.Succeeded)
	}
	d.delivers(t, d.prod, 4, models.Failed)
	d.delivers(t, d.dev, 3, models.Succeeded) // of another stage: not counted
	back, err := d.Rollback(t.Context(), d.developer, "payments", "shop-prod", "k")
	if err != nil {
		t.Fatal(err)
	}
	back = d.step(t, back.ID, clean(2))
	d.deploys(t, back, models.Succeeded)
	d.step(t, back.ID, models.PromotionFound{})
	exec(t, d.Store, `UPDATE deployments SET commit_at = ended_at - make_interval(hours => x.n::int) FROM (SELECT id, row_number() OVER (ORDER BY ended_at) AS n FROM deployments) x WHERE x.id = deployments.id`)
	exec(t, d.Store, `UPDATE deployments SET ended_at = ended_at - interval '29 days', began_at = began_at - interval '29 days' WHERE image = $1 AND environment_id = $2`, image(1), d.prod.ID) // out of the window
	page, err := d.PipelineDelivery(t.Context(), d.viewer, "payments", "shop")
	if err != nil {
		t.Fatal(err)
	}
	f := page.Figures
	// within the window: 2 and 3 succeeded, 4 failed, and 3 was taken back by the roll-back to 2
	if f.Environment != "shop-prod" || f.Deployments != 2 || f.Failed != 2 || math.Abs(f.FailureRate-2.0/3) > 1e-9 || f.PerWeek != 0.5 || f.LeadKnown != 2 {
		t.Errorf("figures %+v", f)
	}
	lead := count(t, d.Store, `SELECT (avg(extract(epoch FROM ended_at - commit_at)) * 1000)::int FROM deployments WHERE environment_id = $1 AND image IN ($2, $3) AND NOT rollback AND succeeded`, d.prod.ID, image(2), image(3))
	if math.Abs(float64(int(f.LeadTime)-lead)) > 1000 {
		t.Errorf("lead time %d ms, want the median of two, %d ms", f.LeadTime, lead)
	}
	if len(page.Stages) != 2 || page.Stages[1].Runs.Image != image(2) || page.Stages[1].Runs.Tag != "v2" || page.Stages[1].Previous == nil || page.Stages[0].Runs.Image != image(3) {
		t.Errorf("stages %+v", page.Stages)
	}
	where, err := d.WhatIsWhere(t.Context(), d.viewer, "payments")
	if err != nil || len(where) != 1 || !slices.Equal(where[0].Pipelines, []string{"shop"}) || len(where[0].Cells) != 3 {
		t.Fatalf("where: %+v, %v", where, err)
	}
	for _, c := range where[0].Cells {
		if n := count(t, d.Store, `SELECT count(*) FROM environments WHERE id = $1 AND image = $2 AND name = $3`, c.EnvironmentID, c.Image, c.Environment); n != 1 {
			t.Errorf("cell %+v is not true", c)
		}
		if c.Image != "" && (c.Since.IsZero() || c.Tag == "" || c.Commit == "") {
			t.Errorf("cell %+v lacks what is known", c)
		}
	}
	images, err := d.ServiceImages(t.Context(), d.viewer, "payments", "shop")
	if err != nil || len(images) != 4 || len(images[0].Runs) == 0 || len(images[3].Runs) != 0 || images[0].Scan == nil || images[0].Scan.State != models.ScanComplete {
		t.Errorf("images %+v, %v", images, err)
	}
	for name, err := range map[string]error{"where": second(d.WhatIsWhere(t.Context(), d.outsider, "payments")), "images": second(d.ServiceImages(t.Context(), d.outsider, "payments", "shop")),
		"pipeline": second(d.PipelineDelivery(t.Context(), d.outsider, "payments", "shop")), "executions": second(d.Executions(t.Context(), d.outsider, "payments", "shop", models.ListQuery{})),
		"execution": second(d.ExecutionPage(t.Context(), d.outsider, "payments", "shop", 1)), "order": second(d.OrderExecution(t.Context(), d.outsider, "payments", "shop", "start", "", "")),
		"ask": second(d.AskPromotion(t.Context(), d.outsider, "payments", "shop", "shop-dev", digestNo(1), "k"))} {
		if models.KindOf(err) != models.NotFound {
			t.Errorf("an outsider and %s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestCreatedWithAnImage: an environment that is ordered with an image has its first deployment from then on.
func TestCreatedWithAnImage(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	r, err := d.RequestEnvironment(t.Context(), d.developer, "payments", "first", site("shop-new"), "")
	if err != nil {
		t.Fatal(err)
	}
	exec(t, d.Store, `UPDATE requests SET inputs = inputs || jsonb_build_object('image', $2::text, 'service_id', $3::text) WHERE id = $1`, r.ID, image(5), d.service.ID)
	d.ensure(t, r, models.NonProd)
	d.estate.lead(t, r.ID, models.Succeeded)
	if n := count(t, d.Store, `SELECT count(*) FROM deployments WHERE request_id = $1 AND image = $2 AND succeeded AND pipeline_id IS NULL AND promotion_id IS NULL AND healthy_at IS NOT NULL`, r.ID, image(5)); n != 1 {
		t.Error("the first deployment is not written down")
	}
	gone, err := d.ChangeEnvironment(t.Context(), d.developer, "payments", "shop-new", models.DeleteEnvironment, "gone", models.EnvironmentInputs{Confirm: "shop-new"})
	if err != nil {
		t.Fatal(err)
	}
	d.estate.lead(t, gone.ID, models.Succeeded)
	if n := count(t, d.Store, `SELECT count(*) FROM deployments WHERE environment_id = $1 AND replaced_at IS NULL`, r.ObjectID); n != 0 {
		t.Error("something runs in an environment that is deleted")
	}
}

// TestReadingOpensAndEndsPromotions: waiting stages ask once, what cannot be promoted is said, and what waits no more is woken.
func TestReadingOpensAndEndsPromotions(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	at := d.clock.Wall()
	keep := func(reading models.PipelineReading) {
		job := take(t, d.Store, enqueued(t, d.Store, models.WatchWork, d.pipeline.ID, 0), "w")
		if err := d.DeliveryBook().KeepReading(t.Context(), *job, d.pipeline.ID, reading, models.NextCall{Done: reading.Next == nil}); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(n int, stage string) models.WaitingApproval {
		return models.WaitingApproval{ExternalID: fmt.Sprintf("e%d", n), Environment: stage, Key: fmt.Sprintf("key%d", n), Since: at, Until: at.Add(time.Hour)}
	}
	none := started("e3", at, 3)
	none.Digest = ""
	reading := models.PipelineReading{At: at, Executions: []models.Execution{started("e1", at.Add(-time.Minute), 1), none},
		Approvals: []models.WaitingApproval{wait(1, "shop-dev"), wait(2, "shop-dev"), wait(3, "shop-prod"), {ExternalID: "e1", Environment: "elsewhere", Key: "key9"}}}
	keep(reading)
	keep(reading)
	if n := count(t, d.Store, `SELECT count(*) FROM promotions`); n != 2 { // e2 is not known yet, elsewhere is no stage
		t.Fatalf("%d promotions, want 2", n)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM pipelines WHERE read_gap->>'words' LIKE '%elsewhere%' AND read_at IS NOT NULL AND read_due > $1`, d.clock.Now()); n != 1 {
		t.Error("the page does not say which stage cannot be promoted")
	}
	if n := count(t, d.Store, `SELECT count(*) FROM builds WHERE passed AND execution_id IS NOT NULL`); n != 1 {
		t.Errorf("%d builds, want 1", n)
	}
	ids := map[string]string{}
	for _, key := range []string{"key1", "key3"} {
		found, err := readPromotions(d.read(t.Context()), `WHERE o.approval->>'key' = ?`, key)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %+v, %v", key, found, err)
		}
		ids[key] = found[0].ID
	}
	if o := d.step(t, ids["key3"], models.PromotionFound{}); o.State != models.PromotionFailed || !strings.Contains(o.Reason, "IMAGE_DIGEST") || !d.look(t, o.ID).Answer {
		t.Errorf("without an image it is %s: %s", o.State, o.Reason)
	}
	reading.Approvals = nil
	partial := reading
	partial.Next = []byte(`1`)
	keep(partial) // not whole: says nothing of what waits
	if o := d.promotion(t, ids["key1"]); o.Answer != models.AnswerDue {
		t.Errorf("after part of a look it is answered %s", o.Answer)
	}
	keep(reading)
	if o := d.step(t, ids["key1"], models.PromotionFound{}); o.State != models.PromotionSuperseded || o.Answer != models.AnswerGone {
		t.Errorf("what waits no more is %s, %s", o.State, o.Answer)
	}
	reading.Approvals = []models.WaitingApproval{wait(1, "shop-dev")} // it waits after all: somebody has to tell it
	keep(reading)
	if look := d.look(t, ids["key1"]); !look.Answer || look.Promotion.Approves() {
		t.Errorf("what waits after all is to be told %+v", look)
	}
}
