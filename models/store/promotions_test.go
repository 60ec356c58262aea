package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// step has the work on a promotion done once, as the engine does, with what was found outside.
func (d delivery) step(t testing.TB, id string, found models.PromotionFound) models.Promotion {
	t.Helper()
	job := take(t, d.Store, enqueued(t, d.Store, models.PromoteWork, id, 0), "w")
	if job == nil {
		t.Fatalf("no work for promotion %s", id)
	}
	if err := d.DeliveryBook().Lead(t.Context(), *job, found, models.PromotionPauses{Scan: time.Hour, Other: time.Hour}); err != nil {
		t.Fatal(err)
	}
	return d.promotion(t, id)
}

func clean(n int) models.PromotionFound {
	return models.PromotionFound{Scan: &models.ImageScan{Digest: digestNo(n), State: models.ScanComplete, Source: "basic", Counts: map[models.Severity]int{models.Low: 3}}}
}

// built registers the build of an image, as a reading or a workflow does.
func (d delivery) built(t testing.TB, n int, passed bool) models.Build {
	t.Helper()
	var made models.Build
	d.within(t, func(w *tx) (err error) {
		made, _, err = w.registerBuild(d.pipeline, models.Build{Digest: digestNo(n), Passed: passed, Tag: fmt.Sprintf("v%d", n), Commit: models.Commit{ID: fmt.Sprintf("c%d", n), At: d.clock.Wall().Add(-time.Hour)}})
		return err
	})
	return made
}

// evidenced posts evidence of an image.
func (d delivery) evidenced(t testing.TB, n int, gate models.Gate, passed bool) {
	t.Helper()
	exec(t, d.Store, `INSERT INTO evidence (id, tenant_id, service_id, pipeline_id, digest, gate, passed, words, posted_by, posted_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, '', 'repo:acme/shop', $7)`,
		d.tenant.ID, d.service.ID, d.pipeline.ID, digestNo(n), gate, passed, d.clock.Wall())
	d.within(t, func(w *tx) error { return w.wakeImage(d.service.ID, digestNo(n)) })
}

// deploys takes the request of a promotion through its run; the image is then what runs there.
func (d delivery) deploys(t testing.TB, o models.Promotion, to models.RequestState) {
	t.Helper()
	if to == models.Succeeded {
		exec(t, d.Store, `UPDATE environments SET image = $2 WHERE id = $1`, o.EnvironmentID, o.Image)
	}
	d.estate.lead(t, o.RequestID, to)
}

func gate(o models.Promotion, g models.Gate) models.GateResult {
	for _, r := range o.Gates {
		if r.Gate == g {
			return r
		}
	}
	return models.GateResult{}
}

