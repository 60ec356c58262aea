package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/handlers/visit"
	"slipway/models"
)

// house is what the forms about a tenant stand on, without a database: one tenant with its nonprod account.
type house struct {
	tenant models.Tenant
	page   models.RequestPage
	draft  models.SavedForm
	refuse error
	empty  bool

	facts   []models.TenantFacts
	kinds   []models.RequestKind
	sent    []any
	edited  []any
	deleted []string
	undone  []string
}

func newHouse() *house {
	return &house{tenant: models.Tenant{ID: "t1", Slug: "payments", DisplayName: "Payments", CostCentre: "CC-1", OwnerGroup: "o", DeveloperGroup: "d", ViewerGroup: "v", Budget: decimal.NewFromInt(1000), State: models.Ready,
		Accounts: []models.Account{{ID: "a1", Class: models.NonProd, AWSID: "209355718840", Name: "payments-nonprod", State: models.Ready, Enrolled: true, ByHand: true, OU: "ou-1"}}}}
}

func (h *house) NavCounts(context.Context, models.Actor) (models.NavCounts, error) {
	return models.NavCounts{}, nil
}

func (h *house) Tenant(_ context.Context, a models.Actor, slug string) (models.Tenant, error) {
	if slug != h.tenant.Slug || !a.SeesTenant(h.tenant.ID) {
		return models.Tenant{}, models.Errorf(models.NotFound, "There is no such tenant.")
	}
	return h.tenant, nil
}

func (h *house) EditTenant(_ context.Context, _ models.Actor, _ string, f models.TenantFacts) error {
	if err := f.Validate(); err != nil {
		return err
	}
	h.facts = append(h.facts, f)
	return h.refuse
}

func (h *house) RequestTenantLife(_ context.Context, _ models.Actor, slug string, kind models.RequestKind, _ string, in any) (models.Request, error) {
	var err error
	switch in := in.(type) {
	case models.AccountInputs:
		err = in.Validate(kind)
	case models.ChangeTenantInputs:
		err = in.Validate(nil)
	case models.CloseTenantInputs:
		err = in.Validate(slug)
	}
	if err == nil {
		err = h.refuse
	}
	if err == nil {
		h.kinds, h.sent = append(h.kinds, kind), append(h.sent, in)
	}
	return models.Request{ID: "r1"}, err
}

func (h *house) EditTenantLife(_ context.Context, _ models.Actor, id string, in any) (models.Request, error) {
	h.edited = append(h.edited, in)
	return models.Request{ID: id}, h.refuse
}

func (h *house) Networks(context.Context, models.Actor, string) ([]models.Network, error) {
	if h.empty {
		return nil, nil
	}
	return []models.Network{{Name: "nonprod-eu-west-1", State: models.Ready, Registered: true}}, nil
}

func (h *house) Services(context.Context, models.Actor, models.ListQuery) (models.List[models.ServiceRow], error) {
	return models.List[models.ServiceRow]{}, nil
}

func (h *house) Environments(context.Context, models.Actor, models.ListQuery) (models.List[models.EnvironmentRow], error) {
	if h.empty {
		return models.List[models.EnvironmentRow]{}, nil
	}
	return models.List[models.EnvironmentRow]{Rows: []models.EnvironmentRow{{TenantSlug: "payments", Name: "orders-dev", Stage: models.Dev}}, Total: 14}, nil
}

func (h *house) LoadForm(context.Context, models.Actor, string) (models.SavedForm, error) {
	return h.draft, nil
}

func (h *house) DeleteForm(_ context.Context, _ models.Actor, id string) error {
	h.deleted = append(h.deleted, id)
	return nil
}

func (h *house) RequestPage(context.Context, models.Actor, string) (models.RequestPage, error) {
	return h.page, nil
}

func (h *house) UndoRun(_ context.Context, _ models.Actor, id string) error {
	h.undone = append(h.undone, id)
	return h.refuse
}

