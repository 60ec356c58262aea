package aws

import (
	"context"
	"errors"
	"maps"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// The roles outside of the accounts of tenants.
const (
	orgRole = "org"
	dnsRole = "dns"
)

// PlatformRoles names the roles that are configured outside of tenants' accounts.
func (c *Clients) PlatformRoles() []string {
	roles := []string{orgRole}
	if c.DNSRoleARN != "" {
		roles = append(roles, dnsRole)
	}
	return roles
}

// CheckPlatformRole is CheckRole for slipway-org and slipway-dns. Each looks at itself: nobody else may look at it.
func (c *Clients) CheckPlatformRole(ctx context.Context, role string) (models.RoleCheck, error) {
	arn, where, text := c.OrgRoleARN, "deploy/aws/org.yaml", c.SetUp.Org
	if role == dnsRole {
		arn, where, text = c.DNSRoleARN, "deploy/aws/dns.yaml", c.SetUp.DNS
	}
	_, account, err := readRoleARN(arn)
	if err != nil {
		return models.RoleCheck{}, err
	}
	session := func(policy string) sdk.Config {
		return c.config(account, c.Region, c.assume(arn, account, policy, who{job: healthJob}))
	}
	k := roleCheck{Clients: c, account: account, role: role, arn: arn, looker: "slipway-" + role, iam: iam.NewFromConfig(session(checkRoles))}
	i, err := c.platformInstalled(ctx)
	if err == nil {
		var want declared
		if want, err = c.declare(where, text, account, i.platformParameters(c)); err == nil {
			k.want = &want
		}
	}
	if err := k.noted("what the organization's set-up was deployed with", err); err != nil {
		return k.seen, err
	}
	k.fill, k.rooted = c.filler(i, account, role), i.root != ""
	_, err = sts.NewFromConfig(session(identity)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err := k.assumed(err); err != nil {
		return k.seen, err
	}
	return k.finish(ctx)
}

// platformInstalled is installed with the organization's root, which org.yaml names too.
func (c *Clients) platformInstalled(ctx context.Context) (installation, error) {
	i, err := c.installed(ctx)
	if err != nil {
		return i, err
	}
	i.root, err = rootOf(ctx, organizationsClient(c.org(who{job: healthJob}, lookAtOrganization)))
	var e *CallError
	if errors.As(err, &e) && e.meaning().fresh {
		return i, nil // the role's own check says so; only its statements about the root cannot be compared
	}
	return i, err
}

// platformParameters are those that org.yaml and dns.yaml are deployed with.
func (i installation) platformParameters(c *Clients) map[string]string {
	all := map[string]string{"OrganizationId": i.parameters["OrganizationId"], "HubAccountId": i.parameters["HubAccountId"], "ExternalId": i.parameters["ExternalId"], "RootId": i.root,
		"OuNonprod": c.OUs[models.NonProd], "OuProd": c.OUs[models.Prod], "OuSuspended": c.OUSuspended, "ZoneId": strings.TrimPrefix(c.DNSZoneID, "/hostedzone/"), "BaseDomain": c.BaseDomain}
	maps.Copy(all, c.SetUp.OrgParameters)
	return all
}
