package awssim

import (
	"context"
	"fmt"
)

// Accounts and units that the demo organization had before Slipway came: they can be enrolled.
const (
	demoLegacy   = "ou-demo-legacy001" // what is old and works
	demoSandbox  = "ou-demo-sandbox01"
	demoGoverned = "ou-demo-governed1" // by AWS Control Tower

	demoLegacyShop = "411111111111"
	demoDataLab    = "422222222222"
	demoCardVault  = "433333333333"
)

// seedMembers makes them, each unit with policies of its own.
func (c *Call) seedMembers(ctx context.Context) error {
	for _, n := range []node{{ID: demoLegacy, Name: "legacy"}, {ID: demoSandbox, Name: "sandbox"}, {ID: demoGoverned, Name: "governed"}} {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO org_nodes (id, parent, name) VALUES ($1, $2, $3)`, n.ID, demoRoot, n.Name); err != nil {
			return fmt.Errorf("organizational unit %s: %w", n.Name, err)
		}
		if err := c.attach(ctx, fullAccess, n.ID); err != nil {
			return err
		}
	}
	for _, p := range []struct{ id, kind, name, description, content, target string }{
		{"p-legacy001", "SERVICE_CONTROL_POLICY", "legacy-no-new-trails", "What the first accounts were kept from", `{"Version":"2012-10-17","Statement":[{"Sid":"KeepTheTrail","Effect":"Deny","Action":["cloudtrail:StopLogging","cloudtrail:DeleteTrail"],"Resource":"*"}]}`, demoLegacy},
		{"p-legacytag", "TAG_POLICY", "legacy-cost-tags", "How the cost centre is written in the first accounts", `{"tags":{"CostCentre":{"tag_key":{"@@assign":"CostCentre"}}}}`, demoLegacy},
		{"p-sandbox01", "SERVICE_CONTROL_POLICY", "sandbox-no-commitments", "Nobody buys for years in a sandbox", `{"Version":"2012-10-17","Statement":[{"Sid":"NoCommitments","Effect":"Deny","Action":["ec2:PurchaseReservedInstancesOffering","savingsplans:CreateSavingsPlan"],"Resource":"*"}]}`, demoSandbox},
		{"p-governed1", "SERVICE_CONTROL_POLICY", "aws-guardrails-KtXbQz", "Mandatory controls of AWS Control Tower", `{"Version":"2012-10-17","Statement":[{"Sid":"GRCLOUDTRAILENABLED","Effect":"Deny","Action":["cloudtrail:DeleteTrail","cloudtrail:PutEventSelectors","cloudtrail:StopLogging","cloudtrail:UpdateTrail"],"Resource":["arn:*:cloudtrail:*:*:trail/aws-controltower-*"]}]}`, demoGoverned},
	} {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO org_policies (id, type, name, description, content, aws_managed) VALUES ($1, $2, $3, $4, $5, false)`, p.id, p.kind, p.name, p.description, p.content); err != nil {
			return fmt.Errorf("policy %s: %w", p.name, err)
		}
		if err := c.attach(ctx, p.id, p.target); err != nil {
			return err
		}
	}
	for _, a := range []Account{
		{ID: demoLegacyShop, Name: "legacy-shop", Email: "aws+legacy-shop@example.com", Parent: demoLegacy},
		{ID: demoDataLab, Name: "data-lab", Email: "aws+data-lab@example.com", Parent: demoSandbox},
		{ID: demoCardVault, Name: "card-vault", Email: "aws+card-vault@example.com", Parent: demoGoverned},
	} {
		a.State, a.Joined = "ACTIVE", c.Now.AddDate(-3, 0, 0)
		a.UsableAfter, a.ListedAfter = a.Joined, a.Joined
		if err := c.addAccount(ctx, a); err != nil {
			return err
		}
	}
	return nil
}