func (h *house) RunPage(_ context.Context, a models.Actor, id string) (models.RunPage, error) {
	if !a.SeesTenant("t1") {
		return models.RunPage{}, models.Errorf(models.NotFound, "There is no such run.")
	}
	return models.RunPage{Run: models.Run{ID: id}, Request: models.Request{ID: "r7"}}, nil
}

var (
	ownerOf = models.Actor{Person: models.Person{ID: "p1", Name: "Ines"}, Memberships: []models.Membership{{TenantID: "t1", Slug: "payments", Role: models.Owner}}}
	adminOf = models.Actor{Person: models.Person{ID: "p9", Name: "Mara"}, Roles: []models.PlatformRole{models.PlatformAdmin}}
)

// ask sends one request to the forms about a tenant. A body makes it a POST.
func (h *house) ask(t *testing.T, a models.Actor, path string, body url.Values) (*http.Response, string) {
	t.Helper()
	desk := &Desk{Counts: h, Clock: &models.ShiftedClock{}}
	life := &TenantLife{Desk: desk, Store: h, Tenants: h, Holds: h, Delivery: h, Forms: h, Access: true}
	app := fiber.New(fiber.Config{Immutable: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(500).SendString(fmt.Sprintf("%v: %s", models.KindOf(err), models.Message(err)))
	}})
	app.Use(func(c *fiber.Ctx) error {
		visit.Set(c, visit.Visit{Actor: a, CSRF: "token"})
		return c.Next()
	})
	for path, kind := range map[string]models.RequestKind{"/edit": "", "/change": models.ChangeTenant, "/accounts/new": models.AddAccount, "/accounts/:class/move": models.MoveAccount, "/close": models.CloseTenant} {
		app.Get("/tenants/:tenant"+path, life.Form(kind))
		app.Post("/tenants/:tenant"+path, life.Submit(kind))
	}
	app.Get("/requests/:id/edit", func(c *fiber.Ctx) error { return life.Edit(c, h.page) })
	app.Post("/requests/:id/edit", func(c *fiber.Ctx) error { return life.Change(c, h.page) })
	r := httptest.NewRequest("GET", path, nil)
	if body != nil {
		r = httptest.NewRequest("POST", path, strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// TestTenantLifeIsSentAsTyped: each form asks for its own kind, with what was typed and nothing of the others.
func TestTenantLifeIsSentAsTyped(t *testing.T) {
	for name, tc := range map[string]struct {
		path string
		body url.Values
		kind models.RequestKind
		want any
	}{
		"change": {"/change", url.Values{"owner_group": {" o2 "}, "developer_group": {"d"}, "viewer_group": {"v"}, "budget": {"$2,500"}}, models.ChangeTenant,
			models.ChangeTenantInputs{OwnerGroup: "o2", DeveloperGroup: "d", ViewerGroup: "v", Budget: decimal.NewFromInt(2500)}},
		"vend": {"/accounts/new", url.Values{"class": {"prod"}, "from": {"new"}, "account": {"209355718841"}}, models.AddAccount, models.AccountInputs{Class: models.Prod}},
		"enrol": {"/accounts/new", url.Values{"class": {"prod"}, "from": {"stay"}, "account": {"2093-5571-8841"}}, models.EnrolAccount,
			models.AccountInputs{Class: models.Prod, AWSID: "209355718841"}},
		"enrol and move": {"/accounts/new", url.Values{"class": {"prod"}, "from": {"move"}, "account": {" 209355718841"}}, models.EnrolAccount,
			models.AccountInputs{Class: models.Prod, AWSID: "209355718841", Move: true}},
		"move": {"/accounts/nonprod/move", url.Values{"class": {"prod"}}, models.MoveAccount, models.AccountInputs{Class: models.NonProd}},
		"close": {"/close", url.Values{"confirm": {"payments "}, "reason": {"The team is gone."}, "empty": {"yes"}}, models.CloseTenant,
			models.CloseTenantInputs{Confirm: "payments", Reason: "The team is gone.", EmptyBuckets: true}},
	} {
		h := newHouse()
		tc.body.Set("_draft", "d1")
		resp, body := h.ask(t, ownerOf, "/tenants/payments"+tc.path, tc.body)
		if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != "/requests/r1" || len(h.sent) != 1 {
			t.Errorf("%s: %d to %q: %.200s", name, resp.StatusCode, got, body)
			continue
		}
		if h.kinds[0] != tc.kind || !reflect.DeepEqual(h.sent[0], tc.want) || len(h.deleted) != 1 {
			t.Errorf("%s: sent %s %+v, want %s %+v; drafts %v", name, h.kinds[0], h.sent[0], tc.kind, tc.want, h.deleted)
		}
	}
}

func TestTenantFactsChangeAtOnce(t *testing.T) {
	h := newHouse()
	if _, body := h.ask(t, ownerOf, "/tenants/payments/edit", nil); !strings.Contains(body, `value="Payments"`) || !strings.Contains(body, "in the audit log") {
		t.Errorf("the form is not filled: %.300s", body)
	}
	resp, _ := h.ask(t, ownerOf, "/tenants/payments/edit", url.Values{"display_name": {"Cards "}, "cost_centre": {"CC-2"}})
	if got := resp.Header.Get("Location"); got != "/tenants/payments" || len(h.facts) != 1 || h.facts[0].DisplayName != "Cards" || len(h.sent) != 0 {
		t.Errorf("to %q with %v", got, h.facts)
	}
}

func TestTenantLifeErrorsStandBesideTheirFields(t *testing.T) {
	for name, tc := range map[string]struct {
		path string
		body url.Values
		want []string
	}{
		"facts":   {"/edit", url.Values{"display_name": {""}, "cost_centre": {"?"}}, []string{"a name people know it by", `value="?"`}},
		"budget":  {"/change", url.Values{"owner_group": {"o"}, "developer_group": {"d"}, "viewer_group": {"v"}, "budget": {"2e9"}}, []string{"Give the budget as a number", `value="2e9"`}},
		"groups":  {"/change", url.Values{"owner_group": {"o"}, "developer_group": {"o"}, "viewer_group": {"v"}, "budget": {"5"}}, []string{"Each role needs a group of its own"}},
		"class":   {"/accounts/new", url.Values{"from": {"new"}}, []string{"Choose nonprod or prod."}},
		"account": {"/accounts/new", url.Values{"class": {"prod"}, "from": {"move"}, "account": {"12"}}, []string{"12 digits, without hyphens", `value="12"`, `href="#account"`}},
		"from":    {"/accounts/new", url.Values{"class": {"prod"}, "from": {"elsewhere"}}, []string{"Choose where the account comes from."}},
		"confirm": {"/close", url.Values{"confirm": {"storefront"}, "reason": {"x"}}, []string{"Type payments to show", `value="storefront"`}},
		"reason":  {"/close", url.Values{"confirm": {"payments"}}, []string{"Say why the tenant ends"}},
		"unknown": {"/close", url.Values{"confirm": {"payments"}, "reason": {"x"}, "force": {"yes"}}, []string{"force"}},
	} {
		h := newHouse()
		resp, body := h.ask(t, ownerOf, "/tenants/payments"+tc.path, tc.body)
		if name != "unknown" && (resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `id="errors"`)) || len(h.sent)+len(h.facts) != 0 {
			t.Errorf("%s: %d, sent %v", name, resp.StatusCode, h.sent)
		}
		for _, want := range tc.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing: %.200s", name, want, body)
			}
		}
	}
}

