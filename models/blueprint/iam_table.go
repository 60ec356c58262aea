package blueprint

// actionTable says what CloudFormation calls to create, read, change, tag and delete one of a type. A word without a service
// has the one before it.
var actionTable = map[string]string{
	"AWS::ApplicationAutoScaling::ScalableTarget": "application-autoscaling:RegisterScalableTarget DeregisterScalableTarget DescribeScalableTargets TagResource iam:CreateServiceLinkedRole cloudwatch:DescribeAlarms",
	"AWS::ApplicationAutoScaling::ScalingPolicy":  "application-autoscaling:PutScalingPolicy DeleteScalingPolicy DescribeScalingPolicies cloudwatch:PutMetricAlarm DeleteAlarms DescribeAlarms",
	"AWS::AccessAnalyzer::Analyzer":               "access-analyzer:CreateAnalyzer DeleteAnalyzer GetAnalyzer TagResource iam:CreateServiceLinkedRole",

	"AWS::CertificateManager::Certificate": "acm:RequestCertificate DeleteCertificate DescribeCertificate AddTagsToCertificate ListTagsForCertificate",

	"AWS::CloudFront::Distribution":          "cloudfront:CreateDistribution CreateDistributionWithTags UpdateDistribution DeleteDistribution GetDistribution GetDistributionConfig TagResource",
	"AWS::CloudFront::Function":              "cloudfront:CreateFunction PublishFunction UpdateFunction DeleteFunction DescribeFunction GetFunction",
	"AWS::CloudFront::OriginAccessControl":   "cloudfront:CreateOriginAccessControl UpdateOriginAccessControl DeleteOriginAccessControl GetOriginAccessControl",
	"AWS::CloudFront::ResponseHeadersPolicy": "cloudfront:CreateResponseHeadersPolicy UpdateResponseHeadersPolicy DeleteResponseHeadersPolicy GetResponseHeadersPolicy",

	"AWS::CloudWatch::Alarm":          "cloudwatch:PutMetricAlarm DeleteAlarms DescribeAlarms TagResource",
	"AWS::CloudWatch::CompositeAlarm": "cloudwatch:PutCompositeAlarm DeleteAlarms DescribeAlarms TagResource",
	"AWS::CloudWatch::Dashboard":      "cloudwatch:PutDashboard DeleteDashboards GetDashboard ListDashboards",

	"AWS::CodeBuild::Project":          "codebuild:CreateProject DeleteProject BatchGetProjects UpdateProject",
	"AWS::CodeConnections::Connection": "codeconnections:CreateConnection DeleteConnection GetConnection ListTagsForResource TagResource UntagResource",
	"AWS::CodePipeline::Pipeline":      "codepipeline:CreatePipeline DeletePipeline GetPipeline GetPipelineState UpdatePipeline ListTagsForResource TagResource UntagResource",

	"AWS::EC2::EIP":                         "ec2:AllocateAddress ReleaseAddress DescribeAddresses AssociateAddress DisassociateAddress CreateTags",
	"AWS::EC2::FlowLog":                     "ec2:CreateFlowLogs DeleteFlowLogs DescribeFlowLogs CreateTags logs:CreateLogDelivery DeleteLogDelivery",
	"AWS::EC2::InternetGateway":             "ec2:CreateInternetGateway DeleteInternetGateway DescribeInternetGateways CreateTags",
	"AWS::EC2::NatGateway":                  "ec2:CreateNatGateway DeleteNatGateway DescribeNatGateways CreateTags",
	"AWS::EC2::Route":                       "ec2:CreateRoute DeleteRoute ReplaceRoute DescribeRouteTables",
	"AWS::EC2::RouteTable":                  "ec2:CreateRouteTable DeleteRouteTable DescribeRouteTables CreateTags",
	"AWS::EC2::SecurityGroup":               "ec2:CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress CreateTags",
	"AWS::EC2::SecurityGroupEgress":         "ec2:AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress DescribeSecurityGroups",
	"AWS::EC2::SecurityGroupIngress":        "ec2:AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DescribeSecurityGroups",
	"AWS::EC2::SnapshotBlockPublicAccess":   "ec2:EnableSnapshotBlockPublicAccess DisableSnapshotBlockPublicAccess GetSnapshotBlockPublicAccessState",
	"AWS::EC2::Subnet":                      "ec2:CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute CreateTags",
	"AWS::EC2::SubnetRouteTableAssociation": "ec2:AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation DescribeRouteTables",
	"AWS::EC2::VPC":                         "ec2:CreateVpc DeleteVpc DescribeVpcs DescribeVpcAttribute ModifyVpcAttribute CreateTags",
	"AWS::EC2::VPCEndpoint":                 "ec2:CreateVpcEndpoint DeleteVpcEndpoints DescribeVpcEndpoints ModifyVpcEndpoint CreateTags",
	"AWS::EC2::VPCGatewayAttachment":        "ec2:AttachInternetGateway DetachInternetGateway DescribeInternetGateways",

	"AWS::ECR::Repository": "ecr:CreateRepository DeleteRepository DescribeRepositories PutLifecyclePolicy SetRepositoryPolicy DeleteRepositoryPolicy PutImageScanningConfiguration PutImageTagMutability TagResource",

	"AWS::ECS::Cluster":        "ecs:CreateCluster DeleteCluster DescribeClusters UpdateCluster UpdateClusterSettings PutClusterCapacityProviders TagResource iam:CreateServiceLinkedRole",
	"AWS::ECS::Service":        "ecs:CreateService DeleteService DescribeServices UpdateService TagResource iam:CreateServiceLinkedRole",
	"AWS::ECS::TaskDefinition": "ecs:RegisterTaskDefinition DeregisterTaskDefinition DescribeTaskDefinition TagResource",

	"AWS::ElasticLoadBalancingV2::Listener":     "elasticloadbalancing:CreateListener DeleteListener DescribeListeners ModifyListener AddTags",
	"AWS::ElasticLoadBalancingV2::ListenerRule": "elasticloadbalancing:CreateRule DeleteRule DescribeRules ModifyRule AddTags",
	"AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:CreateLoadBalancer DeleteLoadBalancer DescribeLoadBalancers ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets AddTags iam:CreateServiceLinkedRole ec2:DescribeSubnets",
	"AWS::ElasticLoadBalancingV2::TargetGroup":  "elasticloadbalancing:CreateTargetGroup DeleteTargetGroup DescribeTargetGroups ModifyTargetGroup ModifyTargetGroupAttributes AddTags",

	"AWS::Events::Rule": "events:PutRule PutTargets RemoveTargets DeleteRule DescribeRule TagResource",

	"AWS::IAM::ManagedPolicy": "iam:CreatePolicy DeletePolicy GetPolicy GetPolicyVersion ListPolicyVersions CreatePolicyVersion DeletePolicyVersion TagPolicy",
	"AWS::IAM::OIDCProvider":  "iam:CreateOpenIDConnectProvider DeleteOpenIDConnectProvider GetOpenIDConnectProvider AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint TagOpenIDConnectProvider UntagOpenIDConnectProvider",
	"AWS::IAM::Role":          "iam:CreateRole DeleteRole GetRole PutRolePolicy DeleteRolePolicy GetRolePolicy ListRolePolicies ListAttachedRolePolicies AttachRolePolicy DetachRolePolicy UpdateRole UpdateAssumeRolePolicy PutRolePermissionsBoundary TagRole UntagRole",

	"AWS::KMS::Alias": "kms:CreateAlias DeleteAlias UpdateAlias ListAliases",
	"AWS::KMS::Key":   "kms:CreateKey DescribeKey ScheduleKeyDeletion EnableKeyRotation GetKeyRotationStatus PutKeyPolicy GetKeyPolicy TagResource UntagResource",

	"AWS::Logs::LogGroup":       "logs:CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy DeleteRetentionPolicy TagResource",
	"AWS::Logs::MetricFilter":   "logs:PutMetricFilter DeleteMetricFilter DescribeMetricFilters",
	"AWS::Logs::ResourcePolicy": "logs:PutResourcePolicy DeleteResourcePolicy DescribeResourcePolicies",

	"AWS::Route53::HostedZone": "route53:CreateHostedZone DeleteHostedZone GetHostedZone UpdateHostedZoneComment ChangeTagsForResource ListTagsForResource",
	"AWS::Route53::RecordSet":  "route53:ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets",

	"AWS::S3::Bucket":       "s3:CreateBucket DeleteBucket ListBucket GetBucketLocation PutBucketTagging PutBucketVersioning PutBucketPublicAccessBlock PutEncryptionConfiguration PutLifecycleConfiguration PutBucketLogging PutBucketOwnershipControls",
	"AWS::S3::BucketPolicy": "s3:PutBucketPolicy DeleteBucketPolicy GetBucketPolicy",

	"AWS::Scheduler::Schedule":      "scheduler:CreateSchedule DeleteSchedule GetSchedule UpdateSchedule",
	"AWS::Scheduler::ScheduleGroup": "scheduler:CreateScheduleGroup DeleteScheduleGroup GetScheduleGroup TagResource",

	// Not UpdateSecret: it could write a value, which no role of Slipway may.
	"AWS::SecretsManager::Secret": "secretsmanager:CreateSecret DeleteSecret DescribeSecret TagResource",

	"AWS::SNS::Subscription": "sns:Subscribe Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes",
	"AWS::SNS::Topic":        "sns:CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes ListTagsForResource TagResource",
	"AWS::SNS::TopicPolicy":  "sns:SetTopicAttributes GetTopicAttributes",

	"AWS::SQS::Queue":       "sqs:CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes TagQueue",
	"AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes GetQueueAttributes",

	"AWS::WAFv2::LoggingConfiguration": "wafv2:PutLoggingConfiguration DeleteLoggingConfiguration GetLoggingConfiguration logs:CreateLogDelivery DeleteLogDelivery PutResourcePolicy DescribeResourcePolicies DescribeLogGroups iam:CreateServiceLinkedRole",
	"AWS::WAFv2::WebACL":               "wafv2:CreateWebACL DeleteWebACL GetWebACL UpdateWebACL TagResource",
	"AWS::WAFv2::WebACLAssociation":    "wafv2:AssociateWebACL DisassociateWebACL GetWebACLForResource elasticloadbalancing:SetWebACL",

	"AWS::XRay::Group":        "xray:CreateGroup DeleteGroup GetGroup UpdateGroup TagResource",
	"AWS::XRay::SamplingRule": "xray:CreateSamplingRule DeleteSamplingRule GetSamplingRules UpdateSamplingRule TagResource",
}

// actionsWith are the calls that only a property brings about.
var actionsWith = map[string][]struct{ path, words string }{
	"AWS::CertificateManager::Certificate": {{"DomainValidationOptions", "route53:ChangeResourceRecordSets GetChange"}},
	"AWS::CloudFront::Distribution":        {{"DistributionConfig.WebACLId", "wafv2:AssociateWebACL GetWebACL"}},
	"AWS::CodePipeline::Pipeline":          {{"Triggers", "codeconnections:PassConnection UseConnection"}},
	"AWS::Logs::LogGroup":                  {{"KmsKeyId", "logs:AssociateKmsKey DisassociateKmsKey"}},
	"AWS::Route53::HostedZone":             {{"QueryLoggingConfig", "route53:CreateQueryLoggingConfig DeleteQueryLoggingConfig"}},
	"AWS::S3::Bucket":                      {{"ReplicationConfiguration", "s3:PutReplicationConfiguration"}, {"NotificationConfiguration", "s3:PutBucketNotification"}, {"WebsiteConfiguration", "s3:PutBucketWebsite"}},
	"AWS::SecretsManager::Secret":          {{"GenerateSecretString", "secretsmanager:GetRandomPassword"}},
}
