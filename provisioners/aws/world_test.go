package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"slipway/deploy"
	"slipway/dev/awssim"
	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
	"slipway/provisioners"
)

const (
	externalID = "slipway-demo-external-id"
	asWorker   = "AKIASIMHUBWORKER0001"
	asWeb      = "AKIASIMHUBWEB0000001"
)

// world is a simulator of a test's own.
type world struct {
	t   *testing.T
	url string
	db  string

	inside *pgxpool.Pool // the simulator's database; opens no connection before something looks into it
}

func newWorld(t *testing.T, speed float64) *world {
	t.Helper()
	db, _ := pgtest.Database(t, freshWorld)
	return worldAt(t, db, speed)
}

// freshWorld is a simulator's database with the demo organization: made once, and copied for each test.
func freshWorld(ctx context.Context, url string) error {
	sim, err := simulator(ctx, url, 1)
	if err != nil {
		return err
	}
	sim.Close()
	return nil
}

// worldAt opens a simulator on a database.
func worldAt(t *testing.T, db string, speed float64) *world {
	t.Helper()
	sim, err := simulator(t.Context(), db, speed)
	if err != nil {
		t.Fatalf("open the simulator: %v", err)
	}
	t.Cleanup(sim.Close)
	srv := httptest.NewServer(sim.Handler())
	t.Cleanup(srv.Close)
	inside, err := pgxpool.New(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inside.Close)
	w := &world{t: t, url: srv.URL, db: db, inside: inside}
	t.Cleanup(w.covers)
	return w
}

func simulator(ctx context.Context, db string, speed float64) (*awssim.Sim, error) {
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelWarn
	}
	o := awssim.Options{DatabaseURL: db, Speed: speed, ExternalID: externalID, Groups: []string{"o", "d", "v", "o2", "d2"}, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
	for name, to := range map[string]*[]byte{"org": &o.OrgTemplate, "hub": &o.HubTemplate, "spoke": &o.SpokeTemplate} {
		text, err := deploy.AWS.ReadFile("aws/" + name + ".yaml")
		if err != nil {
			return nil, err
		}
		*to = text
	}
	return awssim.Open(ctx, o)
}

// fault adds a failure rule; the fields are those of the simulator's admin API.
func (w *world) fault(rule map[string]any) {
	w.t.Helper()
	w.admin(http.MethodPost, rule)
}

// mend drops all failure rules.
func (w *world) mend() {
	w.t.Helper()
	w.admin(http.MethodDelete, nil)
}

// browser has connections of its own: a test server that closes ends the idle ones of the default transport.
var browser = &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}

func (w *world) admin(method string, body any) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/_slipway/rules", bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		w.t.Fatalf("%s rule %s: %s", method, raw, res.Status)
	}
}

