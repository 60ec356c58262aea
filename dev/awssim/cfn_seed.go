package awssim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"slipway/deploy"
)

// seedPlatform sets the organization up as its platform team would, from the files that
// are for the real AWS too: hub first, for the others trust its roles by name.
func seedPlatform(ctx context.Context, c *Call) error {
	texts := map[string][]byte{"org": c.Sim.opts.OrgTemplate, "hub": c.Sim.opts.HubTemplate, "spoke": c.Sim.opts.SpokeTemplate}
	for name, text := range texts {
		if text != nil {
			continue
		}
		var err error
		if texts[name], err = deploy.AWS.ReadFile("aws/" + name + ".yaml"); err != nil {
			return fmt.Errorf("read %s.yaml: %w", name, err)
		}
	}
	external := c.Sim.opts.ExternalID
	if external == "" {
		external = "slipway-demo-external-id"
	}
	bucket := "setup-" + demoHub + "-" + homeRegion
	if err := c.putBucket(ctx, demoHub, homeRegion, bucket); err != nil {
		return err
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO objects (bucket, key, body, content_type, etag, modified_at) VALUES ($1, 'spoke.yaml', $2, 'text/yaml', '"spoke"', $3)`, bucket, texts["spoke"], c.Now); err != nil {
		return fmt.Errorf("upload spoke.yaml: %w", err)
	}
	hub := map[string]string{"OrganizationId": demoOrganization, "ManagementAccountId": demoManagement, "ExternalId": external, "OuNonprod": demoNonprod, "OuProd": demoProd,
		"AllowedRegions": "eu-west-1,us-east-1,eu-central-1", "SpokeTemplateUrl": "https://" + bucket + ".s3." + homeRegion + ".amazonaws.com/spoke.yaml"}
	if err := c.seedStack(ctx, demoHub, "slipway-hub", texts["hub"], hub); err != nil {
		return err
	}
	org := map[string]string{"OrganizationId": demoOrganization, "HubAccountId": demoHub, "ExternalId": external, "RootId": demoRoot, "OuNonprod": demoNonprod, "OuProd": demoProd, "OuSuspended": demoSuspended,
		"IdentityCenterArn": demoInstance, "PermissionSetArns": demoPermissionSets()}
	if err := c.seedStack(ctx, demoManagement, "slipway-org", texts["org"], org); err != nil {
		return err
	}
	return seedNames(ctx, c, external)
}

// seedStack makes a stack that has been there for long, and is complete at once.
func (c *Call) seedStack(ctx context.Context, account, name string, template []byte, parameters map[string]string) error {
	s := &cfnStack{ID: stackARN(homeRegion, account, name+"/"+newRequestID()), Account: account, Region: homeRegion, Name: name, Created: c.Now.Add(-30 * 24 * time.Hour).Truncate(time.Second), Instant: true,
		RunAs: Principal{Account: account, Admin: true, ARN: arn("iam", "", account, "user/platform-team")}}
	if err := c.saveStack(ctx, s); err != nil {
		return err
	}
	d := cfnDefinition{Template: string(template), Parameters: parameters, Tags: map[string]string{}, Capabilities: []string{"CAPABILITY_NAMED_IAM"}}
	if err := c.launch(ctx, s, d, "CREATE", "", false); err != nil {
		return fmt.Errorf("stack %s: %w", name, err)
	}
	if err := runStacks(ctx, c); err != nil {
		return err
	}
	s, err := c.stackByID(ctx, s.ID)
	if err != nil {
		return err
	}
	if s.Status != "CREATE_COMPLETE" {
		why, err := c.firstFailure(ctx, s)
		return fmt.Errorf("stack %s is %s: %s (%w)", name, s.Status, strings.TrimSpace(why), err)
	}
	s.Instant = false // later changes take their time
	return c.saveStack(ctx, s)
}
