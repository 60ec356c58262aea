package provisioners

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"slipway/models"
)

// ErrStale says that another worker has taken the journal row since: what this one knows no longer counts.
var ErrStale = errors.New("the journal row was taken by another worker")

// Job is a journal row in this worker's hands, until its lease lapses.
type Job struct {
	ID         string
	Kind       models.JournalKind
	ObjectID   string
	Generation int64
	Owner      string
	Attempts   int             // calls that ended in an error since the last success
	State      json.RawMessage // what the kind of work keeps between calls
	CreatedAt  time.Time       // product time
	Lost       bool            // its last holder's lease lapsed: what that one did is not known
}

// Next says how a job goes on after its transaction: done, or awake again after Delay.
type Next struct {
	Done     bool
	Delay    time.Duration
	Attempts int
	State    json.RawMessage // nil keeps what is there
}

// Leases is the part of the journal that every kind of work shares. Times are the database's.
type Leases interface {
	// Take leases the row for the call; nil when the wake-up is older than the row, the row is done, leased or not yet due.
	Take(ctx context.Context, wake models.WakeArgs, owner string, lease time.Duration) (*Job, error)
	// Renew prolongs the lease; ErrStale when the row was taken by another worker or the lease is gone.
	Renew(ctx context.Context, job Job, lease time.Duration) error
	// Sweep takes rows with a lapsed lease, or without one and over grace past due, away from whoever had them and wakes them anew.
	Sweep(ctx context.Context, grace time.Duration) (int, error)
	// Release gives back every lease of a worker that stops.
	Release(ctx context.Context, owner string) error
	// End writes the outcome of a job that has nothing else to write.
	End(ctx context.Context, job Job, next Next) error
}
