package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// prerequisiteTime is how long one look at one prerequisite may take.
const prerequisiteTime = 25 * time.Second

// The names Organizations has for services that Slipway needs to be let in.
const (
	stackSetsService = "member.org.stacksets.cloudformation.amazonaws.com"
	identityService  = "sso.amazonaws.com"
	accountService   = "account.amazonaws.com"
)

// prerequisite is one look: it fills in what it found.
type prerequisite struct {
	id, title string
	look      func(context.Context, *models.Prerequisite) error
}

// prerequisites are all that the organization must have, in the order of the page; what is not configured is left out.
func (c *Clients) prerequisites() []prerequisite {
	all := []prerequisite{
		{"features", "All features of the organization are on", c.seeFeatures},
		{"stacksets", "CloudFormation StackSets have trusted access", c.seeTrusted(stackSetsService)},
		{"accounts", "Account management has trusted access", c.seeTrusted(accountService)},
		{"delegation", "The tooling account is a delegated administrator of StackSets", c.seeDelegation},
		{"quota", "There is room for more accounts", c.seeRoom},
		{"stackset", "The stack set delivers Slipway's roles by itself", c.seeStackSet},
		{"instances", "Slipway's roles were delivered to every account", c.seeInstances},
		{"nonprod", "The organizational unit of nonprod accounts is there and carries policies", c.seeUnit(models.NonProd)},
		{"prod", "The organizational unit of prod accounts is there and carries policies", c.seeUnit(models.Prod)},
		{"cost-tags", "Costs can be told apart by tenant", c.seeCostTags},
		{"hub", "The worker runs with the role of the hub", c.seeHub},
	}
	if c.SetUp.OrgParameters["IdentityCenterArn"] != "" {
		all = slices.Insert(all, 2, prerequisite{"identity", "IAM Identity Center has trusted access", c.seeTrusted(identityService)})
	}
	if c.ArtifactsBucket != "" {
		all = append(all, prerequisite{"artifacts", "The bucket with templates can be used", c.seeArtifacts})
	}
	if c.DNSRoleARN != "" {
		all = append(all, prerequisite{"zone", "The zone of the base domain is there", c.seeZone})
	}
	if c.AnchorBucket != "" {
		all = append(all, prerequisite{"anchor", "Nobody can delete the audit log's heads", c.seeAnchor})
	}
	return all
}

// CheckPlatform looks at what the organization must have, all at once. What cannot be read is said of that one thing only.
func (c *Clients) CheckPlatform(ctx context.Context) []models.Prerequisite {
	all := c.prerequisites()
	out := make([]models.Prerequisite, len(all))
	var looking sync.WaitGroup
	for i, p := range all {
		looking.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, prerequisiteTime)
			defer cancel()
			out[i] = models.Prerequisite{ID: p.id, Title: p.title, State: models.PrerequisiteMet}
			if err := p.look(ctx, &out[i]); err != nil {
				c.cannotRead(&out[i], err)
			}
		})
	}
	looking.Wait()
	return out
}

// cannotRead says why a prerequisite is not known, and what is missing to see it.
func (c *Clients) cannotRead(p *models.Prerequisite, err error) {
	*p = models.Prerequisite{ID: p.ID, Title: p.Title, State: models.PrerequisiteUnseen, Found: c.masked(clip(err.Error(), 400))}
	var e *CallError
	if !errors.As(err, &e) {
		return
	}
	f := e.Describe()
	p.Found, p.Next = c.masked(f.What+" "+f.Cause), f.Next
	if e.meaning().fresh {
		p.Next = fmt.Sprintf("Allow %s to %s, as deploy/aws does, then check again.", e.action(), e.role())
	}
}

// unmet says what is missing and what cures it.
func unmet(p *models.Prerequisite, found, next string, commands ...string) {
	p.State, p.Found, p.Next, p.Commands = models.PrerequisiteUnmet, found, next, commands
}

const (
	inManagement = "Run this in the management account."
	inHub        = "Run this in the tooling account."
)

func (c *Clients) look() *organizations.Client {
	return organizationsClient(c.org(who{job: healthJob}, lookAtOrganization))
}

