package aws

// permission is one thing that Slipway does with one of its roles.
type permission struct {
	role     string // as the templates end its name: read, deploy, org, dns; cfn-exec has its rows from the blueprints
	action   string // as IAM names it
	resource string // an ARN of the kind it is asked for; what is in braces is filled in
	needed   string // for what, as the end of "needed to"
	with     facts  // what else the call brings along
	calls    string // SDK operations, parted by blanks, when they are not the one that the action names
	only     string // configuration without which it is not used: bucket, people, suspended
}

// facts are condition keys of a call with their values, as IAM names them.
type facts map[string][]string

// What calls bring along, by kind.
var (
	withRole     = facts{"cloudformation:RoleArn": {"{exec}"}}
	withApproval = facts{"aws:PrincipalTag/" + tagApproved: {"true"}}
	deletes      = facts{"aws:PrincipalTag/" + tagApproved: {"true"}, "cloudformation:RoleArn": {"{exec}"}}
	closes       = facts{"aws:PrincipalTag/" + tagApproved: {"true"}, "aws:ResourceTag/" + tagRequest: {"check"}}
	cleansUp     = facts{"aws:PrincipalTag/" + tagPurpose: {planCleanup}, "cloudformation:RoleArn": {"{exec}"}}
	ownTags      = facts{"aws:TagKeys": {tagTenant, tagAccountRow}}
	passes       = facts{"iam:PassedToService": {"cloudformation.amazonaws.com"}}
	throughS3    = facts{"kms:ViaService": {"s3.{region}.amazonaws.com"}}
	plansFrom    = facts{"cloudformation:RoleArn": {"{exec}"}, "cloudformation:TemplateUrl": {"https://{bucket}.s3.{region}.amazonaws.com/templates/check"}}
	delegates    = facts{"route53:ChangeResourceRecordSetsRecordTypes": {"NS"}, "route53:ChangeResourceRecordSetsActions": {"UPSERT"},
		"route53:ChangeResourceRecordSetsNormalizedRecordNames": {"check-nonprod.{domain}"}}
	clears = facts{"aws:PrincipalTag/" + tagApproved: {"true"}, "route53:ChangeResourceRecordSetsRecordTypes": {"CNAME"}, "route53:ChangeResourceRecordSetsActions": {"DELETE"},
		"route53:ChangeResourceRecordSetsNormalizedRecordNames": {"_check.example.com"}}
)

// The resources that rows ask for.
const (
	anything      = "*"
	aStack        = "arn:{partition}:cloudformation:{region}:{account}:stack/slw-role-check/1"
	aBucket       = "arn:{partition}:s3:::slw-role-check"
	anObject      = aBucket + "/object"
	aConnection   = "arn:{partition}:codeconnections:{region}:{account}:connection/check"
	aPipeline     = "arn:{partition}:codepipeline:{region}:{account}:slw-role-check"
	aStage        = aPipeline + "/check"
	anApproval    = aPipeline + "/check/slipway-check"
	aProject      = "arn:{partition}:codebuild:{region}:{account}:project/slw-role-check"
	aBuildLog     = "arn:{partition}:logs:{region}:{account}:log-group:/slipway/pipeline/check:log-stream:check"
	aRepository   = "arn:{partition}:ecr:{region}:{account}:repository/slw-role-check"
	aTemplate     = "arn:{partition}:s3:::{bucket}/templates/check"
	hubKey        = "arn:{partition}:kms:{region}:{hub}:key/check"
	aSecret       = "arn:{partition}:secretsmanager:{region}:{account}:secret:slw-role-check"
	aKey          = "arn:{partition}:kms:{region}:{account}:key/check"
	aService      = "arn:{partition}:ecs:{region}:{account}:service/slw-role-check/check"
	anAlarm       = "arn:{partition}:cloudwatch:{region}:{account}:alarm:slw-role-check"
	aCertificate  = "arn:{partition}:acm:{region}:{account}:certificate/check"
	execARN       = "{exec}"
	ownRole       = "arn:{partition}:iam::{account}:role/{prefix}{role}"
	theBoundary   = "arn:{partition}:iam::{account}:policy/slipway/platform/slipway-boundary"
	aBudget       = "arn:{partition}:budgets::{account}:budget/slw-role-check"
	allBudgets    = "arn:{partition}:budgets::{account}:budget/*"
	anAccount     = "arn:{partition}:organizations::{account}:account/{org}/123456789012"
	theContact    = "arn:{partition}:account::{account}:account/{org}/123456789012"
	theRoot       = "arn:{partition}:organizations::{account}:root/{org}/{root}"
	nonprodUnit   = "arn:{partition}:organizations::{account}:ou/{org}/{nonprod}"
	prodUnit      = "arn:{partition}:organizations::{account}:ou/{org}/{prod}"
	suspendedUnit = "arn:{partition}:organizations::{account}:ou/{org}/{suspended}"
	anyUnit       = "arn:{partition}:organizations::{account}:ou/{org}/ou-role-check001"
	parentZoneARN = "arn:{partition}:route53:::hostedzone/{zone}"
	theInstance   = "{identity}"
	aGroup        = "arn:{partition}:identitystore:::group/check"
	aZone         = "arn:{partition}:route53:::hostedzone/ZCHECK"
	aChange       = "arn:{partition}:route53:::change/C1"
)

