package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"slipway/models"
	"slipway/provisioners"
)

// Bounds of reads: a look is one short job, and an organization can have ten thousand accounts.
const (
	pagesPerLook = 10
	listingLife  = 10 * time.Minute
	unitDepth    = 6 // AWS nests five organizational units under the root
	allAccess    = "FullAWSAccess"
	allResources = "RCPFullAWSAccess"

	guardrailPrefix = "aws-guardrails-" // of the policies with which AWS Control Tower governs a unit
)

func organizationsClient(cfg sdk.Config) *organizations.Client {
	return organizations.NewFromConfig(cfg)
}

// listing counts the organization's accounts, page by page over several jobs, and is kept for a while.
type listing struct {
	mu    sync.Mutex
	began time.Time
	done  bool
	count int
	next  *string
}

// countAccounts tells how many accounts the organization has, closed ones that still count included.
func (c *Clients) countAccounts(ctx context.Context, org *organizations.Client) (int, error) {
	c.mu.Lock()
	if c.listing == nil {
		c.listing = &listing{}
	}
	l := c.listing
	c.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := c.Clock.Wall(); now.Sub(l.began) > listingLife {
		l.began, l.done, l.count, l.next = now, false, 0, nil
	}
	for range pagesPerLook {
		if l.done {
			return l.count, nil
		}
		out, err := org.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: l.next})
		if err != nil {
			l.began = time.Time{} // a token that AWS refuses must not be kept
			return 0, err
		}
		l.count, l.next = l.count+len(out.Accounts), out.NextToken
		l.done = l.next == nil
	}
	if l.done {
		return l.count, nil
	}
	return 0, provisioners.Wait{For: "AWS", Words: fmt.Sprintf("the list of the organization's accounts (%d so far)", l.count)}
}

// room tells how many accounts the organization has and may have.
func (c *Clients) room(ctx context.Context, w who, org *organizations.Client) (have, quota int, err error) {
	if have, err = c.countAccounts(ctx, org); err != nil {
		return 0, 0, err
	}
	out, err := servicequotas.NewFromConfig(c.orgIn(w, lookAtOrganization, quotaRegion)).GetServiceQuota(ctx,
		&servicequotas.GetServiceQuotaInput{ServiceCode: sdk.String("organizations"), QuotaCode: sdk.String("L-E619E033")})
	if err != nil {
		return 0, 0, err
	}
	if out.Quota == nil || out.Quota.Value == nil {
		return have, 0, nil
	}
	return have, int(*out.Quota.Value), nil
}

// parentOf is the root or organizational unit an account or unit is in.
func parentOf(ctx context.Context, org *organizations.Client, child string) (orgtypes.Parent, error) {
	out, err := org.ListParents(ctx, &organizations.ListParentsInput{ChildId: &child})
	if err != nil {
		return orgtypes.Parent{}, err
	}
	if len(out.Parents) != 1 || out.Parents[0].Id == nil {
		return orgtypes.Parent{}, fmt.Errorf("list parents of %s: AWS named %d", child, len(out.Parents))
	}
	return out.Parents[0], nil
}

// policiesOver names the service control policies that an organizational unit hands down, its parents' included; not AWS's own that
// allows everything.
func policiesOver(ctx context.Context, org *organizations.Client, unit string) ([]string, error) {
	var names []string
	at := unit
	for range unitDepth {
		pages := organizations.NewListPoliciesForTargetPaginator(org, &organizations.ListPoliciesForTargetInput{TargetId: &at, Filter: orgtypes.PolicyTypeServiceControlPolicy})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, p := range out.Policies {
				if n := sdk.ToString(p.Name); n != allAccess && !p.AwsManaged {
					names = append(names, n)
				}
			}
		}
		if strings.HasPrefix(at, "r-") {
			break
		}
		parent, err := parentOf(ctx, org, at)
		if err != nil {
			return nil, err
		}
		at = *parent.Id
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// tagsOf reads the tags of an account.
func tagsOf(ctx context.Context, org *organizations.Client, account string) (map[string]string, error) {
	tags := map[string]string{}
	pages := organizations.NewListTagsForResourcePaginator(org, &organizations.ListTagsForResourceInput{ResourceId: &account})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
		}
	}
	return tags, nil
}

// stateOf is AWS's own word for where an account stands.
func stateOf(a *orgtypes.Account) string {
	if a.State != "" {
		return string(a.State)
	}
	return string(a.Status)
}

// left is what pages show of an account that AWS does not name any more.
const left = "not in the organization"

// Refresh reads what AWS says of an account, for pages that show it with its age. The account's run calls it at its end, and a slow
// sweep for all others.
func (c *Clients) Refresh(ctx context.Context, registry provisioners.Registry, a models.Account, person string) error {
	if a.AWSID == "" {
		return nil
	}
	org := organizationsClient(c.org(who{person: person}, lookAtOrganization))
	seen, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &a.AWSID})
	if is(err, "AccountNotFoundException") {
		return registry.SaveAccount(ctx, models.System("accounts", person), a.ID, func(row *models.Account) {
			row.AWSState, row.AWSStateAt, row.OU = left, c.Clock.Wall(), ""
		})
	}
	if err != nil {
		return err
	}
	parent, err := parentOf(ctx, org, a.AWSID)
	if err != nil {
		return err
	}
	return registry.SaveAccount(ctx, models.System("accounts", person), a.ID, func(row *models.Account) {
		row.AWSState, row.AWSStateAt, row.OU = stateOf(seen.Account), c.Clock.Wall(), sdk.ToString(parent.Id)
	})
}
