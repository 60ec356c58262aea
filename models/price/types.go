package price

import "slipway/models/blueprint"

// types says how a resource of a type is estimated; nil is a type that costs nothing of its own. A type that is missing here is named
// as not estimated.
var types = map[string]func(*walk, blueprint.ResolvedResource){
	"AWS::EC2::NatGateway":  natGateway,
	"AWS::EC2::EIP":         func(w *walk, r blueprint.ResolvedResource) { w.count("ipv4", whole(1), r.ID) },
	"AWS::EC2::VPCEndpoint": endpoint,
	"AWS::EC2::FlowLog":     flowLog,

	"AWS::EC2::VPC": nil, "AWS::EC2::Subnet": nil, "AWS::EC2::RouteTable": nil, "AWS::EC2::Route": nil, "AWS::EC2::SubnetRouteTableAssociation": nil,
	"AWS::EC2::InternetGateway": nil, "AWS::EC2::EgressOnlyInternetGateway": nil, "AWS::EC2::VPCGatewayAttachment": nil, "AWS::EC2::VPCCidrBlock": nil, "AWS::EC2::SubnetCidrBlock": nil,
	"AWS::EC2::DHCPOptions": nil, "AWS::EC2::VPCDHCPOptionsAssociation": nil,
	"AWS::EC2::SecurityGroup": nil, "AWS::EC2::SecurityGroupIngress": nil, "AWS::EC2::SecurityGroupEgress": nil,
	"AWS::EC2::NetworkAcl": nil, "AWS::EC2::NetworkAclEntry": nil, "AWS::EC2::SubnetNetworkAclAssociation": nil,

	"AWS::ElasticLoadBalancingV2::LoadBalancer": loadBalancer,
	"AWS::ElasticLoadBalancingV2::Listener":     nil, "AWS::ElasticLoadBalancingV2::ListenerRule": nil, "AWS::ElasticLoadBalancingV2::TargetGroup": nil, "AWS::ElasticLoadBalancingV2::ListenerCertificate": nil,
	"AWS::CertificateManager::Certificate": certificate,
	"AWS::Route53::HostedZone":             hostedZone, "AWS::Route53::RecordSet": nil, "AWS::Route53::RecordSetGroup": nil, // queries belong to the zone; those for aliases are free
	"AWS::WAFv2::WebACL": webACL, "AWS::WAFv2::WebACLAssociation": nil, "AWS::WAFv2::LoggingConfiguration": nil, "AWS::WAFv2::IPSet": nil, "AWS::WAFv2::RegexPatternSet": nil,
	"AWS::CloudFront::Distribution": distribution, "AWS::CloudFront::Function": edgeFunction,
	"AWS::CloudFront::OriginAccessControl": nil, "AWS::CloudFront::ResponseHeadersPolicy": nil, "AWS::CloudFront::CachePolicy": nil, "AWS::CloudFront::OriginRequestPolicy": nil,

	"AWS::ECS::Service": service, "AWS::ECS::Cluster": cluster, "AWS::ECS::ClusterCapacityProviderAssociations": nil, "AWS::ECS::TaskDefinition": collector, // a task costs where it runs
	"AWS::ApplicationAutoScaling::ScalableTarget": nil, "AWS::ApplicationAutoScaling::ScalingPolicy": scaling, // tasks are counted with what they scale
	"AWS::Events::Rule": rule, "AWS::Scheduler::Schedule": schedule, "AWS::Scheduler::ScheduleGroup": nil,
	"AWS::ECR::Repository": repository,

	"AWS::KMS::Key": key, "AWS::KMS::ReplicaKey": key, "AWS::KMS::Alias": nil,
	"AWS::SecretsManager::Secret": secret, "AWS::SecretsManager::ResourcePolicy": nil,
	"AWS::S3::Bucket": bucket, "AWS::S3::BucketPolicy": nil,
	"AWS::SQS::Queue": queue, "AWS::SQS::QueuePolicy": nil,
	"AWS::SNS::Topic": topic, "AWS::SNS::TopicPolicy": nil, "AWS::SNS::Subscription": nil,
	"AWS::CodeBuild::Project": buildProject, "AWS::CodePipeline::Pipeline": pipeline, "AWS::CodeConnections::Connection": nil,
	"AWS::IAM::OIDCProvider": nil, "AWS::IAM::Role": nil, "AWS::IAM::ManagedPolicy": nil, "AWS::IAM::Policy": nil, "AWS::IAM::RolePolicy": nil,

	"AWS::Logs::LogGroup": logGroup, "AWS::Logs::ResourcePolicy": nil,
	"AWS::CloudWatch::Alarm": alarm, "AWS::CloudWatch::CompositeAlarm": func(w *walk, r blueprint.ResolvedResource) { w.count("cloudwatch.alarm.composite", whole(1), r.ID) },
	"AWS::CloudWatch::Dashboard": func(w *walk, r blueprint.ResolvedResource) { w.count("cloudwatch.dashboard", whole(1), r.ID) },
	"AWS::XRay::SamplingRule":    traces, "AWS::XRay::Group": traces,
}