// permissions is all that Slipway does with its roles. A test holds it against every call that this package makes.
func permissions() []permission {
	all := append(readPermissions(), deployPermissions()...)
	return append(append(all, orgPermissions()...), dnsPermissions()...)
}

func readPermissions() []permission {
	return []permission{
		{role: "read", action: "cloudformation:DescribeStacks", resource: aStack, needed: "show how stacks stand"},
		{role: "read", action: "cloudformation:GetTemplate", resource: aStack, needed: "read what a stack was made from before it is deleted"},
		{role: "read", action: "cloudformation:ListStackResources", resource: aStack, needed: "name what a deletion takes away"},
		{role: "read", action: "cloudformation:ListImports", resource: anything, needed: "see who else uses a stack before it is deleted"},
		{role: "read", action: "codeconnections:GetConnection", resource: aConnection, needed: "see whether somebody has finished a connection"},
		{role: "read", action: "codepipeline:ListPipelineExecutions", resource: aPipeline, needed: "show what runs through pipelines"},
		{role: "read", action: "codepipeline:ListActionExecutions", resource: aPipeline, needed: "show what runs through pipelines"},
		{role: "read", action: "codepipeline:GetPipelineState", resource: aPipeline, needed: "see which stages wait for a promotion"},
		{role: "read", action: "codebuild:BatchGetBuilds", resource: aProject, needed: "find the logs and images of builds"},
		{role: "read", action: "logs:GetLogEvents", resource: aBuildLog, needed: "show the logs of builds", calls: "cloudwatchlogs.GetLogEvents"},
		{role: "read", action: "ecr:DescribeImageScanFindings", resource: aRepository, needed: "hold images against what a stage allows"},
		{role: "read", action: "ecs:DescribeServices", resource: aService, needed: "show whether tasks run"},
		{role: "read", action: "elasticloadbalancing:DescribeTargetHealth", resource: anything, needed: "show whether targets are healthy", calls: "elasticloadbalancingv2.DescribeTargetHealth"},
		{role: "read", action: "cloudwatch:DescribeAlarms", resource: anAlarm, needed: "show which alarms ring"},
		{role: "read", action: "cloudwatch:DescribeAlarmHistory", resource: anAlarm, needed: "show how alarms changed"},
		{role: "read", action: "cloudwatch:GetMetricData", resource: anything, needed: "draw requests, errors, latency and load"},
		{role: "read", action: "acm:DescribeCertificate", resource: aCertificate, needed: "tell before certificates expire"},
		{role: "read", action: "ec2:DescribeVpcs", resource: anything, needed: "register an existing network"},
		{role: "read", action: "ec2:DescribeSubnets", resource: anything, needed: "register an existing network"},
		{role: "read", action: "ec2:DescribeRouteTables", resource: anything, needed: "register an existing network"},
		{role: "read", action: "ecr:ListImages", resource: aRepository, needed: "count images before a deletion"},
		{role: "read", action: "route53:ListResourceRecordSets", resource: aZone, needed: "see what keeps a zone from being deleted"},
		{role: "read", action: "s3:ListBucketVersions", resource: aBucket, needed: "count objects before a deletion", calls: "s3.ListObjectVersions"},
		{role: "read", action: "s3:ListBucketMultipartUploads", resource: aBucket, needed: "count broken uploads before a deletion", calls: "s3.ListMultipartUploads"},
		{role: "read", action: "secretsmanager:DescribeSecret", resource: aSecret, needed: "see whether a secret has a value"},
		{role: "read", action: "kms:DescribeKey", resource: aKey, needed: "prove that a key is on its way out"},
		{role: "read", action: "tag:GetResources", resource: anything, needed: "prove that nothing is left after a deletion", calls: "resourcegroupstaggingapi.GetResources"},
		{role: "read", action: "iam:GetRole", resource: ownRole, needed: "check Slipway's own roles"},
		{role: "read", action: "iam:GetRolePolicy", resource: ownRole, needed: "check Slipway's own roles"},
		{role: "read", action: "iam:ListRolePolicies", resource: ownRole, needed: "check Slipway's own roles"},
		{role: "read", action: "iam:ListAttachedRolePolicies", resource: ownRole, needed: "check Slipway's own roles"},
		{role: "read", action: "iam:GetPolicy", resource: theBoundary, needed: "check the boundary of workload roles"},
		{role: "read", action: "iam:GetPolicyVersion", resource: theBoundary, needed: "check the boundary of workload roles"},
		{role: "read", action: "iam:SimulatePrincipalPolicy", resource: ownRole, needed: "check Slipway's own roles"},
	}
}