// waiting is a promotion of an execution that CodePipeline waits for.
func (d delivery) waiting(t testing.TB, env models.Environment, n int) models.Promotion {
	t.Helper()
	e := d.keep(t, started(fmt.Sprintf("e%d", n), d.clock.Wall(), n))
	o, err := d.ask(t, promotionAsk{EnvironmentID: env.ID, Image: image(n), ExecutionID: e.ID, By: models.AskedByPipeline, ByName: "shop", Key: fmt.Sprintf("approval:%s:%d", env.Name, n),
		Approval: &models.PromotionApproval{Key: fmt.Sprintf("key-%s-%d", env.Name, n), Stage: env.Name, Since: d.clock.Wall(), Until: d.clock.Wall().Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestPromotionFromApprovalToAnswer leads one through gates, request and run, to the answer that CodePipeline is given only then.
func TestPromotionFromApprovalToAnswer(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	o := d.step(t, d.waiting(t, d.dev, 1).ID, clean(1))
	if o.State != models.PromotionBlocked || gate(o, models.GateBuild).State != models.GateWaiting || gate(o, models.GateScan).State != models.GatePass || gate(o, models.GateSecrets).State != models.GateUnset {
		t.Fatalf("without a build it is %s: %+v", o.State, o.Gates)
	}
	if len(o.Gates) != len(models.Gates()) {
		t.Errorf("%d gates are shown, want all %d", len(o.Gates), len(models.Gates()))
	}
	d.built(t, 1, true)
	o = d.step(t, o.ID, models.PromotionFound{})
	if o.State != models.PromotionRequested || o.RequestID == "" {
		t.Fatalf("it is %s: %s", o.State, o.Reason)
	}
	r, err := d.Request(t.Context(), d.viewer, o.RequestID)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := promotionOf(r)
	if err != nil || facts == nil || facts.ID != o.ID || !facts.Automatic || len(facts.Gates) != len(models.Gates()) || r.Kind != models.DeployEnvironment {
		t.Fatalf("the request carries %+v, %v", facts, err)
	}
	if again := d.step(t, o.ID, models.PromotionFound{}); again.RequestID != o.RequestID || again.State != models.PromotionRequested {
		t.Errorf("looked at again it is %+v", again)
	}
	if look := d.look(t, o.ID); look.Answer {
		t.Error("CodePipeline would be told before the run")
	}
	d.deploys(t, o, models.Succeeded)
	o = d.step(t, o.ID, models.PromotionFound{})
	look := d.look(t, o.ID)
	if o.State != models.PromotionSucceeded || !look.Answer || !look.Promotion.Approves() || look.ExternalID != "e1" {
		t.Fatalf("it is %s; to be told: %+v", o.State, look)
	}
	o = d.step(t, o.ID, models.PromotionFound{Answer: models.AnswerLate, Words: "CodePipeline had given up."})
	if o.Answer != models.AnswerLate || o.Approval.Words == "" || o.State != models.PromotionSucceeded || o.AnsweredAt.IsZero() {
		t.Errorf("answered: %+v", o)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM journal WHERE kind = 'promote' AND NOT done`); n != 0 {
		t.Errorf("%d rows of work are left", n)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM deployments WHERE promotion_id = $1 AND succeeded AND replaced_at IS NULL AND healthy_at IS NOT NULL AND commit_at IS NOT NULL AND build_id IS NOT NULL`, o.ID); n != 1 {
		t.Error("the deployment is not written down")
	}
}

func (d delivery) look(t testing.TB, id string) models.PromotionLook {
	t.Helper()
	look, err := d.DeliveryBook().Promotion(t.Context(), models.Job{ObjectID: id})
	if err != nil {
		t.Fatal(err)
	}
	return look
}

// TestPromotionEndsAsItsRequest: rejected, failed, cancelled, and not planned; a run that is tried again corrects it.
func TestPromotionEndsAsItsRequest(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	for i, tc := range []struct {
		to   models.RequestState
		want models.PromotionState
	}{{models.Rejected, models.PromotionRejected}, {models.Failed, models.PromotionFailed}} {
		n := i + 1
		d.built(t, n, true)
		o := d.step(t, d.waiting(t, d.dev, n).ID, clean(n))
		d.deploys(t, o, tc.to)
		if o = d.step(t, o.ID, models.PromotionFound{}); o.State != tc.want || d.look(t, o.ID).Promotion.Approves() || !strings.Contains(o.Reason, fmt.Sprintf("REQ-%d", o.RequestNumber)) {
			t.Errorf("a request that is %s: %s, %s", tc.to, o.State, o.Reason)
		}
		o = d.step(t, o.ID, models.PromotionFound{Answer: models.AnswerSent, Words: "Told."})
		if tc.to != models.Failed {
			continue
		}
		d.within(t, func(w *tx) error {
			r, err := w.loadRequest(o.RequestID)
			if err != nil {
				return err
			}
			if err := w.move(d.admin, &r, models.Running, models.ByAdmin, ""); err != nil {
				return err
			}
			return w.move(worker, &r, models.Succeeded, models.ByEngine, "")
		})
		if o = d.promotion(t, o.ID); o.State != models.PromotionSucceeded || !strings.Contains(o.Reason, "told before") {
			t.Errorf("tried again it is %s: %s", o.State, o.Reason)
		}
		if n := count(t, d.Store, `SELECT count(*) FROM deployments WHERE request_id = $1 AND succeeded`, o.RequestID); n != 1 {
			t.Errorf("%d deployments that succeeded, want 1", n)
		}
	}
	d.built(t, 9, true)
	o := d.step(t, d.waiting(t, d.dev, 9).ID, clean(9))
	d.within(t, func(w *tx) error {
		r, err := w.loadRequest(o.RequestID)
		if err != nil {
			return err
		}
		return w.move(worker, &r, models.PlanFailed, models.ByPlanner, "AWS said no.")
	})
	o = d.step(t, o.ID, models.PromotionFound{})
	if s := state(t, d.Store, o.RequestID); o.State != models.PromotionFailed || s != models.Cancelled {
		t.Errorf("without a plan it is %s, its request %s", o.State, s)
	}
}

// TestGates: in order, none skipped, waivers only of others and only while they are active, evidence of another digest not counted and said.
func TestGates(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	d.built(t, 1, true)
	d.built(t, 2, true)
	o, err := d.AskPromotion(t.Context(), d.developer, "payments", "shop", "shop-prod", digestNo(1), "k1")
	if err != nil {
		t.Fatal(err)
	}
	bad := models.PromotionFound{Scan: &models.ImageScan{State: models.ScanComplete, Counts: map[models.Severity]int{models.Critical: 2}}}
	o = d.step(t, o.ID, bad)
	if gate(o, models.GateScan).State != models.GateFail || gate(o, models.GateSecrets).State != models.GateWaiting {
		t.Fatalf("gates %+v", o.Gates)
	}
	d.step(t, o.ID, bad)
	if n := count(t, d.Store, `SELECT count(*) FROM notification_events WHERE kind = 'gate' AND object_id = $1 AND state = 'image-scan' AND words LIKE '%2 critical%'`, o.ID); n != 1 {
		t.Errorf("told %d times that it fails a gate, want once", n)
	}
	d.evidenced(t, 2, models.GateSecrets, true)
	if o = d.step(t, o.ID, models.PromotionFound{}); gate(o, models.GateSecrets).State != models.GateWaiting || !strings.Contains(gate(o, models.GateSecrets).Words, "does not count") {
		t.Errorf("evidence of another image: %+v", gate(o, models.GateSecrets))
	}
	d.evidenced(t, 1, models.GateSecrets, false)
	if o = d.step(t, o.ID, models.PromotionFound{}); gate(o, models.GateSecrets).State != models.GateFail {
		t.Errorf("evidence that fails: %+v", gate(o, models.GateSecrets))
	}
	d.evidenced(t, 1, models.GateSecrets, true)
	waiver := models.Waiver{Environment: "shop-prod", Gate: models.GateScan, Reason: "A fix ships on Monday.", Until: d.clock.Now().Add(2 * time.Hour)}
	for who, want := range map[*models.Actor]models.Kind{&d.developer: models.Forbidden, &d.viewer: models.Forbidden, &d.outsider: models.NotFound} {
		if _, err := d.WaiveGate(t.Context(), *who, "payments", "shop", waiver); models.KindOf(err) != want {
			t.Errorf("%s waives: %v", who.Name(), err)
		}
	}
	for name, change := range map[string]func(*models.Waiver){
		"no reason": func(w *models.Waiver) { w.Reason = "short" }, "no end": func(w *models.Waiver) { w.Until = time.Time{} }, "past": func(w *models.Waiver) { w.Until = d.clock.Now().Add(-time.Hour) },
		"too long": func(w *models.Waiver) { w.Until = d.clock.Now().Add(31 * 24 * time.Hour) }, "no gate": func(w *models.Waiver) { w.Gate = "mischief" },
		"not asked for": func(w *models.Waiver) { w.Gate = models.GateSBOM }, "elsewhere": func(w *models.Waiver) { w.Environment = "shop-aside" }, "no digest": func(w *models.Waiver) { w.Digest = "latest" },
	} {
		w := waiver
		change(&w)
		if _, err := d.WaiveGate(t.Context(), d.owner, "payments", "shop", w); models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	kept, err := d.WaiveGate(t.Context(), d.owner, "payments", "shop", waiver)
	if err != nil {
		t.Fatal(err)
	}
	o = d.step(t, o.ID, models.PromotionFound{})
	if r := gate(o, models.GateScan); o.State != models.PromotionRequested || r.State != models.GateWaived || r.Waiver.By != "owner" || r.Waiver.Reason != waiver.Reason {
		t.Fatalf("waived, it is %s: %+v, %s", o.State, r, o.Reason)
	}
	first := o.RequestID
	d.clock.SetOffset(3 * time.Hour) // the waiver ends before anybody has decided
	if n, err := d.DeliveryBook().StartDue(t.Context(), 10); err != nil || n == 0 {
		t.Fatalf("%d are due, %v", n, err)
	}
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionBlocked || o.RequestID != "" || state(t, d.Store, first) != models.Cancelled {
		t.Errorf("its waiver over, it is %s with its request %s", o.State, state(t, d.Store, first))
	}
	waiver.Until = d.clock.Now().Add(time.Hour)
	if kept, err = d.WaiveGate(t.Context(), d.owner, "payments", "shop", waiver); err != nil {
		t.Fatal(err)
	}
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionRequested || o.RequestID == first {
		t.Errorf("waived again, it is %s", o.State)
	}
	if err := d.EndWaiver(t.Context(), d.outsider, "payments", kept.ID); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider ends the waiver: %v", err)
	}
	if err := d.EndWaiver(t.Context(), d.owner, "payments", kept.ID); err != nil {
		t.Fatal(err)
	}
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionBlocked {
		t.Errorf("the waiver taken back, it is %s", o.State)
	}
}

// TestNobodyWaivesForThemselves: an owner who asked for a promotion cannot waive its gates, and a waiver from before does not count for them.
func TestNobodyWaivesForThemselves(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	d.built(t, 1, false)
	waiver := models.Waiver{Environment: "shop-dev", Gate: models.GateBuild, Reason: "The tests are broken, not the build.", Until: d.clock.Now().Add(2 * time.Hour)}
	if _, err := d.WaiveGate(t.Context(), d.owner, "payments", "shop", waiver); err != nil {
		t.Fatal(err)
	}
	o, err := d.AskPromotion(t.Context(), d.owner, "payments", "shop", "shop-dev", digestNo(1), "k")
	if err != nil {
		t.Fatal(err)
	}
	if o = d.step(t, o.ID, clean(1)); o.State != models.PromotionBlocked || !strings.Contains(gate(o, models.GateBuild).Words, "does not count") {
		t.Errorf("with a waiver of the asker's own it is %s: %+v", o.State, gate(o, models.GateBuild))
	}
	if _, err := d.WaiveGate(t.Context(), d.owner, "payments", "shop", waiver); models.KindOf(err) != models.Forbidden {
		t.Errorf("waives for themselves: %v", err)
	}
	if _, err := d.WaiveGate(t.Context(), d.admin, "payments", "shop", waiver); err != nil {
		t.Fatal(err)
	}
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionRequested {
		t.Errorf("waived by somebody else it is %s: %s", o.State, o.Reason)
	}
	r, err := d.Request(t.Context(), d.owner, o.RequestID)
	if err != nil || r.RequesterID != d.owner.Person.ID {
		t.Errorf("asked by %s, %v", r.RequesterName, err)
	}
	if _, err := d.EditEnvironmentRequest(t.Context(), d.owner, r.ID, models.EnvironmentInputs{Image: image(7)}); models.KindOf(err) != models.Conflict {
		t.Errorf("its image can be edited: %v", err)
	}
}
