package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// Bounds of what one look lists.
const (
	failedShown = 20
	billing     = "us-east-1"
)

func (c *Clients) seeStackSet(ctx context.Context, p *models.Prerequisite) error {
	out, err := cloudformation.NewFromConfig(c.hub(c.Region)).DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &c.StackSet, CallAs: cfn.CallAsDelegatedAdmin})
	if is(err, "StackSetNotFoundException") {
		unmet(p, "There is no stack set "+c.StackSet+" in the tooling account, region "+c.Region+".", inHub,
			"aws cloudformation deploy --stack-name slipway-hub --template-file hub.yaml --capabilities CAPABILITY_NAMED_IAM")
		return nil
	}
	if err != nil {
		return err
	}
	set := out.StackSet
	change := fmt.Sprintf("aws cloudformation update-stack-set --stack-set-name %s --call-as DELEGATED_ADMIN --use-previous-template --capabilities CAPABILITY_NAMED_IAM --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=true", c.StackSet)
	if set.AutoDeployment == nil || !sdk.ToBool(set.AutoDeployment.Enabled) {
		unmet(p, "Auto-deployment of "+c.StackSet+" is off: an account that is moved into its organizational unit gets no roles.", inHub, change)
		return nil
	}
	for _, unit := range []string{c.OUs[models.NonProd], c.OUs[models.Prod]} {
		if unit != "" && !slices.Contains(set.OrganizationalUnitIds, unit) {
			unmet(p, "The stack set does not deliver to organizational unit "+unit+".", inHub,
				fmt.Sprintf("aws cloudformation create-stack-instances --stack-set-name %s --call-as DELEGATED_ADMIN --deployment-targets OrganizationalUnitIds=%s --regions %s", c.StackSet, unit, c.Region))
			return nil
		}
	}
	p.Found = c.StackSet + " deploys by itself to " + strings.Join(set.OrganizationalUnitIds, " and ") + "."
	return nil
}

// seeInstances lists deliveries that failed, with their reasons.
func (c *Clients) seeInstances(ctx context.Context, p *models.Prerequisite) error {
	var failed []cfn.StackInstanceSummary
	for _, status := range []cfn.StackInstanceDetailedStatus{cfn.StackInstanceDetailedStatusFailed, cfn.StackInstanceDetailedStatusInoperable, cfn.StackInstanceDetailedStatusCancelled} {
		pages := cloudformation.NewListStackInstancesPaginator(cloudformation.NewFromConfig(c.hub(c.Region)), &cloudformation.ListStackInstancesInput{StackSetName: &c.StackSet,
			CallAs: cfn.CallAsDelegatedAdmin, Filters: []cfn.StackInstanceFilter{{Name: cfn.StackInstanceFilterNameDetailedStatus, Values: sdk.String(string(status))}}})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			failed = append(failed, out.Summaries...)
		}
	}
	if p.Found = "No delivery has failed."; len(failed) == 0 {
		return nil
	}
	unmet(p, fmt.Sprintf("%d deliveries have failed. Slipway's roles are missing or old there.", len(failed)), "Cure each cause, then run this in the tooling account.")
	for i, f := range failed {
		if i == failedShown {
			p.Details = append(p.Details, fmt.Sprintf("and %d more", len(failed)-failedShown))
			break
		}
		p.Details = append(p.Details, fmt.Sprintf("Account %s, %s: %s", sdk.ToString(f.Account), sdk.ToString(f.Region), clip(sdk.ToString(f.StatusReason), 400)))
		p.Commands = append(p.Commands, fmt.Sprintf("aws cloudformation update-stack-instances --stack-set-name %s --call-as DELEGATED_ADMIN --regions %s --deployment-targets OrganizationalUnitIds=%s,Accounts=%s,AccountFilterType=INTERSECTION",
			c.StackSet, sdk.ToString(f.Region), sdk.ToString(f.OrganizationalUnitId), sdk.ToString(f.Account)))
	}
	return nil
}

// costTags are the keys by which costs are told apart.
var costTags = []string{models.TagTenant, models.TagEnvironment, models.TagCostCentre}

