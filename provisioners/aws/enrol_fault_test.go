package aws

import (
	"strings"
	"testing"

	"slipway/models"
	"slipway/provisioners"
)

// TestWhatCannotBeEnrolled: each account that plays a part for the organization, or is not there to be had, is refused with its reason.
func TestWhatCannotBeEnrolled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	w.exec(`INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after) SELECT id, name, id || '@example.com', state, 'r-demo', clock_timestamp(), clock_timestamp(), clock_timestamp()
		FROM (VALUES ('700000000001', 'old', 'SUSPENDED'), ('700000000002', 'going', 'PENDING_CLOSURE'), ('700000000003', 'new', 'PENDING_ACTIVATION'), ('700000000004', 'Audit', 'ACTIVE'),
			('700000000005', 'keeps records', 'ACTIVE'), ('700000000006', 'governs', 'ACTIVE'), ('700000000007', 'in prod', 'ACTIVE'), ('700000000008', 'theirs', 'ACTIVE'), ('700000000009', 'theirs too', 'ACTIVE')) a (id, name, state)`)
	w.exec(`INSERT INTO org_delegations (account, principal, since) VALUES ('700000000006', 'guardduty.amazonaws.com', clock_timestamp())`)
	w.exec(`UPDATE accounts SET parent = 'ou-demo-prod0001' WHERE id = '700000000007'`)
	w.exec(`UPDATE accounts SET tags = '{"slipway:tenant": "theirs"}' WHERE id = '700000000009'`)
	for name, tc := range map[string]struct {
		id   string
		move bool
		says string
	}{
		"not of this organization": {"799999999999", true, "is not in this organization"},
		"closed":                   {"700000000001", true, "is closed or suspended: AWS says SUSPENDED"},
		"being closed":             {"700000000002", true, "is closed or suspended: AWS says PENDING_CLOSURE"},
		"not active yet":           {"700000000003", true, "is not active: AWS says PENDING_ACTIVATION"},
		"management":               {"111111111111", true, "is the organization's management account"},
		"hub":                      {"222222222222", true, "is the account that Slipway itself runs in"},
		"log archive, by name":     {"333333333333", true, `called "Log archive"`},
		"audit, by name":           {"700000000004", true, `called "Audit"`},
		"listed":                   {"700000000005", true, "kept out by SLIPWAY_PROTECTED_ACCOUNTS"},
		"delegated administrator":  {"700000000006", true, "is a delegated administrator"},
		"another class's unit":     {"700000000007", false, "is in the organizational unit of prod accounts"},
		"another tenant's tags":    {"700000000009", true, "says that it is another tenant's"},
		"bound":                    {"700000000008", true, "belongs to a tenant already"},
	} {
		c := enrolClients(w, func(o *Options) { o.Protected = []string{"700000000005"} })
		k := newWalk(t, w, c, "payments", models.NonProd)
		k.books.tenants["theirs"] = models.Tenant{ID: "theirs", Slug: "theirs", Accounts: []models.Account{{ID: "a", TenantID: "theirs", Class: models.NonProd, AWSID: "700000000008", State: models.Ready}}}
		k.enrols(models.AccountInputs{Class: models.NonProd, AWSID: tc.id, Move: tc.move})
		err := k.makePlan()
		f, ok := isFinal(err)
		if !ok || !strings.Contains(f.Failure.What, tc.says) || f.Failure.Next == "" || f.Failure.Owner == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestControlTowerGoverns: no account is made where Control Tower governs; one that its Account Factory made there is enrolled.
func TestControlTowerGoverns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	governed := func(o *Options) {
		o.OUs = map[models.Class]string{models.NonProd: "ou-demo-governed1", models.Prod: "ou-demo-prod0001"}
	}
	k := newWalk(t, w, enrolClients(w, governed), "payments", models.NonProd)
	f := wantFinal(t, k.makePlan())
	if !strings.Contains(f.What, "governed by AWS Control Tower (policy aws-guardrails-KtXbQz)") || !strings.Contains(f.Next, "Account Factory") || !strings.Contains(f.Next, "enrol it here") {
		t.Errorf("vending: %+v", f)
	}
	for account, says := range map[string]string{cardVault: "Slipway changes nothing of that", dataLab: "takes the move for drift"} {
		k := newWalk(t, w, enrolClients(w, governed), "payments", models.NonProd)
		k.enrols(models.AccountInputs{Class: models.NonProd, AWSID: account, Move: true})
		k.mustPlan()
		if notes := strings.Join(k.draft.Notes, " "); !strings.Contains(notes, says) {
			t.Errorf("%s: %s", account, notes)
		}
		if moves := strings.Contains(strings.Join(k.says(), "\n"), "change | Organizational unit"); moves != (account == dataLab) {
			t.Errorf("%s moves: %v", account, moves)
		}
	}
}

// untilStep runs the steps before one, and gives that.
func (k *walk) untilStep(name string) provisioners.Step {
	k.t.Helper()
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, s := range steps {
		if s.Name == name {
			return s
		}
		if err := k.work(s); err != nil {
			k.t.Fatal(err)
		}
		k.done[s.Name] = true
	}
	k.t.Fatalf("there is no step %s", name)
	return provisioners.Step{}
}