// TestTenantLifeIsForOwnersAndAdmins: who may read the tenant and not change it is told so, to everybody else it does not exist.
func TestTenantLifeIsForOwnersAndAdmins(t *testing.T) {
	for name, tc := range map[string]struct {
		a    models.Actor
		want string
	}{
		"owner": {ownerOf, ""}, "admin": {adminOf, ""}, "developer": {developerOf("t1"), "Owners of payments and platform admins"},
		"auditor": {models.Actor{Roles: []models.PlatformRole{models.Auditor}}, "Owners of payments and platform admins"}, "stranger": {developerOf("t2"), "There is no such tenant."},
	} {
		for _, path := range []string{"/edit", "/change", "/accounts/new", "/accounts/nonprod/move", "/close"} {
			for _, body := range []url.Values{nil, {"reason": {"x"}}} {
				h := newHouse()
				resp, text := h.ask(t, tc.a, "/tenants/payments"+path, body)
				if refused := resp.StatusCode == 500; refused != (tc.want != "") || !strings.Contains(text, tc.want) || tc.want != "" && len(h.sent)+len(h.facts) > 0 {
					t.Errorf("%s, %s: %d %.120s", name, path, resp.StatusCode, text)
				}
			}
		}
	}
}

func TestTenantLifeSaysWhatStandsAgainstIt(t *testing.T) {
	closing, whole, vended := newHouse(), newHouse(), newHouse()
	closing.tenant.ClosingAt = time.Now()
	whole.tenant.Accounts = append(whole.tenant.Accounts, models.Account{ID: "a2", Class: models.Prod, AWSID: "209355718841", State: models.Ready})
	vended.tenant.Accounts[0].ByHand = false
	for name, tc := range map[string]struct {
		h          *house
		path, want string
	}{
		"closing": {closing, "/change", "is being closed"}, "both accounts": {whole, "/accounts/new", "has its prod account already"},
		"from the stack set": {vended, "/accounts/nonprod/move", "gets its roles from the stack set already"},
	} {
		resp, body := tc.h.ask(t, ownerOf, "/tenants/payments"+tc.path, nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, "Not possible now") || !strings.Contains(body, tc.want) || strings.Contains(body, `id="form"`) {
			t.Errorf("%s: %d %.200s", name, resp.StatusCode, body)
		}
	}
	if _, body := newHouse().ask(t, ownerOf, "/tenants/payments/accounts/prod/move", nil); !strings.Contains(body, "no account of this class") {
		t.Errorf("an account that is not there: %.200s", body)
	}
}

