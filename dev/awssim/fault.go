package awssim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// What a failure rule does.
const (
	throttle        = "throttle"
	error500        = "error500"
	timeout         = "timeout" // no answer and no change: the connection closes after the delay
	accessDenied    = "access_denied"
	delayed         = "delay"
	dropAfterCommit = "drop_after_commit" // the change is made, the reply is lost
	unavailable     = "unavailable"       // the service, or the rule's region, cannot
	clockOff        = "clock_off"         // the clock that answers is skew seconds ahead
	constraint      = "constraint"        // Organizations refuses with the reason that the rule gives: CLOSE_ACCOUNT_QUOTA_EXCEEDED

	// Those below are asked by the stack engine, for a logical id of a stack.
	createFailed    = "create_failed"     // when it is made or changed; also an account's creation
	updateFailed    = "update_failed"     // when it is changed
	deleteFailed    = "delete_failed"     // when it is removed
	rollbackFailed  = "rollback_failed"   // when a failed update puts it back
	slowResource    = "slow_resource"     // every change of it takes delay_ms longer
	validationError = "validation_error"  // a check before a change set is ready finds something
	changeSetFailed = "change_set_failed" // without a logical id: the change set itself
)

// inStacks are the actions that no call meets.
func inStacks() []string {
	return []string{createFailed, updateFailed, deleteFailed, rollbackFailed, slowResource, validationError, changeSetFailed}
}

const defaultTimeout = 90 * time.Second

// rule is a failure somebody asked for. An empty field matches everything.
type rule struct {
	ID          int64   `json:"id,string"`
	Service     string  `json:"service,omitempty"`
	Op          string  `json:"op,omitempty"`
	Account     string  `json:"account,omitempty"`
	Match       string  `json:"match,omitempty"`       // substring of the request body, or of the stack's name
	Nth         int     `json:"nth,omitempty"`         // fires from the nth matching call on
	Times       int     `json:"times,omitempty"`       // fires at most so often; 0 is without end
	Probability float64 `json:"probability,omitempty"` // drawn from the seed, so that a run can be repeated
	Seed        int64   `json:"seed,omitempty"`
	Action      string  `json:"action"`
	DelayMS     int     `json:"delay_ms,omitempty"` // wall time, not divided by the speed
	LogicalID   string  `json:"logical_id,omitempty"`
	Reason      string  `json:"reason,omitempty"`
	Region      string  `json:"region,omitempty"`
	Skew        int     `json:"skew,omitempty"`     // seconds
	Incident    *int64  `json:"incident,omitempty"` // whose end ends the rule

	Seen      int64     `json:"seen"`
	Fired     int64     `json:"fired"`
	CreatedAt time.Time `json:"created_at"`
}

const ruleColumns = `id, service, op, account, match, nth, times, probability, seed, action, delay_ms, logical_id, reason, region, skew, incident, seen, fired, created_at`

// match finds the first rule for this call, counting what every candidate has seen.
func (c *Call) match(ctx context.Context) (*rule, error) {
	return c.firstRule(ctx, `action <> ALL ($5) AND (service = '' OR service = $1) AND (op = '' OR op = $2) AND (account = '' OR account = $3)
		AND (match = '' OR strpos($4, match) > 0) AND (region = '' OR region = $6)`, c.Service, c.Op, c.Account, c.body, inStacks(), requestedRegion(c.Service+":"+c.Op, c.Region))
}

