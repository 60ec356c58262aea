package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/models"
	"slipway/provisioners"
)

// The tags of a vended account. They say whose it is when everything else is lost; an account with other tags is never adopted.
const (
	tagTenant       = "slipway:tenant"
	tagAccountRow   = "slipway:account"
	tagRequest      = "slipway:request"
	defaultRoleName = "OrganizationAccountAccessRole"
)

// Vendor creates accounts with AWS Organizations. CreateAccount has no token: what became of a call is found by name and e-mail address.
type Vendor struct{ Clients *Clients }

// vendorCursor is where a paged look goes on.
type vendorCursor struct {
	Phase string `json:"phase"` // creations or accounts
	Token string `json:"token,omitempty"`
	Taken bool   `json:"taken,omitempty"` // AWS said that the e-mail address is taken
}

const (
	inCreations = "creations"
	inAccounts  = "accounts"
)

func (v Vendor) client(p provisioners.Vending, policy string) *organizations.Client {
	return organizationsClient(v.Clients.org(who{person: p.StartedBy, job: p.RunID}, policy))
}

// Find looks for the account or a creation of it: by AWS's ids when they are known, then among the creations by name, then among all
// accounts by e-mail address.
func (v Vendor) Find(ctx context.Context, p provisioners.Vending) (provisioners.Creation, error) {
	found, err := v.find(ctx, p)
	return found, judge(err, 0, false)
}

func (v Vendor) find(ctx context.Context, p provisioners.Vending) (provisioners.Creation, error) {
	org := v.client(p, lookAtOrganization)
	cur := vendorCursor{Phase: inCreations}
	if len(p.Cursor) > 0 {
		if err := json.Unmarshal(p.Cursor, &cur); err != nil {
			return provisioners.Creation{}, fmt.Errorf("read the cursor of account %s: %w", p.Account.Name, err)
		}
	} else if known, ok, err := v.known(ctx, org, p); ok || err != nil {
		return known, err
	}
	return v.search(ctx, org, p, cur)
}

// known asks for the ids that AWS gave before. A creation that failed is not the end of the search: it may be one of an earlier attempt.
func (v Vendor) known(ctx context.Context, org *organizations.Client, p provisioners.Vending) (provisioners.Creation, bool, error) {
	if p.Account.AWSID != "" {
		c, err := v.present(ctx, org, p, p.Account.AWSID, p.Account.CreateID)
		return c, err == nil, err
	}
	if p.Account.CreateID == "" {
		return provisioners.Creation{}, false, nil
	}
	out, err := org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: &p.Account.CreateID})
	if is(err, "CreateAccountStatusNotFoundException") {
		return provisioners.Creation{}, false, nil
	}
	if err != nil {
		return provisioners.Creation{}, false, err
	}
	switch st := out.CreateAccountStatus; st.State {
	case orgtypes.CreateAccountStateInProgress:
		return provisioners.Creation{Found: provisioners.Working, CreateID: p.Account.CreateID, AWSState: string(st.State)}, true, nil
	case orgtypes.CreateAccountStateSucceeded:
		c, err := v.present(ctx, org, p, sdk.ToString(st.AccountId), p.Account.CreateID)
		return c, err == nil, err
	}
	return provisioners.Creation{}, false, nil
}

// search goes through the pages of creations, then of accounts, a few pages a job.
func (v Vendor) search(ctx context.Context, org *organizations.Client, p provisioners.Vending, cur vendorCursor) (provisioners.Creation, error) {
	for range pagesPerLook {
		page := v.pageOfAccounts
		if cur.Phase == inCreations {
			page = v.pageOfCreations
		}
		found, ok, next, err := page(ctx, org, p, token(cur.Token))
		if err != nil || ok {
			return found, err
		}
		switch {
		case next != nil:
			cur.Token = *next
		case cur.Phase == inCreations:
			cur.Phase, cur.Token = inAccounts, ""
		case cur.Taken:
			return provisioners.Creation{Failure: creationFailure(p, orgtypes.CreateAccountFailureReasonEmailAlreadyExists)}, nil
		default:
			return provisioners.Creation{Found: provisioners.Absent}, nil
		}
	}
	raw, err := json.Marshal(cur)
	return provisioners.Creation{Found: provisioners.More, Cursor: raw}, err
}

func (v Vendor) pageOfCreations(ctx context.Context, org *organizations.Client, p provisioners.Vending, next *string) (found provisioners.Creation, ok bool, _ *string, _ error) {
	out, err := org.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{NextToken: next,
		States: []orgtypes.CreateAccountState{orgtypes.CreateAccountStateInProgress, orgtypes.CreateAccountStateSucceeded}})
	if err != nil {
		return found, false, nil, err
	}
	for _, st := range out.CreateAccountStatuses {
		if sdk.ToString(st.AccountName) != p.Account.Name {
			continue
		}
		if st.State == orgtypes.CreateAccountStateInProgress {
			return provisioners.Creation{Found: provisioners.Working, CreateID: sdk.ToString(st.Id), AWSState: string(st.State)}, true, nil, nil
		}
		a, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: st.AccountId})
		if is(err, "AccountNotFoundException") {
			continue // it has left the organization
		}
		if err != nil {
			return found, false, nil, err
		}
		if strings.EqualFold(sdk.ToString(a.Account.Email), p.Account.Email) {
			found, err := v.adopt(ctx, org, p, a.Account, sdk.ToString(st.Id))
			return found, err == nil, nil, err
		}
	}
	return found, false, out.NextToken, nil
}

