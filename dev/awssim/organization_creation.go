package awssim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

const (
	createTakes     = 45 * time.Second // from CreateAccount to its terminal state
	newAccountDelay = 30 * time.Second // STS denies a new account so long
	listDelay       = 15 * time.Second // ListAccounts lags so far behind
	createsAtOnce   = 5
)

var (
	emailForm    = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
	roleNameForm = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
)

// creation is one CreateAccount request and what became of it.
type creation struct {
	ID, Name, Email, RoleName string
	Tags                      map[string]string
	State, FailureReason      string
	AccountID                 *string
	RequestedAt, DueAt        time.Time
	CompletedAt               *time.Time
}

func (cr creation) status() *orgtypes.CreateAccountStatus {
	out := &orgtypes.CreateAccountStatus{Id: &cr.ID, AccountName: &cr.Name, State: orgtypes.CreateAccountState(cr.State), AccountId: cr.AccountID,
		RequestedTimestamp: &cr.RequestedAt, CompletedTimestamp: cr.CompletedAt}
	if cr.FailureReason != "" {
		out.FailureReason = orgtypes.CreateAccountFailureReason(cr.FailureReason)
	}
	return out
}

func (c *Call) creations(ctx context.Context, where string, args ...any) ([]creation, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, name, email, role_name, tags, state, failure_reason, account_id, requested_at, due_at, completed_at
		FROM account_creations WHERE `+where+` ORDER BY requested_at, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read account creations: %w", err)
	}
	defer rows.Close()
	var all []creation
	for rows.Next() {
		var cr creation
		if err := rows.Scan(&cr.ID, &cr.Name, &cr.Email, &cr.RoleName, &cr.Tags, &cr.State, &cr.FailureReason, &cr.AccountID, &cr.RequestedAt, &cr.DueAt, &cr.CompletedAt); err != nil {
			return nil, fmt.Errorf("read account creation: %w", err)
		}
		all = append(all, cr)
	}
	return all, rows.Err()
}

