package awssim

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func (w *world) deed(t *testing.T, method, path string, d deed) map[string]any {
	t.Helper()
	status, out := w.byHandAPI(t, method, path, d)
	if status != 201 {
		t.Fatalf("%s %s %+v: %d %v", method, path, d, status, out)
	}
	return out
}

// TestRoleLosesAndRegains: what is dropped is no more granted, what is restored is as before.
func TestRoleLosesAndRegains(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	api := iam.NewFromConfig(w.as(asAdmin))
	role := "arn:aws:iam::" + demoManagement + ":role/slipway/platform/slipway-org"
	decision := func(action string) iamtypes.PolicyEvaluationDecisionType {
		out, err := api.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &role, ActionNames: []string{action}})
		if err != nil {
			t.Fatal(err)
		}
		return out.EvaluationResults[0].EvalDecision
	}
	d := deed{Account: demoManagement, Name: "slipway-org", Key: "organizations:ListAccounts"}
	out := w.deed(t, "POST", "/roles/drop", d)
	if gone := out["dropped"].([]any); len(gone) != 1 || gone[0] != "organizations:List*" {
		t.Errorf("dropped %v", gone)
	}
	if got := decision("organizations:ListAccounts"); got != iamtypes.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Errorf("dropped: %s", got)
	}
	if status, _ := w.byHandAPI(t, "POST", "/roles/drop", d); status != 409 {
		t.Errorf("dropped twice: %d", status)
	}
	w.deed(t, "POST", "/roles/deny", deed{Account: demoManagement, Name: "slipway-org", Key: "organizations:CreateAccount"})
	if got := decision("organizations:CreateAccount"); got != iamtypes.PolicyEvaluationDecisionTypeExplicitDeny {
		t.Errorf("denied: %s", got)
	}
	w.deed(t, "POST", "/roles/restore", d)
	for _, action := range []string{"organizations:ListAccounts", "organizations:CreateAccount"} {
		if got := decision(action); got != iamtypes.PolicyEvaluationDecisionTypeAllowed {
			t.Errorf("restored, %s: %s", action, got)
		}
	}
	w.deed(t, "POST", "/roles/distrust", deed{Account: demoManagement, Name: "slipway-org", Value: "another installation"})
	seen, err := api.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("slipway-org")})
	if err != nil || !strings.Contains(*seen.Role.AssumeRolePolicyDocument, "another-installation-0001") {
		t.Errorf("trust of another installation: %v", err)
	}
}

// TestRequirements switches each off and on again, and reads what AWS would say then.
func TestRequirements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	for _, r := range requirements() {
		for _, on := range []bool{false, true} {
			w.deed(t, "PUT", "/requirements", deed{Account: demoManagement, Name: r.Name, On: on})
			w.do(t, func(ctx context.Context, c *Call) error {
				is, err := r.is(ctx, c)
				if is != on {
					t.Errorf("%s is %v, want %v", r.Name, is, on)
				}
				return err
			})
		}
	}
	org := organizations.NewFromConfig(w.as(asAdmin))
	w.deed(t, "PUT", "/requirements", deed{Account: demoManagement, Name: "features"})
	if out, err := org.DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{}); err != nil || out.Organization.FeatureSet != orgtypes.OrganizationFeatureSetConsolidatedBilling {
		t.Errorf("features: %v", err)
	}
	page := w.page(t, "/setup")
	if !strings.Contains(page, "All features of the organization: <strong>off</strong>") || !strings.Contains(page, "Drop it from slipway-org") {
		t.Error("the page does not show what is off, or no role")
	}
	hub := demoHub
	if out, err := org.ListDelegatedServicesForAccount(t.Context(), &organizations.ListDelegatedServicesForAccountInput{AccountId: &hub}); err != nil || len(out.DelegatedServices) < 2 {
		t.Errorf("delegated services: %v", err)
	}
	w.deed(t, "PUT", "/requirements", deed{Account: demoManagement, Name: "cost-tags"})
	costs := costexplorer.NewFromConfig(w.as(asAdmin))
	if out, err := costs.ListCostAllocationTags(t.Context(), &costexplorer.ListCostAllocationTagsInput{Status: "Inactive"}); err != nil || len(out.CostAllocationTags) != 3 {
		t.Errorf("cost allocation tags: %v", err)
	}
	_, err := costexplorer.NewFromConfig(w.as(asHubAdmin)).ListCostAllocationTags(t.Context(), &costexplorer.ListCostAllocationTagsInput{})
	wantCode(t, "a member account asks for them", err, "AccessDeniedException")
	bucket := auditBucket
	api := s3.NewFromConfig(w.as(asHubAdmin), func(o *s3.Options) { o.UsePathStyle = true })
	if out, err := api.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: &bucket}); err != nil || out.ObjectLockConfiguration.ObjectLockEnabled != "Enabled" {
		t.Errorf("object lock: %v", err)
	}
	w.deed(t, "PUT", "/requirements", deed{Account: demoManagement, Name: "object-lock"})
	_, err = api.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: &bucket})
	wantCode(t, "object lock off", err, "ObjectLockConfigurationNotFoundError")
}

// TestInstanceFails: a failed delivery is listed with its reason.
func TestInstanceFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	id := vend(t, w, "payments-nonprod", demoNonprod)
	w.deed(t, "PUT", "/instances", deed{Account: id, Value: "the role is there already"})
	set := "slipway-spoke"
	out, err := cfn.NewFromConfig(w.as(asWorker)).ListStackInstances(t.Context(), &cfn.ListStackInstancesInput{StackSetName: &set, CallAs: cfntypes.CallAsDelegatedAdmin,
		Filters: []cfntypes.StackInstanceFilter{{Name: cfntypes.StackInstanceFilterNameDetailedStatus, Values: aws.String("FAILED")}}})
	if err != nil || len(out.Summaries) != 1 || *out.Summaries[0].StatusReason != "the role is there already" {
		t.Errorf("failed instances: %v", err)
	}
}

// page reads one of the simulator's own pages.
func (w *world) page(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/_slipway"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, res.Status, err)
	}
	return string(body)
}
