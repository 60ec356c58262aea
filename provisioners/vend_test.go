package provisioners_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// vendor makes accounts by e-mail address, as the engine's contract with AWS Organizations says.
type vendor struct {
	mu     sync.Mutex
	made   map[string]int // accounts by e-mail address
	calls  []string       // names in the order of CreateAccount
	looks  map[string]int
	busy   int
	most   int
	refuse error
	drop   int // so many calls make the account and lose the answer
	hold   bool
	hidden int // so many looks show nothing of what is there
	fail   *models.Failure
}

func newVendor() *vendor { return &vendor{made: map[string]int{}, looks: map[string]int{}} }

func (v *vendor) Find(_ context.Context, g provisioners.Vending) (provisioners.Creation, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made[g.Account.Email] == 0 {
		return provisioners.Creation{Found: provisioners.Absent}, nil
	}
	if v.hidden > 0 {
		v.hidden--
		return provisioners.Creation{Found: provisioners.Absent}, nil
	}
	return v.look(g)
}

func (v *vendor) look(g provisioners.Vending) (provisioners.Creation, error) {
	v.looks[g.Account.Email]++
	if v.hold || v.looks[g.Account.Email] < 3 {
		return provisioners.Creation{Found: provisioners.Working, CreateID: "car-" + g.Account.Name}, nil
	}
	if v.fail != nil {
		return provisioners.Creation{Failure: v.fail}, nil
	}
	v.busy--
	return provisioners.Creation{Found: provisioners.Present, CreateID: "car-" + g.Account.Name, AWSID: fmt.Sprintf("%012d", len(g.Account.Email)*1000+len(v.looks)), AWSState: "ACTIVE"}, nil
}

func (v *vendor) Start(_ context.Context, g provisioners.Vending) (provisioners.Creation, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refuse != nil {
		return provisioners.Creation{}, v.refuse
	}
	v.made[g.Account.Email]++
	v.calls = append(v.calls, g.Account.Name)
	v.busy++
	v.most = max(v.most, v.busy)
	if v.drop > 0 {
		v.drop--
		return provisioners.Creation{}, errors.New("connection reset")
	}
	return provisioners.Creation{Found: provisioners.Working, CreateID: "car-" + g.Account.Name}, nil
}

func (v *vendor) Poll(_ context.Context, g provisioners.Vending) (provisioners.Creation, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.look(g)
}

// tenantMaker is a provisioner whose one step asks for a creation slot, as the tenant's does.
type tenantMaker struct {
	*world
	registry provisioners.Registry
}

func (m tenantMaker) Steps(models.Plan) ([]provisioners.Step, error) {
	system := models.System("engine", "")
	account := func(ctx context.Context, r *provisioners.Run) (models.Account, error) {
		tenant, err := m.registry.EnsureTenant(ctx, system, r.RequestID)
		if err != nil {
			return models.Account{}, err
		}
		return tenant.Accounts[0], nil
	}
	look := func(ctx context.Context, r *provisioners.Run) (provisioners.Result, error) {
		a, err := account(ctx, r)
		if err != nil {
			return provisioners.Result{}, err
		}
		if a.AWSID != "" {
			return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"account": a.AWSID}}, nil
		}
		slot, err := m.registry.Slot(ctx, a.ID)
		switch {
		case err != nil:
			return provisioners.Result{}, err
		case slot.Open():
			place, err := m.registry.SlotPlace(ctx, a.ID)
			return provisioners.Result{Found: provisioners.Working, Waiting: &models.WaitingOn{For: "a creation slot", Words: fmt.Sprintf("%d in front", place.Ahead)}}, err
		case slot.Failure != nil && r.Outputs["asked"] == fmt.Sprint(r.Attempt):
			return provisioners.Result{}, provisioners.Final{Failure: *slot.Failure}
		}
		return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"asked": fmt.Sprint(r.Attempt)}}, nil
	}
	return []provisioners.Step{{Name: "account.create.nonprod", Title: "Create account", Find: look, Poll: look,
		Start: func(ctx context.Context, r *provisioners.Run) error {
			a, err := account(ctx, r)
			if err != nil {
				return err
			}
			return m.registry.AskSlot(ctx, system, r.ID, a.ID)
		}}}, nil
}

func newVendHouse(t *testing.T, v *vendor, slots int) *house {
	t.Helper()
	w := newWorld("account.create.nonprod")
	h := newHouse(t, w)
	h.engine = h.newEngine(func(o *provisioners.EngineOptions) {
		o.Vendor, o.Slots = v, slots
		o.Provisioners = []provisioners.Provisioner{tenantMaker{w, h.store.Registry()}}
	})
	return h
}

// order submits and approves a request for a tenant with one account.
func (h *house) order(slug string) string {
	h.t.Helper()
	request := h.submit(models.NewID())
	h.exec(`UPDATE requests SET object_name = $2, inputs = jsonb_build_object('slug', $2::text, 'display_name', 'T', 'owner_group', 'a', 'developer_group', 'b', 'viewer_group', 'c',
		'cost_centre', 'x', 'budget', '10', 'classes', '["nonprod"]'::jsonb) WHERE id = $1`, request, slug)
	h.drive(request, models.AwaitingApproval)
	h.approve(request)
	return request
}