// faultOf finds a rule of some actions for a logical id of a stack, and counts it.
func (c *Call) faultOf(ctx context.Context, account, stack, logicalID string, actions ...string) (*rule, error) {
	if c.faults == nil {
		var any bool
		if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM rules WHERE action = ANY ($1))`, inStacks()).Scan(&any); err != nil {
			return nil, fmt.Errorf("look for failure rules: %w", err)
		}
		c.faults = &any
	}
	if !*c.faults {
		return nil, nil
	}
	return c.firstRule(ctx, `action = ANY ($4) AND (account = '' OR account = $1) AND (match = '' OR strpos($2, match) > 0) AND logical_id = $3`,
		account, stack, logicalID, actions)
}

// fault is the reason for which something is to fail now.
func (c *Call) fault(ctx context.Context, account, stack, logicalID string, actions ...string) (reason string, ok bool, err error) {
	r, err := c.faultOf(ctx, account, stack, logicalID, actions...)
	if err != nil || r == nil {
		return "", false, err
	}
	return r.Reason, true, nil
}

func (c *Call) firstRule(ctx context.Context, where string, args ...any) (*rule, error) {
	rows, err := c.Tx.Query(ctx, `UPDATE rules SET seen = seen + 1 WHERE (times = 0 OR fired < times) AND `+where+` RETURNING `+ruleColumns, args...)
	if err != nil {
		return nil, fmt.Errorf("look for failure rules: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rule])
	if err != nil {
		return nil, fmt.Errorf("read failure rules: %w", err)
	}
	var first *rule
	for i := range all {
		if r := &all[i]; r.due() && (first == nil || r.ID < first.ID) {
			first = r
		}
	}
	if first == nil {
		return nil, nil
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE rules SET fired = fired + 1 WHERE id = $1`, first.ID); err != nil {
		return nil, fmt.Errorf("count failure rule %d: %w", first.ID, err)
	}
	return first, nil
}

// due says whether this sighting fires. The draw depends on seed, rule and count alone.
func (r *rule) due() bool {
	if r.Seen < int64(r.Nth) {
		return false
	}
	if r.Probability >= 1 {
		return true
	}
	draw := rand.New(rand.NewPCG(uint64(r.Seed), uint64(r.ID)<<32^uint64(r.Seen)))
	return draw.Float64() < r.Probability
}

func (r *rule) waits() bool { return r.DelayMS > 0 || r.Action == delayed || r.Action == timeout }

// delay sleeps as the rule asks, outside any transaction; false when the simulator closes.
func (s *Sim) delay(r *rule) bool {
	d := time.Duration(r.DelayMS) * time.Millisecond
	if d == 0 && r.Action == timeout {
		d = defaultTimeout
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
		return false
	}
}

// refusal is the error the rule asks for, nil when the call may run.
func (r *rule) refusal(c *Call) error {
	if r == nil {
		return nil
	}
	switch r.Action {
	case unavailable:
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "The service is unavailable in %s. Please retry.", c.Region)
	case clockOff:
		c.skew = time.Duration(r.Skew) * time.Second
		if now := c.Now.Add(c.skew); c.signed.Before(now.Add(-clockSkew)) || c.signed.After(now.Add(clockSkew)) {
			return skewed(c.Service, c.signed, now)
		}
	case throttle:
		return throttled(c.Service)
	case error500:
		return serverError(c.Service)
	case constraint:
		return &APIError{Status: http.StatusConflict, Code: "ConstraintViolationException", Reason: r.Reason, Message: "You violated a constraint of your organization: " + r.Reason}
	case accessDenied:
		reason := r.Reason
		if reason == "" {
			reason = fmt.Sprintf("User: %s is not authorized to perform: %s:%s with an explicit deny in a service control policy", c.Principal.ARN, c.Service, c.Op)
		}
		return denied(c.Service, reason)
	}
	return nil
}

func serverError(service string) error {
	switch service {
	case "organizations", "servicequotas":
		return refuse(http.StatusInternalServerError, "ServiceException", "AWS Organizations can't complete your request because of an internal service error. Try again later.")
	case "account", "budgets", "sso", "identitystore":
		return refuse(http.StatusInternalServerError, "InternalServerException", "An internal server error occurred.")
	case "s3", "s3control":
		return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	case "ecr", "ecs":
		return refuse(http.StatusInternalServerError, "ServerException", "Service Unavailable. Please try again later.")
	case "secretsmanager":
		return refuse(http.StatusInternalServerError, "InternalServiceError", "An error occurred on the server side.")
	case "tag":
		return refuse(http.StatusInternalServerError, "InternalServiceException", "The request processing failed because of an unknown error, exception, or failure. You can retry the request.")
	default:
		return refuse(http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
	}
}
