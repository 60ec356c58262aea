package awssim

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"slipway/provisioners/blueprints"
)

// instance is what the hub's worker sees of an account's spoke; nil when there is none.
func instance(t *testing.T, w *world, account string) *cfntypes.StackInstanceSummary {
	t.Helper()
	out, err := cfn.NewFromConfig(w.as(asWorker)).ListStackInstances(t.Context(), &cfn.ListStackInstancesInput{StackSetName: aws.String("slipway-spoke"), StackInstanceAccount: &account, CallAs: cfntypes.CallAsDelegatedAdmin})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Summaries) == 0 {
		return nil
	}
	return &out.Summaries[0]
}

// newMember is an account in the root, where no StackSet delivers.
func newMember(t *testing.T, w *world, name string) string {
	t.Helper()
	org := organizations.NewFromConfig(w.as(asAdmin))
	made, err := org.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: aws.String("aws+" + name + "@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	return waitForAccount(t, org, *made.CreateAccountStatus.Id)
}

func moveTo(t *testing.T, w *world, account, from, to string) {
	t.Helper()
	if _, err := organizations.NewFromConfig(w.as(asAdmin)).MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: &account, SourceParentId: &from, DestinationParentId: &to}); err != nil {
		t.Fatal(err)
	}
}

// deploySession opens slipway-deploy in an account as the worker does, once AWS knows it everywhere.
func deploySession(t *testing.T, w *world, account string, tags ...ststypes.Tag) *cfn.Client {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/slipway/platform/slipway-deploy"), RoleSessionName: aws.String("slw-test"), SourceIdentity: aws.String("owner"),
		ExternalId: aws.String("slipway-demo-external-id"), Tags: append(tags, ststypes.Tag{Key: aws.String("slipway:account"), Value: &account})}
	var client *cfn.Client
	eventually(t, "slipway-deploy can be assumed", func() bool {
		cfg, err := assume(t, w.as(asWorker), in)
		client = cfn.NewFromConfig(cfg)
		return err == nil
	})
	return client
}

func TestAutoDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 150)
	id := newMember(t, w, "auto")
	if instance(t, w, id) != nil {
		t.Fatal("an account in the root has a spoke already")
	}
	moveTo(t, w, id, demoRoot, demoNonprod)
	if i := instance(t, w, id); i == nil || i.Status != "OUTDATED" || (i.StackInstanceStatus.DetailedStatus != "PENDING" && i.StackInstanceStatus.DetailedStatus != "RUNNING") {
		t.Errorf("right after the move: %s", asText(i))
	}
	eventually(t, "the spoke is there", func() bool { return instance(t, w, id).StackInstanceStatus.DetailedStatus == "SUCCEEDED" })
	i := instance(t, w, id)
	if i.Status != "CURRENT" || !strings.Contains(aws.ToString(i.StackId), ":stack/StackSet-slipway-spoke-") || *i.OrganizationalUnitId != demoNonprod {
		t.Errorf("the instance is %s", asText(i))
	}
	op, err := cfn.NewFromConfig(w.as(asWorker)).DescribeStackSetOperation(t.Context(), &cfn.DescribeStackSetOperationInput{StackSetName: aws.String("slipway-spoke"), OperationId: i.LastOperationId, CallAs: cfntypes.CallAsDelegatedAdmin})
	if err != nil || op.StackSetOperation.Status != "SUCCEEDED" {
		t.Errorf("its operation: %s, %v", asText(op), err)
	}
	_, err = cfn.NewFromConfig(w.as(asWorker)).ListStackInstances(t.Context(), &cfn.ListStackInstancesInput{StackSetName: aws.String("slipway-spoke")})
	wantCode(t, "asking without being the delegated administrator", err, "StackSetNotFoundException")

	moveTo(t, w, id, demoNonprod, demoProd) // still covered: nothing changes
	if again := instance(t, w, id); again == nil || *again.StackId != *i.StackId {
		t.Errorf("moving between covered units made it %s", asText(again))
	}
	moveTo(t, w, id, demoProd, demoSuspended)
	if left := instance(t, w, id); left != nil {
		t.Errorf("after leaving it is %s", asText(left))
	}
	if n := count(t, w, `SELECT count(*) FROM roles WHERE account = $1`, id); n < 3 {
		t.Errorf("leaving took the roles away, though stacks are to be retained: %d left", n)
	}
}

func TestFailedDeploymentIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	s := newStackTest(t, w)
	s.failing("StackSet-slipway-spoke", "ExecRole", 1)
	id := newMember(t, w, "again")
	moveTo(t, w, id, demoRoot, demoProd)
	eventually(t, "the spoke fails", func() bool { return instance(t, w, id).StackInstanceStatus.DetailedStatus == "FAILED" })
	if i := instance(t, w, id); i.Status != "OUTDATED" || !strings.Contains(aws.ToString(i.StatusReason), "It rained.") {
		t.Errorf("the failed instance is %s", asText(i))
	}
	if n := count(t, w, `SELECT count(*) FROM roles WHERE account = $1 AND path = '/slipway/platform/'`, id); n != 0 {
		t.Errorf("the rollback left %d roles", n)
	}
	out, err := cfn.NewFromConfig(w.as(asHubAdmin)).CreateStackInstances(t.Context(), &cfn.CreateStackInstancesInput{StackSetName: aws.String("slipway-spoke"), CallAs: cfntypes.CallAsDelegatedAdmin,
		DeploymentTargets: &cfntypes.DeploymentTargets{OrganizationalUnitIds: []string{demoProd}}, Regions: []string{homeRegion}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the repetition succeeds", func() bool { return instance(t, w, id).StackInstanceStatus.DetailedStatus == "SUCCEEDED" })
	if got := *instance(t, w, id).LastOperationId; got != *out.OperationId {
		t.Errorf("the last operation is %s, want %s", got, *out.OperationId)
	}
}

// TestBaselineThroughTheSpoke makes the tenant baseline as a run does: by change set, in a
// session of slipway-deploy, executed by slipway-cfn-exec.
func TestBaselineThroughTheSpoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	id := newMember(t, w, "baseline")
	moveTo(t, w, id, demoRoot, demoNonprod)
	s := &stackTest{t, w, deploySession(t, w, id)}
	b, err := blueprints.Load(blueprints.TenantBaseline, blueprints.TenantBaselineVersion)
	if err != nil {
		t.Fatal(err)
	}
	in := &cfn.CreateChangeSetInput{StackName: aws.String("slw-payments-baseline"), ChangeSetName: aws.String("cs-1"), TemplateBody: aws.String(string(b.Template)), ChangeSetType: cfntypes.ChangeSetTypeCreate,
		Parameters: []cfntypes.Parameter{{ParameterKey: aws.String("Tenant"), ParameterValue: aws.String("payments")}, {ParameterKey: aws.String("Class"), ParameterValue: aws.String("nonprod")}, {ParameterKey: aws.String("CostCentre"), ParameterValue: aws.String("CC-1")}}}
	_, err = s.cfn.CreateChangeSet(t.Context(), in)
	wantCode(t, "a change set without the exec role", err, "AccessDenied")
	in.RoleARN = aws.String("arn:aws:iam::" + id + ":role/slipway/platform/slipway-cfn-exec")
	if _, err := s.cfn.CreateChangeSet(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if cs := s.described("slw-payments-baseline", "cs-1"); cs.Status != "CREATE_COMPLETE" || len(cs.Changes) != 12 {
		t.Fatalf("the change set is %s (%s) with %d changes", cs.Status, aws.ToString(cs.StatusReason), len(cs.Changes))
	}
	s.execute("slw-payments-baseline", "cs-1")
	stack := s.want("slw-payments-baseline", "CREATE_COMPLETE")
	if len(stack.Outputs) != 4 {
		t.Errorf("outputs: %s", asText(stack.Outputs))
	}

	_, err = s.cfn.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: stack.StackName})
	wantCode(t, "deleting what nobody approved", err, "AccessDenied")
	approved := deploySession(t, w, id, ststypes.Tag{Key: aws.String("slipway:approved"), Value: aws.String("true")})
	if _, err := approved.DeleteStack(t.Context(), &cfn.DeleteStackInput{StackName: stack.StackName}); err != nil {
		t.Fatal(err)
	}
	s.want(*stack.StackId, "DELETE_COMPLETE")
	s.happened(*stack.StackId, "AuditLog DELETE_SKIPPED", "slw-payments-baseline DELETE_COMPLETE")
}

// TestExecRoleIsHeldToItsPolicy lets the exec role try a role outside its path.
func TestExecRoleIsHeldToItsPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	id := newMember(t, w, "bounds")
	moveTo(t, w, id, demoRoot, demoNonprod)
	s := &stackTest{t, w, deploySession(t, w, id)}
	in := &cfn.CreateChangeSetInput{StackName: aws.String("slw-escape"), ChangeSetName: aws.String("cs"), TemplateBody: aws.String(topics), ChangeSetType: cfntypes.ChangeSetTypeCreate,
		Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}, RoleARN: aws.String("arn:aws:iam::" + id + ":role/slipway/platform/slipway-cfn-exec")}
	if _, err := s.cfn.CreateChangeSet(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	s.described("slw-escape", "cs")
	s.execute("slw-escape", "cs")
	stack := s.want("slw-escape", "ROLLBACK_COMPLETE")
	s.happened(*stack.StackId, "Topic CREATE_COMPLETE", `Role CREATE_FAILED: Resource handler returned message: "User: arn:aws:sts::`+id+`:assumed-role/slipway-cfn-exec/AWSCloudFormation is not authorized to perform: iam:CreateRole`)
	w.do(t, func(ctx context.Context, c *Call) error {
		if _, ok, err := c.role(ctx, id, "alarms-role"); ok || err != nil {
			t.Errorf("the role exists: %v, %v", ok, err)
		}
		return nil
	})
}
