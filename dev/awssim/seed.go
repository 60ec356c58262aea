package awssim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// seed fills a new world with the demo organization; an old one is left as it is, with the
// platform's roles as they were then.
func (s *Sim) seed(ctx context.Context, c *Call) error {
	sum := sha256.Sum256(bytes.Join([][]byte{s.opts.OrgTemplate, s.opts.HubTemplate, s.opts.SpokeTemplate}, []byte{0}))
	platform := hex.EncodeToString(sum[:])
	var made string
	err := c.Tx.QueryRow(ctx, `SELECT coalesce((SELECT value FROM world WHERE key = 'platform'), '') FROM world WHERE key = 'seeded'`).Scan(&made)
	if err == nil {
		if made != platform {
			s.log.Warn("the templates of deploy/aws have changed since this simulated world was made from them; its roles are the old ones until its database is made anew")
		}
		return nil
	}
	if !isNoRows(err) {
		return fmt.Errorf("look for the world: %w", err)
	}
	if err := c.seedOrganization(ctx); err != nil {
		return err
	}
	if err := c.seedMembers(ctx); err != nil {
		return fmt.Errorf("accounts that were there before: %w", err)
	}
	if err := seedStacks(ctx, c); err != nil {
		return fmt.Errorf("platform stacks: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO world (key, value) VALUES ('platform', $1), ('seeded', $2)`, platform, c.Now.Format(time.RFC3339)); err != nil {
		return fmt.Errorf("mark the world as seeded: %w", err)
	}
	return nil
}

func (c *Call) seedOrganization(ctx context.Context) error {
	if _, err := c.Tx.Exec(ctx, `INSERT INTO org_nodes (id, parent, name) VALUES ($1, NULL, 'Root'), ($2, $1, 'nonprod'), ($3, $1, 'prod'), ($4, $1, 'suspended')`,
		demoRoot, demoNonprod, demoProd, demoSuspended); err != nil {
		return fmt.Errorf("organizational units: %w", err)
	}
	policies := []struct{ id, name, description, content, target string }{
		{fullAccess, "FullAWSAccess", "Allows access to every operation", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, demoRoot},
		{"p-nonprod01", "slipway-nonprod-guardrails", "What nobody may do in a nonprod account", guardrails, demoNonprod},
		{"p-prod0001", "slipway-prod-guardrails", "What nobody may do in a prod account", guardrails, demoProd},
		{"p-suspend1", "slipway-suspended-deny-all", "A suspended account does nothing", `{"Version":"2012-10-17","Statement":[{"Sid":"Nothing","Effect":"Deny","Action":"*","Resource":"*"}]}`, demoSuspended},
	}
	for _, p := range policies {
		if _, err := parsePolicy(p.content); err != nil {
			return fmt.Errorf("policy %s: %w", p.name, err)
		}
		if _, err := c.Tx.Exec(ctx, `INSERT INTO org_policies (id, type, name, description, content, aws_managed) VALUES ($1, 'SERVICE_CONTROL_POLICY', $2, $3, $4, $5)`,
			p.id, p.name, p.description, p.content, p.id == fullAccess); err != nil {
			return fmt.Errorf("policy %s: %w", p.name, err)
		}
		for _, policy := range []string{fullAccess, p.id} {
			if err := c.attach(ctx, policy, p.target); err != nil {
				return err
			}
		}
	}
	for _, a := range []Account{
		{ID: demoManagement, Name: "Management", Email: "aws+management@example.com"},
		{ID: demoHub, Name: "Tooling", Email: "aws+tooling@example.com"},
		{ID: demoLogArchive, Name: "Log archive", Email: "aws+logs@example.com"},
		{ID: demoAudit, Name: "Audit", Email: "aws+audit@example.com"},
	} {
		a.State, a.Parent = "ACTIVE", demoRoot
		a.Joined = c.Now.AddDate(-1, 0, 0)
		a.UsableAfter, a.ListedAfter = a.Joined, a.Joined
		if err := c.addAccount(ctx, a); err != nil {
			return err
		}
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO org_services (principal, enabled_at) VALUES ('member.org.stacksets.cloudformation.amazonaws.com', $1), ('sso.amazonaws.com', $1), ('cloudtrail.amazonaws.com', $1), ('account.amazonaws.com', $1)`, c.Now); err != nil {
		return fmt.Errorf("trusted services: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO org_delegations (account, principal, since) VALUES ($1, 'member.org.stacksets.cloudformation.amazonaws.com', $2), ($1, 'account.amazonaws.com', $2)`, demoHub, c.Now); err != nil {
		return fmt.Errorf("delegations: %w", err)
	}
	return nil
}

// guardrails is what the platform team denies in every tenant account. Slipway verifies
// that an account inherits such a policy; it never writes one.
const guardrails = `{"Version":"2012-10-17","Statement":[
	{"Sid":"StayInTheOrganization","Effect":"Deny","Action":["organizations:LeaveOrganization","account:CloseAccount"],"Resource":"*"},
	{"Sid":"KeepTheTrail","Effect":"Deny","Action":["cloudtrail:StopLogging","cloudtrail:DeleteTrail","config:StopConfigurationRecorder","config:DeleteConfigurationRecorder","guardduty:DeleteDetector","guardduty:DisassociateFromAdministratorAccount"],"Resource":"*"},
	{"Sid":"AllowedRegions","Effect":"Deny","NotAction":["iam:*","sts:*","organizations:*","account:*","budgets:*","ce:*","cloudfront:*","route53:*","support:*","s3:GetAccountPublicAccessBlock","s3:PutAccountPublicAccessBlock"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1","eu-central-1"]}}}
]}`
