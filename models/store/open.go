// Package store keeps Slipway's state in PostgreSQL: one transaction per use case, an acting person or component on every
// method, and each query scoped to what that actor may see.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"slipway/models"
)

// Options is what the store is told by main.
type Options struct {
	URL          string // of the role slipway_app
	Connections  int    // most connections this process opens; 0 means 20
	Clock        models.Clock
	Logger       *slog.Logger
	GroupPattern *regexp.Regexp // what a tenant's groups must match
	AdminGroups  []string       // always platform-admin (break-glass)
	AccountEmail string         // pattern of account addresses: {n}, {tenant}, {class}
	Slots        int            // account creations at the same time; 0 means 1
	BreakGlass   bool           // an admin may approve alone, own requests included, with a reason
	Regions      []string       // where environments and networks may be
	BaseDomain   string         // names of environments are below it; empty: nothing that needs a name is offered
	Keys         Sealer         // seals the addresses of webhooks; nil: there can be none

	StatementTimeout time.Duration   // 0 means 30 s
	AcquireTimeout   time.Duration   // how long a full pool is waited for; 0 means 3 s
	Tracer           pgx.QueryTracer // sees every query; nil: nobody does
}

// Store is the only way to Slipway's database. It is safe for concurrent use.
type Store struct {
	pool  *pgxpool.Pool
	sql   *sql.DB
	db    *gorm.DB // for reads; writes go through tx
	river *river.Client[pgx.Tx]
	clock models.Clock
	log   *slog.Logger
	opt   Options
	metas metas
}

// Open connects lazily: a database that is down is an error of each call, not of the start.
func Open(ctx context.Context, opt Options) (*Store, error) {
	opt = withDefaults(opt)
	cfg, err := pgxpool.ParseConfig(opt.URL)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // pgx's words could hold the password
	}
	cfg.MaxConns = int32(opt.Connections)
	cfg.MinConns = 0
	cfg.MaxConnLifetimeJitter = 5 * time.Minute
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.ConnConfig.Tracer = opt.Tracer
	limits := map[string]time.Duration{
		"statement_timeout": opt.StatementTimeout, "lock_timeout": 5 * time.Second, "idle_in_transaction_session_timeout": 30 * time.Second,
	}
	for name, limit := range limits {
		cfg.ConnConfig.RuntimeParams[name] = strconv.FormatInt(limit.Milliseconds(), 10)
	}
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC" // list cursors hold times as text
	cfg.ConnConfig.RuntimeParams["application_name"] = "slipway"
	cfg.AfterConnect = timesInUTC
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the connection pool: %w", err)
	}
	s := &Store{pool: pool, clock: opt.Clock, log: opt.Logger, opt: opt}
	if err := s.wire(); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func withDefaults(opt Options) Options {
	if opt.Connections <= 0 {
		opt.Connections = 20
	}
	if opt.Clock == nil {
		opt.Clock = &models.ShiftedClock{}
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Slots <= 0 {
		opt.Slots = 1
	}
	if opt.StatementTimeout <= 0 {
		opt.StatementTimeout = 30 * time.Second
	}
	if opt.AcquireTimeout <= 0 {
		opt.AcquireTimeout = 3 * time.Second
	}
	return opt
}

// wire makes gorm and River work on the one pool.
func (s *Store) wire() (err error) {
	s.sql = sql.OpenDB(patient{stdlib.GetPoolConnector(s.pool), s.opt.AcquireTimeout})
	s.sql.SetMaxIdleConns(0) // the pgx pool keeps the idle ones
	s.db, err = gorm.Open(postgres.New(postgres.Config{Conn: s.sql}), &gorm.Config{
		SkipDefaultTransaction: true, DisableAutomaticPing: true, Logger: logger.Discard, NowFunc: s.clock.Now, TranslateError: false,
	})
	if err != nil {
		return fmt.Errorf("open gorm: %w", err)
	}
	s.river, err = river.NewClient(riverpgxv5.New(s.pool), &river.Config{Logger: s.log}) // inserts only: no queues, no workers
	if err != nil {
		return fmt.Errorf("open the job queue: %w", err)
	}
	return nil
}

// Pool is the one connection pool, for the worker's River client.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Close gives back every connection.
func (s *Store) Close() {
	if err := s.sql.Close(); err != nil {
		s.log.Warn("close the database handle", "err", err)
	}
	s.pool.Close()
}

// read is gorm for a query outside of a transaction.
func (s *Store) read(ctx context.Context) *gorm.DB {
	return s.db.Session(&gorm.Session{NewDB: true, Context: ctx})
}

// patient bounds how long a full pool is waited for, so that a page says 503 instead of hanging.
type patient struct {
	driver.Connector
	limit time.Duration
}

// Connect takes a connection of the pool.
func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	conn, err := p.Connector.Connect(waiting)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoConnection, err)
	}
	return conn, nil
}

func timesInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
	return nil
}
