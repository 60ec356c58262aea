package awssim

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// organizationFeatures is the setting with the organization's feature set; without one it has all.
const organizationFeatures = "organization-features"

// stackSetsService is what CloudFormation StackSets are to Organizations.
const stackSetsService = "member.org.stacksets.cloudformation.amazonaws.com"

func listDelegatedServices(ctx context.Context, c *Call, in *organizations.ListDelegatedServicesForAccountInput) (*organizations.ListDelegatedServicesForAccountOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	id, err := need("accountId", in.AccountId)
	if err != nil {
		return nil, err
	}
	if _, err := c.member(ctx, id); err != nil {
		return nil, err
	}
	rows, err := c.Tx.Query(ctx, `SELECT principal, since FROM org_delegations WHERE account = $1 ORDER BY principal`, id)
	if err != nil {
		return nil, fmt.Errorf("read the delegations of %s: %w", id, err)
	}
	defer rows.Close()
	var all []orgtypes.DelegatedService
	for rows.Next() {
		var name string
		var at time.Time
		if err := rows.Scan(&name, &at); err != nil {
			return nil, fmt.Errorf("read a delegation of %s: %w", id, err)
		}
		all = append(all, orgtypes.DelegatedService{ServicePrincipal: &name, DelegationEnabledDate: &at})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the delegations of %s: %w", id, err)
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusBadRequest, "AccountNotRegisteredException", "The account %s is not a registered delegated administrator for any service.", aws.ToString(in.AccountId))
	}
	all, next, err := page(all, in.NextToken, in.MaxResults, 20)
	return &organizations.ListDelegatedServicesForAccountOutput{DelegatedServices: all, NextToken: next}, err
}
