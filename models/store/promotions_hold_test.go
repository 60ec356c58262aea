package store

import (
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
)

// TestPromotionHeld: frozen, paused, asleep, busy and behind an older one, each with words, and on again by itself.
func TestPromotionHeld(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	d.built(t, 1, true)
	o := d.step(t, d.waiting(t, d.dev, 1).ID, clean(1))
	first := o.RequestID
	d.built(t, 2, true)
	newer := d.step(t, d.waiting(t, d.dev, 2).ID, clean(2))
	if newer.State != models.PromotionHeld || !strings.Contains(newer.Reason, "execution 1") {
		t.Errorf("behind an older one it is %s: %s", newer.State, newer.Reason)
	}
	page, err := d.PromotionPage(t.Context(), d.viewer, "payments", newer.ID)
	if err != nil || page.Older == nil || page.Older.ID != o.ID {
		t.Errorf("its page names %+v, %v", page.Older, err)
	}
	if _, err := d.RejectPromotion(t.Context(), d.viewer, "payments", o.ID, "It is old."); models.KindOf(err) != models.Forbidden {
		t.Errorf("a viewer rejects: %v", err)
	}
	if _, err := d.RejectPromotion(t.Context(), d.outsider, "payments", o.ID, "It is old."); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider rejects: %v", err)
	}
	if _, err := d.RejectPromotion(t.Context(), d.developer, "payments", o.ID, " "); models.KindOf(err) != models.Invalid {
		t.Errorf("rejected without a reason: %v", err)
	}
	if o, err = d.RejectPromotion(t.Context(), d.developer, "payments", o.ID, "It is old."); err != nil || o.State != models.PromotionRejected || state(t, d.Store, first) != models.Cancelled {
		t.Fatalf("rejected it is %s, its request %s, %v", o.State, state(t, d.Store, first), err)
	}
	if look := d.look(t, o.ID); !look.Answer || look.Promotion.Approves() {
		t.Errorf("CodePipeline is not told: %+v", look)
	}
	for _, tc := range []struct{ name, hold, free, words string }{
		{"asleep", `UPDATE environments SET hibernated = true WHERE id = $1`, `UPDATE environments SET hibernated = false WHERE id = $1`, "sleeps"},
		{"busy", `UPDATE environments SET state = 'changing' WHERE id = $1`, `UPDATE environments SET state = 'ready' WHERE id = $1`, "by itself"},
		{"going", `UPDATE environments SET state = 'deleting' WHERE id = $1`, `UPDATE environments SET state = 'ready' WHERE id = $1`, "deleting"},
		{"stuck", `UPDATE stacks SET status = 'UPDATE_ROLLBACK_FAILED' WHERE object_id = $1`, `UPDATE stacks SET status = 'UPDATE_COMPLETE' WHERE object_id = $1`, "Recover it first"},
	} {
		exec(t, d.Store, tc.hold, d.dev.ID)
		if newer = d.step(t, newer.ID, models.PromotionFound{}); newer.State != models.PromotionHeld || !strings.Contains(newer.Reason, tc.words) {
			t.Errorf("%s it is %s: %s", tc.name, newer.State, newer.Reason)
		}
		exec(t, d.Store, tc.free, d.dev.ID)
	}
	exec(t, d.Store, `UPDATE pipelines SET paused = true`)
	if newer = d.step(t, newer.ID, models.PromotionFound{}); newer.State != models.PromotionHeld || !strings.Contains(newer.Reason, "paused") {
		t.Errorf("paused it is %s: %s", newer.State, newer.Reason)
	}
	exec(t, d.Store, `UPDATE pipelines SET paused = false`)
	if newer = d.step(t, newer.ID, models.PromotionFound{}); newer.State != models.PromotionRequested {
		t.Errorf("free it is %s: %s", newer.State, newer.Reason)
	}
	exec(t, d.Store, `UPDATE environments SET state = 'deleted' WHERE id = $1`, d.dev.ID)
	if newer = d.step(t, newer.ID, models.PromotionFound{}); newer.State != models.PromotionFailed || !strings.Contains(newer.Reason, "deleted") {
		t.Errorf("its environment gone it is %s: %s", newer.State, newer.Reason)
	}
}

