package provisioners_test

import (
	"context"
	"errors"
	"sync"

	"slipway/models"
	"slipway/provisioners"
)

var errAWS = errors.New("throttled")

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
	plan   error  // what planning ends in
}

func newWorld(steps ...string) *world {
	return &world{steps: steps, there: map[string]bool{}, starts: map[string]int{}, effects: map[string]int{}, polls: map[string]int{},
		undo: map[string]func() (provisioners.Result, error){}, stays: map[string]string{}}
}

func (w *world) Kind() models.RequestKind { return "test.make" }

func (w *world) Plan(_ context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.plan != nil {
		return provisioners.Draft{}, w.plan
	}
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
	r.Outputs["asked"] = "as-" + r.Step
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
