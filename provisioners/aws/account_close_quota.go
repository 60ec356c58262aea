package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/provisioners"
)

// AWS's bounds of closing accounts.
const (
	closingWindow = 30 * 24 * time.Hour
	closingsLeast = 250
	closingsMost  = 1000
	closingAge    = 7 * 24 * time.Hour // accounts younger than this may not leave; AWS itself decides

	askQuotaAgain = time.Hour
)

// closings is how AWS's quota stands: so many accounts may be closed in any 30 days.
type closings struct {
	taken, allowed int
	until          time.Time // wall time; when one more is taken, as far as Slipway knows
}

// closings counts what Slipway itself has closed: AWS does not tell how much of the quota is left. What others close, it says by refusing.
func (c *Closing) closings(ctx context.Context, org *organizations.Client) (closings, error) {
	members, err := c.clients.countAccounts(ctx, org)
	if err != nil {
		return closings{}, err
	}
	q := closings{allowed: min(closingsMost, max(closingsLeast, members/5))}
	now := c.clients.Clock.Wall()
	if q.taken, err = c.registry.Closures(ctx, now.Add(-closingWindow)); err != nil || q.taken < q.allowed {
		return q, err
	}
	free, full := now, now.Add(-closingWindow) // fewer than allowed since free, too many since full
	for free.Sub(full) > time.Hour {
		middle := full.Add(free.Sub(full) / 2)
		n, err := c.registry.Closures(ctx, middle)
		if err != nil {
			return q, err
		}
		if n < q.allowed {
			free = middle
		} else {
			full = middle
		}
	}
	q.until = free.Add(closingWindow)
	return q, nil
}

// waitForQuota puts the closing off until AWS takes one more.
func (e ending) waitForQuota(q closings) error {
	words := "AWS to take another closing: its quota of closed accounts is used up"
	w := provisioners.Wait{For: "AWS's quota", Delay: askQuotaAgain, Clean: true}
	if !q.until.IsZero() {
		w.Until = e.product(q.until)
		words = fmt.Sprintf("AWS to take another closing: of %d in 30 days %d are used; the next is possible about %s", q.allowed, q.taken, w.Until.UTC().Format("2 January 15:04 MST"))
		w.Delay = max(time.Second, min(askQuotaAgain, q.until.Sub(e.clients.Clock.Wall())))
	}
	w.Words = words
	return w
}

// product is a wall time as pages show times.
func (e ending) product(wall time.Time) time.Time {
	return e.clients.Clock.Now().Add(wall.Sub(e.clients.Clock.Wall()))
}

// refused says what AWS's refusal of a closing means: most of them pass by themselves, in hours or days.
func (e ending) refused(ctx context.Context, run *provisioners.Run, err error) error {
	var call *CallError
	if !errors.As(err, &call) {
		return err
	}
	switch orgtypes.ConstraintViolationExceptionReason(call.Reason) {
	case orgtypes.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded:
		q, err := e.closings(ctx, e.organization(run))
		if err != nil {
			return err
		}
		return e.waitForQuota(q)
	case orgtypes.ConstraintViolationExceptionReasonCloseAccountRequestsLimitExceeded:
		return provisioners.Wait{For: "AWS", Words: "AWS to end the closings that are under way: it takes no more at a time", Delay: time.Minute, Clean: true}
	case orgtypes.ConstraintViolationExceptionReasonWaitPeriodActive, orgtypes.ConstraintViolationExceptionReasonAccountCreationNotComplete:
		return e.waitForAge(ctx, run)
	}
	return permitted(err, run.Waited)
}

// waitForAge puts off the closing of an account that AWS finds too young.
func (e ending) waitForAge(ctx context.Context, run *provisioners.Run) error {
	out, err := e.organization(run).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &e.part.Account})
	if err != nil {
		return permitted(err, run.Waited)
	}
	until := sdk.ToTime(out.Account.JoinedTimestamp).Add(closingAge)
	w := provisioners.Wait{For: "AWS", Delay: askQuotaAgain, Clean: true, Words: "AWS to let go of the account: it is too young to be closed"}
	if until.After(e.clients.Clock.Wall()) {
		w.Until = e.product(until)
		w.Words += ", which ends about " + w.Until.UTC().Format("2 January")
	}
	return w
}
