package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"slipway/dev/postgres/pgtest"
	"slipway/models/store"
)

// world is what surrounds a production-like `slipway serve`: its database, the simulator and the identity provider,
// each a process of its own, so that killing the server leaves the outside as it was.
type world struct {
	t      testing.TB
	bin    string
	db     string // slipway_app
	owner  string // slipway_owner, for looking
	sim    string
	issuer string
	public string
	addr   string

	mu    sync.Mutex
	books map[string]*pgxpool.Pool // by their address: a walk looks into the database ten times a second
}

// process is one started program.
type process struct {
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan struct{}
}

func newWorld(t testing.TB, speed int) *world {
	t.Helper()
	dev, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := freePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, bin: dev, sim: "http://127.0.0.1:" + ports[0], addr: "127.0.0.1:" + ports[2], public: "http://localhost:" + ports[2]}
	w.owner, w.db = pgtest.Database(t, store.Migrate)
	w.newerSchema()
	simDB, _ := pgtest.Database(t, ownSchema)
	w.spawn(dev, []string{"awssim"}, "SLIPWAY_SIM_DATABASE_URL="+simDB, "SLIPWAY_SIM_ADDR=127.0.0.1:"+ports[0], fmt.Sprintf("SLIPWAY_SIM_SPEED=%d", speed))
	w.issuer = "http://127.0.0.1:" + ports[1] + "/dev/idp"
	w.spawn(dev, []string{"idp"}, "SLIPWAY_ADDR=127.0.0.1:"+ports[1], "SLIPWAY_OIDC_ISSUER="+w.issuer, "SLIPWAY_PUBLIC_URL="+w.public, "SLIPWAY_DATA_DIR="+t.TempDir())
	w.answers(w.sim+"/_slipway/world", w.issuer+"/.well-known/openid-configuration")
	return w
}

// newerSchema has a newer version of the program migrate Slipway's database, when scripts/previous-release names one.
func (w *world) newerSchema() {
	w.t.Helper()
	newer := os.Getenv("SLIPWAY_TEST_NEWER")
	if newer == "" {
		return
	}
	cmd := exec.CommandContext(w.t.Context(), newer, "migrate")
	cmd.Env = append(os.Environ(), "SLIPWAY_MIGRATE_DATABASE_URL="+w.owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("migrate by the newer version: %v\n%s", err, out)
	}
}

// spawn starts a program that ends with the test.
func (w *world) spawn(bin string, args []string, env ...string) *process {
	w.t.Helper()
	p := &process{cmd: exec.Command(bin, args...), log: &syncBuffer{}, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if w.t.Failed() {
			w.t.Logf("log of %s %s:\n%s", bin, strings.Join(args, " "), tail(p.log.String(), 25))
		}
	})
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// serve starts one replica on an address.
func (w *world) serve(bin, addr string, env ...string) *process {
	w.t.Helper()
	return w.spawn(bin, []string{"serve"}, append([]string{
		"SLIPWAY_ADDR=" + addr, "SLIPWAY_OPS_ADDR=", "SLIPWAY_PUBLIC_URL=" + w.public, "SLIPWAY_DATABASE_URL=" + w.db,
		"SLIPWAY_OIDC_ISSUER=" + w.issuer, "SLIPWAY_OIDC_CLIENT_ID=slipway", "SLIPWAY_OIDC_CLIENT_SECRET=slipway-dev-secret",
		"SLIPWAY_ADMIN_GROUPS=platform-admins", "SLIPWAY_SECRET_KEYS=" + strings.Repeat("A", 43) + "=",
		"SLIPWAY_AWS_REGION=eu-west-1", "SLIPWAY_AWS_REGIONS=us-east-1,eu-west-1,eu-central-1", "SLIPWAY_AWS_ENDPOINT=" + w.sim,
		"SLIPWAY_EXTERNAL_ID=slipway-demo-external-id", "SLIPWAY_ORG_ROLE_ARN=arn:aws:iam::111111111111:role/slipway/platform/slipway-org",
		"SLIPWAY_OU_NONPROD=ou-demo-nonprod01", "SLIPWAY_OU_PROD=ou-demo-prod0001", "SLIPWAY_OU_SUSPENDED=ou-demo-suspend1",
		"SLIPWAY_ACCOUNT_EMAIL=aws+{tenant}-{class}-{n}@example.com", "SLIPWAY_LEASE=1s", "SLIPWAY_PACE=0.02", "SLIPWAY_DRAIN_DELAY=0s",
		"SLIPWAY_DB_CONNECTIONS=6", // a start opens them all at once, and a walk starts some sixty times
		"AWS_ACCESS_KEY_ID=AKIASIMHUBWORKER0001", "AWS_SECRET_ACCESS_KEY=simulated"}, env...)...)
}

// answers waits until each address answers at all.
func (w *world) answers(addresses ...string) {
	w.t.Helper()
	for _, a := range addresses {
		eventually(w.t, a+" to answer", patience, func() (bool, string) {
			res, err := http.Get(a)
			if err != nil {
				return false, err.Error()
			}
			return res.Body.Close() == nil && res.StatusCode == http.StatusOK, res.Status
		})
	}
}

// ownSchema leaves an empty database: the simulator migrates its own.
func ownSchema(context.Context, string) error { return nil }

// simWorld is what the simulator's organization holds, as its admin interface tells.
type simWorld struct {
	Accounts []struct{ ID, Name, Email, State, Parent string }
	Stacks   []struct{ ID, Account, Region, Name, Status string }
	Budgets  []struct{ Account, Name string }

	ChangeSets []struct{ Stack, Name, Status, Execution string } `json:"change_sets"`
}

func (w *world) look() simWorld {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.sim+"/_slipway/world", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var seen simWorld
	if err := json.NewDecoder(res.Body).Decode(&seen); err != nil {
		w.t.Fatal(err)
	}
	return seen
}

// postRule adds a failure rule to the simulator and returns its id.
func postRule(t testing.TB, a *app, rule string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.sim+"/_slipway/rules", strings.NewReader(rule))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var made struct{ ID string }
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || res.StatusCode >= 300 {
		t.Fatalf("add failure rule: %s %v", res.Status, err)
	}
	return made.ID
}

// exec changes Slipway's database as its owner.
func (w *world) exec(sql string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	if _, err := w.book().Exec(ctx, sql); err != nil {
		w.t.Fatalf("%.80s: %v", sql, err)
	}
}

// book is Slipway's database as its owner sees it, until the test ends.
func (w *world) book() *pgxpool.Pool {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := w.books[w.owner]; b != nil {
		return b
	}
	cfg, err := pgxpool.ParseConfig(w.owner)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.MaxConns = 2
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // a migration may change what a query gives
	b, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(b.Close)
	if w.books == nil {
		w.books = map[string]*pgxpool.Pool{}
	}
	w.books[w.owner] = b
	return b
}
