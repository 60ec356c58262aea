package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"

	"slipway/models"
	"slipway/provisioners"
)

// Accounts of the simulated organization that were there before Slipway.
const (
	legacyShop = "411111111111" // in the unit of what is old, with policies of its own
	dataLab    = "422222222222" // in the sandbox
	cardVault  = "433333333333" // where Control Tower governs
	legacyUnit = "ou-demo-legacy001"
)

func enrolClients(w *world, change func(*Options)) *Clients {
	return w.clients(asWorker, func(o *Options) {
		o.ArtifactsBucket = "slipway-artifacts-222222222222-eu-west-1"
		if change != nil {
			change(o)
		}
	})
}

// settled is a tenant with a nonprod account that enrolled nothing yet.
func settledTenant(t *testing.T, w *world, c *Clients) *walk {
	t.Helper()
	k := newWalk(t, w, c, "payments", models.NonProd)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	for _, a := range k.books.tenants[k.req.ObjectID].Accounts {
		if err := k.books.SaveAccount(t.Context(), models.Actor{}, a.ID, func(a *models.Account) { a.State = models.Ready }); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// asks is a further request about the tenant.
func (k *walk) asks(kind models.RequestKind, in models.AccountInputs) *walk {
	k.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		k.t.Fatal(err)
	}
	next := &walk{t: k.t, w: k.w, books: k.books, tenants: k.tenants, vendor: k.vendor, runID: models.NewID(), attempt: 1,
		req:  models.Request{ID: models.NewID(), Kind: kind, ObjectType: models.TenantObject, ObjectID: k.req.ObjectID, ObjectName: k.req.ObjectName, TenantID: k.req.ObjectID, Inputs: raw, RequesterID: models.NewID()},
		done: map[string]bool{}, outputs: map[string]map[string]string{}, polls: map[string]bool{}, vends: map[string]provisioners.Vending{}, called: map[string]bool{}}
	for _, p := range k.tenants.Additions() {
		if p.Kind() == kind {
			next.serves = p
		}
	}
	k.books.mu.Lock()
	defer k.books.mu.Unlock()
	k.books.requests[next.req.ID] = next.req
	return next
}

// says is what the plan would do, a line for each change.
func (k *walk) says() []string {
	var lines []string
	for _, part := range k.plan.Content.Parts {
		for _, ch := range part.Changes {
			lines = append(lines, strings.Join([]string{string(ch.Action), ch.Type, ch.LogicalID}, " | "))
		}
	}
	return lines
}

func (k *walk) wants(lines ...string) {
	k.t.Helper()
	says := k.says()
	for _, want := range lines {
		if !slices.Contains(says, want) {
			k.t.Errorf("the plan does not say %q:\n%s", want, strings.Join(says, "\n"))
		}
	}
}

// TestEnrolMoved: an account of another unit is bound, moved under exactly the policies that the plan listed, and set up like a new one.
func TestEnrolMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := settledTenant(t, w, enrolClients(w, nil)).asks(models.EnrolAccount, models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	k.mustPlan()
	k.wants("add | Enrolled AWS account | Account", "change | Organizational unit | OrganizationalUnit", "delete | Service control policy | legacy-no-new-trails",
		"delete | Tag policy | legacy-cost-tags", "add | Service control policy | slipway-prod-guardrails", "add | Roles of slipway-spoke | Access", "change | Monthly budget | slw-payments")
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.hasEnrolled(legacyShop, models.Prod, "ou-demo-prod0001", false)
	k.mustPlan() // as after an edit: everything is there
	if !k.plan.Content.Empty() {
		t.Errorf("a second plan would do something:\n%s", strings.Join(k.says(), "\n"))
	}
}

// TestTenantIsMadeWithAnEnrolledAccount: one class is made, the other enrolled, in one request.
func TestTenantIsMadeWithAnEnrolledAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, enrolClients(w, nil), "payments", models.NonProd, models.Prod)
	k.enrols(models.AccountInputs{Class: models.Prod, AWSID: dataLab, Move: true})
	k.mustPlan()
	k.wants("add | AWS account | Account", "add | Enrolled AWS account | Account", "delete | Service control policy | sandbox-no-commitments")
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	k.hasEnrolled(dataLab, models.Prod, "ou-demo-prod0001", false)
	if n := w.count(`SELECT count(*) FROM account_creations WHERE state = 'SUCCEEDED'`); n != 1 {
		t.Errorf("%d accounts were made", n)
	}
}

// TestContactsAreReplacedByPlan: what is set in an account that was there is shown with what it was.
func TestContactsAreReplacedByPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	c := enrolClients(w, nil)
	k := newWalk(t, w, c, "payments", models.Prod)
	k.enrols(models.AccountInputs{Class: models.Prod, AWSID: legacyShop, Move: true})
	api := account.NewFromConfig(c.org(who{}, setContacts))
	for kind, name := range map[accounttypes.AlternateContactType]string{accounttypes.AlternateContactTypeSecurity: "Old guard", accounttypes.AlternateContactTypeBilling: c.Contact.Name} {
		in := account.PutAlternateContactInput{AccountId: sdk.String(legacyShop), AlternateContactType: kind, Name: &name, Title: &c.Contact.Title, EmailAddress: &c.Contact.Email, PhoneNumber: &c.Contact.Phone}
		if _, err := api.PutAlternateContact(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
	}
	k.mustPlan()
	k.wants("change | Alternate contact | SECURITY", "exists | Alternate contact | BILLING", "add | Alternate contact | OPERATIONS")
}

// hasEnrolled proves where the account is and what the world and Slipway say of it.
func (k *walk) hasEnrolled(id string, class models.Class, unit string, byHand bool) {
	k.t.Helper()
	row, err := k.books.BoundAccount(k.t.Context(), id)
	if err != nil || row.Class != class || !row.Enrolled || row.ByHand != byHand || row.OU != unit || row.BaselineAt.IsZero() || row.AWSState != "ACTIVE" {
		k.t.Errorf("Slipway's row: %+v %v", row, err)
	}
	for what, query := range map[string]string{
		"in its unit":          `SELECT count(*) FROM accounts WHERE id = $1 AND parent = '` + unit + `'`,
		"tagged":               `SELECT count(*) FROM accounts WHERE id = $1 AND tags->>'slipway:tenant' = 'payments' AND tags->>'slipway:account' = '` + row.ID + `'`,
		"with its baseline":    `SELECT count(*) FROM stacks WHERE account = $1 AND name = 'slw-payments-baseline' AND status = 'CREATE_COMPLETE'`,
		"reached by its roles": `SELECT count(*) / 3 FROM roles WHERE account = $1 AND path = '/slipway/platform/'`,
		"in the budget": `SELECT count(*) FROM budgets WHERE name = 'slw-payments' AND body::text LIKE '%' || $1 || '%' AND body::text NOT LIKE '%111111111111%'
			AND body::text LIKE '%' || (SELECT id FROM accounts WHERE name = 'payments-nonprod') || '%'`,
	} {
		if n := k.w.count(query, id); n != 1 {
			k.t.Errorf("account %s is not %s (%d)", id, what, n)
		}
	}
	if n := k.w.count(`SELECT count(*) FROM budgets`); n != 1 {
		k.t.Errorf("%d budgets", n)
	}
}

func enrolling(t *testing.T, inputs []byte, more ...models.AccountInputs) []byte {
	t.Helper()
	var in models.TenantInputs
	if err := json.Unmarshal(inputs, &in); err != nil {
		t.Fatal(err)
	}
	in.Enrol = append(in.Enrol, more...)
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
