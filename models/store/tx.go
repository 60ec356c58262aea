package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// tx is one transaction, seen by gorm and by pgx on the same connection, so that rows, jobs and notifications commit together.
// Everything inside uses t.ctx: it carries the mark that refuses a second transaction.
type tx struct {
	ctx context.Context
	db  *gorm.DB
	pgx pgx.Tx // for River's InsertTx; committed by Store.tx only
	s   *Store

	leads string // promotion whose own work this is: it is not woken by what it does itself
}

type insideTx struct{}

// tries bounds how often a transaction that PostgreSQL gave up for another's sake is begun anew.
const tries = 4

// tx runs fn in one transaction and repeats it after a deadlock or serialization failure: fn has no effect outside of t.
// The error is ready to be shown (see translate).
func (s *Store) tx(ctx context.Context, fn func(t *tx) error) error {
	if ctx.Value(insideTx{}) != nil {
		return errors.New("a transaction is open already: pass it on instead of opening a second one")
	}
	var err error
	for try := range tries {
		if err = s.once(context.WithValue(ctx, insideTx{}, true), fn); !again(err) || try == tries-1 {
			break
		}
		select {
		case <-ctx.Done():
			return translate(ctx.Err())
		case <-time.After(time.Duration(10+rand.IntN(40<<try)) * time.Millisecond):
		}
	}
	return translate(err)
}

// once begins with pgx and lends the connection to gorm: a pgx.Tx is then whole, and gorm cannot commit on its own.
func (s *Store) once(ctx context.Context, fn func(t *tx) error) error {
	conn, err := s.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // back to the pool; one that is still in a transaction is thrown away there
	var raw *pgx.Conn
	err = conn.Raw(func(c any) error {
		std, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver connection is a %T", c)
		}
		raw = std.Conn()
		return nil
	})
	if err != nil {
		return err
	}
	ptx, err := raw.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { // also after a panic; the error of a rollback after a commit says nothing
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = conn.Raw(func(any) error { return ptx.Rollback(ending) }) // one that broke was given back and closed already: Raw leaves it alone
	}()
	db := s.db.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = borrowed{conn}
	if err := fn(&tx{ctx: ctx, db: db, pgx: ptx, s: s}); err != nil {
		return err
	}
	return ptx.Commit(ctx)
}

// notify wakes who listens, when the transaction commits. Topics: run:<id>, request:<id>, journal, clock.
func (t *tx) notify(topic string) error {
	_, err := t.pgx.Exec(t.ctx, `SELECT pg_notify('slipway', $1)`, topic)
	return err
}

// now is product time.
func (t *tx) now() time.Time { return t.s.clock.Now() }

// again tells whether PostgreSQL rolled back only because of another transaction.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// borrowed is a connection without Begin and Commit: gorm refuses to open a transaction on it.
type borrowed struct{ conn *sql.Conn }

func (b borrowed) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return b.conn.PrepareContext(ctx, query)
}

func (b borrowed) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return b.conn.ExecContext(ctx, query, args...)
}

func (b borrowed) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return b.conn.QueryContext(ctx, query, args...)
}

func (b borrowed) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return b.conn.QueryRowContext(ctx, query, args...)
}