func deployPermissions() []permission {
	return []permission{
		{role: "deploy", action: "cloudformation:DescribeStacks", resource: aStack, needed: "follow a stack"},
		{role: "deploy", action: "cloudformation:DescribeStackEvents", resource: aStack, needed: "say why a stack failed"},
		{role: "deploy", action: "cloudformation:DescribeEvents", resource: aStack, needed: "show what a run does as it happens"},
		{role: "deploy", action: "cloudformation:DescribeChangeSet", resource: aStack, needed: "plan"},
		{role: "deploy", action: "cloudformation:ListChangeSets", resource: aStack, needed: "find plans again after a restart"},
		{role: "deploy", action: "cloudformation:CreateChangeSet", resource: aStack, needed: "plan", with: withRole},
		{role: "deploy", action: "cloudformation:CreateChangeSet", resource: aStack, needed: "plan from a template in the artifacts bucket", with: plansFrom, only: "bucket"},
		{role: "deploy", action: "cloudformation:ExecuteChangeSet", resource: aStack, needed: "carry out what was approved"},
		{role: "deploy", action: "cloudformation:DeleteChangeSet", resource: aStack, needed: "clear away plans"},
		{role: "deploy", action: "cloudformation:ContinueUpdateRollback", resource: aStack, needed: "recover a stack whose roll-back stopped"},
		{role: "deploy", action: "cloudformation:TagResource", resource: aStack, needed: "mark stacks with their owner", calls: "cloudformation.CreateChangeSet"},
		{role: "deploy", action: "cloudformation:DeleteStack", resource: aStack, needed: "delete what was approved for deletion", with: deletes},
		{role: "deploy", action: "cloudformation:DeleteStack", resource: aStack, needed: "clear away what was only planned", with: cleansUp},
		{role: "deploy", action: "cloudformation:ListStackResources", resource: aStack, needed: "compare a stack with its account"},
		{role: "deploy", action: "cloudformation:DetectStackDrift", resource: aStack, needed: "compare a stack with its account"},
		{role: "deploy", action: "cloudformation:DescribeStackDriftDetectionStatus", resource: anything, needed: "compare a stack with its account"},
		{role: "deploy", action: "cloudformation:DescribeStackResourceDrifts", resource: aStack, needed: "compare a stack with its account"},
		{role: "deploy", action: "cloudformation:GetTemplate", resource: aStack, needed: "compare a stack with its account"},
		{role: "deploy", action: "iam:PassRole", resource: execARN, needed: "hand slipway-cfn-exec to CloudFormation", with: passes, calls: "cloudformation.CreateChangeSet"},
		{role: "deploy", action: "s3:GetObject", resource: aTemplate, needed: "let CloudFormation read templates", calls: "cloudformation.CreateChangeSet", only: "bucket"},
		{role: "deploy", action: "kms:Decrypt", resource: hubKey, needed: "let CloudFormation read templates", with: throughS3, calls: "cloudformation.CreateChangeSet", only: "bucket"},
		{role: "deploy", action: "codepipeline:GetPipelineState", resource: aPipeline, needed: "read anew what a stage waits for, before it is answered"},
		{role: "deploy", action: "codepipeline:PutApprovalResult", resource: anApproval, needed: "tell a pipeline what became of a promotion"},
		{role: "deploy", action: "codepipeline:StartPipelineExecution", resource: aPipeline, needed: "start a pipeline when a person asks for it"},
		{role: "deploy", action: "codepipeline:StopPipelineExecution", resource: aPipeline, needed: "stop an execution when a person asks for it"},
		{role: "deploy", action: "codepipeline:RetryStageExecution", resource: aStage, needed: "retry a stage when a person asks for it"},
		{role: "deploy", action: "s3:ListBucketVersions", resource: aBucket, needed: "empty a bucket that was approved for deletion", with: withApproval, calls: "s3.ListObjectVersions"},
		{role: "deploy", action: "s3:ListBucketMultipartUploads", resource: aBucket, needed: "empty a bucket that was approved for deletion", with: withApproval, calls: "s3.ListMultipartUploads"},
		{role: "deploy", action: "s3:DeleteObject", resource: anObject, needed: "empty a bucket that was approved for deletion", with: withApproval, calls: "s3.DeleteObjects"},
		{role: "deploy", action: "s3:DeleteObjectVersion", resource: anObject, needed: "empty a bucket that was approved for deletion", with: withApproval, calls: "s3.DeleteObjects"},
		{role: "deploy", action: "s3:AbortMultipartUpload", resource: anObject, needed: "empty a bucket that was approved for deletion", with: withApproval},
		{role: "deploy", action: "ecr:ListImages", resource: aRepository, needed: "empty a repository that was approved for deletion", with: withApproval},
		{role: "deploy", action: "ecr:BatchDeleteImage", resource: aRepository, needed: "empty a repository that was approved for deletion", with: withApproval},
		{role: "deploy", action: "route53:ListResourceRecordSets", resource: aZone, needed: "clear a zone that was approved for deletion", with: withApproval},
		{role: "deploy", action: "route53:ChangeResourceRecordSets", resource: aZone, needed: "clear a zone that was approved for deletion", with: clears},
		{role: "deploy", action: "ec2:GetEbsEncryptionByDefault", resource: anything, needed: "set the account up"},
		{role: "deploy", action: "ec2:EnableEbsEncryptionByDefault", resource: anything, needed: "set the account up"},
		{role: "deploy", action: "s3:GetAccountPublicAccessBlock", resource: anything, needed: "set the account up", calls: "s3control.GetPublicAccessBlock"},
		{role: "deploy", action: "s3:PutAccountPublicAccessBlock", resource: anything, needed: "set the account up", calls: "s3control.PutPublicAccessBlock s3control.DeletePublicAccessBlock"},
		{role: "deploy", action: "iam:GetAccountPasswordPolicy", resource: anything, needed: "set the account up"},
		{role: "deploy", action: "iam:UpdateAccountPasswordPolicy", resource: anything, needed: "set the account up"},
		{role: "deploy", action: "ec2:DisableEbsEncryptionByDefault", resource: anything, needed: "give an enrolled account back as it was", with: withApproval},
		{role: "deploy", action: "iam:DeleteAccountPasswordPolicy", resource: anything, needed: "give an enrolled account back as it was", with: withApproval},
	}
}

