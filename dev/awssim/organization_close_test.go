package awssim

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestCloseAccount: a closed account is suspended after a while, stays in the list with its address, and lets nobody in.
func TestCloseAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 200)
	ctx := t.Context()
	cfg := w.as(asAdmin)
	org := organizations.NewFromConfig(cfg)
	made, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("payments-nonprod"), Email: aws.String("aws+payments@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	id := waitForAccount(t, org, *made.CreateAccountStatus.Id)
	role := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("somebody")}
	eventually(t, "the access role can be assumed", func() bool { _, err := assume(t, cfg, role); return err == nil })

	w.admin(t, "POST", "/rules", rule{Service: "organizations", Op: "CloseAccount", Action: constraint, Reason: "WAIT_PERIOD_ACTIVE", Times: 1}, nil)
	closing := &organizations.CloseAccountInput{AccountId: &id}
	_, err = org.CloseAccount(ctx, closing)
	wantReason(t, err, orgtypes.ConstraintViolationExceptionReasonWaitPeriodActive)
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after, closing_at)
			SELECT lpad((700000000000 + n)::text, 12, '0'), 'old-' || n, 'old-' || n || '@example.com', 'SUSPENDED', $1, clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp() - interval '29 days'
			FROM generate_series(1, 250) n`, demoSuspended)
		return err
	})
	_, err = org.CloseAccount(ctx, closing)
	wantReason(t, err, orgtypes.ConstraintViolationExceptionReasonCloseAccountQuotaExceeded)
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.Tx.Exec(ctx, `UPDATE accounts SET closing_at = closing_at - interval '2 days' WHERE name = 'old-1'`)
		return err
	})
	if _, err = org.CloseAccount(ctx, closing); err != nil {
		t.Fatal(err)
	}
	_, err = org.CloseAccount(ctx, closing)
	if code(err) != "ConflictException" && code(err) != "AccountAlreadyClosedException" {
		t.Errorf("close again: %v", err)
	}
	if _, err := assume(t, cfg, role); err == nil {
		t.Error("a closed account lets somebody in")
	}
	eventually(t, "it is suspended", func() bool {
		out, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id})
		return err == nil && out.Account.State == orgtypes.AccountStateSuspended && out.Account.Status == orgtypes.AccountStatusSuspended
	})
	again, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("again"), Email: aws.String("aws+payments@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "its address stays taken", func() bool {
		out, err := org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: again.CreateAccountStatus.Id})
		return err == nil && out.CreateAccountStatus.FailureReason == orgtypes.CreateAccountFailureReasonEmailAlreadyExists
	})
	if n := count(t, w, `SELECT count(*) FROM accounts WHERE id = $1`, id); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func wantReason(t *testing.T, err error, reason orgtypes.ConstraintViolationExceptionReason) {
	t.Helper()
	var c *orgtypes.ConstraintViolationException
	if !errors.As(err, &c) || c.Reason != reason {
		t.Errorf("got %v, want %s", err, reason)
	}
}
