package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"slipway/models"
)

func (w works) register(t testing.TB, p models.Pipeline, b models.Build) (kept models.Build, added bool, err error) {
	t.Helper()
	err = w.tx(t.Context(), func(tx *tx) (err error) {
		kept, added, err = tx.registerBuild(p, b)
		return err
	})
	return kept, added, err
}

// TestABuildIsRegisteredOnce tells the same image often, at once and one after the other: one row, and the newest execution's word.
func TestABuildIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	w := underWay(t)
	wall := w.clock.Wall()
	first, second := w.addExecution(t, w.pipeline, 1, wall.Add(-time.Hour)), w.addExecution(t, w.pipeline, 2, wall)
	var fresh atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, added, err := w.register(t, w.pipeline, models.Build{Digest: digest("a"), ExecutionID: first, Passed: false, Tag: "1", Commit: models.Commit{ID: "c1", Message: "One"}})
			if err != nil {
				t.Error(err)
			}
			if added {
				fresh.Add(1)
			}
		})
	}
	all.Wait()
	if n := count(t, w.Store, `SELECT count(*) FROM builds`); n != 1 || fresh.Load() != 1 {
		t.Fatalf("%d builds, %d times new", n, fresh.Load())
	}
	again, added, err := w.register(t, w.pipeline, models.Build{Digest: digest("a"), ExecutionID: second, Passed: true, Link: "https://ci.example.test/2"})
	if err != nil || added || !again.Passed || again.ExecutionID != second || again.Tag != "1" || again.Commit.Message != "One" || again.Link == "" {
		t.Errorf("a newer execution says %+v, %v, %v", again, added, err)
	}
	late, _, err := w.register(t, w.pipeline, models.Build{Digest: digest("a"), ExecutionID: first, Passed: false})
	if err != nil || !late.Passed || late.ExecutionID != second || late.ID != again.ID {
		t.Errorf("an older execution takes it back: %+v, %v", late, err)
	}
	if _, added, err := w.register(t, w.pipeline, models.Build{Digest: digest("b"), ExecutionID: second, Passed: true}); err != nil || !added {
		t.Errorf("another image: %v, %v", added, err)
	}
	if _, _, err := w.register(t, w.pipeline, models.Build{Digest: "latest"}); models.Fields(err)["digest"] == "" {
		t.Errorf("a tag is taken for a digest: %v", err)
	}
}
