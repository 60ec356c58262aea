package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

const fullAccess = "p-FullAWSAccess"

func (p orgPolicy) summary() orgtypes.PolicySummary {
	return orgtypes.PolicySummary{Id: &p.ID, Arn: aws.String(p.arn()), Name: &p.Name, Description: &p.Description, Type: orgtypes.PolicyType(p.Type), AwsManaged: p.AWSManaged}
}

func summaries(all []orgPolicy) []orgtypes.PolicySummary {
	out := make([]orgtypes.PolicySummary, 0, len(all))
	for _, p := range all {
		out = append(out, p.summary())
	}
	return out
}

func listPolicies(ctx context.Context, c *Call, in *organizations.ListPoliciesInput) (*organizations.ListPoliciesOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	all, err := c.orgPolicies(ctx, `type = $1`, string(in.Filter))
	if err != nil {
		return nil, err
	}
	out, next, err := page(summaries(all), in.NextToken, in.MaxResults, 20)
	return &organizations.ListPoliciesOutput{Policies: out, NextToken: next}, err
}

func listPoliciesForTarget(ctx context.Context, c *Call, in *organizations.ListPoliciesForTargetInput) (*organizations.ListPoliciesForTargetOutput, error) {
	target := aws.ToString(in.TargetId)
	if err := c.orgRead(ctx, childARN(target)); err != nil {
		return nil, err
	}
	if ok, err := c.taggable(ctx, target); err != nil || !ok {
		return nil, orElse(err, refuse(http.StatusBadRequest, "TargetNotFoundException", "You specified a target that doesn't exist."))
	}
	all, err := c.attached(ctx, target, string(in.Filter))
	if err != nil {
		return nil, err
	}
	out, next, err := page(summaries(all), in.NextToken, in.MaxResults, 20)
	return &organizations.ListPoliciesForTargetOutput{Policies: out, NextToken: next}, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func describePolicy(ctx context.Context, c *Call, in *organizations.DescribePolicyInput) (*organizations.DescribePolicyOutput, error) {
	all, err := c.orgPolicies(ctx, `id = $1`, aws.ToString(in.PolicyId))
	if err != nil {
		return nil, err
	}
	resource := "*"
	if len(all) == 1 {
		resource = all[0].arn()
	}
	if err := c.orgRead(ctx, resource); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusBadRequest, "PolicyNotFoundException", "You specified a policy that doesn't exist.")
	}
	s := all[0].summary()
	return &organizations.DescribePolicyOutput{Policy: &orgtypes.Policy{PolicySummary: &s, Content: &all[0].Content}}, nil
}

func orgTags(tags []orgtypes.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

// tagKeys are the condition keys of a call that brings tags.
func tagKeys(tags map[string]string) keys {
	k := keys{"aws:TagKeys": slices.Sorted(maps.Keys(tags))}
	for name, value := range tags {
		k["aws:RequestTag/"+name] = []string{value}
	}
	return k
}

// taggable says whether an account or a node has this id.
func (c *Call) taggable(ctx context.Context, id string) (bool, error) {
	var ok bool
	if err := c.Tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1) OR EXISTS (SELECT 1 FROM org_nodes WHERE id = $1)`, id).Scan(&ok); err != nil {
		return false, fmt.Errorf("look for %s: %w", id, err)
	}
	return ok, nil
}

func (c *Call) changeTags(ctx context.Context, id, change string, arg any, k keys) error {
	if err := c.orgWrite(ctx, k, childARN(id)); err != nil {
		return err
	}
	if ok, err := c.taggable(ctx, id); err != nil || !ok {
		return orElse(err, refuse(http.StatusBadRequest, "TargetNotFoundException", "You specified a target that doesn't exist."))
	}
	for _, table := range []string{"accounts", "org_nodes"} {
		if _, err := c.Tx.Exec(ctx, `UPDATE `+table+` SET tags = tags `+change+` WHERE id = $1`, id, arg); err != nil {
			return fmt.Errorf("change tags of %s: %w", id, err)
		}
	}
	return nil
}

func tagOrgResource(ctx context.Context, c *Call, in *organizations.TagResourceInput) (*organizations.TagResourceOutput, error) {
	tags := orgTags(in.Tags)
	for k, v := range tags {
		if !tagKeyForm.MatchString(k) || !tagValueForm.MatchString(v) || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return nil, refuse(http.StatusBadRequest, "InvalidInputException", "You provided an invalid tag: %s", k)
		}
	}
	b, err := json.Marshal(tags)
	if err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	return &organizations.TagResourceOutput{}, c.changeTags(ctx, aws.ToString(in.ResourceId), `|| $2::jsonb`, string(b), tagKeys(tags))
}

func untagOrgResource(ctx context.Context, c *Call, in *organizations.UntagResourceInput) (*organizations.UntagResourceOutput, error) {
	return &organizations.UntagResourceOutput{}, c.changeTags(ctx, aws.ToString(in.ResourceId), `- $2::text[]`, in.TagKeys, keys{"aws:TagKeys": in.TagKeys})
}

func listOrgTags(ctx context.Context, c *Call, in *organizations.ListTagsForResourceInput) (*organizations.ListTagsForResourceOutput, error) {
	id := aws.ToString(in.ResourceId)
	if err := c.orgRead(ctx, childARN(id)); err != nil {
		return nil, err
	}
	var tags map[string]string
	err := c.Tx.QueryRow(ctx, `SELECT tags FROM accounts WHERE id = $1 UNION ALL SELECT tags FROM org_nodes WHERE id = $1`, id).Scan(&tags)
	if isNoRows(err) {
		return nil, refuse(http.StatusBadRequest, "TargetNotFoundException", "You specified a target that doesn't exist.")
	}
	if err != nil {
		return nil, fmt.Errorf("read tags of %s: %w", id, err)
	}
	var out []orgtypes.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, orgtypes.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	out, next, err := page(out, in.NextToken, nil, 50)
	return &organizations.ListTagsForResourceOutput{Tags: out, NextToken: next}, err
}

func listDelegatedAdministrators(ctx context.Context, c *Call, in *organizations.ListDelegatedAdministratorsInput) (*organizations.ListDelegatedAdministratorsOutput, error) {
	if err := c.orgRead(ctx, "*"); err != nil {
		return nil, err
	}
	rows, err := c.Tx.Query(ctx, `SELECT account, min(since) FROM org_delegations WHERE $1 = '' OR principal = $1 GROUP BY account ORDER BY account`, aws.ToString(in.ServicePrincipal))
	if err != nil {
		return nil, fmt.Errorf("read delegations: %w", err)
	}
	since := map[string]time.Time{}
	var id string
	var at time.Time
	for rows.Next() {
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("read delegation: %w", err)
		}
		since[id] = at
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read delegations: %w", err)
	}
	var out []orgtypes.DelegatedAdministrator
	for _, id := range slices.Sorted(maps.Keys(since)) {
		a, err := c.member(ctx, id)
		if err != nil {
			return nil, err
		}
		enabled := since[id]
		out = append(out, orgtypes.DelegatedAdministrator{Id: &a.ID, Arn: aws.String(accountARN(a.ID)), Name: &a.Name, Email: &a.Email, Status: orgtypes.AccountStatus(a.State),
			JoinedMethod: orgtypes.AccountJoinedMethodCreated, JoinedTimestamp: &a.Joined, DelegationEnabledDate: &enabled})
	}
	out, next, err := page(out, in.NextToken, in.MaxResults, 20)
	return &organizations.ListDelegatedAdministratorsOutput{DelegatedAdministrators: out, NextToken: next}, err
}