// count asks the simulator's database.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.inside.QueryRow(w.t.Context(), query, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// exec changes the simulated world behind everyone's back.
func (w *world) exec(query string) {
	w.t.Helper()
	if _, err := w.inside.Exec(w.t.Context(), query); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clients(key string, change func(*Options)) *Clients {
	w.t.Helper()
	return clientsAt(w.t, w.url, func(o *Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(key, "secret", "")
		o.Contact = Contact{Name: "Platform team", Title: "On call", Email: "platform@example.com", Phone: "+49 30 1234567"}
		o.FreshFor, o.SetUp = 20*time.Second, setUp(w.t)
		if change != nil {
			change(o)
		}
	})
}

// setUp is what roles are held against.
func setUp(t *testing.T) SetUp {
	t.Helper()
	var s SetUp
	for name, to := range map[string]*[]byte{"org": &s.Org, "spoke": &s.Spoke, "dns": &s.DNS} {
		text, err := deploy.AWS.ReadFile("aws/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		*to = text
	}
	needs, err := shippedNeeds()
	if err != nil {
		t.Fatal(err)
	}
	s.Makes = needs
	s.OrgParameters = map[string]string{"IdentityCenterArn": demoInstance, "PermissionSetArns": ownerSet + "," + developerSet + "," + viewerSet}
	return s
}

// shippedNeeds is what the shipped blueprints want to make.
var shippedNeeds = sync.OnceValues(func() ([]blueprint.Need, error) {
	r, err := shipped()
	if err != nil {
		return nil, err
	}
	return r.Needs()
})

func vendingOf(account string) provisioners.Vending {
	return provisioners.Vending{Account: models.Account{ID: account, Name: "payments-nonprod", Email: "aws+payments-nonprod-1@example.com", Class: models.NonProd},
		Tenant: models.Tenant{ID: "t1", Slug: "payments"}, RequestID: "q1", RunID: "r1", StartedBy: "p1"}
}

func testBaseline(t *testing.T) Blueprint {
	t.Helper()
	src, err := os.ReadFile("../blueprints/tenant-baseline/1.0.0/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return Blueprint{Name: "tenant-baseline", Version: "1.0.0", Digest: "d", Template: src,
		Costs: []price.Item{{Key: "kms.key", Quantity: decimal.NewFromInt(1), Name: "A key of the account's own"}}, NotEstimated: []string{"Audit events"}}
}

func testPrices(t *testing.T) *price.List {
	t.Helper()
	l, err := price.Load(price.Default())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// books is Slipway's own memory, as far as steps see it. The real one is models/store; what AWS holds is never faked here.
type books struct {
	provisioners.TenantBook // nil: a tenant that comes up needs none of it
	mu                      sync.Mutex
	requests                map[string]models.Request
	tenants                 map[string]models.Tenant
	slots                   map[string]models.CreationSlot
	sets                    map[string]string // change set name to outcome
	contents                []models.Stack
	access                  []models.AccountAccess
}

func newBooks() *books {
	return &books{requests: map[string]models.Request{}, tenants: map[string]models.Tenant{}, slots: map[string]models.CreationSlot{}, sets: map[string]string{}}
}

func (b *books) EnsureTenant(_ context.Context, _ models.Actor, requestID string) (models.Tenant, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.requests[requestID]
	if t, ok := b.tenants[r.ObjectID]; ok {
		return t, nil
	}
	var in models.TenantInputs
	if err := json.Unmarshal(r.Inputs, &in); err != nil {
		return models.Tenant{}, err
	}
	t := models.Tenant{ID: r.ObjectID, Slug: in.Slug, Budget: in.Budget, CostCentre: in.CostCentre, State: models.Creating, RequestID: requestID,
		OwnerGroup: in.OwnerGroup, DeveloperGroup: in.DeveloperGroup, ViewerGroup: in.ViewerGroup}
	for i, c := range in.Classes {
		if _, enrols := in.Enrolled(c); enrols {
			continue
		}
		t.Accounts = append(t.Accounts, models.Account{ID: models.NewID(), TenantID: t.ID, Class: c, Name: in.Slug + "-" + string(c), Email: fmt.Sprintf("aws+%s-%s-%d@example.com", in.Slug, c, i+1)})
	}
	b.tenants[t.ID] = t
	return t, nil
}

func (b *books) Tenant(_ context.Context, id string) (models.Tenant, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.tenants[id]
	if !ok {
		return t, models.Errorf(models.NotFound, "no tenant")
	}
	t.Accounts = append([]models.Account(nil), t.Accounts...)
	return t, nil
}

func (b *books) UsedSlug(context.Context, string, string) (bool, error) { return false, nil }

func (b *books) account(id string) *models.Account {
	for _, t := range b.tenants {
		for i := range t.Accounts {
			if t.Accounts[i].ID == id {
				return &t.Accounts[i]
			}
		}
	}
	return nil
}

func (b *books) Account(_ context.Context, id string) (models.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.account(id); a != nil {
		return *a, nil
	}
	return models.Account{}, models.Errorf(models.NotFound, "no account")
}

func (b *books) SaveAccount(_ context.Context, _ models.Actor, id string, change func(*models.Account)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(id)
	if a == nil {
		return errors.New("no account " + id)
	}
	change(a)
	return nil
}

func (b *books) AskSlot(_ context.Context, _ models.Actor, runID, accountID string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.slots[accountID]; !s.Open() {
		b.slots[accountID] = models.CreationSlot{AccountID: accountID, RunID: runID, AskedAt: time.Now(), TakenAt: time.Now()}
	}
	return nil
}

func (b *books) Slot(_ context.Context, accountID string) (models.CreationSlot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.slots[accountID], nil
}

func (b *books) SlotPlace(context.Context, string) (models.QueuePlace, error) {
	return models.QueuePlace{Slots: 1, Busy: 1}, nil
}

func (b *books) MadeChangeSet(_ context.Context, set models.ChangeSet) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sets[set.Account+set.Name] == "" {
		b.sets[set.Account+set.Name] = "open"
	}
	return nil
}

func (b *books) EndedChangeSet(_ context.Context, set models.ChangeSet, outcome string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets[set.Account+set.Name] = outcome
	return nil
}

func (b *books) StaleAccounts(_ context.Context, before time.Time, limit int) ([]models.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var stale []models.Account
	for _, t := range b.tenants {
		for _, a := range t.Accounts {
			if a.AWSID != "" && a.AWSStateAt.Before(before) && len(stale) < limit {
				stale = append(stale, a)
			}
		}
	}
	return stale, nil
}
