package store

import (
	"context"
	"sync"
	"testing"

	"slipway/models"
)

func TestLocksAreTakenInOneOrder(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	who, _ := signIn(t, s, "ola")
	requests := make([]models.Request, 8)
	for i := range requests {
		requests[i] = models.Request{ID: models.NewID(), Number: int64(i + 1), Title: "Change things", State: models.Planning}
		_, err := s.pool.Exec(t.Context(), `INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key,
			state_since, created_at, submitted_at) VALUES ($1, 'test', 'thing', $2, 'n', 't', 'planning', '{}', '{}', $3, $4, $5, $5, $5)`,
			requests[i].ID, models.NewID(), who.Person.ID, models.NewID(), s.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := models.NewID(), models.NewID()
	locks := [][]models.Lock{
		{{ObjectType: "thing", ObjectID: a, Exclusive: true}, {ObjectType: "thing", ObjectID: b, Exclusive: true}},
		{{ObjectType: "thing", ObjectID: b, Exclusive: true}, {ObjectType: "thing", ObjectID: a, Exclusive: true}},
	}
	var wg sync.WaitGroup
	won := make(chan string, len(requests))
	for i, r := range requests {
		wg.Go(func() {
			err := s.tx(context.Background(), func(t *tx) error {
				wait, err := t.lock(r, locks[i%2])
				if err == nil && wait == nil {
					won <- r.ID
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d requests hold both locks, want one", len(won))
	}
	if n := count(t, s, `SELECT count(*) FROM locks`); n != 2 {
		t.Errorf("%d locks are held, want both of one request", n)
	}
}

func TestSharedLocksKeepExclusiveOnesOut(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	who, _ := signIn(t, s, "ola")
	object := models.NewID()
	lock := func(exclusive bool) *models.WaitingOn {
		t.Helper()
		r := models.Request{ID: models.NewID()}
		_, err := s.pool.Exec(t.Context(), `INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key,
			state_since, created_at, submitted_at) VALUES ($1, 'test', 'thing', $1, 'n', 'Look at it', 'planning', '{}', '{}', $2, $3, $4, $4, $4)`,
			r.ID, who.Person.ID, models.NewID(), s.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		var wait *models.WaitingOn
		err = s.tx(t.Context(), func(t *tx) (err error) {
			wait, err = t.lock(r, []models.Lock{{ObjectType: "thing", ObjectID: object, Exclusive: exclusive}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	if w := lock(false); w != nil {
		t.Errorf("the first shared lock waits: %+v", w)
	}
	if w := lock(false); w != nil {
		t.Errorf("the second shared lock waits: %+v", w)
	}
	if w := lock(true); w == nil || w.For != "another request" || w.Ref == "" {
		t.Errorf("the exclusive lock does not wait in words: %+v", w)
	}
}
