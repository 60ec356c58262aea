package aws

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/jackc/pgx/v5"

	"slipway/models"
	"slipway/provisioners"
)

const (
	loadAccounts = 3
	loadCalls    = 10               // calls at a time
	loadPace     = 5.0              // Slipway's delays and limits go five times as fast as in the world
	loadSpeed    = 2.0              // AWS's work only twice as fast, so that every stack is looked at often
	loadPatience = 10 * time.Minute // ten times the aim
)

// TestTwoHundredRunsInFlight lets many stacks come up at once in a few accounts while AWS throttles every tenth call: every run is
// begun before the first one ends, none starves, and Slipway asks no more than its token buckets give. Forty runs here;
// SLIPWAY_TEST_RUNS=200 takes about five times as long, because the buckets decide.
func TestTwoHundredRunsInFlight(t *testing.T) {
	t.Parallel()
	runs := 40
	if n, err := strconv.Atoi(os.Getenv("SLIPWAY_TEST_RUNS")); err == nil && n > 0 {
		runs = n
	}
	e := newEstate(t)
	e.notesPath()
	tenants := append([]string{"payments"}, e.neighbours(loadAccounts-1)...)
	e.w = worldAt(t, e.w.db, loadSpeed)
	e.clients = e.w.clients(asWorker, func(o *Options) { o.Clock, o.Pace = &models.ShiftedClock{}, loadPace })
	e.engine = e.worker()
	e.engine.Pace, e.engine.Lease = 1/loadPace, 10*time.Second
	e.w.fault(map[string]any{"action": "throttle", "probability": 0.1, "seed": 7})
	from := e.w.count(`SELECT coalesce(max(id), 0) FROM calls`)

	began := time.Now()
	var requests []string
	for n := range runs {
		in := models.EnvironmentInputs{Name: fmt.Sprintf("load-%d", n), Stage: models.Dev, Region: "eu-west-1", Blueprint: "notes", Version: "1.0.0", Service: "notes", Days: 30}
		requests = append(requests, e.wants(e.store.RequestEnvironment(t.Context(), e.asker, tenants[n%len(tenants)], e.key(), in, "")))
	}
	planning := e.work()
	e.all(runs, models.AwaitingApproval)
	planned := time.Now()
	planning() // so that all are approved before the first one runs
	for _, id := range requests {
		if err := e.store.Decide(t.Context(), e.approver, id, e.plan(id).Hash, models.Approve, ""); err != nil {
			t.Fatal(err)
		}
	}
	approved := time.Now()
	defer e.work()()
	e.all(runs, models.Succeeded)
	ended := time.Now()
	t.Logf("%d runs in %d accounts: planned in %s, run in %s", runs, loadAccounts, planned.Sub(began).Round(time.Millisecond), ended.Sub(approved).Round(time.Millisecond))

	if n := one[int](e, `SELECT count(*) FROM runs a WHERE a.started_at > (SELECT min(ended_at) FROM runs)`); n > 0 {
		t.Errorf("%d runs were not begun when the first one ended: fewer than %d were in flight", n, runs)
	}
	if n := e.w.count(`SELECT count(*) FROM stacks WHERE name LIKE 'slw-%-env-load-%' AND status = 'CREATE_COMPLETE'`); n != runs {
		t.Errorf("%d stacks are complete, want %d", n, runs)
	}
	e.underBuckets(from)
	e.fair(from, runs)
}

// work starts a real worker with River; what it returns stops it.
func (e *estate) work() func() {
	e.t.Helper()
	w, err := provisioners.NewWorker(provisioners.Options{Engine: e.engine, Pool: e.store.Pool(), Logger: slog.New(slog.DiscardHandler), Calls: loadCalls})
	if err != nil {
		e.t.Fatal(err)
	}
	if err := w.Start(context.Background()); err != nil {
		e.t.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			e.t.Error(err)
		}
	}
}

