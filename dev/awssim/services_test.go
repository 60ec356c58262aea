package awssim

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	budgettypes "github.com/aws/aws-sdk-go-v2/service/budgets/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
)

func TestAccountContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	api := account.NewFromConfig(w.as(asAdmin))
	ask := &account.GetAlternateContactInput{AccountId: aws.String(demoAudit), AlternateContactType: accounttypes.AlternateContactTypeSecurity}
	_, err := api.GetAlternateContact(ctx, ask)
	wantCode(t, "before it is set", err, "ResourceNotFoundException")
	put := &account.PutAlternateContactInput{AccountId: aws.String(demoAudit), AlternateContactType: accounttypes.AlternateContactTypeSecurity,
		EmailAddress: aws.String("security@example.com"), Name: aws.String("Säkerhet"), PhoneNumber: aws.String("+49 1"), Title: aws.String("Security")}
	if _, err := api.PutAlternateContact(ctx, put); err != nil {
		t.Fatal(err)
	}
	got, err := api.GetAlternateContact(ctx, ask)
	if err != nil || *got.AlternateContact.Name != "Säkerhet" {
		t.Errorf("contact %+v, %v", got, err)
	}
	put.AccountId = aws.String(demoManagement)
	_, err = api.PutAlternateContact(ctx, put)
	wantCode(t, "the management account by its id", err, "ValidationException")
	regions, err := api.ListRegions(ctx, nil)
	if err != nil || len(regions.Regions) < 15 {
		t.Errorf("regions %+v, %v", regions, err)
	}
}

func TestRegionalSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	cfg := w.as(asHubAdmin)
	api := ec2.NewFromConfig(cfg)
	elsewhere := ec2.NewFromConfig(cfg, func(o *ec2.Options) { o.Region = "eu-central-1" })
	if _, err := api.EnableEbsEncryptionByDefault(ctx, nil); err != nil {
		t.Fatal(err)
	}
	here, err := api.GetEbsEncryptionByDefault(ctx, nil)
	if err != nil || !*here.EbsEncryptionByDefault {
		t.Errorf("here: %+v, %v", here, err)
	}
	there, err := elsewhere.GetEbsEncryptionByDefault(ctx, nil)
	if err != nil || *there.EbsEncryptionByDefault {
		t.Errorf("in another region: %+v, %v", there, err)
	}
	found, err := api.DescribeRegions(ctx, &ec2.DescribeRegionsInput{RegionNames: []string{"eu-west-1", "eu-central-1"}})
	if err != nil || len(found.Regions) != 2 || *found.Regions[0].RegionName != "eu-central-1" || *found.Regions[0].Endpoint == "" {
		t.Errorf("regions %+v, %v", found, err)
	}
	_, err = api.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{DryRun: aws.Bool(true)})
	wantCode(t, "dry run", err, "DryRunOperation")
	_, err = api.DescribeVolumes(ctx, nil)
	wantCode(t, "operation that is not played", err, "InvalidAction")
	if _, err := api.ModifyInstanceMetadataDefaults(ctx, &ec2.ModifyInstanceMetadataDefaultsInput{HttpTokens: "required", HttpPutResponseHopLimit: aws.Int32(1)}); err != nil {
		t.Error(err)
	}
	d, err := api.GetInstanceMetadataDefaults(ctx, nil)
	if err != nil || d.AccountLevel.HttpTokens != "required" || *d.AccountLevel.HttpPutResponseHopLimit != 1 {
		t.Errorf("metadata defaults %+v, %v", d, err)
	}
	if _, err := api.EnableSnapshotBlockPublicAccess(ctx, &ec2.EnableSnapshotBlockPublicAccessInput{State: "block-all-sharing"}); err != nil {
		t.Error(err)
	}
}

func TestPasswordPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	api := iam.NewFromConfig(w.as(asHubAdmin))
	_, err := api.GetAccountPasswordPolicy(ctx, nil)
	wantCode(t, "before it is set", err, "NoSuchEntity")
	if _, err := api.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(14), RequireSymbols: true, MaxPasswordAge: aws.Int32(90)}); err != nil {
		t.Fatal(err)
	}
	got, err := api.GetAccountPasswordPolicy(ctx, nil)
	if err != nil || *got.PasswordPolicy.MinimumPasswordLength != 14 || !got.PasswordPolicy.RequireSymbols || !got.PasswordPolicy.ExpirePasswords {
		t.Errorf("policy %+v, %v", got, err)
	}
}