func orgPermissions() []permission {
	rows := []permission{
		{role: "org", action: "organizations:CreateAccount", resource: anything, needed: "make accounts"},
		{role: "org", action: "organizations:MoveAccount", resource: anAccount, needed: "move accounts under their policies"},
		{role: "org", action: "organizations:MoveAccount", resource: theRoot, needed: "move accounts out of the root"},
		{role: "org", action: "organizations:MoveAccount", resource: nonprodUnit, needed: "move accounts into the nonprod unit"},
		{role: "org", action: "organizations:MoveAccount", resource: prodUnit, needed: "move accounts into the prod unit"},
		{role: "org", action: "organizations:MoveAccount", resource: suspendedUnit, needed: "move accounts out of the way before they are closed", only: "suspended"},
		{role: "org", action: "organizations:MoveAccount", resource: anyUnit, needed: "enrol accounts of other units, and bring them back", with: withApproval},
		{role: "org", action: "organizations:CloseAccount", resource: anAccount, needed: "close accounts whose closing was approved", with: closes, only: "suspended"},
		{role: "org", action: "organizations:TagResource", resource: anAccount, needed: "mark accounts with their owner", calls: "organizations.CreateAccount organizations.TagResource"},
		{role: "org", action: "organizations:UntagResource", resource: anAccount, needed: "release enrolled accounts", with: ownTags},
		{role: "org", action: "servicequotas:GetServiceQuota", resource: anything, needed: "see how many accounts there may be"},
		{role: "org", action: "account:GetAlternateContact", resource: theContact, needed: "set the contacts of accounts"},
		{role: "org", action: "account:PutAlternateContact", resource: theContact, needed: "set the contacts of accounts"},
		{role: "org", action: "account:DeleteAlternateContact", resource: theContact, needed: "give an enrolled account back as it was"},
		{role: "org", action: "budgets:ViewBudget", resource: aBudget, needed: "set the budgets of tenants", calls: "budgets.DescribeBudget"},
		{role: "org", action: "budgets:ViewBudget", resource: allBudgets, needed: "see what tenants spend", calls: "budgets.DescribeBudgets"},
		{role: "org", action: "budgets:ModifyBudget", resource: aBudget, needed: "set the budgets of tenants", calls: "budgets.CreateBudget budgets.UpdateBudget budgets.DeleteBudget"},
		{role: "org", action: "budgets:TagResource", resource: aBudget, needed: "mark budgets with their owner", calls: "budgets.CreateBudget"},
		{role: "org", action: "ce:ListCostAllocationTags", resource: anything, needed: "see whether costs can be told apart by tenant", calls: "costexplorer.ListCostAllocationTags"},
		{role: "org", action: "ce:GetCostAndUsage", resource: anything, needed: "see what accounts cost", calls: "costexplorer.GetCostAndUsage"},
		{role: "org", action: "iam:GetRole", resource: ownRole, needed: "check this role"},
		{role: "org", action: "iam:GetRolePolicy", resource: ownRole, needed: "check this role"},
		{role: "org", action: "iam:ListRolePolicies", resource: ownRole, needed: "check this role"},
		{role: "org", action: "iam:ListAttachedRolePolicies", resource: ownRole, needed: "check this role"},
		{role: "org", action: "iam:SimulatePrincipalPolicy", resource: ownRole, needed: "check this role"},
	}
	for _, look := range []string{"DescribeAccountAssignmentCreationStatus", "DescribeAccountAssignmentDeletionStatus", "DescribeInstance", "DescribePermissionSet", "ListAccountAssignmentCreationStatus",
		"ListAccountAssignmentDeletionStatus", "ListAccountAssignments"} {
		rows = append(rows, permission{role: "org", action: "sso:" + look, resource: theInstance, needed: "see who has access to accounts", calls: "ssoadmin." + look, only: "people"})
	}
	rows = append(rows, permission{role: "org", action: "identitystore:GetGroupId", resource: aGroup, needed: "find the groups of tenants", only: "people"},
		permission{role: "org", action: "sso:CreateAccountAssignment", resource: theInstance, needed: "let people into accounts", calls: "ssoadmin.CreateAccountAssignment", only: "people"},
		permission{role: "org", action: "sso:DeleteAccountAssignment", resource: theInstance, needed: "take people's access back", calls: "ssoadmin.DeleteAccountAssignment", only: "people"})
	for _, look := range []string{"DescribeAccount", "DescribeCreateAccountStatus", "DescribeOrganization", "DescribeOrganizationalUnit", "ListAWSServiceAccessForOrganization", "ListAccounts",
		"ListCreateAccountStatus", "ListDelegatedAdministrators", "ListParents", "ListPoliciesForTarget", "ListRoots", "ListTagsForResource"} {
		rows = append(rows, permission{role: "org", action: "organizations:" + look, resource: anything, needed: "see how the organization and its accounts stand"})
	}
	return rows
}

func dnsPermissions() []permission {
	return []permission{
		{role: "dns", action: "route53:ChangeResourceRecordSets", resource: parentZoneARN, needed: "delegate the zones of tenants", with: delegates},
		{role: "dns", action: "route53:ListResourceRecordSets", resource: parentZoneARN, needed: "see what is delegated"},
		{role: "dns", action: "route53:GetHostedZone", resource: parentZoneARN, needed: "see that the zone of the base domain is there"},
		{role: "dns", action: "route53:GetChange", resource: aChange, needed: "wait until a delegation is known everywhere"},
		{role: "dns", action: "route53:TestDNSAnswer", resource: anything, needed: "see whether a delegation answers"},
		{role: "dns", action: "iam:GetRole", resource: ownRole, needed: "check this role"},
		{role: "dns", action: "iam:GetRolePolicy", resource: ownRole, needed: "check this role"},
		{role: "dns", action: "iam:ListRolePolicies", resource: ownRole, needed: "check this role"},
		{role: "dns", action: "iam:ListAttachedRolePolicies", resource: ownRole, needed: "check this role"},
		{role: "dns", action: "iam:SimulatePrincipalPolicy", resource: ownRole, needed: "check this role"},
	}
}
