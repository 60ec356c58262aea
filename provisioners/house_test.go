package provisioners_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners"
)

// house is a store on a database of its own, with an engine and the world its recorder changes.
type house struct {
	t      *testing.T
	store  *store.Store
	engine *provisioners.Engine
	world  *world
	crash  func(kind, step, point string)

	asker, approver string // person ids
}

// options changes the engine of a house before it is made.
type options func(*provisioners.EngineOptions)

func newHouse(t *testing.T, w *world, opts ...options) *house {
	t.Helper()
	_, url := pgtest.Database(t, store.Migrate)
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 10, AdminGroups: []string{"platform-admins"}, AccountEmail: "aws+{tenant}-{class}-{n}@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &house{t: t, store: s, world: w, asker: models.NewID(), approver: models.NewID()}
	h.exec(`INSERT INTO people (id, issuer, subject, name, groups, groups_seen_at, created_at) VALUES ($1, 'i', 'asker', 'Asker', '{engineers}', $3, $3),
		($2, 'i', 'approver', 'Approver', '{platform-admins}', $3, $3)`, h.asker, h.approver, time.Now())
	h.engine = h.newEngine(opts...)
	return h
}

// newEngine makes another engine on the same database: a second worker.
func (h *house) newEngine(opts ...options) *provisioners.Engine {
	h.t.Helper()
	o := provisioners.EngineOptions{Journal: h.store.Journal(), Rules: h.world, Provisioners: []provisioners.Provisioner{h.world}, Clock: &models.ShiftedClock{},
		Logger: slog.New(slog.DiscardHandler), Owner: models.NewID(), Lease: 300 * time.Millisecond, Pace: 0.001,
		Crash: func(kind, step, point string) {
			if h.crash != nil {
				h.crash(kind, step, point)
			}
		}}
	for _, opt := range opts {
		opt(&o)
	}
	e, err := provisioners.NewEngine(o)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.store.Pool().Exec(context.Background(), sql, args...); err != nil {
		h.t.Fatal(err)
	}
}

func get[T any](h *house, sql string, args ...any) T {
	h.t.Helper()
	var v T
	if err := h.store.Pool().QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		h.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// submit makes a request in planning on an object, with its journal row.
func (h *house) submit(object string) string {
	h.t.Helper()
	id, now := models.NewID(), time.Now()
	h.exec(`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
		VALUES ($1, 'test.make', 'thing', $2, 'thing', 'Make thing', 'planning', '{"a": 1}', ARRAY[$3]::uuid[], $3, $4, $5, $5, $5)`, id, object, h.asker, models.NewID(), now)
	h.wake("plan", id)
	return id
}

// wake opens a journal row as the store's own transactions do.
func (h *house) wake(kind models.JournalKind, object string) {
	h.exec(`INSERT INTO journal (id, kind, object_id, next_at, created_at) VALUES ($1, $2, $3, clock_timestamp(), $4)`, models.NewID(), kind, object, time.Now())
}

// approve decides for the approver on the current plan.
func (h *house) approve(request string) {
	h.t.Helper()
	h.exec(`INSERT INTO approvals (id, request_id, plan_hash, decision, person_id, role, at) SELECT $2, id, plan_hash, 'approve', $3, 'platform-admin', $4 FROM requests WHERE id = $1`,
		request, models.NewID(), h.approver, time.Now())
	h.exec(`UPDATE requests SET state = 'approved' WHERE id = $1 AND state = 'awaiting_approval'`, request)
	h.wake("run", request)
}

func (h *house) state(request string) models.RequestState {
	return get[models.RequestState](h, `SELECT state FROM requests WHERE id = $1`, request)
}

// drive works every due row, sweeping as workers do, until the request is in one of the states.
func (h *house) drive(request string, until ...models.RequestState) models.RequestState {
	h.t.Helper()
	state, err := h.driveFor(2*time.Minute, request, until...)
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

func (h *house) driveFor(limit time.Duration, request string, until ...models.RequestState) (models.RequestState, error) {
	deadline := time.After(limit)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		state := h.state(request)
		if slices.Contains(until, state) {
			return state, nil
		}
		h.round()
		select {
		case <-deadline:
			return state, fmt.Errorf("request is %s after %s, want one of %v: %s", state, limit, until, get[string](h, `SELECT COALESCE(jsonb_agg(j)::text, '') FROM journal j`))
		case <-tick.C:
		}
	}
}

// round wakes every open row once, each in a goroutine of its own that a crash may end.
func (h *house) round() {
	ctx := context.Background()
	if _, err := h.engine.Journal.Sweep(ctx, time.Second); err != nil {
		h.t.Fatal(err)
	}
	rows, err := h.store.Pool().Query(ctx, `SELECT id, generation FROM journal WHERE NOT done AND lease_owner IS NULL AND next_at <= clock_timestamp()`)
	if err != nil {
		h.t.Fatal(err)
	}
	var wakes []models.WakeArgs
	for rows.Next() {
		var w models.WakeArgs
		if err := rows.Scan(&w.JournalID, &w.Generation); err != nil {
			h.t.Fatal(err)
		}
		wakes = append(wakes, w)
	}
	for _, w := range wakes {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := h.engine.Wake(ctx, w); err != nil {
				h.t.Error(err)
			}
		}()
		<-ended
	}
}

// die ends the goroutine of a call as kill -9 ends the process: nothing more is written, the lease stays until it lapses.
func die() { runtime.Goexit() }

// wantOnce tells whether every step of so many objects has changed the world exactly once.
func (h *house) wantOnce(objects int) {
	h.t.Helper()
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	if n := len(h.world.effects); n != objects*len(h.world.steps) {
		h.t.Errorf("%d things were made, want %d", n, objects*len(h.world.steps))
	}
	for thing, n := range h.world.effects {
		if n != 1 {
			h.t.Errorf("%s was made %d times, want once; calls: %q", thing, n, h.world.log)
		}
	}
}

func (h *house) run(request string) models.Run {
	h.t.Helper()
	id := get[string](h, `SELECT run_id FROM requests WHERE id = $1`, request)
	run, err := h.store.Run(context.Background(), models.System("test", ""), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return run
}

func (h *house) actor(id, name string, roles ...models.PlatformRole) models.Actor {
	return models.Actor{Person: models.Person{ID: id, Name: name}, Roles: roles}
}

func (h *house) admin() models.Actor { return h.actor(h.approver, "Approver", models.PlatformAdmin) }