// straight sends s3control to the simulator as it is: the client would put the account's
// id in front of the host name.
type straight string

func (s straight) ResolveEndpoint(context.Context, s3control.EndpointParameters) (smithyendpoints.Endpoint, error) {
	u, err := url.Parse(string(s))
	return smithyendpoints.Endpoint{URI: *u}, err
}

func TestPublicAccessBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	api := s3control.NewFromConfig(w.as(asHubAdmin), func(o *s3control.Options) { o.EndpointResolverV2 = straight(w.url) })
	_, err := api.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(demoHub)})
	wantCode(t, "before it is set", err, "NoSuchPublicAccessBlockConfiguration")
	yes := aws.Bool(true)
	want := &controltypes.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes}
	if _, err := api.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: aws.String(demoHub), PublicAccessBlockConfiguration: want}); err != nil {
		t.Fatal(err)
	}
	got, err := api.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(demoHub)})
	if err != nil || !*got.PublicAccessBlockConfiguration.BlockPublicPolicy || *got.PublicAccessBlockConfiguration.RestrictPublicBuckets {
		t.Errorf("block %+v, %v", got, err)
	}
	_, err = api.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(demoAudit)})
	wantCode(t, "of another account", err, "AccessDenied")
	if _, err := api.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(demoHub)}); err != nil {
		t.Error(err)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	api := s3.NewFromConfig(w.as(asHubAdmin), func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := aws.String("slipway-artifacts"), aws.String("templates/a b+c/../é.yaml")
	if _, err := api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: nil}); err != nil {
		t.Fatal(err)
	}
	put := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("Resources: {}\n"), ContentType: aws.String("text/yaml"), IfNoneMatch: aws.String("*"), Metadata: map[string]string{"digest": "abc"}}
	made, err := api.PutObject(ctx, put)
	if err != nil {
		t.Fatal(err)
	}
	put.Body = strings.NewReader("Resources: {}\n")
	_, err = api.PutObject(ctx, put)
	wantCode(t, "written again", err, "PreconditionFailed")
	head, err := api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	if err != nil || *head.ETag != *made.ETag || *head.ContentLength != 14 || head.Metadata["digest"] != "abc" {
		t.Errorf("head %+v, %v", head, err)
	}
	got, err := api.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != "Resources: {}\n" {
		t.Errorf("body %q, %v", text, err)
	}
	locked := &s3.PutObjectInput{Bucket: bucket, Key: aws.String("anchors/1"), Body: strings.NewReader("1"), ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour))}
	if _, err := api.PutObject(ctx, locked); err != nil {
		t.Fatal(err)
	}
	_, err = api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("anchors/1")})
	wantCode(t, "delete a locked object", err, "AccessDenied")
	list, err := api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(1)})
	if err != nil || len(list.Contents) != 1 || !*list.IsTruncated || *list.Contents[0].Key != "anchors/1" {
		t.Errorf("list %+v, %v", list, err)
	}
	folded, err := api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/")})
	if err != nil || len(folded.Contents) != 0 || len(folded.CommonPrefixes) != 2 || *folded.CommonPrefixes[1].Prefix != "templates/" {
		t.Errorf("folded list %+v, %v", folded, err)
	}
	_, err = api.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("nothing")})
	wantCode(t, "no such key", err, "NoSuchKey")
	other := s3.NewFromConfig(w.as(asAdmin), func(o *s3.Options) { o.UsePathStyle = true })
	_, err = other.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	wantCode(t, "another account", err, "AccessDenied")
	_, err = api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: bucket})
	wantCode(t, "sub-resource that is not played", err, "UnknownOperationException")
}

