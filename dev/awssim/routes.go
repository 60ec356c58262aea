package awssim

import (
	"context"
	"slices"
)

// operations lists everything the simulator answers. Each area adds its own list.
func operations() []operation {
	return slices.Concat(
		stsOperations(),
		organizationsOperations(),
		accountOperations(),
		ec2Operations(),
		s3Operations(),
		s3controlOperations(),
		iamOperations(),
		budgetsOperations(),
		servicequotasOperations(),
		cloudformationOperations(),
		acmOperations(),
		cloudwatchOperations(),
		ec2NetworkOperations(),
		ecrOperations(),
		ecsOperations(),
		elbOperations(),
		kmsOperations(),
		route53Operations(),
		secretsmanagerOperations(),
		taggingOperations(),
		costOperations(),
		identityCenterOperations(),
		codeconnectionsOperations(),
		codepipelineOperations(),
		codebuildOperations(),
		logsOperations(),
	)
}

// tickers run in this order at the start of every call.
func tickers() []ticker {
	return []ticker{finishCreations, suspendClosed, runCloudFormation, finishAssignments, runDeliveries}
}

// accountMoved is told when an account changes its parent, in the call that moves it;
// from is empty for a new account, to is empty for one that was closed.
func accountMoved(ctx context.Context, c *Call, account, from, to string) error {
	return deliverOnMove(ctx, c, account, from, to)
}

// seedStacks puts the platform's stacks into a new world, once.
func seedStacks(ctx context.Context, c *Call) error {
	return seedPlatform(ctx, c)
}
