package awssim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// verdict is what the wire must do beside answering.
type verdict struct {
	drop bool // close the connection without a reply
}

// do runs one call: credentials, failure rules, what is due, then the operation inside a
// savepoint, so that a refused call changes nothing but is still in the log.
func (s *Sim) do(ctx context.Context, c *Call, sig signature, op operation, in any) (out any, v verdict, err error) {
	var hit *rule
	ctx = context.WithoutCancel(ctx) // AWS finishes what it took, whether or not the client waits
	out, opErr, err := s.attempt(ctx, c, sig, op, in, &hit)
	if err != nil {
		return nil, v, err
	}
	if errors.Is(opErr, errWaits) { // the delay is outside any transaction; then the call runs for real
		if !s.delay(hit) || hit.Action == timeout {
			return nil, verdict{drop: true}, nil
		}
		if out, opErr, err = s.attempt(ctx, c, sig, op, in, &hit); err != nil {
			return nil, v, err
		}
	}
	v.drop = hit != nil && hit.Action == dropAfterCommit && opErr == nil
	return out, v, opErr
}

// errWaits ends an attempt whose rule asks for a delay first.
var errWaits = errors.New("delayed by a rule")

// attempt is one transaction. hit carries the rule from an attempt that had to wait to the
// one that follows: a rule counts once per call.
func (s *Sim) attempt(ctx context.Context, c *Call, sig signature, op operation, in any, hit **rule) (out any, opErr, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := c.enter(ctx, tx); err != nil {
			return err
		}
		p, err := c.principal(ctx, sig)
		var refused *APIError
		if errors.As(err, &refused) {
			opErr = err
			return c.record(ctx, opErr, nil)
		}
		if err != nil {
			return err
		}
		c.Principal, c.Account = p, p.Account
		if *hit == nil {
			if *hit, err = c.match(ctx); err != nil {
				return err
			}
			if *hit != nil && (*hit).waits() {
				opErr = errWaits
				if (*hit).Action == timeout {
					return c.record(ctx, refuse(0, "Timeout", "No answer, no change: failure rule %d.", (*hit).ID), *hit)
				}
				return nil
			}
		}
		if opErr = (*hit).refusal(c); opErr == nil {
			if err := c.tick(ctx); err != nil {
				return err
			}
			out, opErr = c.guarded(ctx, tx, op, in)
		}
		return c.record(ctx, opErr, *hit)
	})
	return out, opErr, err
}

// guarded runs the operation in a savepoint. An error that is not AWS's own is passed on
// as it is and becomes InternalFailure on the wire.
func (c *Call) guarded(ctx context.Context, tx pgx.Tx, op operation, in any) (out any, opErr error) {
	err := pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) error {
		c.Tx = inner
		defer func() { c.Tx = tx }()
		out, opErr = op.run(ctx, c, in)
		if opErr == nil && !c.asked {
			opErr = fmt.Errorf("%s.%s answered without asking for permission", op.service, op.name)
		}
		return opErr
	})
	if opErr == nil && err != nil {
		return nil, fmt.Errorf("finish %s.%s: %w", op.service, op.name, err)
	}
	return out, opErr
}

const (
	callsKept    = 20000
	attemptLimit = 30 * time.Second // waiting for the world's lock included
)

// record writes the call's line into the log, in the transaction of the change: what the
// log does not hold did not happen.
func (c *Call) record(ctx context.Context, opErr error, hit *rule) error {
	code, message := "", ""
	var refused *APIError
	switch {
	case errors.As(opErr, &refused):
		code, message = refused.Code, refused.Message
	case opErr != nil:
		code, message = "InternalFailure", opErr.Error()
	}
	var ruleID *int64
	if hit != nil {
		ruleID = &hit.ID
	}
	var id int64
	err := c.Tx.QueryRow(ctx, `INSERT INTO calls (at, request_id, account, region, principal, session_name, source_identity, service, op, error_code, error_message, rule, dropped)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
		c.Now, c.RequestID, c.Account, c.Region, c.Principal.ARN, c.Principal.SessionName, c.Principal.SourceIdentity, c.Service, c.Op, code, message, ruleID,
		hit != nil && hit.Action == dropAfterCommit && opErr == nil).Scan(&id)
	if err != nil {
		return fmt.Errorf("record the call: %w", err)
	}
	if id%1000 == 0 {
		if _, err := c.Tx.Exec(ctx, `DELETE FROM calls WHERE id <= $1`, id-callsKept); err != nil {
			return fmt.Errorf("shorten the call log: %w", err)
		}
	}
	return nil
}

// open marks an operation that AWS lets every caller do.
func (c *Call) open() { c.asked = true }

// need returns a member's text, or the refusal of a call without it.
func need(name string, value *string) (string, error) {
	if value == nil || *value == "" {
		return "", refuse(http.StatusBadRequest, "ValidationException", "Value null at '%s' failed to satisfy constraint: Member must not be null", name)
	}
	return *value, nil
}