// all waits until so many requests for environments are in a state; one that ends otherwise fails the test.
func (e *estate) all(n int, state models.RequestState) {
	e.t.Helper()
	deadline := time.Now().Add(loadPatience)
	for {
		if bad := one[string](e, `SELECT coalesce(string_agg(object_name || ' ' || state || ' ' || reason, E'\n'), '') FROM requests
			WHERE object_type = 'environment' AND state IN ('plan_failed', 'failed', 'no_change')`); bad != "" {
			e.t.Fatalf("ended otherwise:\n%s", bad)
		}
		have := one[int](e, `SELECT count(*) FROM requests WHERE object_type = 'environment' AND state = $1`, state)
		if have == n {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("%d of %d are %s after %s", have, n, state, loadPatience)
		}
		select {
		case <-e.t.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// neighbours are further tenants with an account and a service each.
func (e *estate) neighbours(n int) []string {
	e.t.Helper()
	cfg := e.clients.config("111111111111", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMMGMTADMIN0001", "s", ""))
	var slugs []string
	for i := range n {
		slug, account := fmt.Sprintf("neighbour-%d", i+1), fmt.Sprintf("60000000001%d", i)
		slugs = append(slugs, slug)
		e.neighbour(slug, account)
		e.w.exec(`INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after)
			VALUES ('` + account + `', '` + slug + `-nonprod', 'aws+` + slug + `@example.com', 'ACTIVE', 'r-demo', clock_timestamp(), clock_timestamp(), clock_timestamp())`)
		e.w.exec(`INSERT INTO org_attachments (policy, target) VALUES ('p-FullAWSAccess', '` + account + `')`)
		if _, err := organizationsClient(cfg).MoveAccount(e.t.Context(), &organizations.MoveAccountInput{AccountId: sdk.String(account), SourceParentId: sdk.String("r-demo"),
			DestinationParentId: sdk.String("ou-demo-nonprod01")}); err != nil {
			e.t.Fatal(err)
		}
		s := stack{clients: e.clients, account: account, region: "eu-west-1", name: "none", who: who{job: "settle"}}
		for tries := 0; ; tries++ { // until the stack set has brought the roles
			if _, err := s.describe(e.t.Context()); err == nil {
				break
			} else if tries == 2000 {
				e.t.Fatal(err)
			}
			if err := pause(e.t.Context()); err != nil {
				e.t.Fatal(err)
			}
		}
	}
	return slugs
}

// neighbour writes a tenant's rows.
func (e *estate) neighbour(slug, account string) {
	tenant, request, row, service := models.NewID(), models.NewID(), models.NewID(), models.NewID()
	e.exec(`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
		VALUES ($1, 'tenant.create', 'tenant', $2, $3, 'Create tenant ' || $3, 'succeeded', '{}', ARRAY[$4]::uuid[], $4, 'settled-' || $3, now(), now(), now(), now())`, request, tenant, slug, askerID)
	e.exec(`INSERT INTO tenants (id, slug, display_name, description, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
		VALUES ($1, $2, $2, '', 'o', 'd', 'v', 'CC-4100', 4000, 'ready', $3, now(), now())`, tenant, slug, request)
	e.exec(`UPDATE requests SET tenant_id = object_id WHERE id = $1`, request)
	e.exec(`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, aws_state, created_at)
		VALUES ($1, $2, 'nonprod', $3 || '-nonprod', 'aws+' || $3 || '@example.com', $4, 'ready', 'ACTIVE', now())`, row, tenant, slug, account)
	e.exec(`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at) VALUES ($1, $2, $3, 'nonprod', 'notes', 'ready', $4, now(), now())`,
		service, tenant, row, request)
	e.exec(`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, outputs) VALUES ($1, 'service', $2, $3, 'eu-west-1', 'slw-' || $4 || '-svc-notes', '{"RepositoryUri": "r"}')`,
		service, tenant, row, slug)
}

// connect opens the simulator's database for a look.
func (w *world) connect() *pgx.Conn {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	return conn
}

// underBuckets holds what AWS was asked, per account, region, service and kind of call, against what the bucket gives: in no stretch
// of time, however short, more than the burst and the rate, and the calls that were under way when it began.
func (e *estate) underBuckets(from int) {
	e.t.Helper()
	rows, err := e.w.connect().Query(e.t.Context(), `SELECT account || ' ' || region || ' ' || service, op, at, error_code LIKE 'Throttling%' FROM calls
		WHERE id > $1 AND account LIKE '6000000000%' ORDER BY at`, from)
	if err != nil {
		e.t.Fatal(err)
	}
	asked, all, throttles := map[string][]time.Time{}, 0, 0
	for ; rows.Next(); all++ {
		var key, op string
		var at time.Time
		var refused bool
		if err := rows.Scan(&key, &op, &at, &refused); err != nil {
			e.t.Fatal(err)
		}
		if reads(op) {
			key += " read"
		}
		asked[key] = append(asked[key], at)
		if refused {
			throttles++
		}
	}
	if err := rows.Err(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Logf("%d calls, %d of them throttled", all, throttles)
	if throttles == 0 {
		e.t.Error("nothing was throttled: the test shows nothing")
	}
	for key, at := range asked {
		rate := writeRate * loadPace
		if strings.HasSuffix(key, " read") {
			rate = readRate * loadPace
		}
		over, stretch := 0.0, time.Duration(0)
		for i := range at {
			for j := i; j < len(at); j++ {
				if n := float64(j-i+1) - burst - loadCalls - rate*at[j].Sub(at[i]).Seconds(); n > over {
					over, stretch = n, at[j].Sub(at[i])
				}
			}
		}
		e.t.Logf("%s: %d calls in %s", key, len(at), at[len(at)-1].Sub(at[0]).Round(time.Second))
		if over > 0 {
			e.t.Errorf("%s: %.0f calls more than its bucket gives in %s", key, over, stretch)
		}
	}
}

// mostBetween is how often another stack may be looked at between two looks at one: the table of delays has three, throttling and
// chance are given the rest of ten times that.
const mostBetween = 30

// fair reads the looks at all stacks in the order in which AWS saw them: no run waits while others are looked at again and again.
func (e *estate) fair(from, runs int) {
	e.t.Helper()
	rows, err := e.w.connect().Query(e.t.Context(), `SELECT session_name FROM calls WHERE id > $1 AND op = 'DescribeStackEvents' AND error_code = '' ORDER BY id`, from)
	if err != nil {
		e.t.Fatal(err)
	}
	looks, last := map[string][]int{}, 0
	for ; rows.Next(); last++ {
		var run string
		if err := rows.Scan(&run); err != nil {
			e.t.Fatal(err)
		}
		looks[run] = append(looks[run], last)
	}
	if err := rows.Err(); err != nil {
		e.t.Fatal(err)
	}
	if len(looks) != runs {
		e.t.Errorf("%d runs looked at their stacks, want %d", len(looks), runs)
	}
	worst, most := 0, 0
	for run, at := range looks {
		most = max(most, len(at))
		for i := 1; i < len(at); i++ {
			for other, there := range looks {
				n := 0
				for _, look := range there {
					if other != run && look > at[i-1] && look < at[i] {
						n++
					}
				}
				worst = max(worst, n)
			}
		}
	}
	e.t.Logf("%d looks at %d stacks, at most %d at one of them; while one waited, another was looked at %d times at most", last, runs, most, worst)
	if worst > mostBetween {
		e.t.Errorf("one run waited while another was looked at %d times", worst)
	}
}
