package store

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

// TestNoSecretReachesTheAuditLog plants one word in everything that is secret, and in what people type elsewhere, and looks for
// it in the whole log.
func TestNoSecretReachesTheAuditLog(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7f3a"
	s, _ := open(t)
	c := players(t, s)
	wall := s.clock.Wall()
	hash := sha256.Sum256([]byte(canary))
	in := models.SignIn{StateHash: hash[:], Nonce: canary, Verifier: canary, BrowserHash: []byte(canary), ReturnTo: "/", ExpiresAt: wall.Add(time.Minute)}
	if err := s.BeginSignIn(t.Context(), visitor, in); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeSignIn(t.Context(), visitor, hash[:]); err != nil {
		t.Fatal(err)
	}
	who, err := s.SignIn(t.Context(), visitor, models.Person{Issuer: "https://idp.test", Subject: "spy", Name: "spy", Groups: []string{"engineers"}, GroupsSeenAt: wall},
		models.Session{TokenHash: []byte(canary), CSRFSecret: []byte(canary), SID: canary, IDToken: []byte(canary), CreatedAt: wall, LastSeenAt: wall, ExpiresAt: wall.Add(time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := s.SaveForm(t.Context(), who, models.SavedForm{Path: "/tenants/new", Fields: map[string][]string{"description": {canary}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.RequestTenant(t.Context(), who, "key-"+canary, inputs("logistics"), draft)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Comment(t.Context(), c.admin, r.ID, "k", "The password is "+canary); err != nil {
		t.Fatal(err)
	}
	err = s.tx(t.Context(), func(w *tx) error {
		nested := map[string]any{"list": []any{map[string]any{"ClientSecret": canary, "access-key-id": canary, "External_ID": canary, "n": 1}}, "Authorization": canary}
		return w.audit(who, "test.masked", about{}, nested, nested)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries e WHERE strpos(e::text, $1) > 0 OR strpos(e::text, encode($1::bytea, 'hex')) > 0
		OR strpos(e::text, encode($1::bytea, 'base64')) > 0`, canary); n != 0 {
		t.Errorf("%d entries hold the secret", n)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries`); n < 8 {
		t.Errorf("only %d entries were looked at", n)
	}
}

func TestMaskedKeepsTheRest(t *testing.T) {
	got, err := masked(map[string]any{"slug": "payments", "token": nil, "apiToken": "x", "budget": 4000.5, "csrf_secret": map[string]any{"a": 1}})
	if want := `{"apiToken":"(masked)","budget":4000.5,"csrf_secret":"(masked)","slug":"payments","token":null}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got, err := masked(nil); got != nil || err != nil {
		t.Errorf("nothing becomes %s, %v", got, err)
	}
	if big, err := masked(map[string]int64{"n": 9007199254740993}); err != nil || !strings.Contains(string(big), "9007199254740993") {
		t.Errorf("a large number becomes %s, %v", big, err)
	}
}

// TestEveryChangeIsAudited goes one request's way and wants an entry for each step, with what was before and after.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	c := players(t, s)
	r := submit(t, s, c.dev, "logistics")
	hash := planned(t, s, r.ID, "one")
	if err := s.Decide(t.Context(), c.admin, r.ID, hash, models.Approve, "Fine."); err != nil {
		t.Fatal(err)
	}
	if err := s.CancelRequest(t.Context(), c.dev, r.ID); err != nil {
		t.Fatal(err)
	}
	list, err := s.AuditEntries(t.Context(), c.auditor, models.ListQuery{Filters: map[string]string{"object": r.ID}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := len(list.Rows) - 1; i >= 0; i-- {
		e := list.Rows[i]
		got = append(got, e.Actor+" "+e.Action)
		if strings.HasPrefix(e.Action, "request.") && e.Action != "request.submit" && (len(e.Before) == 0 || len(e.After) == 0) {
			t.Errorf("%s has before %s and after %s", e.Action, e.Before, e.After)
		}
		if e.ObjectName == "" || e.Role == "" || e.At.IsZero() {
			t.Errorf("%+v is not whole", e)
		}
	}
	want := "dev request.submit, planner plan.computed, planner request.awaiting_approval, admin approval.approve, admin request.approved, dev request.cancelled"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
}
