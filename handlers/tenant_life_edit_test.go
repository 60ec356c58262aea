package handlers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/models"
)

func sentBackRequest(t *testing.T, kind models.RequestKind, in any) models.RequestPage {
	t.Helper()
	doc, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return models.RequestPage{Request: models.Request{ID: "r1", Number: 7, Kind: kind, ObjectType: models.TenantObject, ObjectName: "payments", TenantID: "t1", State: models.ChangesRequested, RequesterID: "p1", RequesterName: "Ines",
		Reason: "Start smaller.", Inputs: doc}, Approvals: []models.Approval{{Decision: models.AskForChanges, PersonName: "Jonas"}}}
}

// TestTenantLifeIsEditedAfterChangesWereAsked: the answers come back as they were sent, with who asked for what, and go out anew.
func TestTenantLifeIsEditedAfterChangesWereAsked(t *testing.T) {
	for kind, tc := range map[models.RequestKind]struct {
		in    any
		shown []string
		body  url.Values
		want  any
	}{
		models.ChangeTenant: {models.ChangeTenantInputs{OwnerGroup: "o9", Budget: models.MaxBudget}, []string{`value="o9"`, `value="10000000"`}, url.Values{"owner_group": {"o9"}, "developer_group": {"d"}, "viewer_group": {"v"}, "budget": {"5"}}, nil},
		models.AddAccount:   {models.AccountInputs{Class: models.Prod}, []string{`value="prod" checked`}, url.Values{"class": {"prod"}}, models.AccountInputs{Class: models.Prod}},
		models.EnrolAccount: {models.AccountInputs{Class: models.Prod, AWSID: "209355718841", Move: true}, []string{`value="move" checked`, `value="209355718841"`}, url.Values{"class": {"prod"}, "from": {"stay"}, "account": {"209355718841"}},
			models.AccountInputs{Class: models.Prod, AWSID: "209355718841"}},
		models.CloseTenant: {models.CloseTenantInputs{Reason: "Over.", Images: true}, []string{">Over.<", `name="images" value="yes" checked`}, url.Values{"confirm": {"payments"}, "reason": {"Over."}}, models.CloseTenantInputs{Confirm: "payments", Reason: "Over."}},
	} {
		h := newHouse()
		h.page = sentBackRequest(t, kind, tc.in)
		_, body := h.ask(t, ownerOf, "/requests/r1/edit", nil)
		for _, want := range append(tc.shown, "Jonas asked for changes", "Start smaller.", `action="/requests/r1/edit"`) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", kind, want)
			}
		}
		resp, body := h.ask(t, ownerOf, "/requests/r1/edit", tc.body)
		if resp.Header.Get("Location") != "/requests/r1" || len(h.edited) != 1 || tc.want != nil && h.edited[0] != tc.want {
			t.Errorf("%s: %d, edited %+v: %.200s", kind, resp.StatusCode, h.edited, body)
		}
		if _, body = h.ask(t, adminOf, "/requests/r1/edit", tc.body); !strings.Contains(body, "Only Ines, who asked for it") || len(h.edited) != 1 {
			t.Errorf("%s: somebody else changes it: %.200s", kind, body)
		}
		h.page.Request.State = models.AwaitingApproval
		if _, body = h.ask(t, ownerOf, "/requests/r1/edit", nil); !strings.Contains(body, "cannot be changed now") {
			t.Errorf("%s: while it waits: %.200s", kind, body)
		}
	}
	h := newHouse()
	h.page = sentBackRequest(t, models.AddAccount, models.AccountInputs{Class: models.Prod})
	if resp, body := h.ask(t, ownerOf, "/requests/r1/edit", url.Values{"class": {"prod"}, "from": {"move"}, "account": {"209355718841"}}); resp.StatusCode != http.StatusUnprocessableEntity || len(h.edited) != 0 {
		t.Errorf("a new account became an enrolled one: %.200s", body)
	}
	if a := h.page.Request; mayEdit(ownerOf, models.Request{Kind: models.MoveAccount, State: a.State, RequesterID: "p1"}) {
		t.Error("a move asks nothing that could be changed")
	}
}