func (c *Clients) seeCostTags(ctx context.Context, p *models.Prerequisite) error {
	look := policy(statement{Action: []string{"ce:ListCostAllocationTags"}})
	out, err := costexplorer.NewFromConfig(c.orgIn(who{job: healthJob}, look, billing)).ListCostAllocationTags(ctx, &costexplorer.ListCostAllocationTagsInput{
		TagKeys: costTags, Type: cetypes.CostAllocationTagTypeUserDefined})
	if err != nil {
		return err
	}
	states := map[string]cetypes.CostAllocationTagStatus{}
	for _, t := range out.CostAllocationTags {
		states[sdk.ToString(t.TagKey)] = t.Status
	}
	var inactive, unknown, switches []string
	for _, key := range costTags {
		switch states[key] {
		case cetypes.CostAllocationTagStatusActive:
		case cetypes.CostAllocationTagStatusInactive:
			inactive = append(inactive, key)
			switches = append(switches, "TagKey="+key+",Status=Active")
		default:
			unknown = append(unknown, key)
		}
	}
	p.Found = strings.Join(costTags, ", ") + " are active."
	if len(inactive) > 0 {
		unmet(p, "Not active: "+strings.Join(inactive, ", ")+".", inManagement+" It takes up to a day to count.", "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status "+strings.Join(switches, " "))
	} else if len(unknown) > 0 {
		unmet(p, "Billing has not seen "+strings.Join(unknown, ", ")+" yet.", "A key appears up to a day after something carries it first, and can then be switched on.")
	}
	return nil
}

func (c *Clients) seeHub(ctx context.Context, p *models.Prerequisite) error {
	me, err := sts.NewFromConfig(c.hub(c.Region)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	p.Found = "It runs as " + sdk.ToString(me.Arn) + "."
	if !strings.Contains(sdk.ToString(me.Arn), ":assumed-role/slipway-worker/") {
		unmet(p, p.Found+" The roles in tenants' accounts trust slipway-worker only.", "Let the worker run with the role that hub.yaml's output WorkerRoleArn names.")
	}
	return nil
}

func (c *Clients) hubS3() *s3.Client {
	return s3.NewFromConfig(c.hub(c.Region), func(o *s3.Options) { o.UsePathStyle = c.Endpoint != "" })
}

func (c *Clients) seeArtifacts(ctx context.Context, p *models.Prerequisite) error {
	_, err := c.hubS3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &c.ArtifactsBucket})
	if is(err, "NotFound", "NoSuchBucket") {
		unmet(p, "There is no bucket "+c.ArtifactsBucket+".", "Set SLIPWAY_ARTIFACTS_BUCKET to hub.yaml's output ArtifactsBucket.")
		return nil
	}
	p.Found = "Bucket " + c.ArtifactsBucket + " is there."
	return err
}

func (c *Clients) seeAnchor(ctx context.Context, p *models.Prerequisite) error {
	_, err := c.hubS3().GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &c.AnchorBucket})
	switch {
	case is(err, "NoSuchBucket", "NotFound"):
		unmet(p, "There is no bucket "+c.AnchorBucket+".", "Set SLIPWAY_AUDIT_ANCHOR_BUCKET to hub.yaml's output AuditHeads.")
		return nil
	case is(err, "ObjectLockConfigurationNotFoundError"):
		unmet(p, "Bucket "+c.AnchorBucket+" has no Object Lock: whoever rules the account can delete what it keeps.", "A bucket gets Object Lock when it is made. Use the one that hub.yaml makes (output AuditHeads).")
		return nil
	}
	p.Found = "Bucket " + c.AnchorBucket + " has Object Lock."
	return err
}

func (c *Clients) seeZone(ctx context.Context, p *models.Prerequisite) error {
	_, account, err := readRoleARN(c.DNSRoleARN)
	if err != nil {
		return err
	}
	id := strings.TrimPrefix(c.DNSZoneID, "/hostedzone/")
	look := policy(statement{Action: []string{"route53:GetHostedZone"}, Resource: []string{fmt.Sprintf("arn:%s:route53:::hostedzone/%s", c.partition, id)}})
	out, err := route53.NewFromConfig(c.config(account, c.Region, c.assume(c.DNSRoleARN, account, look, who{job: healthJob}))).GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &id})
	if is(err, "NoSuchHostedZone") {
		unmet(p, "There is no zone "+id+" in account "+account+".", "Correct SLIPWAY_DNS_ZONE_ID, and deploy dns.yaml with the same.")
		return nil
	}
	if err != nil {
		return err
	}
	name := dnsName(sdk.ToString(out.HostedZone.Name))
	if p.Found = "Zone " + id + " is " + name + "."; name != c.BaseDomain {
		unmet(p, p.Found+" Slipway is configured for "+c.BaseDomain+".", "Correct SLIPWAY_DNS_ZONE_ID or SLIPWAY_BASE_DOMAIN.")
	}
	return nil
}
