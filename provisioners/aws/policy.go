package aws

import (
	"encoding/json"
	"fmt"
)

// statement is one statement of a session policy: a session may do what its role and this policy both allow.
type statement struct {
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource []string `json:"Resource"`
}

func policy(statements ...statement) string {
	for i := range statements {
		statements[i].Effect = "Allow"
		if statements[i].Resource == nil {
			statements[i].Resource = []string{"*"}
		}
	}
	b, err := json.Marshal(struct {
		Version   string      `json:"Version"`
		Statement []statement `json:"Statement"`
	}{"2012-10-17", statements})
	if err != nil || len(b) > policyLength {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}` // never wider than asked for
	}
	return string(b)
}

// The session policies by kind of job.
var (
	lookAtOrganization = policy(statement{Action: []string{"organizations:Describe*", "organizations:List*", "servicequotas:GetServiceQuota", "budgets:ViewBudget"}})
	createAccounts     = policy(statement{Action: []string{"organizations:Describe*", "organizations:List*", "organizations:CreateAccount", "organizations:TagResource"}})
	moveAccounts       = policy(statement{Action: []string{"organizations:Describe*", "organizations:List*", "organizations:MoveAccount"}})
	tagAccounts        = policy(statement{Action: []string{"organizations:Describe*", "organizations:List*", "organizations:TagResource", "organizations:UntagResource"}})
	lookAtSpoke        = policy(statement{Action: []string{"cloudformation:DescribeStacks", "cloudformation:GetTemplate"}})
	setContacts        = policy(statement{Action: []string{"account:GetAlternateContact", "account:PutAlternateContact", "account:DeleteAlternateContact"}})
	identity           = policy(statement{Action: []string{"sts:GetCallerIdentity"}})
	setEncryption      = policy(statement{Action: []string{"ec2:GetEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault", "ec2:DisableEbsEncryptionByDefault"}})
	setAccessBlock     = policy(statement{Action: []string{"s3:GetAccountPublicAccessBlock", "s3:PutAccountPublicAccessBlock"}})
	setPasswords       = policy(statement{Action: []string{"iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy"}})
)

// setBudget narrows to one budget.
func (c *Clients) setBudget(name string) string {
	return policy(statement{Action: []string{"budgets:ViewBudget", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ListTagsForResource"},
		Resource: []string{fmt.Sprintf("arn:%s:budgets::%s:budget/%s", c.partition, c.management, name)}})
}

// deployStack narrows to one stack, to passing the one role that stacks are made with, and to reading templates where there is a bucket.
func (c *Clients) deployStack(account, region, stack string) string {
	allowed := []statement{
		{Action: []string{"cloudformation:Describe*", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet",
			"cloudformation:ContinueUpdateRollback", "cloudformation:TagResource", "cloudformation:DeleteStack", "cloudformation:List*"},
			Resource: []string{fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", c.partition, region, account, stack)}},
		{Action: []string{"iam:PassRole"}, Resource: []string{c.roleARN(account, "cfn-exec")}},
	}
	if c.ArtifactsBucket != "" {
		allowed = append(allowed, statement{Action: []string{"s3:GetObject"}, Resource: []string{fmt.Sprintf("arn:%s:s3:::%s/%s*", c.partition, c.ArtifactsBucket, templatePrefix)}},
			statement{Action: []string{"kms:Decrypt"}})
	}
	return policy(allowed...)
}