func budgetInput(name, amount string) *budgets.CreateBudgetInput {
	return &budgets.CreateBudgetInput{AccountId: aws.String(demoManagement), Budget: &budgettypes.Budget{BudgetName: &name, BudgetType: budgettypes.BudgetTypeCost, TimeUnit: budgettypes.TimeUnitMonthly,
		BudgetLimit: &budgettypes.Spend{Amount: &amount, Unit: aws.String("USD")}, Metrics: []budgettypes.Metric{"UnblendedCost"},
		FilterExpression: &budgettypes.Expression{Dimensions: &budgettypes.ExpressionDimensionValues{Key: budgettypes.DimensionLinkedAccount, Values: []string{demoHub}}}},
		NotificationsWithSubscribers: []budgettypes.NotificationWithSubscribers{{Notification: &budgettypes.Notification{NotificationType: "ACTUAL", ComparisonOperator: "GREATER_THAN", Threshold: 80},
			Subscribers: []budgettypes.Subscriber{{SubscriptionType: "EMAIL", Address: aws.String("owner@example.com")}}}}}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	api := budgets.NewFromConfig(w.as(asAdmin))
	if _, err := api.CreateBudget(ctx, budgetInput("slw-payments", "500")); err != nil {
		t.Fatal(err)
	}
	_, err := api.CreateBudget(ctx, budgetInput("slw-payments", "500"))
	wantCode(t, "created twice", err, "DuplicateRecordException")
	_, err = api.CreateBudget(ctx, budgetInput("free", "0"))
	wantCode(t, "no amount", err, "InvalidParameterException")
	update := budgetInput("slw-payments", "750").Budget
	if _, err := api.UpdateBudget(ctx, &budgets.UpdateBudgetInput{AccountId: aws.String(demoManagement), NewBudget: update}); err != nil {
		t.Fatal(err)
	}
	ask := &budgets.DescribeBudgetInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-payments"), ShowFilterExpression: aws.Bool(true)}
	got, err := api.DescribeBudget(ctx, ask)
	if err != nil || *got.Budget.BudgetLimit.Amount != "750" || got.Budget.FilterExpression.Dimensions.Values[0] != demoHub || got.Budget.TimePeriod.Start.Day() != 1 {
		t.Errorf("budget %+v, %v", got, err)
	}
	n := &budgettypes.Notification{NotificationType: "FORECASTED", ComparisonOperator: "GREATER_THAN", Threshold: 100, ThresholdType: "PERCENTAGE"}
	who := budgettypes.Subscriber{SubscriptionType: "EMAIL", Address: aws.String("owner@example.com")}
	for i, want := range []string{"", "DuplicateRecordException"} {
		_, err := api.CreateNotification(ctx, &budgets.CreateNotificationInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-payments"), Notification: n, Subscribers: []budgettypes.Subscriber{who}})
		wantCode(t, "notification "+string(rune('1'+i)), err, want)
	}
	list, err := api.DescribeNotificationsForBudget(ctx, &budgets.DescribeNotificationsForBudgetInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-payments")})
	if err != nil || len(list.Notifications) != 2 {
		t.Errorf("notifications %+v, %v", list, err)
	}
	people, err := api.DescribeSubscribersForNotification(ctx, &budgets.DescribeSubscribersForNotificationInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-payments"), Notification: n})
	if err != nil || len(people.Subscribers) != 1 {
		t.Errorf("subscribers %+v, %v", people, err)
	}
	_, err = budgets.NewFromConfig(w.as(asHubAdmin)).DescribeBudget(ctx, ask)
	wantCode(t, "of another account", err, "AccessDeniedException")
	if _, err := api.DeleteBudget(ctx, &budgets.DeleteBudgetInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("slw-payments")}); err != nil {
		t.Error(err)
	}
	_, err = api.DescribeBudget(ctx, ask)
	wantCode(t, "deleted", err, "NotFoundException")
}

func TestAccountQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	api := servicequotas.NewFromConfig(w.as(asAdmin))
	got, err := api.GetServiceQuota(t.Context(), &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("organizations"), QuotaCode: aws.String("L-E619E033")})
	if err != nil || *got.Quota.Value != accountLimit {
		t.Errorf("quota %+v, %v", got, err)
	}
	_, err = api.GetServiceQuota(t.Context(), &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1")})
	wantCode(t, "unknown quota", err, "NoSuchResourceException")
}