// TestEnrolledAccountGoesAway: an account that leaves or is closed on its way stops the run with words, wherever it waits.
func TestEnrolledAccountGoesAway(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   models.AccountInputs
		step string
		gone string
		says string
	}{
		"leaves before the move":      {models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true}, "account.move.prod", `DELETE FROM accounts WHERE id = '411111111111'`, "is not in this organization"},
		"leaves before its roles":     {models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true}, "account.access.prod", `DELETE FROM accounts WHERE id = '411111111111'`, "is not in this organization"},
		"is closed before its roles":  {models.AccountInputs{Class: models.Prod, AWSID: dataLab, Move: true}, "account.access.prod", `UPDATE accounts SET state = 'PENDING_CLOSURE' WHERE id = '422222222222'`, "AWS says PENDING_CLOSURE"},
		"leaves while a person works": {models.AccountInputs{Class: models.Prod, AWSID: legacyShop}, "account.manual.prod", `DELETE FROM accounts WHERE id = '411111111111'`, "is not in this organization"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 500)
			k := newWalk(t, w, enrolClients(w, nil), "payments", models.Prod)
			k.enrols(tc.in)
			k.mustPlan()
			s := k.untilStep(tc.step)
			w.exec(tc.gone)
			f := wantFinal(t, k.work(s))
			if !strings.Contains(f.What, tc.says) || !strings.Contains(f.Next, "undo the run") {
				t.Errorf("got %+v", f)
			}
			k.undoes() // nothing is in the way of releasing it
			if _, err := k.books.BoundAccount(t.Context(), tc.in.AWSID); models.KindOf(err) != models.NotFound {
				t.Errorf("it is still bound: %v", err)
			}
		})
	}
}

// undoes takes back every step that can be, last first, as the engine does.
func (k *walk) undoes() {
	k.t.Helper()
	steps, err := k.serves.Steps(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		if s.Undo == nil || !k.done[s.Name] {
			continue
		}
		eventually(k.t, "undo "+s.Name, func() bool {
			res, err := s.Undo(k.t.Context(), k.runOf(s.Name))
			if f, ok := isFinal(err); ok {
				k.t.Fatalf("undo %s: %+v", s.Name, f.Failure)
			}
			k.keep(s.Name, res)
			return err == nil && res.Found == provisioners.Present
		})
	}
}

// TestRolesOfAnotherInstallation: roles that are there already keep the stack set from delivering ours, and the run says whose they may be.
func TestRolesOfAnotherInstallation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	w.exec(`INSERT INTO roles (account, name, path, id, trust, max_session, created_at, usable_after) VALUES ('411111111111', 'slipway-read', '/slipway/platform/', 'AROAOTHERINSTALLATION', '{"Version":"2012-10-17","Statement":[]}', 3600, clock_timestamp(), clock_timestamp())`)
	k := newWalk(t, w, enrolClients(w, nil), "payments", models.Prod)
	k.enrols(models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	k.mustPlan()
	f := wantFinal(t, k.run())
	if !strings.Contains(f.What, "could not deliver") || !strings.Contains(f.Cause, "already exists") || !strings.Contains(f.Next, "another installation") {
		t.Errorf("got %+v", f)
	}
	k.undoes()
	if n := w.count(`SELECT count(*) FROM accounts WHERE id = '411111111111' AND parent = 'ou-demo-legacy001' AND tags->>'slipway:tenant' IS NULL`); n != 1 {
		t.Error("it is not back where it was, without our tags")
	}
}

// TestRolesThatDoNotTrustUs: the stack set has delivered, but for another external id or hub than this Slipway has.
func TestRolesThatDoNotTrustUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, enrolClients(w, func(o *Options) { o.FreshFor = 1 }), "payments", models.Prod)
	k.enrols(models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	k.mustPlan()
	w.exec(`UPDATE stack_sets SET body = jsonb_set(body, '{Definition,Parameters,ExternalId}', '"another-installations-secret"')`)
	access := k.untilStep("account.access.prod")
	f := wantFinal(t, k.work(access))
	for _, want := range []string{"slipway-worker", "SLIPWAY_EXTERNAL_ID", "aws:PrincipalOrgID", "slipway:account = 411111111111"} {
		if !strings.Contains(f.What, "cannot get into account") || !strings.Contains(f.Next, want) {
			t.Errorf("without %q: %+v", want, f)
		}
	}
}

// TestPoliciesChangeBeforeTheMove: what was approved is a list of policies; another list is another decision, and nothing is moved.
func TestPoliciesChangeBeforeTheMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, enrolClients(w, nil), "payments", models.Prod)
	k.enrols(models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	k.mustPlan()
	k.untilStep("account.move.prod")
	w.exec(`INSERT INTO org_attachments (policy, target) VALUES ('p-sandbox01', 'ou-demo-legacy001')`)
	err := k.run()
	if err == nil || !strings.Contains(err.Error(), "not those that were approved") {
		t.Errorf("got %v", err)
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE op = 'MoveAccount'`); n != 0 {
		t.Error("it was moved")
	}
	w.exec(`UPDATE accounts SET parent = 'ou-demo-sandbox01' WHERE id = '411111111111'`)
	if err := k.run(); err == nil || !strings.Contains(err.Error(), "not in ou-demo-legacy001 any more") {
		t.Errorf("moved by somebody: got %v", err)
	}
}
