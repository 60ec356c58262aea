package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
	"slipway/provisioners"
)

// protectedNames are what AWS Control Tower calls the accounts that keep everybody else's records. They are refused by name too, for who
// forgets to list them.
var protectedNames = []string{"log archive", "audit"}

// whereabouts is an account of the organization as it stands: what it is, and where.
type whereabouts struct {
	account orgtypes.Account
	path    orgPath // of the unit it is in
}

func (w whereabouts) parent() string { return w.path.units[0] }

// under tells whether a unit is among those above the account.
func (w whereabouts) under(unit string) bool { return slices.Contains(w.path.units, unit) }

// member reads an account and refuses, in words, one that is not or no longer an active member of the organization.
func (c *Clients) member(ctx context.Context, org *organizations.Client, id string) (orgtypes.Account, error) {
	out, err := org.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id})
	if is(err, "AccountNotFoundException") {
		return orgtypes.Account{}, lacking("Account %s is not in this organization.", "Invite it, or correct its number, then plan again.", id)
	}
	if err != nil {
		return orgtypes.Account{}, err
	}
	switch state := stateOf(out.Account); state {
	case string(orgtypes.AccountStateActive):
		return *out.Account, nil
	case string(orgtypes.AccountStateSuspended), string(orgtypes.AccountStatePendingClosure), string(orgtypes.AccountStateClosed):
		return orgtypes.Account{}, lacking("Account %s is closed or suspended: AWS says %s.", "Have AWS Support reinstate it within 90 days of its closing, or choose another account.", id, state)
	default:
		return orgtypes.Account{}, lacking("Account %s is not active: AWS says %s.", "Bring it in order in AWS Organizations, then plan again.", id, state)
	}
}

// platformAccount says in words which part an account plays for the organization; empty when it plays none. Such an account is never a
// tenant's.
func (c *Clients) platformAccount(ctx context.Context, org *organizations.Client, a orgtypes.Account) (string, error) {
	id := sdk.ToString(a.Id)
	hub, err := c.hubAccount(ctx)
	if err != nil {
		return "", err
	}
	name := strings.ToLower(strings.ReplaceAll(sdk.ToString(a.Name), "-", " "))
	switch {
	case id == c.management:
		return "the organization's management account", nil
	case id == hub:
		return "the account that Slipway itself runs in", nil
	case slices.Contains(c.Protected, id):
		return "kept out by SLIPWAY_PROTECTED_ACCOUNTS, as log archive and audit accounts are", nil
	case slices.Contains(protectedNames, name):
		return fmt.Sprintf("called %q, as the account is that keeps the whole organization's records", sdk.ToString(a.Name)), nil
	}
	pages := organizations.NewListDelegatedAdministratorsPaginator(org, &organizations.ListDelegatedAdministratorsInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, d := range out.DelegatedAdministrators {
			if sdk.ToString(d.Id) == id {
				return "a delegated administrator of the organization", nil
			}
		}
	}
	return "", nil
}

// hubAccount is the account that Slipway's own credentials belong to; it is asked for once.
func (c *Clients) hubAccount(ctx context.Context) (string, error) {
	c.mu.Lock()
	known := c.hubID
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	me, err := sts.NewFromConfig(c.hub(c.Region)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hubID = sdk.ToString(me.Account)
	return c.hubID, nil
}

// enrollable reads the account and refuses what may not be enrolled: each with its reason.
func (t *Tenants) enrollable(ctx context.Context, org *organizations.Client, id, tenantID string, class models.Class) (orgtypes.Account, error) {
	a, err := t.clients.member(ctx, org, id)
	if err != nil {
		return a, err
	}
	part, err := t.clients.platformAccount(ctx, org, a)
	if err != nil {
		return a, err
	}
	if part != "" {
		return a, lacking("Account %s is %s, so it can belong to no tenant.", "Choose another account.", id, part)
	}
	row, err := t.registry.BoundAccount(ctx, id)
	switch {
	case models.KindOf(err) == models.NotFound:
	case err != nil:
		return a, err
	case row.TenantID != tenantID:
		return a, lacking("Account %s belongs to a tenant already.", "Choose another account. Accounts are never shared by tenants.", id)
	case row.Class != class:
		return a, lacking("Account %s is this tenant's %s account already.", "Choose another account for %s.", id, row.Class, class)
	}
	return a, nil
}

// whereabouts reads where an account is and what is attached above it.
func (t *Tenants) whereabouts(ctx context.Context, org *organizations.Client, a orgtypes.Account, types []orgtypes.PolicyType) (whereabouts, error) {
	parent, err := parentOf(ctx, org, sdk.ToString(a.Id))
	if err != nil {
		return whereabouts{}, err
	}
	path, err := pathFrom(ctx, org, sdk.ToString(parent.Id), types)
	return whereabouts{account: a, path: path}, err
}

// stillMember is asked while an account is on its way to a tenant: it may leave or be closed at any time, and then nothing goes on.
func (p place) stillMember(ctx context.Context, run *provisioners.Run, id string) (orgtypes.Account, error) {
	a, err := p.clients.member(ctx, organizationsClient(p.clients.org(workOf(run), lookAtOrganization)), id)
	if f, ok := isFinal(err); ok {
		f.Failure.Owner = platform
		f.Failure.Next = "If it should belong to the tenant, bring it back and retry: the run goes on from this step. Else undo the run: what it bound is released."
		return a, f
	}
	return a, err
}
