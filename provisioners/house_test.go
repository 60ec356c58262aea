package provisioners_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
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
	state, err := h.driveFor(20*time.Second, request, until...)
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

// world is what the recorder's steps change: the engine's contract, recorded call by call.
type world struct {
	mu      sync.Mutex
	steps   []string
	there   map[string]bool
	starts  map[string]int
	effects map[string]int // how often a step's change was made although it was there
	polls   map[string]int
	log     []string

	find   func(step string) (provisioners.Result, error, bool)
	start  func(ctx context.Context, step string) (error, bool) // before the change
	poll   func(step string) (provisioners.Result, error, bool)
	undo   map[string]func() (provisioners.Result, error)
	stays  map[string]string
	rules  func(models.RuleFacts) models.Verdict
	price  int64
	detail string // part of the plan's content
}

func newWorld(steps ...string) *world {
	return &world{steps: steps, there: map[string]bool{}, starts: map[string]int{}, effects: map[string]int{}, polls: map[string]int{},
		undo: map[string]func() (provisioners.Result, error){}, stays: map[string]string{}}
}

func (w *world) Kind() models.RequestKind { return "test.make" }

func (w *world) Plan(_ context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	part := models.PlanPart{Name: "World"}
	for _, s := range w.steps {
		part.Changes = append(part.Changes, models.Change{Step: s, LogicalID: s, Type: "thing", Action: models.Add, Note: w.detail})
	}
	return provisioners.Draft{Parts: []models.PlanPart{part}, Cost: []models.CostLine{{Item: "thing", Planned: dollars(w.price)}}}, nil
}

func (w *world) Evaluate(f models.RuleFacts) models.Verdict {
	if w.rules != nil {
		return w.rules(f)
	}
	return models.Verdict{Demands: []models.Demand{{Role: "platform-admin", Count: 1}}, Digest: "d"}
}

func (w *world) Steps(models.Plan) ([]provisioners.Step, error) {
	var steps []provisioners.Step
	for _, name := range w.steps {
		step := provisioners.Step{Name: name, Title: "Make " + name, Find: w.finds, Start: w.startsOne, Poll: w.pollsOne, Stays: w.stays[name]}
		if undo := w.undo[name]; undo != nil {
			step.Undo = func(context.Context, *provisioners.Run) (provisioners.Result, error) { return undo() }
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// key names one thing: each object has its own.
func key(r *provisioners.Run) string { return r.ObjectID + "/" + r.Step }

func (w *world) note(what, step string) { w.log = append(w.log, what+" "+step) }

func (w *world) finds(_ context.Context, r *provisioners.Run) (provisioners.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("find", r.Step)
	if w.find != nil {
		if res, err, ok := w.find(r.Step); ok {
			return res, err
		}
	}
	if !w.there[key(r)] {
		return provisioners.Result{Found: provisioners.Absent}, nil
	}
	return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"id": "id-" + r.Step}}, nil
}

func (w *world) startsOne(ctx context.Context, r *provisioners.Run) error {
	w.mu.Lock()
	hook := w.start
	w.note("start", r.Step)
	w.starts[r.Step]++
	w.mu.Unlock()
	if hook != nil {
		if err, ok := hook(ctx, r.Step); ok {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects[key(r)]++
	w.there[key(r)] = true
	return nil
}

func (w *world) pollsOne(_ context.Context, r *provisioners.Run) (provisioners.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("poll", r.Step)
	w.polls[key(r)]++
	if w.poll != nil {
		if res, err, ok := w.poll(r.Step); ok {
			return res, err
		}
	}
	if w.polls[key(r)] < 2 {
		return provisioners.Result{Found: provisioners.Working, Events: []provisioners.Event{{Key: "e", Level: "info", Text: "in progress"}}}, nil
	}
	return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"id": "id-" + r.Step}}, nil
}

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

var errAWS = errors.New("throttled")
