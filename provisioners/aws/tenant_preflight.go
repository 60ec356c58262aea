package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"slipway/models"
	"slipway/provisioners"
)

// findings are what planning saw of the place that an account of a class gets.
type findings struct {
	policies []string   // that the unit of the class hands down
	enrol    *enrolment // nil: the account is made
	notes    []string
}

// preflight refuses a plan that could not be carried out, and reads what the accounts will come under.
func (t *Tenants) preflight(ctx context.Context, w who, in models.TenantInputs, tenant models.Tenant) (map[models.Class]findings, error) {
	org := organizationsClient(t.clients.org(w, lookAtOrganization))
	o, err := org.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return nil, err
	}
	if o.Organization.FeatureSet != orgtypes.OrganizationFeatureSetAll {
		return nil, finalf("The organization has only consolidated billing switched on, so nothing would protect a new account.", "Enable all features in AWS Organizations, then plan again.")
	}
	found, missing := map[models.Class]findings{}, 0
	for _, class := range in.Classes {
		f := findings{}
		if f.policies, err = t.unitPolicies(ctx, org, class); err != nil {
			return nil, err
		}
		if asked, ok := in.Enrolled(class); ok {
			err = t.planEnrolment(ctx, w, org, asked, owner{tenant.ID, in.Slug}, &f)
		} else if awsID(tenant, class) == "" {
			missing++
			err = vendable(f.policies, t.clients.OUs[class], class)
		}
		if err != nil {
			return nil, err
		}
		found[class] = f
	}
	if missing == 0 {
		return found, nil
	}
	return found, t.roomFor(ctx, w, org, missing)
}

// roomFor refuses more accounts than AWS allows.
func (t *Tenants) roomFor(ctx context.Context, w who, org *organizations.Client, missing int) error {
	have, quota, err := t.clients.room(ctx, w, org)
	if err == nil && quota > 0 && have+missing > quota {
		err = provisioners.Final{Failure: models.Failure{What: "The organization has no room for more accounts.", Owner: platform,
			Cause: fmt.Sprintf("It has %d of the %d accounts that AWS allows, and this tenant needs %d more.", have, quota, missing),
			Next:  "Ask AWS for more accounts (Service Quotas, AWS Organizations, L-E619E033; closed accounts count for 90 days), then plan again."}}
	}
	return err
}

// vendable refuses a unit that AWS Control Tower governs: an account that AWS Organizations makes and moves there is a member that Control
// Tower has not enrolled, without its trail, its recorder and its roles.
func vendable(policies []string, unit string, class models.Class) error {
	for _, name := range policies {
		if strings.HasPrefix(name, guardrailPrefix) {
			return lacking("The organizational unit %s for %s accounts is governed by AWS Control Tower (policy %s), so Slipway makes no account there.",
				"Have the account made by Control Tower's Account Factory in that unit, then enrol it here.", unit, class, name)
		}
	}
	return nil
}

func (t *Tenants) unitPolicies(ctx context.Context, org *organizations.Client, class models.Class) ([]string, error) {
	unit := t.clients.OUs[class]
	if unit == "" {
		return nil, finalf("No organizational unit is configured for %s accounts.", "Set SLIPWAY_OU_NONPROD and SLIPWAY_OU_PROD, then plan again.", class)
	}
	_, err := org.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &unit})
	if is(err, "OrganizationalUnitNotFoundException", "InvalidInputException") {
		return nil, finalf("The organizational unit %s for %s accounts does not exist.", "Correct SLIPWAY_OU_NONPROD or SLIPWAY_OU_PROD, then plan again.", unit, class)
	}
	if err != nil {
		return nil, err
	}
	names, err := policiesOver(ctx, org, unit)
	if err == nil && len(names) == 0 {
		err = finalf("The organizational unit %s hands no policy down, so nothing would protect a new %s account.", "Attach the platform's policies to it, then plan again.", unit, class)
	}
	return names, err
}