func (c *Clients) seeFeatures(ctx context.Context, p *models.Prerequisite) error {
	out, err := c.look().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return err
	}
	p.Found = "Organization " + sdk.ToString(out.Organization.Id) + " has all features."
	if out.Organization.FeatureSet != orgtypes.OrganizationFeatureSetAll {
		unmet(p, "The organization has consolidated billing only.", inManagement+" Every invited account must agree.", "aws organizations enable-all-features")
	}
	return nil
}

func (c *Clients) seeTrusted(service string) func(context.Context, *models.Prerequisite) error {
	return func(ctx context.Context, p *models.Prerequisite) error {
		pages := organizations.NewListAWSServiceAccessForOrganizationPaginator(c.look(), &organizations.ListAWSServiceAccessForOrganizationInput{})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, s := range out.EnabledServicePrincipals {
				if sdk.ToString(s.ServicePrincipal) == service {
					p.Found = service + " is let in."
					return nil
				}
			}
		}
		command := "aws organizations enable-aws-service-access --service-principal " + service
		if service == stackSetsService {
			command = "aws cloudformation activate-organizations-access"
		}
		unmet(p, service+" is not let in.", inManagement, command)
		return nil
	}
}

func (c *Clients) seeDelegation(ctx context.Context, p *models.Prerequisite) error {
	me, err := sts.NewFromConfig(c.hub(c.Region)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	hub := sdk.ToString(me.Account)
	pages := organizations.NewListDelegatedAdministratorsPaginator(c.look(), &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: sdk.String(stackSetsService)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range out.DelegatedAdministrators {
			if sdk.ToString(a.Id) == hub {
				p.Found = "Account " + hub + " is."
				return nil
			}
		}
	}
	unmet(p, "Account "+hub+", in which Slipway runs, is not.", inManagement,
		"aws organizations register-delegated-administrator --account-id "+hub+" --service-principal "+stackSetsService)
	return nil
}

func (c *Clients) seeRoom(ctx context.Context, p *models.Prerequisite) error {
	have, quota, err := c.room(ctx, who{job: healthJob}, c.look())
	if err != nil {
		return err
	}
	if quota == 0 {
		p.Found = fmt.Sprintf("The organization has %d accounts. AWS did not say how many it may have.", have)
		return nil
	}
	p.Found = fmt.Sprintf("%d of %d accounts are used, %d are left. A closed account counts for 90 days.", have, quota, max(0, quota-have))
	if have >= quota {
		unmet(p, p.Found, inManagement+" AWS Support decides about it.",
			fmt.Sprintf("aws service-quotas request-service-quota-increase --region %s --service-code organizations --quota-code L-E619E033 --desired-value %d", quotaRegion, quota+max(10, quota/2)))
	}
	return nil
}

func (c *Clients) seeUnit(class models.Class) func(context.Context, *models.Prerequisite) error {
	return func(ctx context.Context, p *models.Prerequisite) error {
		id := c.OUs[class]
		variable := "SLIPWAY_OU_" + strings.ToUpper(string(class))
		if id == "" {
			unmet(p, variable+" is not set.", "Set it to the id of the organizational unit, and deploy hub.yaml and org.yaml with the same.")
			return nil
		}
		api := c.look()
		out, err := api.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: &id})
		if is(err, "OrganizationalUnitNotFoundException") {
			unmet(p, "There is no organizational unit "+id+".", "Correct "+variable+", or make the unit in the management account and deploy hub.yaml and org.yaml with its id.",
				"aws organizations list-organizational-units-for-parent --parent-id ROOT")
			return nil
		}
		if err != nil {
			return err
		}
		over, err := policiesOver(ctx, api, id)
		if err != nil {
			return err
		}
		if p.Found = fmt.Sprintf("%s (%s) hands down %s.", sdk.ToString(out.OrganizationalUnit.Name), id, strings.Join(over, ", ")); len(over) == 0 {
			unmet(p, fmt.Sprintf("%s (%s) hands down no policy but AWS's own that allows everything.", sdk.ToString(out.OrganizationalUnit.Name), id), inManagement+" Which policy is yours to decide; Slipway never writes one.",
				"aws organizations attach-policy --policy-id POLICY --target-id "+id)
		}
		return nil
	}
}
