package aws

import (
	"context"
	"errors"
	"strings"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"slipway/provisioners"
)

// Calls per second and account, region and service. AWS's own limits differ by call and are seldom published; these stay under all of
// them that are.
const (
	readRate  = 2
	writeRate = 1
	burst     = 2
)

// observe puts rate limit, deadline, counting and the meaning of errors around every call.
func (c *Clients) observe(account, region string, credentials sdk.CredentialsProvider) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("SlipwayCall", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			service, op := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
			out, meta, err := next.HandleInitialize(ctx, in)
			err = callError(err, service, op, account, region)
			if expiring, ok := credentials.(*session); ok && is(err, "ExpiredToken", "ExpiredTokenException", "RequestExpired") {
				expiring.forget()
				out, meta, err = next.HandleInitialize(ctx, in)
				err = callError(err, service, op, account, region)
			}
			return out, meta, err
		}), middleware.After)
		if err != nil {
			return err
		}
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("SlipwayAttempt", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			return c.attempt(ctx, account, region, in, next)
		}), "Retry", middleware.After)
	}
}

// attempt is one try of a call: it waits its turn, has a deadline of its own, and is counted.
func (c *Clients) attempt(ctx context.Context, account, region string, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	service, op := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
	if err := c.limits.take(ctx, account, region, service, op); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	began := c.Clock.Wall()
	out, meta, err := next.HandleFinalize(ctx, in)
	ended := outcome(err)
	c.metrics.called(service, op, account, ended, c.Clock.Wall().Sub(began))
	c.counted.called(account, ended == "throttled")
	provisioners.CountCall(ctx, ended == "throttled")
	return out, meta, err
}

// outcome is the bounded label of an attempt's end.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var e *CallError
	if !errors.As(callError(err, "", "", "", ""), &e) {
		return "error"
	}
	switch m := e.meaning(); {
	case m.what == throttled.what:
		return "throttled"
	case e.Code == "":
		return "no_answer"
	case e.Status >= 500:
		return "server_error"
	}
	return "refused"
}

// limits are the token buckets, one per account, region, service and kind of call.
type limits struct {
	pace    float64
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimits(pace float64) *limits { return &limits{pace: pace, buckets: map[string]*rate.Limiter{}} }

// maxBuckets bounds the memory of accounts that are not asked any more; a forgotten bucket starts full.
const maxBuckets = 20000

func (l *limits) take(ctx context.Context, account, region, service, op string) error {
	family, perSecond := "write", float64(writeRate)
	if reads(op) {
		family, perSecond = "read", readRate
	}
	key := strings.Join([]string{account, region, service, family}, "/")
	l.mu.Lock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
		b = rate.NewLimiter(rate.Limit(perSecond*l.pace), burst)
		l.buckets[key] = b
	}
	l.mu.Unlock()
	return b.Wait(ctx)
}

// reads tells a call that changes nothing by its name, as AWS names them.
func reads(op string) bool {
	for _, p := range []string{"Describe", "List", "Get", "BatchGet", "Assume", "Simulate"} {
		if strings.HasPrefix(op, p) {
			return true
		}
	}
	return false
}

// once makes a call that AWS has no token for go out a single time: what became of it is looked up, never guessed.
func once() sdk.Retryer { return sdk.NopRetryer{} }
