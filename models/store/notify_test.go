package store

import (
	"context"
	"testing"
	"time"

	"slipway/models"
)

// listening gives a fan-out whose connection is up.
func listening(t *testing.T, s *Store) *Changes {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	changes := s.Listen()
	up, stop := changes.Subscribe("any") // the first connection wakes everybody
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		changes.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	told(t, up, "the connection")
	return changes
}

func told(t *testing.T, wake <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(time.Minute):
		t.Fatalf("never heard of %s", what)
	}
}

func TestChangesAreFannedOutByTopic(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	changes := listening(t, s)
	one, stopOne := changes.Subscribe("run:1")
	same, stopSame := changes.Subscribe("run:1")
	other, stopOther := changes.Subscribe("run:2")
	defer stopOther()
	say := func(topic string) {
		t.Helper()
		if err := s.tx(t.Context(), func(t *tx) error { return t.notify(topic) }); err != nil {
			t.Fatal(err)
		}
	}
	say("run:1")
	told(t, one, "run 1")
	told(t, same, "run 1")
	select {
	case <-other:
		t.Error("heard of another run")
	default:
	}
	stopOne()
	stopOne()
	stopSame()
	if len(changes.topics) != 1 {
		t.Errorf("%d topics are left, want one", len(changes.topics))
	}
}

func TestListeningSurvivesALostConnection(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	changes := listening(t, s)
	wake, stop := changes.Subscribe("run:1")
	defer stop()
	if _, err := s.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN slipway' AND datname = current_database()`); err != nil {
		t.Fatal(err)
	}
	told(t, wake, "anything while polling")
	told(t, wake, "anything after the new connection")
	if err := s.tx(t.Context(), func(t *tx) error { return t.notify("run:1") }); err != nil {
		t.Fatal(err)
	}
	told(t, wake, "run 1")
}

func TestClockMovesForEveryProcess(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	mine, others := &models.ShiftedClock{}, &models.ShiftedClock{}
	first, second := openAt(t, s.opt.URL, func(o *Options) { o.Clock = mine }), openAt(t, s.opt.URL, func(o *Options) { o.Clock = others })
	changes := listening(t, second)
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		second.FollowClock(ctx, changes)
	}()
	for range 2 {
		if _, err := first.MoveClock(t.Context(), models.System("test", ""), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got := mine.Offset(); got != 48*time.Hour {
		t.Errorf("own clock is %s ahead, want 48h", got)
	}
	eventually(t, "the other clock follows", func() bool { return others.Offset() == 48*time.Hour })
	if _, err := first.MoveClock(t.Context(), models.System("test", ""), -time.Hour); models.KindOf(err) != models.Invalid {
		t.Errorf("back in time: %v", err)
	}
	cancel()
	<-followed
}
