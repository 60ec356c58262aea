package awssim

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

const (
	accountLimit = 500             // quota L-E619E033 of the demo organization
	closeTakes   = 2 * time.Minute // from PENDING_CLOSURE to SUSPENDED
	closeLeast   = 250             // closings in rolling 30 days: the higher of this and a fifth of the members,
	closeMost    = 1000            // at most this
)

func (c *Call) accountOut(ctx context.Context, a Account) (orgtypes.Account, error) {
	path, err := c.ancestry(ctx, a.Parent)
	if err != nil {
		return orgtypes.Account{}, err
	}
	method := orgtypes.AccountJoinedMethodCreated
	if a.ID == demoManagement {
		method = orgtypes.AccountJoinedMethodInvited
	}
	out := orgtypes.Account{Id: &a.ID, Arn: aws.String(accountARN(a.ID)), Name: &a.Name, Email: &a.Email, State: orgtypes.AccountState(a.State),
		Status: orgtypes.AccountStatus(a.State), JoinedMethod: method, JoinedTimestamp: &a.Joined,
		Paths: []string{demoOrganization + "/" + strings.Join(path, "/") + "/" + a.ID + "/"}}
	if a.State == "CLOSED" || a.State == "PENDING_ACTIVATION" { // the older field has no such values
		out.Status = orgtypes.AccountStatusSuspended
	}
	return out, nil
}

func (c *Call) accountsOut(ctx context.Context, all []Account, token *string, size *int32) ([]orgtypes.Account, *string, error) {
	all, next, err := page(all, token, size, 20)
	if err != nil {
		return nil, nil, err
	}
	out := make([]orgtypes.Account, 0, len(all))
	for _, a := range all {
		o, err := c.accountOut(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, o)
	}
	return out, next, nil
}

func listAccounts(ctx context.Context, c *Call, in *organizations.ListAccountsInput) (*organizations.ListAccountsOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	all, err := c.accounts(ctx, `listed_after <= $1`, c.Now)
	if err != nil {
		return nil, err
	}
	out, next, err := c.accountsOut(ctx, all, in.NextToken, in.MaxResults)
	return &organizations.ListAccountsOutput{Accounts: out, NextToken: next}, err
}

func listAccountsForParent(ctx context.Context, c *Call, in *organizations.ListAccountsForParentInput) (*organizations.ListAccountsForParentOutput, error) {
	parent := aws.ToString(in.ParentId)
	if err := c.orgRead(ctx, nodeARN(parent)); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, parent, "ParentNotFoundException"); err != nil {
		return nil, err
	}
	all, err := c.accounts(ctx, `parent = $1 AND listed_after <= $2`, parent, c.Now)
	if err != nil {
		return nil, err
	}
	out, next, err := c.accountsOut(ctx, all, in.NextToken, in.MaxResults)
	return &organizations.ListAccountsForParentOutput{Accounts: out, NextToken: next}, err
}

func describeAccount(ctx context.Context, c *Call, in *organizations.DescribeAccountInput) (*organizations.DescribeAccountOutput, error) {
	id := aws.ToString(in.AccountId)
	if err := c.orgRead(ctx, accountARN(id)); err != nil {
		return nil, err
	}
	a, err := c.member(ctx, id)
	if err != nil {
		return nil, err
	}
	out, err := c.accountOut(ctx, a)
	return &organizations.DescribeAccountOutput{Account: &out}, err
}

// member is an account of the organization, or AWS's refusal.
func (c *Call) member(ctx context.Context, id string) (Account, error) {
	a, ok, err := c.account(ctx, id)
	if err == nil && !ok {
		err = refuse(http.StatusBadRequest, "AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return a, err
}

func moveAccount(ctx context.Context, c *Call, in *organizations.MoveAccountInput) (*organizations.MoveAccountOutput, error) {
	id, from, to := aws.ToString(in.AccountId), aws.ToString(in.SourceParentId), aws.ToString(in.DestinationParentId)
	if err := c.orgWrite(ctx, nil, accountARN(id), nodeARN(from), nodeARN(to)); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, from, "SourceParentNotFoundException"); err != nil {
		return nil, err
	}
	if err := c.parentMustExist(ctx, to, "DestinationParentNotFoundException"); err != nil {
		return nil, err
	}
	a, err := c.member(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case a.Parent == to:
		return nil, refuse(http.StatusBadRequest, "DuplicateAccountException", "The account is already in the destination parent.")
	case a.Parent != from:
		return nil, refuse(http.StatusBadRequest, "AccountNotFoundException", "The account is not in the source parent you specified.")
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE accounts SET parent = $2 WHERE id = $1`, id, to); err != nil {
		return nil, fmt.Errorf("move account %s: %w", id, err)
	}
	return &organizations.MoveAccountOutput{}, accountMoved(ctx, c, id, from, to)
}

func closeAccount(ctx context.Context, c *Call, in *organizations.CloseAccountInput) (*organizations.CloseAccountOutput, error) {
	id := aws.ToString(in.AccountId)
	a, _, err := c.account(ctx, id)
	if err != nil {
		return nil, err
	}
	own := keys{}
	for k, v := range a.Tags {
		own["aws:ResourceTag/"+k] = []string{v}
	}
	if err := c.orgWrite(ctx, own, accountARN(id)); err != nil {
		return nil, err
	}
	if a, err = c.member(ctx, id); err != nil {
		return nil, err
	}
	var closed, members int
	if err := c.Tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE closing_at > $1), count(*) FILTER (WHERE state <> 'CLOSED') FROM accounts`, c.Now.Add(-30*24*time.Hour)).Scan(&closed, &members); err != nil {
		return nil, fmt.Errorf("count closed accounts: %w", err)
	}
	switch {
	case id == demoManagement:
		return nil, &APIError{Status: http.StatusConflict, Code: "ConstraintViolationException", Reason: "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", Message: "You can't close the management account."}
	case a.State == "PENDING_CLOSURE":
		return nil, refuse(http.StatusConflict, "ConflictException", "The account is already being closed.")
	case a.State != "ACTIVE":
		return nil, refuse(http.StatusConflict, "AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
	case closed >= min(closeMost, max(closeLeast, members/5)):
		return nil, &APIError{Status: http.StatusConflict, Code: "ConstraintViolationException", Reason: "CLOSE_ACCOUNT_QUOTA_EXCEEDED", Message: "You have exceeded close account quota for the past 30 days."}
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE accounts SET state = 'PENDING_CLOSURE', closing_at = $2 WHERE id = $1`, id, c.Now); err != nil {
		return nil, fmt.Errorf("close account %s: %w", id, err)
	}
	return &organizations.CloseAccountOutput{}, accountMoved(ctx, c, id, a.Parent, "")
}

// suspendClosed is the ticker of account closure.
func suspendClosed(ctx context.Context, c *Call) error {
	if _, err := c.Tx.Exec(ctx, `UPDATE accounts SET state = 'SUSPENDED' WHERE state = 'PENDING_CLOSURE' AND closing_at <= $1`, c.Now.Add(-c.Sim.scaled(closeTakes))); err != nil {
		return fmt.Errorf("suspend closed accounts: %w", err)
	}
	return nil
}
