package store

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

func TestSameKeyIsOneRequest(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	var wg sync.WaitGroup
	ids := make([]string, 100)
	for i := range ids {
		wg.Go(func() {
			r, err := s.RequestTenant(t.Context(), c.dev, "same", inputs("logistics"), "")
			if err != nil {
				t.Errorf("submit %d: %v", i, err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("got %s and %s for one key", id, ids[0])
		}
	}
	for what, query := range map[string]string{"requests": `SELECT count(*) FROM requests`, "names": `SELECT count(*) FROM names WHERE freed_at IS NULL`,
		"journal rows": `SELECT count(*) FROM journal`, "jobs": `SELECT count(*) FROM river_job`, "entries": `SELECT count(*) FROM audit_entries WHERE action = 'request.submit'`} {
		if n := count(t, s, query); n != 1 {
			t.Errorf("%d %s, want 1", n, what)
		}
	}
}

func TestOneSlugHasOneOwner(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	var wg sync.WaitGroup
	var won, taken atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			_, err := s.RequestTenant(t.Context(), c.dev, fmt.Sprint("key", i), inputs("logistics"), "")
			switch {
			case err == nil:
				won.Add(1)
			case models.Fields(err)["slug"] == Taken:
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || taken.Load() != 19 {
		t.Errorf("%d won and %d found it taken, want 1 and 19", won.Load(), taken.Load())
	}
	if used, err := s.SlugTaken(t.Context(), c.outsider, "logistics"); !used || err != nil {
		t.Errorf("the live check says %v, %v", used, err)
	}
	if used, err := s.SlugTaken(t.Context(), c.outsider, "logistic"); used || err != nil {
		t.Errorf("the live check of a free name says %v, %v", used, err)
	}
}

func TestSubmitRefusals(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	nobody, _ := signIn(t, s, "nobody")
	bad := inputs("ok-slug")
	bad.Slug, bad.Budget, bad.OwnerGroup = "Not OK", decimal.Zero, "!!"
	for name, tc := range map[string]struct {
		who    models.Actor
		key    string
		in     models.TenantInputs
		kind   models.Kind
		fields int
	}{
		"nobody":  {nobody, "k", inputs("abc"), models.Forbidden, 0},
		"auditor": {c.auditor, "k", inputs("abc"), models.Forbidden, 0},
		"system":  {models.System("planner", c.dev.Person.ID), "k", inputs("abc"), models.Forbidden, 0},
		"no key":  {c.dev, "", inputs("abc"), models.Invalid, 0},
		"inputs":  {c.dev, "k", bad, models.Invalid, 3},
		"NUL":     {c.dev, "k\x00", inputs("abc"), models.Invalid, 0},
	} {
		_, err := s.RequestTenant(t.Context(), tc.who, tc.key, tc.in, "")
		if err == nil || models.KindOf(err) != tc.kind || len(models.Fields(err)) != tc.fields {
			t.Errorf("%s: got %v with fields %v, want %s and %d fields", name, err, models.Fields(err), tc.kind, tc.fields)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestCancelFreesTheName(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	if err := s.CancelRequest(t.Context(), c.outsider, r.ID); models.KindOf(err) != models.NotFound {
		t.Errorf("an outsider's cancel: %v", err)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'access.denied' AND actor_id = $1`, c.outsider.Person.ID); n != 1 {
		t.Errorf("%d denials audited, want 1", n)
	}
	if err := s.CancelRequest(t.Context(), c.auditor, r.ID); models.KindOf(err) != models.Forbidden {
		t.Errorf("an auditor's cancel: %v", err)
	}
	for range 2 {
		if err := s.CancelRequest(t.Context(), c.dev, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, s, r.ID); got != models.Cancelled {
		t.Errorf("it is %s", got)
	}
	if _, err := s.RequestTenant(t.Context(), c.outsider, "k", inputs("logistics"), ""); err != nil {
		t.Errorf("the freed name: %v", err)
	}
}

func TestSentBackEditedAndPlannedAgain(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	if _, err := s.EditTenantRequest(t.Context(), c.dev, r.ID, inputs("other")); models.KindOf(err) != models.Conflict {
		t.Errorf("an edit while planning: %v", err)
	}
	hash := planned(t, s, r.ID, "one")
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.AskForChanges, " "); models.Fields(err)["reason"] == "" {
		t.Errorf("asking without a reason: %v", err)
	}
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.AskForChanges, "Choose a better name."); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EditTenantRequest(t.Context(), c.admin, r.ID, inputs("returns")); models.KindOf(err) != models.Forbidden {
		t.Errorf("an admin edits somebody's inputs: %v", err)
	}
	for range 2 { // the second changes nothing
		edited, err := s.EditTenantRequest(t.Context(), c.dev, r.ID, inputs("returns"))
		if err != nil || edited.State != models.Planning || edited.Title != "Create tenant returns" || edited.ID != r.ID {
			t.Fatalf("got %+v, %v", edited, err)
		}
	}
	if used, err := s.SlugTaken(t.Context(), c.dev, "logistics"); used || err != nil {
		t.Errorf("the old name stays reserved: %v, %v", used, err)
	}
	if hash = planned(t, s, r.ID, "one"); state(t, s, r.ID) != models.AwaitingApproval {
		t.Fatalf("it is %s", state(t, s, r.ID))
	}
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.AskForChanges, "Still not."); err != nil || state(t, s, r.ID) != models.ChangesRequested {
		t.Errorf("asking again about the same plan: %v, %s", err, state(t, s, r.ID))
	}
}

func TestRequestsExpire(t *testing.T) {
	t.Parallel()
	clock := &models.ShiftedClock{}
	s, _ := open(t, func(o *Options) { o.Clock = clock })
	c := players(t, s)
	broken := submit(t, s, c.dev, "broken")
	planned(t, s, broken.ID, "one")
	waiting, planning := submit(t, s, c.dev, "logistics"), submit(t, s, c.dev, "returns")
	planned(t, s, waiting.ID, "one")
	clock.SetOffset(13 * 24 * time.Hour)
	if n, err := s.ExpireRequests(t.Context()); n != 0 || err != nil {
		t.Errorf("expired %d, %v after 13 days", n, err)
	}
	clock.SetOffset(14*24*time.Hour + time.Minute)
	if _, err := s.pool.Exec(t.Context(), `UPDATE requests SET waiting = '"nobody wrote this"' WHERE id = $1`, broken.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ExpireRequests(t.Context()); n != 1 || err == nil { // what cannot be read keeps no other
		t.Errorf("expired %d, %v after 14 days; want 1 and an error", n, err)
	}
	if a, b := state(t, s, waiting.ID), state(t, s, planning.ID); a != models.Expired || b != models.Planning {
		t.Errorf("they are %s and %s", a, b)
	}
}

func TestCommentOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	for range 2 {
		if err := s.Comment(t.Context(), c.admin, r.ID, "k1", "Why two accounts?\r\nOne would do."); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		who  models.Actor
		body string
		kind models.Kind
	}{
		"empty": {c.dev, " \n", models.Invalid}, "long": {c.dev, strings.Repeat("é", maxComment+1), models.Invalid},
		"auditor": {c.auditor, "Hm.", models.Forbidden}, "outsider": {c.outsider, "Hm.", models.NotFound}, "NUL": {c.dev, "a\x00b", models.Invalid},
	} {
		if err := s.Comment(t.Context(), tc.who, r.ID, "k-"+name, tc.body); models.KindOf(err) != tc.kind || err == nil {
			t.Errorf("%s: got %v, want %s", name, err, tc.kind)
		}
	}
	p, err := s.RequestPage(t.Context(), c.dev, r.ID)
	if err != nil || len(p.Comments) != 1 || p.Comments[0].PersonName != "admin" || p.Comments[0].Body != "Why two accounts?\nOne would do." {
		t.Errorf("got %+v, %v", p.Comments, err)
	}
}

func TestSubmittedDraftIsGone(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	draft, err := s.SaveForm(t.Context(), c.dev, models.SavedForm{Path: "/tenants/new", Fields: map[string][]string{"slug": {"x"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RequestTenant(t.Context(), c.dev, "k", inputs("logistics"), draft); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadForm(t.Context(), c.dev, draft); models.KindOf(err) != models.NotFound {
		t.Errorf("the draft: %v", err)
	}
}
