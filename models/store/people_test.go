package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"slipway/models"
)

func TestSignInTwiceIsOnePerson(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	first, old := signIn(t, s, "ola", "a,b", `c"d\`, "", "ü")
	second, _ := signIn(t, s, "ola", "engineers")
	if first.Person.ID != second.Person.ID {
		t.Errorf("got %s and %s, want one person", first.Person.ID, second.Person.ID)
	}
	if want := []string{"a,b", `c"d\`, "", "ü"}; !slices.Equal(first.Person.Groups, want) {
		t.Errorf("groups come back as %q, want %q", first.Person.Groups, want)
	}
	session, who, err := s.Session(t.Context(), visitor, old)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(who.Person.Groups, []string{"engineers"}) {
		t.Errorf("an older session has groups %q, want those of the newest sign-in", who.Person.Groups)
	}
	if len(session.Groups) != 4 || session.SID != "sid" || string(session.IDToken) != "sealed" || who.Address != visitor.Address {
		t.Errorf("the session came back as %+v for %+v", session, who)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'auth.signin' AND address = '192.0.2.7' AND actor = 'ola'`); n != 2 {
		t.Errorf("%d sign-ins audited, want 2", n)
	}
}

func TestRolesAreOfThisMoment(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	admin, _ := signIn(t, s, "root", "platform-admins")
	_, hash := signIn(t, s, "aud", "auditors")
	roles := func() []models.PlatformRole {
		t.Helper()
		_, who, err := s.Session(t.Context(), visitor, hash)
		if err != nil {
			t.Fatal(err)
		}
		return who.Roles
	}
	if got := roles(); len(got) != 0 {
		t.Fatalf("roles %v before any mapping", got)
	}
	m, err := s.AddRoleMapping(t.Context(), admin, "auditors", models.Auditor)
	if err != nil {
		t.Fatal(err)
	}
	if got := roles(); !slices.Equal(got, []models.PlatformRole{models.Auditor}) {
		t.Errorf("roles %v after the mapping", got)
	}
	if err := s.RemoveRoleMapping(t.Context(), admin, m.ID); err != nil {
		t.Fatal(err)
	}
	if got := roles(); len(got) != 0 {
		t.Errorf("roles %v after the mapping was removed", got)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'roles.unmap' AND before = '{"roles": ["auditor"]}' AND after = '{"roles": []}'`); n != 1 {
		t.Errorf("%d entries say what was before and after, want 1", n)
	}
}

func TestMappingIsForAdmins(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	someone, _ := signIn(t, s, "eve", "engineers")
	admin, _ := signIn(t, s, "root", "platform-admins")
	if _, err := s.AddRoleMapping(t.Context(), someone, "engineers", models.PlatformAdmin); models.KindOf(err) != models.Forbidden {
		t.Errorf("got %v, want forbidden", err)
	}
	if _, err := s.AddRoleMapping(t.Context(), admin, " ", "king"); len(models.Fields(err)) != 2 {
		t.Errorf("got %v, want both fields named", err)
	}
	if _, err := s.AddRoleMapping(t.Context(), admin, "engineers", models.Requester); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddRoleMapping(t.Context(), admin, "engineers", models.Requester); models.KindOf(err) != models.Conflict {
		t.Errorf("got %v, want a conflict for the same mapping", err)
	}
}