// TestStageFreeze holds promotions and approved requests alike, until its end or until it is lifted.
func TestStageFreeze(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	d.built(t, 1, true)
	freeze := models.StageFreeze{Environment: "shop-dev", Reason: "The audit is on.", Until: d.clock.Now().Add(2 * time.Hour)}
	for who, want := range map[*models.Actor]models.Kind{&d.developer: models.Forbidden, &d.viewer: models.Forbidden, &d.outsider: models.NotFound} {
		if _, err := d.FreezeStage(t.Context(), *who, "payments", freeze); models.KindOf(err) != want {
			t.Errorf("%s freezes: %v", who.Name(), err)
		}
	}
	for name, f := range map[string]models.StageFreeze{"no reason": {Environment: "shop-dev", Until: freeze.Until}, "no end": {Environment: "shop-dev", Reason: freeze.Reason},
		"too long": {Environment: "shop-dev", Reason: freeze.Reason, Until: d.clock.Now().AddDate(0, 2, 0)}} {
		if _, err := d.FreezeStage(t.Context(), d.owner, "payments", f); models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := d.step(t, d.waiting(t, d.dev, 1).ID, clean(1))
	exec(t, d.Store, `UPDATE requests SET state = 'approved' WHERE id = $1`, o.RequestID)
	kept, err := d.FreezeStage(t.Context(), d.owner, "payments", freeze)
	if err != nil {
		t.Fatal(err)
	}
	var wait *models.WaitingOn
	look := func() *models.WaitingOn {
		d.within(t, func(w *tx) error {
			r, err := w.loadRequest(o.RequestID)
			if err == nil {
				wait, err = w.promotionWait(r)
			}
			return err
		})
		return wait
	}
	if w := look(); w == nil || w.For != models.WaitsForFreeze || !strings.Contains(w.Words, "The audit is on.") {
		t.Errorf("an approved request waits for %+v", w)
	}
	d.built(t, 2, true)
	ahead, err := d.AskPromotion(t.Context(), d.developer, "payments", "shop", "shop-dev", digestNo(2), "k")
	if err != nil {
		t.Fatal(err)
	}
	if ahead = d.step(t, ahead.ID, clean(2)); ahead.State != models.PromotionHeld || !strings.Contains(ahead.Reason, "owner has stopped promotions to shop-dev") {
		t.Errorf("frozen it is %s: %s", ahead.State, ahead.Reason)
	}
	d.within(t, func(w *tx) error {
		r, err := w.loadRequest(o.RequestID)
		if err == nil && models.KindOf(w.stageNotFrozen(r)) != models.Conflict {
			t.Error("a run can be tried again while its stage is frozen")
		}
		return err
	})
	if err := d.LiftStageFreeze(t.Context(), d.developer, "payments", kept.ID); models.KindOf(err) != models.Forbidden {
		t.Errorf("a developer lifts it: %v", err)
	}
	if err := d.LiftStageFreeze(t.Context(), d.outsider, "payments", kept.ID); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider lifts it: %v", err)
	}
	d.clock.SetOffset(3 * time.Hour)
	if n, err := d.DeliveryBook().StartDue(t.Context(), 10); err != nil || n == 0 {
		t.Errorf("%d promotions are looked at when the freeze is over, %v", n, err)
	}
	if w := look(); w != nil {
		t.Errorf("after its end it waits for %+v", w)
	}
	again, err := d.FreezeStage(t.Context(), d.admin, "payments", models.StageFreeze{EnvironmentID: d.dev.ID, Reason: freeze.Reason, Until: d.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.LiftStageFreeze(t.Context(), d.owner, "payments", again.ID); err != nil {
		t.Fatal(err)
	}
	if w := look(); w != nil {
		t.Errorf("lifted, it waits for %+v", w)
	}
	exec(t, d.Store, `UPDATE image_scans SET counts = '{"CRITICAL": 1}' WHERE digest = $1`, digestNo(1))
	if w := look(); w == nil || w.For != waitsForGate {
		t.Errorf("with a gate that fails since, it waits for %+v", w)
	}
}

// TestExecutionEndedMeanwhile: said and superseded, not an error; what runs already goes on and says that CodePipeline gave up.
func TestExecutionEndedMeanwhile(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	d.built(t, 1, true)
	o := d.step(t, d.waiting(t, d.dev, 1).ID, clean(1))
	stopped := started("e1", d.clock.Wall(), 1)
	stopped.State = models.ExecutionStopped
	d.keep(t, stopped)
	first := o.RequestID
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionSuperseded || o.Answer != models.AnswerGone || !strings.Contains(o.Reason, "execution 1 is stopped") || state(t, d.Store, first) != models.Cancelled {
		t.Errorf("it is %s (%s): %s", o.State, o.Answer, o.Reason)
	}
	d.built(t, 2, true)
	o = d.step(t, d.waiting(t, d.dev, 2).ID, clean(2))
	d.deploys(t, o, models.Succeeded)
	d.within(t, func(w *tx) error { return w.answerGone(o) }) // its time was over while the run went on
	if o = d.step(t, o.ID, models.PromotionFound{}); o.State != models.PromotionSucceeded || !strings.Contains(o.Reason, "had given up") {
		t.Errorf("it is %s: %s", o.State, o.Reason)
	}
	same, err := d.AskPromotion(t.Context(), d.developer, "payments", "shop", "shop-dev", digestNo(2), "again")
	if err != nil {
		t.Fatal(err)
	}
	if same = d.step(t, same.ID, clean(2)); same.State != models.PromotionSucceeded || same.RequestID != "" || !strings.Contains(same.Reason, "already") {
		t.Errorf("what runs already is %s: %s", same.State, same.Reason)
	}
}

// TestManyPromotionsToOneEnvironment: of eight that are worked at the same time one comes to a request, and the others wait behind it.
func TestManyPromotionsToOneEnvironment(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	var ids []string
	for n := 1; n <= 8; n++ {
		d.built(t, n, true)
		ids = append(ids, d.waiting(t, d.dev, n).ID)
	}
	jobs := make([]*models.Job, len(ids))
	for i, id := range ids {
		jobs[i] = take(t, d.Store, enqueued(t, d.Store, models.PromoteWork, id, 0), "w")
	}
	var all sync.WaitGroup
	for i, job := range jobs {
		all.Go(func() {
			if err := d.DeliveryBook().Lead(t.Context(), *job, clean(i+1), models.PromotionPauses{Scan: time.Hour, Other: time.Hour}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := count(t, d.Store, `SELECT count(*) FROM promotions WHERE state = 'requested'`); n != 1 {
		t.Errorf("%d have a request, want 1", n)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM promotions WHERE state = 'held'`); n != 7 {
		t.Errorf("%d wait, want 7", n)
	}
	stale := *jobs[1] // a worker whose row was taken since writes nothing
	enqueued(t, d.Store, models.PromoteWork, ids[1], 0)
	if err := d.DeliveryBook().Lead(t.Context(), stale, clean(2), models.PromotionPauses{}); err == nil {
		t.Error("a worker that lost its row has written")
	}
}

// TestNewestRunOfAWorkflowWins: an older ask of the same workflow that has no request yet is superseded.
func TestNewestRunOfAWorkflowWins(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	ask := func(n int, key string) models.Promotion {
		o, err := d.ask(t, promotionAsk{EnvironmentID: d.dev.ID, Image: image(n), By: models.AskedByWorkflow, ByName: "acme/shop", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	older := d.step(t, ask(1, "run-1").ID, clean(1)) // without a build: blocked
	d.built(t, 2, true)
	newer := d.step(t, ask(2, "run-2").ID, clean(2))
	if older = d.promotion(t, older.ID); older.State != models.PromotionSuperseded || newer.State != models.PromotionRequested {
		t.Errorf("the older one is %s, the newer %s: %s", older.State, newer.State, newer.Reason)
	}
}
