// Package awssim stands in for AWS: it speaks the wire protocols of the services
// Slipway calls, keeps its world in a PostgreSQL database of its own, and can be
// told to fail. Real SDK clients and the aws command line talk to it unchanged.
package awssim

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
)

// Call is one decoded API call inside its one database transaction. All calls are
// serialised by an advisory lock, so a handler may read and write without races.
type Call struct {
	Sim       *Sim
	Tx        pgx.Tx
	Account   string // of the credentials
	Region    string // of the signature's scope
	Service   string // IAM prefix: "cloudformation", "organizations", "sts" ...
	Op        string
	RequestID string
	Principal Principal
	Now       time.Time // wall time, read once, microseconds, UTC
	SourceIP  string

	body   string        // the raw request, which failure rules may match
	faults *bool         // whether any rule is for what happens inside stacks; nil: not asked yet in this transaction
	signed time.Time     // when the request says it was signed
	skew   time.Duration // how far the clock that answers is ahead
	web    *webIdentity  // the token of a call that brings one
	webErr error         // why it was refused
	asked  bool          // may was called; a call that succeeds without it is refused
}

// operation is one registered API operation.
type operation struct {
	service, name string
	in, out       reflect.Type // the SDK's own Input and Output structs
	run           func(ctx context.Context, c *Call, in any) (any, error)
}

// handle registers fn for one operation of a service. In and Out are the SDK's own
// Input and Output structs; the wire decoding has refused unknown members before fn
// runs. Every fn must call c.may before it answers.
func handle[In, Out any](service, name string, fn func(ctx context.Context, c *Call, in *In) (*Out, error)) operation {
	return operation{
		service: service, name: name,
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(ctx context.Context, c *Call, in any) (any, error) {
			out, err := fn(ctx, c, in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// ticker applies every effect of its area that is due at c.Now. All tickers run at the
// start of every call, in its transaction: nothing in the simulator moves by goroutine.
type ticker func(ctx context.Context, c *Call) error

// APIError is a refusal in AWS's words. What a handler returns as any other error
// reaches the caller as InternalFailure and the log in full.
type APIError struct {
	Status  int
	Code    string
	Message string
	Reason  string // the Reason member some Organizations errors carry
}

func (e *APIError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// refuse answers a call with an AWS error.
func refuse(status int, code, format string, args ...any) error {
	return &APIError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalid is the refusal of a malformed or contradictory input by the services that
// say ValidationError (cloudformation, sts, iam).
func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

// scaled is how long a duration of the real AWS takes here, in whole microseconds: a moment that has fractions of one comes back from the
// database before itself, and what is due then would never happen.
func (s *Sim) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.speed).Truncate(time.Microsecond)
}

// arn builds an ARN in the aws partition.
func arn(service, region, account, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource
}