func TestAccountFormOffersWhatIsMissing(t *testing.T) {
	h := newHouse()
	_, body := h.ask(t, ownerOf, "/tenants/payments/accounts/new?account=209355718841", nil)
	for _, want := range []string{`value="prod" checked`, "has its nonprod account already", `value="move" checked`, `value="209355718841"`, "the unit for prod accounts"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(body, `value="nonprod"`) {
		t.Error("a class that it has is offered")
	}
	h.tenant.Accounts = nil
	if _, body = h.ask(t, ownerOf, "/tenants/payments/accounts/new?class=prod", nil); !strings.Contains(body, `value="nonprod"`) || !strings.Contains(body, `value="prod" checked`) {
		t.Error("without accounts both classes are offered, the one asked for chosen")
	}
}

func TestClosingListsWhatGoes(t *testing.T) {
	h := newHouse()
	_, body := h.ask(t, adminOf, "/tenants/payments/close", nil)
	for _, want := range []string{"orders-dev", ">13 more<", "nonprod-eu-west-1", "registered: the VPC", "/tenants/payments/pipelines/orders", ">2 more<", "/tenants/payments/connections/github", "to GitHub", "payments-nonprod, 2093-5571-8840", "An enrolled account stays open", "released, not closed", "never used again", "Two platform admins"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	h.empty, h.tenant.Accounts = true, nil
	if _, body = h.ask(t, adminOf, "/tenants/payments/close", nil); strings.Count(body, `<span class="s-muted">none</span>`) != 6 {
		t.Errorf("an empty tenant: %.300s", body)
	}
}