// TestTenantLifeKeepsDrafts: what an expired session sent comes back as it was typed.
func TestTenantLifeKeepsDrafts(t *testing.T) {
	h := newHouse()
	h.draft = models.SavedForm{ID: "d1", Expired: true, SavedAt: time.Now(), Fields: map[string][]string{"owner_group": {"half typed"}, "budget": {"lots"}, "class": {"prod"}}}
	_, body := h.ask(t, ownerOf, "/tenants/payments/change?draft=d1", nil)
	for _, want := range []string{`value="half typed"`, `value="lots"`, `name="_draft" value="d1"`, "Your session had ended"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if _, body = h.ask(t, ownerOf, "/tenants/payments/accounts/nonprod/move?draft=d1", nil); !strings.Contains(body, `action="/tenants/payments/accounts/nonprod/move"`) {
		t.Errorf("a draft leads to another account: %.300s", body)
	}
}

func TestTenantActions(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*models.Tenant)
		offered string
		why     string // of the account
	}{
		"one account": {func(*models.Tenant) {}, "change account close", ""},
		"none":        {func(t *models.Tenant) { t.Accounts = nil }, "change account close", ""},
		"both": {func(t *models.Tenant) {
			t.Accounts = append(t.Accounts, models.Account{Class: models.Prod, State: models.Ready})
		}, "change close", "nonprod and its prod account already"},
		"being made":   {func(t *models.Tenant) { t.State = models.Creating }, "", "is creating"},
		"broken":       {func(t *models.Tenant) { t.State = models.Broken }, "close", "is broken"},
		"being closed": {func(t *models.Tenant) { t.ClosingAt = testNow }, "close", "is being closed"},
	} {
		tenant := newHouse().tenant
		tc.change(&tenant)
		var offered []string
		for _, a := range tenantActions(tenant) {
			if a.Why == "" {
				offered = append(offered, a.ID)
			}
			if a.ID == "account" && (a.Why == "") != (tc.why == "") || a.ID == "account" && !strings.Contains(a.Why, tc.why) {
				t.Errorf("%s: the account says %q, want %q", name, a.Why, tc.why)
			}
		}
		if got := strings.Join(offered, " "); got != tc.offered {
			t.Errorf("%s: offered %q, want %q", name, got, tc.offered)
		}
	}
}

func TestTenantPageOfItsEnd(t *testing.T) {
	p := models.TenantPage{Tenant: newHouse().tenant, Closing: &models.Request{ID: "r9", Number: 1900, RunID: "n9"}}
	p.Tenant.ClosingAt = testNow.Add(-aDay)
	d := tenantView(testNow, ownerOf, p)
	if d.ClosingNumber != "REQ-1900" || d.ClosingRun != "n9" || d.ClosingSince.Ago != "1 d ago" || d.MayEdit || d.Accounts[0].MoveURL != "" {
		t.Errorf("while it closes: %+v", d)
	}
	p.Tenant.State, p.Tenant.ClosingAt = models.Deleted, time.Time{}
	p.Tenant.Accounts[0].State, p.Tenant.Accounts[0].ClosedAt = models.Deleted, testNow.Add(-91*aDay)
	p.Receipt = &models.Receipt{At: testNow, ScannedIn: []string{"eu-west-1"}}
	if d = tenantView(testNow, ownerOf, p); len(d.Actions) != 0 || d.Receipt == nil || !d.Accounts[0].Gone {
		t.Errorf("once it is closed: %+v", d)
	}
	p = models.TenantPage{Tenant: newHouse().tenant}
	if d = tenantView(testNow, ownerOf, p); !d.MayEdit || len(d.Actions) != 3 || d.Accounts[0].MoveURL != "/tenants/payments/accounts/nonprod/move" {
		t.Errorf("while it lives: %+v", d)
	}
	if d = tenantView(testNow, developerOf("t1"), p); d.MayEdit || len(d.Actions) != 0 || d.Accounts[0].MoveURL != "" {
		t.Errorf("a developer is offered %+v", d.Actions)
	}
}

func TestUndoNamesWhatStays(t *testing.T) {
	r := models.RunPage{Run: models.Run{ID: "n1", Kind: models.CreateTenant, Steps: []models.Step{{Name: "tenant.record", Title: "Record", State: models.StepDone}, {Name: "account.create.nonprod", Title: "Create", State: models.StepSkipped}, {Name: "tenant.budget", Title: "Budget", State: models.StepFailed, Intent: true}}}}
	if u := undoView(r); len(u.Stays) != 0 || !slices.Equal(u.Steps, []string{"Budget", "Record"}) {
		t.Errorf("%+v", u)
	}
	r.Run.Steps[1].State = models.StepDone
	if u := undoView(r); len(u.Stays) != 1 || !strings.Contains(u.Stays[0], "stays open") {
		t.Errorf("%+v", u)
	}
	if all := staysFor(models.CloseTenant, nil); len(all) != 2 {
		t.Errorf("of a closing whose steps are not known: %v", all)
	}
	if all := staysFor(models.CloseTenant, []models.Step{{Name: "account.scan.prod", State: models.StepDone}}); len(all) != 0 {
		t.Errorf("of a closing that deleted nothing: %v", all)
	}
}

// TestWaitingShowsWhereToDoIt: what a person must do elsewhere has a link with its words, and never one without a proper address.
func TestWaitingShowsWhereToDoIt(t *testing.T) {
	w := waiting(testNow, &models.WaitingOn{For: "a person", Words: "create the stack", Since: testNow.Add(-time.Minute), Link: "https://console.example.com/x", Command: []string{"aws x"}})
	if !w.Person || w.Link.URL != "https://console.example.com/x" || w.Link.Word != "Open the page for it" || len(w.Command) != 1 {
		t.Errorf("%+v", w)
	}
	if w = waiting(testNow, &models.WaitingOn{For: "another request", Words: "REQ-1"}); w.Person || w.Link.URL != "" {
		t.Errorf("%+v", w)
	}
}
