package store

import (
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/models"
)

// TestKeepExecution numbers executions, keeps what is known, and lets nobody write what pages could not show.
func TestKeepExecution(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	at := d.clock.Wall().Add(-time.Hour)
	first := d.keep(t, started("e1", at, 1))
	again := started("e1", at, 1)
	again.Commit, again.Digest, again.State, again.Link = models.Commit{}, "", models.ExecutionSucceeded, "javascript:alert(1)"
	again.EndedAt = at.Add(time.Minute)
	kept := d.keep(t, again)
	if kept.ID != first.ID || kept.Number != 1 || kept.Commit.Message != "Sell more" || kept.Digest != digestNo(1) || kept.Link != "" || kept.EndedAt.IsZero() {
		t.Errorf("kept as %+v", kept)
	}
	if kept.Stages[1].EnvironmentID != d.dev.ID {
		t.Errorf("the stage of shop-dev is bound to %q", kept.Stages[1].EnvironmentID)
	}
	hostile := started("e2", at.Add(time.Minute), 2)
	hostile.Commit.Message, hostile.Trigger, hostile.State, hostile.Digest = strings.Repeat("x\x00", 9000), "mischief", "exploded", "sha256:short"
	for range 100 {
		hostile.Stages = append(hostile.Stages, models.ExecutionStage{Name: strings.Repeat("s", 5000), State: models.ExecutionWaiting})
	}
	if kept = d.keep(t, hostile); len(kept.Commit.Message) > longestWords || kept.Trigger != models.TriggerOther || kept.State != models.ExecutionRunning || kept.Digest != "" || len(kept.Stages) > mostStages {
		t.Errorf("kept as %d bytes, %s, %s, %q, %d stages", len(kept.Commit.Message), kept.Trigger, kept.State, kept.Digest, len(kept.Stages))
	}
	if n := count(t, d.Store, `SELECT count(*) FROM pipelines WHERE id = $1 AND last_execution = $2 AND last_state = 'running' AND NOT moving`, d.pipeline.ID, kept.ID); n != 1 {
		t.Error("the pipeline does not show its newest execution, or is read often while a person is waited for")
	}
	back := again // a stage that is tried again makes an execution run again
	back.State, back.EndedAt = models.ExecutionRunning, time.Time{}
	if kept = d.keep(t, back); !kept.EndedAt.IsZero() || kept.State != models.ExecutionRunning {
		t.Errorf("tried again, and kept as %+v", kept)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { d.keep(t, started("many-"+string(rune('a'+i)), at.Add(time.Duration(i)*time.Second), i)) })
	}
	all.Wait()
	if n := count(t, d.Store, `SELECT count(DISTINCT number) FROM pipeline_executions WHERE pipeline_id = $1 AND number BETWEEN 1 AND 10`, d.pipeline.ID); n != 10 {
		t.Errorf("%d numbers, want 1 to 10", n)
	}
}

// TestOpenPromotion asks once however often it is asked, and only for the service's own images in the pipeline's own environments.
func TestOpenPromotion(t *testing.T) {
	t.Parallel()
	d := delivering(t)
	ask := promotionAsk{EnvironmentID: d.dev.ID, Image: image(1), By: models.AskedByWorkflow, ByName: "acme/shop", Key: "run-1"}
	made, err := d.ask(t, ask)
	if err != nil || made.State != models.PromotionChecking || made.Digest() != digestNo(1) {
		t.Fatalf("opened as %+v, %v", made, err)
	}
	other := ask
	other.Image = image(2)
	if again, err := d.ask(t, other); err != nil || again.ID != made.ID || again.Image != image(1) {
		t.Errorf("the same key gave %+v, %v", again, err)
	}
	if n := count(t, d.Store, `SELECT count(*) FROM journal WHERE kind = 'promote' AND object_id = $1 AND NOT done`, made.ID); n != 1 {
		t.Errorf("%d rows of work", n)
	}
	for name, change := range map[string]func(*promotionAsk){
		"a tag":                 func(a *promotionAsk) { a.Image = shopImages + ":latest" },
		"another repository":    func(a *promotionAsk) { a.Image = "evil.example/shop@" + digestNo(1) },
		"a longer repository":   func(a *promotionAsk) { a.Image = shopImages + "-evil@" + digestNo(1) },
		"no image":              func(a *promotionAsk) { a.Image = "" },
		"an environment aside":  func(a *promotionAsk) { a.EnvironmentID = d.aside.ID },
		"no environment at all": func(a *promotionAsk) { a.EnvironmentID = models.NewID() },
		"no key":                func(a *promotionAsk) { a.Key = "" },
	} {
		bad := ask
		bad.Key = "bad " + name
		change(&bad)
		if _, err := d.ask(t, bad); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if n := count(t, d.Store, `SELECT count(*) FROM promotions`); n != 1 {
		t.Errorf("%d promotions, want 1", n)
	}
	if _, err := d.Promotion(t.Context(), d.outsider, "payments", made.ID); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider sees it: %v", err)
	}
	cells, err := d.stageCells(d.read(t.Context()), []string{d.dev.ID, d.prod.ID})
	if err != nil || !cells[d.dev.ID].Waiting || cells[d.prod.ID].Waiting || cells[d.dev.ID].Image != "" {
		t.Errorf("cells %+v, %v", cells, err)
	}
}
