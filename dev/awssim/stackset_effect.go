package awssim

import (
	"context"
	"fmt"
	"time"

	"slipway/models/blueprint"
)

// stackSetEffect is the CloudFormation resource of a stack set.
func stackSetEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	if verb == "delete" {
		if _, err := c.Tx.Exec(ctx, `DELETE FROM stack_sets WHERE id = $1`, r.Physical); err != nil {
			return fmt.Errorf("delete stack set %s: %w", r.Physical, err)
		}
		return nil
	}
	set, err := c.setFromProperties(ctx, s, r)
	if err != nil {
		return err
	}
	set.Created = at
	if err := c.saveSet(ctx, set); err != nil || verb == "update" {
		return err
	}
	accounts, err := c.accountsUnder(ctx, set.Units...)
	if err != nil || len(accounts) == 0 {
		return err
	}
	var ids []string
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	return c.deliver(ctx, set, ids, set.Regions, set.Units, at)
}

func (c *Call) setFromProperties(ctx context.Context, s *cfnStack, r *cfnResource) (*stackSet, error) {
	p := r.Properties
	set := &stackSet{ID: r.Physical, Name: textOf(p["StackSetName"]), Account: s.Account, Region: s.Region, Description: textOf(p["Description"]), Model: textOf(p["PermissionModel"])}
	if set.Model != "SERVICE_MANAGED" {
		return nil, refuse(400, "ValidationException", "The simulator plays service-managed stack sets only.")
	}
	set.Definition = cfnDefinition{Template: textOf(p["TemplateBody"]), Parameters: map[string]string{}, Tags: r.Tags, Capabilities: texts(p["Capabilities"])}
	if link := textOf(p["TemplateURL"]); link != "" {
		reader := *c
		reader.Principal, reader.Account = s.RunAs, s.Account
		text, err := reader.templateAt(ctx, link)
		if err != nil {
			return nil, err
		}
		set.Definition.Template = text
	}
	if _, err := blueprint.Parse([]byte(set.Definition.Template)); err != nil {
		return nil, refuse(400, "ValidationException", "Template format error: %v", err)
	}
	list, _ := p["Parameters"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		set.Definition.Parameters[textOf(m["ParameterKey"])] = textOf(m["ParameterValue"])
	}
	auto, _ := p["AutoDeployment"].(map[string]any)
	set.Auto, set.Retain = auto["Enabled"] == true, auto["RetainStacksOnAccountRemoval"] == true
	managed, _ := p["ManagedExecution"].(map[string]any)
	set.Managed = managed["Active"] == true
	groups, _ := p["StackInstancesGroup"].([]any)
	for _, item := range groups {
		m, _ := item.(map[string]any)
		targets, _ := m["DeploymentTargets"].(map[string]any)
		set.Units = append(set.Units, texts(targets["OrganizationalUnitIds"])...)
		set.Regions = append(set.Regions, texts(m["Regions"])...)
	}
	return set, nil
}
