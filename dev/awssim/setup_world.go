package awssim

import (
	"context"
	"fmt"

	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// requirement is something the organization has, which can be switched off and on again.
type requirement struct {
	Name, Title string
	is          func(context.Context, *Call) (bool, error)
	set         func(context.Context, *Call, bool) error
}

// requirements are what Slipway needs of the organization, in the order of the page.
func requirements() []requirement {
	return []requirement{
		{"features", "All features of the organization", func(ctx context.Context, c *Call) (bool, error) {
			set := orgtypes.OrganizationFeatureSetAll
			_, err := c.setting(ctx, demoManagement, "", organizationFeatures, &set)
			return set == orgtypes.OrganizationFeatureSetAll, err
		}, func(ctx context.Context, c *Call, on bool) error {
			if on {
				_, err := c.unset(ctx, demoManagement, "", organizationFeatures)
				return err
			}
			return c.set(ctx, demoManagement, "", organizationFeatures, orgtypes.OrganizationFeatureSetConsolidatedBilling)
		}},
		trusted("stacksets-access", "Trusted access of CloudFormation StackSets", stackSetsService),
		trusted("sso-access", "Trusted access of IAM Identity Center", "sso.amazonaws.com"),
		trusted("account-access", "Trusted access of account management", "account.amazonaws.com"),
		{"delegation", "The tooling account as delegated administrator of StackSets", func(ctx context.Context, c *Call) (is bool, err error) {
			err = c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM org_delegations WHERE account = $1 AND principal = $2)`, demoHub, stackSetsService).Scan(&is)
			return is, err
		}, func(ctx context.Context, c *Call, on bool) error {
			query := `DELETE FROM org_delegations WHERE account = $1 AND principal = $2 AND $3::timestamptz IS NOT NULL`
			if on {
				query = `INSERT INTO org_delegations (account, principal, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
			}
			_, err := c.Tx.Exec(ctx, query, demoHub, stackSetsService, c.Now)
			return err
		}},
		{"auto-deployment", "Auto-deployment of the stack set", func(ctx context.Context, c *Call) (bool, error) {
			set, err := c.spokes(ctx)
			return err == nil && set.Auto, err
		}, func(ctx context.Context, c *Call, on bool) error {
			set, err := c.spokes(ctx)
			if err != nil {
				return err
			}
			set.Auto = on
			return c.saveSet(ctx, set)
		}},
		{"guardrails", "A policy of their own on the units of tenants", func(ctx context.Context, c *Call) (is bool, err error) {
			err = c.Tx.QueryRow(ctx, `SELECT count(*) = 2 FROM org_attachments WHERE (policy, target) IN (('p-nonprod01', $1), ('p-prod0001', $2))`, demoNonprod, demoProd).Scan(&is)
			return is, err
		}, func(ctx context.Context, c *Call, on bool) error {
			query := `DELETE FROM org_attachments WHERE (policy, target) IN (('p-nonprod01', $1), ('p-prod0001', $2))`
			if on {
				query = `INSERT INTO org_attachments (policy, target) VALUES ('p-nonprod01', $1), ('p-prod0001', $2) ON CONFLICT DO NOTHING`
			}
			_, err := c.Tx.Exec(ctx, query, demoNonprod, demoProd)
			return err
		}},
		{"cost-tags", "Cost allocation tags", func(ctx context.Context, c *Call) (bool, error) {
			tags, err := c.costTagsOf(ctx)
			for _, active := range tags {
				if !active {
					return false, err
				}
			}
			return true, err
		}, func(ctx context.Context, c *Call, on bool) error {
			tags, err := c.costTagsOf(ctx)
			if err != nil {
				return err
			}
			for key := range tags {
				tags[key] = on
			}
			return c.set(ctx, demoManagement, "", costTags, tags)
		}},
		{"object-lock", "Object Lock of the bucket with the audit log's heads", func(ctx context.Context, c *Call) (bool, error) {
			off := false
			_, err := c.setting(ctx, demoHub, homeRegion, unlocked+auditBucket, &off)
			return !off, err
		}, func(ctx context.Context, c *Call, on bool) error {
			return c.set(ctx, demoHub, homeRegion, unlocked+auditBucket, !on)
		}},
	}
}

// auditBucket is the one hub.yaml makes.
const auditBucket = "slipway-audit-" + demoHub + "-" + homeRegion

func trusted(name, title, principal string) requirement {
	return requirement{name, title, func(ctx context.Context, c *Call) (is bool, err error) {
		err = c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM org_services WHERE principal = $1)`, principal).Scan(&is)
		return is, err
	}, func(ctx context.Context, c *Call, on bool) error {
		query := `DELETE FROM org_services WHERE principal = $1 AND $2::timestamptz IS NOT NULL`
		if on {
			query = `INSERT INTO org_services (principal, enabled_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
		}
		_, err := c.Tx.Exec(ctx, query, principal, c.Now)
		return err
	}}
}

// spokes is the stack set that delivers the platform's roles.
func (c *Call) spokes(ctx context.Context) (*stackSet, error) {
	all, err := c.stackSets(ctx, `account = $1 AND name = 'slipway-spoke'`, demoHub)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, absent("stack set", "slipway-spoke")
	}
	return all[0], nil
}

// requireByHand switches a requirement off or on.
func requireByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	for _, r := range requirements() {
		if r.Name == d.Name {
			return map[string]any{"requirement": r.Name, "on": d.On}, r.set(ctx, c, d.On)
		}
	}
	return nil, absent("requirement", d.Name)
}

// instanceByHand lets the delivery of the platform's roles to an account fail, or be well again.
func instanceByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	set, err := c.spokes(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.instances(ctx, `stack_set = $1 AND account = $2`, set.ID, d.Account)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, absent("stack instance", d.Account)
	}
	i := all[0]
	i.Status, i.Detailed, i.Reason = "OUTDATED", "FAILED", d.Value
	if i.Reason == "" {
		i.Reason = "ResourceLogicalId:DeployRole, ResourceType:AWS::IAM::Role, ResourceStatusReason:injected failure"
	}
	if d.On {
		i.Status, i.Detailed, i.Reason = "CURRENT", "SUCCEEDED", ""
	}
	if err := c.saveInstance(ctx, i); err != nil {
		return nil, fmt.Errorf("instance in %s: %w", d.Account, err)
	}
	return map[string]any{"account": d.Account, "instance": i.Detailed}, nil
}