func createAccount(ctx context.Context, c *Call, in *organizations.CreateAccountInput) (*organizations.CreateAccountOutput, error) {
	tags := orgTags(in.Tags)
	if err := c.orgWrite(ctx, tagKeys(tags), "*"); err != nil {
		return nil, err
	}
	if len(tags) > 0 { // tags at creation need the permission to tag as well
		if err := c.mayAs(ctx, c.Principal, "organizations:TagResource", accountARN("*"), tagKeys(tags)); err != nil {
			return nil, err
		}
	}
	cr := creation{ID: "car-" + hexID(32), Name: aws.ToString(in.AccountName), Email: aws.ToString(in.Email), RoleName: aws.ToString(in.RoleName), Tags: tags,
		State: "IN_PROGRESS", RequestedAt: c.Now, DueAt: c.Now.Add(c.Sim.scaled(createTakes))}
	if cr.RoleName == "" {
		cr.RoleName = "OrganizationAccountAccessRole"
	}
	if len(cr.Email) < 6 || len(cr.Email) > 64 || !emailForm.MatchString(cr.Email) || cr.Name == "" || len(cr.Name) > 50 || !roleNameForm.MatchString(cr.RoleName) {
		return nil, &APIError{Status: http.StatusBadRequest, Code: "InvalidInputException", Reason: "INVALID_PATTERN", Message: "You provided a value that does not match the required pattern: Email, AccountName or RoleName."}
	}
	running, err := c.creations(ctx, `state = 'IN_PROGRESS'`)
	if err != nil {
		return nil, err
	}
	if len(running) >= createsAtOnce {
		return nil, refuse(http.StatusConflict, "ConcurrentModificationException", "The target of the operation is currently being modified by a different request. Try again later.")
	}
	same := func(r creation) bool { return strings.EqualFold(r.Email, cr.Email) }
	if slices.ContainsFunc(running, same) {
		cr.State, cr.FailureReason, cr.CompletedAt = "FAILED", "CONCURRENT_ACCOUNT_MODIFICATION", &c.Now
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO account_creations (id, name, email, role_name, tags, state, failure_reason, requested_at, due_at, completed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		cr.ID, cr.Name, cr.Email, cr.RoleName, jsonText(cr.Tags), cr.State, cr.FailureReason, cr.RequestedAt, cr.DueAt, cr.CompletedAt); err != nil {
		return nil, fmt.Errorf("store account creation: %w", err)
	}
	return &organizations.CreateAccountOutput{CreateAccountStatus: cr.status()}, nil
}

// finishCreations is the ticker of account creation.
func finishCreations(ctx context.Context, c *Call) error {
	due, err := c.creations(ctx, `state = 'IN_PROGRESS' AND due_at <= $1`, c.Now)
	if err != nil {
		return err
	}
	for _, cr := range due {
		if err := c.finishCreation(ctx, cr); err != nil {
			return fmt.Errorf("finish creation of account %s: %w", cr.Name, err)
		}
	}
	return nil
}

func (c *Call) finishCreation(ctx context.Context, cr creation) error {
	reason, err := c.creationFailure(ctx, cr)
	if err != nil {
		return err
	}
	if reason != "" {
		_, err := c.Tx.Exec(ctx, `UPDATE account_creations SET state = 'FAILED', failure_reason = $2, completed_at = due_at WHERE id = $1`, cr.ID, reason)
		return err
	}
	a := Account{Name: cr.Name, Email: cr.Email, State: "ACTIVE", Parent: demoRoot, Joined: cr.DueAt, Tags: cr.Tags,
		UsableAfter: cr.DueAt.Add(c.Sim.scaled(newAccountDelay)), ListedAfter: cr.DueAt.Add(c.Sim.scaled(listDelay))}
	if a.ID, err = c.newAccountID(ctx); err != nil {
		return err
	}
	if err := c.addAccount(ctx, a); err != nil {
		return err
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + demoManagement + `:root"},"Action":"sts:AssumeRole"}]}`
	if _, err := c.putRole(ctx, Role{Account: a.ID, Name: cr.RoleName, TrustPolicy: trust, Managed: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}, Created: cr.DueAt}); err != nil {
		return err
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE account_creations SET state = 'SUCCEEDED', account_id = $2, completed_at = due_at WHERE id = $1`, cr.ID, a.ID); err != nil {
		return err
	}
	return accountMoved(ctx, c, a.ID, "", a.Parent)
}

// creationFailure is the FailureReason a creation ends with, empty when it succeeds. A
// create_failed rule for the logical id CreateAccount names one as its reason; its match
// is looked for in the account's name and address.
func (c *Call) creationFailure(ctx context.Context, cr creation) (string, error) {
	reason, failed, err := c.fault(ctx, demoManagement, cr.Name+" "+cr.Email, "CreateAccount", createFailed)
	if err != nil {
		return "", err
	}
	if failed {
		if slices.Contains(orgtypes.CreateAccountFailureReason("").Values(), orgtypes.CreateAccountFailureReason(reason)) {
			return reason, nil
		}
		return "INTERNAL_FAILURE", nil
	}
	var taken bool
	var open int
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE lower(email) = lower($1)), (SELECT count(*) FROM accounts WHERE state <> 'CLOSED')`, cr.Email).Scan(&taken, &open); err != nil {
		return "", fmt.Errorf("look for the address: %w", err)
	}
	switch {
	case taken:
		return "EMAIL_ALREADY_EXISTS", nil
	case open >= accountLimit:
		return "ACCOUNT_LIMIT_EXCEEDED", nil
	}
	return "", nil
}

// newAccountID draws an id nobody has; ids look random, as AWS's do.
func (c *Call) newAccountID(ctx context.Context) (string, error) {
	var n int64
	if err := c.Tx.QueryRow(ctx, `SELECT nextval('accounts_seq_seq')`).Scan(&n); err != nil {
		return "", fmt.Errorf("draw account id: %w", err)
	}
	const prime, room = 370_248_451_277, 400_000_000_000 // coprime, so ids never repeat
	return fmt.Sprintf("%012d", 500_000_000_000+(n%room)*(prime%room)%room), nil
}

// addAccount writes a member with the policy every new account gets.
func (c *Call) addAccount(ctx context.Context, a Account) error {
	if _, err := c.Tx.Exec(ctx, `INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after, tags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.Name, a.Email, a.State, a.Parent, a.Joined, a.UsableAfter, a.ListedAfter, jsonText(a.Tags)); err != nil {
		return fmt.Errorf("add account %s: %w", a.ID, err)
	}
	return c.attach(ctx, fullAccess, a.ID)
}

func describeCreation(ctx context.Context, c *Call, in *organizations.DescribeCreateAccountStatusInput) (*organizations.DescribeCreateAccountStatusOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	all, err := c.creations(ctx, `id = $1`, aws.ToString(in.CreateAccountRequestId))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusNotFound, "CreateAccountStatusNotFoundException", "We can't find a create account request with the CreateAccountRequestId that you specified.")
	}
	return &organizations.DescribeCreateAccountStatusOutput{CreateAccountStatus: all[0].status()}, nil
}

func listCreations(ctx context.Context, c *Call, in *organizations.ListCreateAccountStatusInput) (*organizations.ListCreateAccountStatusOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	states := make([]string, 0, len(in.States))
	for _, s := range in.States {
		states = append(states, string(s))
	}
	all, err := c.creations(ctx, `cardinality($1::text[]) = 0 OR state = ANY($1)`, states)
	if err != nil {
		return nil, err
	}
	out := make([]orgtypes.CreateAccountStatus, 0, len(all))
	for _, cr := range all {
		out = append(out, *cr.status())
	}
	out, next, err := page(out, in.NextToken, in.MaxResults, 20)
	return &organizations.ListCreateAccountStatusOutput{CreateAccountStatuses: out, NextToken: next}, err
}