func TestAccountsAreMadeOneAfterAnother(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2} {
		t.Run(fmt.Sprint(slots), func(t *testing.T) {
			t.Parallel()
			v := newVendor()
			h := newVendHouse(t, v, slots)
			var requests []string
			for _, slug := range []string{"first", "second", "third", "fourth"} {
				r := h.order(slug)
				h.drive(r, models.Running)
				h.round() // asks for its slot now, so that the order is known
				requests = append(requests, r)
			}
			for _, r := range requests {
				h.drive(r, models.Succeeded)
			}
			if v.most > slots {
				t.Errorf("%d creations were under way at a time, want at most %d", v.most, slots)
			}
			if want := []string{"first-nonprod", "second-nonprod", "third-nonprod", "fourth-nonprod"}; !slices.Equal(v.calls, want) {
				t.Errorf("made %q, want %q", v.calls, want)
			}
			if n := get[int](h, `SELECT count(*) FROM creation_slots WHERE freed_at IS NOT NULL AND outcome = 'created'`); n != 4 {
				t.Errorf("%d slots ended with an account, want 4", n)
			}
		})
	}
}

func TestCreationIsKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	v := newVendor()
	h := newVendHouse(t, v, 1)
	kills := map[string]bool{}
	h.crash = func(kind, step, point string) {
		if name := kind + step + point; !kills[name] {
			kills[name] = true
			die()
		}
	}
	request := h.order("killed")
	h.drive(request, models.Succeeded)
	if len(v.calls) != 1 || len(kills) != 9 {
		t.Errorf("CreateAccount was called %d times with %d kills, want once with 9", len(v.calls), len(kills))
	}
}

// The change is made and the answer lost, and AWS's lists lag: still one account.
func TestLostAnswerIsFound(t *testing.T) {
	t.Parallel()
	v := newVendor()
	v.drop, v.hidden = 1, 2
	h := newVendHouse(t, v, 1)
	h.drive(h.order("dropped"), models.Succeeded)
	if len(v.calls) != 1 {
		t.Errorf("CreateAccount was called %d times, want once", len(v.calls))
	}
}

func TestRefusedCreationFreesTheSlotAndFailsTheRun(t *testing.T) {
	t.Parallel()
	v := newVendor()
	v.refuse = provisioners.Final{Failure: models.Failure{What: "The organization is full.", Code: "ACCOUNT_LIMIT_EXCEEDED"}}
	h := newVendHouse(t, v, 1)
	request := h.order("refused")
	h.drive(request, models.Failed)
	if run := h.run(request); run.Failure == nil || run.Failure.Code != "ACCOUNT_LIMIT_EXCEEDED" {
		t.Errorf("failure is %+v", run.Failure)
	}
	v.refuse = nil
	h.drive(h.order("another"), models.Succeeded)
	h.must(h.store.RetryRun(context.Background(), h.admin(), request))
	h.drive(request, models.Succeeded)
}

func TestFailedCreationFreesTheSlot(t *testing.T) {
	t.Parallel()
	v := newVendor()
	v.fail = &models.Failure{What: "AWS could not make it.", Code: "INTERNAL_FAILURE"}
	h := newVendHouse(t, v, 1)
	request := h.order("failing")
	h.drive(request, models.Failed)
	if outcome := get[string](h, `SELECT outcome FROM creation_slots`); outcome != "failed" {
		t.Errorf("slot ended as %q", outcome)
	}
}

// later is a clock that is minutes ahead after a while: the engine's own time limit, without waiting for it.
type later struct {
	models.ShiftedClock
	ahead func() time.Duration
}

func (c *later) Wall() time.Time { return c.ShiftedClock.Wall().Add(c.ahead()) }

func TestCreationThatNothingIsSeenOfGivesUpTheSlot(t *testing.T) {
	t.Parallel()
	v := newVendor()
	v.refuse = errors.New("connection reset") // whether AWS has it is not known
	h := newVendHouse(t, v, 1)
	tries := 0
	h.engine = h.newEngine(func(o *provisioners.EngineOptions) {
		o.Vendor, o.Provisioners, o.Lease = v, h.engine.Provisioners, time.Hour
		o.Clock = &later{ahead: func() time.Duration { tries++; return time.Duration(tries) * 2 * time.Second }}
	})
	request := h.order("lost")
	h.drive(request, models.Failed)
	if outcome := get[string](h, `SELECT outcome FROM creation_slots`); outcome != "lost" {
		t.Errorf("slot ended as %q", outcome)
	}
}

func TestLateAccountIsRecordedAndShown(t *testing.T) {
	t.Parallel()
	v := newVendor()
	v.hold = true
	h := newVendHouse(t, v, 1)
	request := h.order("late")
	h.drive(request, models.Running)
	for len(v.calls) == 0 {
		h.round()
	}
	// The run gives up on it.
	h.exec(`UPDATE requests SET state = 'failed' WHERE id = $1`, request)
	h.exec(`UPDATE runs SET state = 'failed' WHERE request_id = $1`, request)
	v.mu.Lock()
	v.hold = false
	v.mu.Unlock()
	for deadline := time.Now().Add(time.Minute); get[int](h, `SELECT count(*) FROM creation_slots WHERE freed_at IS NULL`) > 0 && time.Now().Before(deadline); {
		h.round()
	}
	if !get[bool](h, `SELECT late AND aws_id IS NOT NULL FROM accounts`) {
		t.Error("the late account is not recorded as such")
	}
	if n := get[int](h, `SELECT count(*) FROM run_events WHERE key = 'late'`); n != 1 {
		t.Errorf("the run's log tells of it %d times", n)
	}
	h.must(h.store.RetryRun(context.Background(), h.admin(), request))
	h.drive(request, models.Succeeded)
	if len(v.calls) != 1 {
		t.Errorf("CreateAccount was called %d times", len(v.calls))
	}
}