func TestLastAdminMappingStays(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.AdminGroups = nil })
	setup := models.System("test", "")
	var ids []string
	for _, g := range []string{"admins-a", "admins-b", "admins-c"} {
		m, err := s.AddRoleMapping(t.Context(), setup, g, models.PlatformAdmin)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	admin, _ := signIn(t, s, "root", "admins-a", "admins-b")
	var wg sync.WaitGroup
	var refused atomic.Int32
	for _, id := range ids {
		wg.Go(func() {
			if err := s.RemoveRoleMapping(t.Context(), admin, id); models.KindOf(err) == models.Conflict && err != nil {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if n := count(t, s, `SELECT count(*) FROM role_mappings`); n != 1 || refused.Load() != 1 {
		t.Errorf("%d mappings left and %d refused, want one of each", n, refused.Load())
	}
}

func TestChangedAdminGroupsAreAuditedOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for range 3 {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := s.AdminGroupsAtStart(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s.opt.AdminGroups = append(s.opt.AdminGroups, fmt.Sprint("more-", len(s.opt.AdminGroups)))
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'roles.break_glass'`); n != 3 {
		t.Errorf("%d entries, want one for each change", n)
	}
}

func TestSignInIsTakenOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	in := models.SignIn{StateHash: []byte("state"), Nonce: "n", Verifier: "\x00\xffsealed", BrowserHash: []byte("b"), ReturnTo: "/requests", ExpiresAt: s.clock.Wall().Add(time.Minute)}
	if err := s.BeginSignIn(t.Context(), visitor, in); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var taken atomic.Int32
	for range 10 {
		wg.Go(func() {
			got, err := s.TakeSignIn(t.Context(), visitor, in.StateHash)
			switch {
			case err == nil && got.Verifier == in.Verifier && got.ExpiresAt.Equal(in.ExpiresAt):
				taken.Add(1)
			case models.KindOf(err) != models.NotFound:
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times, want once", taken.Load())
	}
}

func TestSessionsEndAndAreSwept(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	who, first := signIn(t, s, "ola")
	session, _, err := s.Session(t.Context(), visitor, first)
	if err != nil {
		t.Fatal(err)
	}
	at := s.clock.Wall()
	if err := s.TouchSession(t.Context(), who, session.ID, at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := s.TouchSession(t.Context(), who, session.ID, at); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.EndSession(t.Context(), who, session.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	session, _, err = s.Session(t.Context(), visitor, first)
	if err != nil || !session.EndedAt.Equal(at) || !session.LastSeenAt.Equal(at.Add(time.Minute)) {
		t.Errorf("got %+v, %v; want it ended at %s, last seen a minute later", session, err, at)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'auth.signout'`); n != 1 {
		t.Errorf("%d sign-outs audited, want 1", n)
	}
	_, kept := signIn(t, s, "ola")
	if _, err := s.pool.Exec(t.Context(), `UPDATE sessions SET ended_at = $1 WHERE id = $2`, at.Add(-models.KeptFor(models.SweptSessions)-time.Second), session.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Session(t.Context(), visitor, first); models.KindOf(err) != models.NotFound {
		t.Errorf("got %v, want the swept session gone", err)
	}
	if _, _, err := s.Session(t.Context(), visitor, kept); err != nil {
		t.Errorf("the live session: %v", err)
	}
}

func TestDraftsBelongToTheirPerson(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ola, _ := signIn(t, s, "ola")
	eve, _ := signIn(t, s, "eve")
	typed := map[string][]string{"slug": {"payments"}, "classes": {"nonprod", "prod"}}
	id, err := s.SaveForm(t.Context(), ola, models.SavedForm{Path: "/tenants/new", Fields: typed})
	if err != nil {
		t.Fatal(err)
	}
	late, err := s.SaveExpiredForm(t.Context(), visitor, models.SavedForm{PersonID: ola.Person.ID, Issuer: ola.Person.Issuer, Subject: ola.Person.Subject, Path: "/tenants/new", Fields: typed})
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.LoadForm(t.Context(), ola, late)
	if err != nil || !f.Expired || !slices.Equal(f.Fields["classes"], typed["classes"]) {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := s.LoadForm(t.Context(), eve, id); models.KindOf(err) != models.NotFound {
		t.Errorf("somebody else's draft: %v", err)
	}
	if _, err := s.SaveForm(t.Context(), eve, models.SavedForm{ID: id, Path: "/tenants/new"}); models.KindOf(err) != models.NotFound {
		t.Errorf("writing over somebody else's draft: %v", err)
	}
	if err := s.DeleteForm(t.Context(), eve, id); err != nil {
		t.Fatal(err)
	}
	if list, err := s.ListForms(t.Context(), ola); err != nil || len(list) != 2 {
		t.Errorf("%d drafts, %v; want both", len(list), err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE saved_forms SET saved_at = $1 WHERE id = $2`, s.clock.Wall().Add(-models.DraftLife-time.Second), id); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.ListForms(t.Context(), ola); err != nil || len(list) != 1 || list[0].ID != late {
		t.Errorf("got %+v, %v; want only the young one", list, err)
	}
}

func TestUnseenGroups(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	who, _ := signIn(t, s, "ola", "engineers", "payments-owners")
	got, err := s.UnseenGroups(t.Context(), who, []string{"payments-owners", "payments-develpers", "engineers"})
	if err != nil || !slices.Equal(got, []string{"payments-develpers"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSessionIsOneQuery(t *testing.T) {
	t.Parallel()
	q := &queries{}
	s, _ := open(t, func(o *Options) { o.Tracer = q })
	_, hash := signIn(t, s, "ola", "engineers")
	q.n.Store(0)
	if _, _, err := s.Session(t.Context(), visitor, hash); err != nil {
		t.Fatal(err)
	}
	if n := q.n.Load(); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}
