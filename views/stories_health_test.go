package views

import (
	"strings"
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func healthyRoles() []RoleHealthRow {
	granted := []ActionRow{{Action: "cloudformation:DescribeStacks", Needed: "follow a stack", Granted: true}, {Action: "cloudformation:ExecuteChangeSet", Needed: "carry out what was approved", Granted: true}}
	return []RoleHealthRow{
		{Name: "slipway-read", ARN: "arn:aws:iam::600000000001:role/slipway/platform/slipway-read", State: models.HealthOK, Actions: granted[:1]},
		{Name: "slipway-deploy", ARN: "arn:aws:iam::600000000001:role/slipway/platform/slipway-deploy", State: models.HealthOK, Actions: granted},
		{Name: "slipway-cfn-exec", ARN: "arn:aws:iam::600000000001:role/slipway/platform/slipway-cfn-exec", State: models.HealthOK, Actions: granted},
	}
}

func healthStories() []story {
	card := AccountCard{Name: "payments-nonprod", Class: models.NonProd, AWSID: "600000000001", Email: "aws+payments@example.com", State: models.Ready, AWSState: "ACTIVE", AWSStateAt: ago(4 * time.Minute),
		OU: "ou-demo-nonprod01", Baseline: ago(40 * time.Hour)}
	well := Account{Tenant: "payments", Card: card, SeesAll: true, Health: AccountHealth{URL: urls.Account("payments", "nonprod"), State: models.HealthOK, Words: "Slipway's roles may do all they need.",
		At: ago(3 * time.Minute), By: "Mara Lindqvist", Since: ago(400 * time.Hour), Roles: healthyRoles(), CheckURL: urls.CheckAccount("payments", "nonprod"), CSRF: "token"},
		Activity: []ui.Entry{{Icon: ui.IconScrollText, Tone: ui.Idle, Who: "Mara Lindqvist", Text: "asked to check the roles of payments-nonprod", When: ago(4 * time.Minute)}}}

	ill := well
	ill.Health.State, ill.Health.Words, ill.Health.By, ill.Health.Roles = models.HealthMissing, "1 permission is missing.", models.NightlyHealth, healthyRoles()
	lost := ActionRow{Action: "cloudformation:ExecuteChangeSet", Needed: "carry out what was approved"}
	denied := ActionRow{Action: "ec2:EnableEbsEncryptionByDefault", Needed: "set the account up", Denied: "a service control policy of the organization"}
	ill.Health.Roles[1].State, ill.Health.Roles[1].Missing = models.HealthMissing, []ActionRow{lost, denied}
	ill.Health.Roles[1].Actions[1] = lost
	ill.Health.Roles[1].Additions = []ui.Command{{Label: "to add to a policy of slipway-deploy by hand, for cloudformation:ExecuteChangeSet", Lines: strings.Split("{\n  \"Action\": [\n    \"cloudformation:ExecuteChangeSet\"\n  ],\n  \"Effect\": \"Allow\"\n}", "\n")}}
	ill.Health.Roles[1].Differences = []PolicyDifference{{Place: "policy deploy", Sid: "CarryThemOut", Want: "{\"Effect\": \"Allow\"}", Have: "{\"Effect\": \"Deny\"}"},
		{Place: "managed policies", Have: "arn:aws:iam::aws:policy/AdministratorAccess"}, {Place: "trust policy", Sid: "NamedAndTagged", Want: "{}"}}

	locked := well
	locked.ByHand, locked.Health.ByHand, locked.Health.CheckURL = true, true, ""
	locked.Health.State, locked.Health.Words, locked.Health.Roles = models.HealthUnseen, "Slipway cannot see all of its roles.", healthyRoles()
	locked.Health.Roles[0] = RoleHealthRow{Name: "slipway-read", ARN: "arn:aws:iam::600000000001:role/slipway/platform/slipway-read", State: models.HealthUnseen,
		Said: "STS AssumeRole in account 600000000001: AccessDenied.", Trust: []string{"The role is there.", "Statement HubOnly asks that aws:PrincipalOrgID is o-demo (StringEquals)."}}
	locked.Health.Roles[2].Actions, locked.Health.Roles[2].Blind, locked.Health.Roles[2].State = nil, []string{"Slipway cannot see the role. " + hostile}, models.HealthUnseen

	fresh := well
	fresh.Card.State, fresh.Activity = models.Changing, nil
	fresh.Health = AccountHealth{URL: urls.Account("payments", "nonprod"), Checking: true, Asked: "Mara Lindqvist", Failure: "AWS did not answer. Look at the AWS Health Dashboard."}

	wide := ill
	wide.Card.Name, wide.Tenant = long, "a-twenty-letter-slug"
	wide.Health.Roles = []RoleHealthRow{{Name: long, ARN: long, State: models.HealthMissing, Missing: []ActionRow{{Action: long, Needed: long, Denied: long}}, Blind: []string{long}, Said: long, Trust: []string{long},
		Additions: []ui.Command{{Label: long, Lines: []string{long}}}, Differences: []PolicyDifference{{Place: long, Sid: long, Want: long, Have: long}}, Actions: []ActionRow{{Action: long, Needed: long}}}}
	full := Platform{At: ago(9 * time.Minute), By: models.NightlyHealth, CheckURL: urls.CheckPlatform, CSRF: "token", Roles: healthyRoles()[1:2], Items: []PrerequisiteRow{
		{ID: "features", Title: "All features of the organization are on", State: models.PrerequisiteMet, Found: "Organization o-demo has all features."},
		{ID: "quota", Title: "There is room for more accounts", State: models.PrerequisiteUnmet, Found: "10 of 10 accounts are used, 0 are left.", Next: "Run this in the management account. AWS Support decides about it.",
			Commands: []ui.Command{{Label: "for: there is room for more accounts", Lines: []string{"aws service-quotas request-service-quota-increase --desired-value 20"}}}},
		{ID: "instances", Title: "Slipway's roles were delivered to every account", State: models.PrerequisiteUnmet, Found: "1 deliveries have failed.", Details: []string{"Account 600000000001, eu-west-1: " + hostile}},
		{ID: "cost-tags", Title: "Costs can be told apart by tenant", State: models.PrerequisiteUnseen, Found: "Slipway may not do ce:ListCostAllocationTags.", Next: "Allow ce:ListCostAllocationTags to slipway-org."},
	}}
	calm := Platform{At: ago(time.Minute), By: "Mara Lindqvist", Items: full.Items[:1]}
	looking := Platform{Checking: true, Failure: "AWS did not answer.", CheckURL: urls.CheckPlatform}
	broad := Platform{At: ago(time.Minute), By: long, Failure: long, Items: []PrerequisiteRow{{ID: "x", Title: long, State: models.PrerequisiteUnseen, Found: long, Next: long, Details: []string{long}, Commands: []ui.Command{{Label: long, Lines: []string{long}}}}}}
	return []story{
		{"platform", PlatformPage(admin(), full)}, {"platform-calm", PlatformPage(admin(), calm)}, {"platform-looking", PlatformPage(admin(), looking)}, {"platform-long", PlatformPage(admin(), broad)},
		{"account", AccountPage(admin(), well)}, {"account-missing", AccountPage(admin(), ill)}, {"account-unseen", AccountPage(developer(), locked)},
		{"account-checking", AccountPage(developer(), fresh)}, {"account-long", AccountPage(admin(), wide)}, {"fragment-account-line", AccountHealthLine(ill.Health)},
	}
}