func (v Vendor) pageOfAccounts(ctx context.Context, org *organizations.Client, p provisioners.Vending, next *string) (found provisioners.Creation, ok bool, _ *string, _ error) {
	out, err := org.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: next})
	if err != nil {
		return found, false, nil, err
	}
	for i := range out.Accounts {
		if strings.EqualFold(sdk.ToString(out.Accounts[i].Email), p.Account.Email) {
			found, err := v.adopt(ctx, org, p, &out.Accounts[i], "")
			return found, err == nil, nil, err
		}
	}
	return found, false, out.NextToken, nil
}

func (v Vendor) present(ctx context.Context, org *organizations.Client, p provisioners.Vending, id, createID string) (provisioners.Creation, error) {
	out, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id})
	if err != nil {
		return provisioners.Creation{}, err
	}
	return v.adopt(ctx, org, p, out.Account, createID)
}

// adopt takes an account that carries our tags; another's account with the same address is a failure for a person to look at.
func (v Vendor) adopt(ctx context.Context, org *organizations.Client, p provisioners.Vending, a *orgtypes.Account, createID string) (provisioners.Creation, error) {
	tags, err := tagsOf(ctx, org, sdk.ToString(a.Id))
	if err != nil {
		return provisioners.Creation{}, err
	}
	if tags[tagAccountRow] != p.Account.ID {
		return provisioners.Creation{AWSID: "", Failure: &models.Failure{
			What:  fmt.Sprintf("Account %s already has the e-mail address %s, and Slipway did not make it for this tenant.", sdk.ToString(a.Id), p.Account.Email),
			Cause: fmt.Sprintf("Its tag %s is %q, not %q.", tagAccountRow, tags[tagAccountRow], p.Account.ID), Owner: platform,
			Next: "Find out whose account it is. If the pattern of addresses is wrong, correct SLIPWAY_ACCOUNT_EMAIL, give this request up and ask again."}}, nil
	}
	return provisioners.Creation{Found: provisioners.Present, AWSID: sdk.ToString(a.Id), AWSState: stateOf(a), CreateID: createID}, nil
}

// Start asks AWS for the account, once: a repetition is decided by Find.
func (v Vendor) Start(ctx context.Context, p provisioners.Vending) (provisioners.Creation, error) {
	tags := map[string]string{tagTenant: p.Tenant.Slug, tagAccountRow: p.Account.ID, tagRequest: p.RequestID}
	in := &organizations.CreateAccountInput{AccountName: &p.Account.Name, Email: &p.Account.Email, RoleName: sdk.String(defaultRoleName),
		IamUserAccessToBilling: orgtypes.IAMUserAccessToBillingAllow}
	for _, k := range []string{tagTenant, tagAccountRow, tagRequest} {
		in.Tags = append(in.Tags, orgtypes.Tag{Key: sdk.String(k), Value: sdk.String(tags[k])})
	}
	out, err := v.client(p, createAccounts).CreateAccount(ctx, in, func(o *organizations.Options) { o.Retryer = once() })
	if err != nil {
		return provisioners.Creation{}, judge(err, p.PutOff, false)
	}
	st := out.CreateAccountStatus
	return provisioners.Creation{Found: provisioners.Working, CreateID: sdk.ToString(st.Id), AWSState: string(st.State)}, nil
}

// Poll asks how the creation stands. A repeated call answers FAILED although the first one made the account, so these two reasons lead
// back to the search.
func (v Vendor) Poll(ctx context.Context, p provisioners.Vending) (provisioners.Creation, error) {
	if p.Account.CreateID == "" || len(p.Cursor) > 0 {
		return v.Find(ctx, p)
	}
	org := v.client(p, lookAtOrganization)
	out, err := org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: &p.Account.CreateID})
	if err != nil {
		return provisioners.Creation{}, judge(err, 0, false)
	}
	st := out.CreateAccountStatus
	switch {
	case st.State == orgtypes.CreateAccountStateInProgress:
		return provisioners.Creation{Found: provisioners.Working, CreateID: p.Account.CreateID, AWSState: string(st.State)}, nil
	case st.State == orgtypes.CreateAccountStateSucceeded:
		found, err := v.present(ctx, org, p, sdk.ToString(st.AccountId), p.Account.CreateID)
		return found, judge(err, 0, false)
	case st.FailureReason == orgtypes.CreateAccountFailureReasonEmailAlreadyExists || st.FailureReason == orgtypes.CreateAccountFailureReasonConcurrentAccountModification:
		found, err := v.search(ctx, org, p, vendorCursor{Phase: inCreations, Taken: true})
		return found, judge(err, 0, false)
	}
	return provisioners.Creation{CreateID: p.Account.CreateID, AWSState: string(st.State), Failure: creationFailure(p, st.FailureReason)}, nil
}

func creationFailure(p provisioners.Vending, reason orgtypes.CreateAccountFailureReason) *models.Failure {
	m, ok := creationFailures[reason]
	if !ok {
		m = meaning{what: "AWS could not create the account.", owner: platform, next: "Look the reason up in the documentation of CreateAccountStatus, " + "then retry."}
	}
	return &models.Failure{What: m.what, Cause: fmt.Sprintf("CreateAccount for %s with %s ended in FAILED: %s.", p.Account.Name, p.Account.Email, reason),
		Code: string(reason), Owner: m.owner, Next: m.next}
}

func token(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
