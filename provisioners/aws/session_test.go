package aws

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// TestSessionsAreNarrow opens sessions as steps do and tries what they are not for.
func TestSessionsAreNarrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	k := newWalk(t, w, w.clients(asWorker, nil), "payments", models.NonProd, models.Prod)
	k.mustPlan()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	c := k.tenants.clients
	mine, other := k.outputs["account.create.nonprod"]["account"], k.outputs["account.create.prod"]["account"]
	s := stack{clients: c, account: mine, region: "eu-west-1", name: "slw-payments-baseline", who: who{person: "p1", job: "r1"}}
	for name, try := range map[string]func() error{
		"another stack": func() error {
			_, err := s.client().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: sdk.String("slw-storefront-baseline")})
			return err
		},
		"delete what nobody approved": func() error { return s.remove(t.Context(), &s.name, "x") },
		"a role without a policy for it": func() error {
			_, err := organizationsClient(c.org(s.who, setContacts)).DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{})
			return err
		},
		"a session opened for another account": func() error {
			_, err := sts.NewFromConfig(c.config(mine, "eu-west-1", c.assume(c.roleARN(mine, "deploy"), other, identity, s.who))).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
		"web deploys": func() error {
			_, err := sts.NewFromConfig(w.clients(asWeb, nil).spoke(mine, "eu-west-1", "deploy", identity, s.who)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
		"a stranger's external id": func() error {
			wrong := w.clients(asWorker, func(o *Options) { o.ExternalID = "somebody-elses-secret" })
			_, err := sts.NewFromConfig(wrong.spoke(mine, "eu-west-1", "read", identity, s.who)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		},
	} {
		if err := try(); !is(err, "AccessDenied", "AccessDeniedException") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := sts.NewFromConfig(w.clients(asWeb, nil).spoke(mine, "eu-west-1", "read", identity, s.who)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Errorf("web cannot look: %v", err)
	}
}
