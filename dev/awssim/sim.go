package awssim

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The demo organization. Its ids never change, for configuration names them.
const (
	demoManagement   = "111111111111"
	demoHub          = "222222222222"
	demoLogArchive   = "333333333333"
	demoAudit        = "444444444444"
	demoOrganization = "o-demo123456"
	demoRoot         = "r-demo"
	demoNonprod      = "ou-demo-nonprod01"
	demoProd         = "ou-demo-prod0001"
	demoSuspended    = "ou-demo-suspend1"
	homeRegion       = "eu-west-1"
)

// Options say which world to open.
type Options struct {
	DatabaseURL string
	Speed       float64 // divides every duration inside the simulator; 1 when zero
	Logger      *slog.Logger

	OrgTemplate, HubTemplate, SpokeTemplate []byte // deploy/aws, for the first seeding
	DNSTemplate                             []byte
	ExternalID                              string
	Groups                                  []string // of the identity store, by display name
	AnyGroup                                bool     // whether a group that is asked for is pushed just then, unless somebody deleted it
	BaseDomain                              string   // whose zone the hub holds; DemoBaseDomain when empty

	// StandsIn names the issuers whose part others play here, by the address of who plays: tokens of
	// theirs are taken where an account has the played one as its provider.
	StandsIn map[string]string

	// Usage is what a blueprint, named by the tag of its stacks and known by its template, assumes
	// to be used at a size. Without it nothing that is paid by use is used.
	Usage func(blueprint, template, size string) map[string]string

	tracer pgx.QueryTracer // of tests that count queries
}

// Sim is an open world. Its methods are safe for several goroutines, and several
// processes may open the same world: every call takes the same lock.
type Sim struct {
	opts     Options
	speed    float64
	log      *slog.Logger
	pool     *pgxpool.Pool
	ops      map[string]operation // service + "." + operation
	services map[string]service
	closing  chan struct{}
	book     bookOf
}

// worldLock serialises all calls, of all processes.
const worldLock = 0x617773 // "aws"

// Open migrates the world's database, fills a new one with the demo organization, and
// returns the simulator.
func Open(ctx context.Context, o Options) (*Sim, error) {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Speed < 0 {
		return nil, fmt.Errorf("simulator speed %v: must be above zero", o.Speed)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sim{opts: o, speed: o.Speed, log: o.Logger, ops: map[string]operation{}, services: services(), closing: make(chan struct{})}
	for _, op := range operations() {
		name := op.service + "." + op.name
		if _, twice := s.ops[name]; twice {
			return nil, fmt.Errorf("operation %s is registered twice", name)
		}
		s.ops[name] = op
	}
	cfg, err := pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("simulator database address: %w", err)
	}
	cfg.ConnConfig.Tracer = o.tracer
	cfg.MaxConns = 4 // calls run one at a time; the rest wait for the lock or read pages
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open simulator database: %w", err)
	}
	if err := migrate(ctx, stdlib.OpenDBFromPool(s.pool)); err != nil {
		s.pool.Close()
		return nil, err
	}
	if err := s.within(ctx, func(ctx context.Context, c *Call) error {
		if err := s.seed(ctx, c); err != nil {
			return err
		}
		if err := c.seedIdentityCenter(ctx); err != nil {
			return err
		}
		if err := c.seedCosts(ctx); err != nil {
			return err
		}
		return c.billOld(ctx)
	}); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("seed the simulated world: %w", err)
	}
	return s, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("simulator migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(worldLock))
	if err != nil {
		return fmt.Errorf("simulator migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("simulator migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate simulator database: %w", err)
	}
	return nil
}

// Close ends injected delays and releases the database. Call it once.
func (s *Sim) Close() {
	close(s.closing)
	s.pool.Close()
}

// Handler serves the AWS protocols, and the admin pages under /_slipway/. It answers on
// loopback only, whoever opened the listener: anybody who reaches it may do anything.
func (s *Sim) Handler() http.Handler {
	admin := http.StripPrefix("/_slipway", s.AdminHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if ok && !loopback(local.String()) {
			http.Error(w, "The simulator answers on loopback only.", http.StatusForbidden)
			return
		}
		if r.Header.Get("Authorization") != "" || !strings.HasPrefix(r.URL.Path, "/_slipway/") {
			s.ServeHTTP(w, r)
			return
		}
		if !loopback(r.Host) { // a page that had its own name resolved to this machine
			http.Error(w, "Ask for localhost.", http.StatusForbidden)
			return
		}
		admin.ServeHTTP(w, r)
	})
}

// loopback says whether an address, with or without its port, is of this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Listen opens the simulator's address, on loopback only.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if !loopback(addr) {
		return nil, fmt.Errorf("simulator address %q: it must be on loopback, for the simulator lets anyone in", addr)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return l, nil
}

// within runs fn as the simulator itself: locked, with what is due applied, in one transaction.
func (s *Sim) within(ctx context.Context, fn func(ctx context.Context, c *Call) error) error {
	c := &Call{Sim: s, Account: demoManagement, Region: homeRegion, RequestID: newRequestID(),
		Principal: Principal{Account: demoManagement, ARN: arn("iam", "", demoManagement, "root"), Admin: true}}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := c.enter(ctx, tx); err != nil {
			return err
		}
		if err := c.tick(ctx); err != nil {
			return err
		}
		return fn(ctx, c)
	})
}

// enter takes the world's lock and reads the clock under it, so that time never runs
// backwards from one call to the next.
func (c *Call) enter(ctx context.Context, tx pgx.Tx) error {
	c.Tx, c.faults = tx, nil
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, worldLock); err != nil {
		return fmt.Errorf("take the world's lock: %w", err)
	}
	c.Now = time.Now().UTC().Truncate(time.Microsecond)
	return nil
}

// tick applies everything that is due.
func (c *Call) tick(ctx context.Context) error {
	for _, t := range tickers() {
		if err := t(ctx, c); err != nil {
			return fmt.Errorf("apply what is due: %w", err)
		}
	}
	return nil
}

// isNoRows says that a query found nothing.
func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
