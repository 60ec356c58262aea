package aws

import (
	"context"
	"errors"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// vend makes one call for each open creation, as the engine's VendWork does.
func (k *walk) vend(ctx context.Context) error {
	for id, slot := range k.openSlots() {
		a, err := k.books.Account(ctx, id)
		if err != nil {
			return err
		}
		t, err := k.books.Tenant(ctx, a.TenantID)
		if err != nil {
			return err
		}
		v := k.vends[id]
		v.Account, v.Tenant, v.RequestID, v.RunID, v.StartedBy = a, t, k.req.ID, slot.RunID, k.req.RequesterID
		seen, err := k.ask(ctx, v)
		if errors.Is(err, errDied) {
			return err
		}
		var final provisioners.Final
		if errors.As(err, &final) {
			seen.Failure = &final.Failure
		} else if err != nil {
			continue
		}
		k.ended(id, seen)
	}
	return nil
}

func (k *walk) ask(ctx context.Context, v provisioners.Vending) (provisioners.Creation, error) {
	id := v.Account.ID
	look := k.vendor.Find
	if k.polls[id] {
		look = k.vendor.Poll
	}
	seen, err := look(ctx, v)
	if err != nil || seen.Failure != nil || seen.Found != provisioners.Absent {
		return seen, err
	}
	k.polls[id] = false
	if k.called[id] && k.looks(id) <= 2 {
		return seen, nil // the call may have been made: AWS's lists lag behind
	}
	k.called[id], k.outputs[id] = true, nil
	if k.dies("vend", "after-intent-commit") {
		return seen, errDied
	}
	seen, err = k.vendor.Start(ctx, v)
	if err == nil && k.dies("vend", "after-aws-call") {
		return seen, errDied
	}
	if err == nil {
		k.polls[id] = true
	}
	return seen, err
}

func (k *walk) looks(id string) int {
	if k.outputs[id] == nil {
		k.outputs[id] = map[string]string{}
	}
	k.outputs[id]["looks"] += "."
	return len(k.outputs[id]["looks"])
}

func (k *walk) openSlots() map[string]models.CreationSlot {
	k.books.mu.Lock()
	defer k.books.mu.Unlock()
	open := map[string]models.CreationSlot{}
	for id, s := range k.books.slots {
		if s.Open() {
			open[id] = s
		}
	}
	return open
}

// ended writes down what was seen of a creation.
func (k *walk) ended(id string, seen provisioners.Creation) {
	k.books.mu.Lock()
	defer k.books.mu.Unlock()
	v := k.vends[id]
	v.Cursor = seen.Cursor
	k.vends[id] = v
	a := k.books.account(id)
	if seen.CreateID != "" {
		a.CreateID = seen.CreateID
	}
	if seen.AWSID != "" {
		a.AWSID = seen.AWSID
	}
	if s := k.books.slots[id]; seen.Failure != nil || seen.Found == provisioners.Present {
		s.FreedAt, s.Failure, s.Outcome = time.Now(), seen.Failure, "created"
		k.books.slots[id] = s
		k.polls[id] = false
	} else if seen.Found == provisioners.Working {
		k.polls[id] = true
	}
}

// TestSearchGoesOnWhereItWas looks for one account among five hundred: a few pages a job, with the place kept between jobs.
func TestSearchGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	w.exec(`INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after, tags)
		SELECT lpad((600000000000 + n)::text, 12, '0'), 'filler-' || n, 'filler-' || n || '@example.com', 'ACTIVE', 'r-demo', clock_timestamp(), clock_timestamp(), clock_timestamp(), '{"slipway:account": "a1"}' FROM generate_series(1, 490) n`)
	v := Vendor{Clients: w.clients(asWorker, nil)}
	for email, want := range map[string]provisioners.Found{"nobody@example.com": provisioners.Absent, "FILLER-490@example.com": provisioners.Present} {
		p := vendingOf("a1")
		p.Account.Email = email
		jobs := 0
		for {
			seen, err := v.Find(t.Context(), p)
			if err != nil || seen.Failure != nil {
				t.Fatalf("%s: %+v, %v", email, seen, err)
			}
			if jobs++; seen.Found != provisioners.More {
				if seen.Found != want || jobs < 3 {
					t.Errorf("%s: got %+v after %d jobs", email, seen, jobs)
				}
				break
			}
			p.Cursor = seen.Cursor
		}
	}
}
