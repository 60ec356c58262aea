package awssim

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestVendAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	ctx := t.Context()
	cfg := w.as(asAdmin)
	org := organizations.NewFromConfig(cfg)

	made, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("payments-nonprod"), Email: aws.String("aws+payments-nonprod-1@example.com"),
		Tags: []orgtypes.Tag{{Key: aws.String("slipway:tenant"), Value: aws.String("payments")}}})
	if err != nil {
		t.Fatal(err)
	}
	st := made.CreateAccountStatus
	if st.State != orgtypes.CreateAccountStateInProgress || st.RequestedTimestamp == nil {
		t.Fatalf("new creation: %+v", st)
	}
	twin, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("again"), Email: aws.String("AWS+payments-nonprod-1@example.com")})
	if err != nil || twin.CreateAccountStatus.FailureReason != orgtypes.CreateAccountFailureReasonConcurrentAccountModification {
		t.Errorf("same address while in progress: %+v, %v", twin, err)
	}
	id := waitForAccount(t, org, *st.Id)
	if n := count(t, w, `SELECT count(*) FROM accounts WHERE email LIKE 'aws+payments%'`); n != 1 {
		t.Errorf("%d accounts with the address", n)
	}
	late, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("again"), Email: aws.String("aws+payments-nonprod-1@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the late creation ends", func() bool {
		out, err := org.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: late.CreateAccountStatus.Id})
		return err == nil && out.CreateAccountStatus.FailureReason == orgtypes.CreateAccountFailureReasonEmailAlreadyExists
	})

	if _, err := org.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &id, SourceParentId: aws.String(demoRoot), DestinationParentId: aws.String(demoNonprod)}); err != nil {
		t.Fatal(err)
	}
	_, err = org.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &id, SourceParentId: aws.String(demoRoot), DestinationParentId: aws.String(demoNonprod)})
	wantCode(t, "move again", err, "DuplicateAccountException")
	checkMember(t, org, id)
	eventually(t, "ListAccounts shows the account", func() bool {
		pages := organizations.NewListAccountsPaginator(org, &organizations.ListAccountsInput{MaxResults: aws.Int32(2)})
		seen := 0
		for pages.HasMorePages() {
			p, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen += len(p.Accounts)
		}
		return seen == 8
	})
	eventually(t, "the access role can be assumed", func() bool {
		_, err := assume(t, cfg, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("break-glass")})
		return err == nil
	})
}

// checkMember asks everything that Slipway asks about a moved account.
func checkMember(t *testing.T, org *organizations.Client, id string) {
	t.Helper()
	ctx := t.Context()
	parents, err := org.ListParents(ctx, &organizations.ListParentsInput{ChildId: &id})
	if err != nil || *parents.Parents[0].Id != demoNonprod {
		t.Errorf("parents: %+v, %v", parents, err)
	}
	policies, err := org.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: aws.String(demoNonprod), Filter: orgtypes.PolicyTypeServiceControlPolicy})
	if err != nil || len(policies.Policies) != 2 {
		t.Errorf("policies of the unit: %+v, %v", policies, err)
	}
	tags, err := org.ListTagsForResource(ctx, &organizations.ListTagsForResourceInput{ResourceId: &id})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "payments" {
		t.Errorf("tags: %+v, %v", tags, err)
	}
}

func waitForAccount(t *testing.T, org *organizations.Client, car string) (id string) {
	t.Helper()
	eventually(t, "the account is created", func() bool {
		out, err := org.DescribeCreateAccountStatus(t.Context(), &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: &car})
		if err != nil {
			t.Fatal(err)
		}
		if out.CreateAccountStatus.State == orgtypes.CreateAccountStateFailed {
			t.Fatalf("creation failed: %s", out.CreateAccountStatus.FailureReason)
		}
		id = aws.ToString(out.CreateAccountStatus.AccountId)
		return id != ""
	})
	return id
}

func count(t *testing.T, w *world, query string, args ...any) (n int) {
	t.Helper()
	w.do(t, func(ctx context.Context, c *Call) error { return c.Tx.QueryRow(ctx, query, args...).Scan(&n) })
	return n
}

func TestOrganizationRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	admin, hub := organizations.NewFromConfig(w.as(asAdmin)), organizations.NewFromConfig(w.as(asHubAdmin))
	in := &organizations.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("x1@example.com")}
	_, err := hub.CreateAccount(ctx, in)
	wantCode(t, "a member creates", err, "AccessDeniedException")
	if _, err := hub.ListAccounts(ctx, nil); err != nil {
		t.Errorf("a delegated administrator reads: %v", err)
	}
	_, err = organizations.NewFromConfig(w.as(asWorker)).ListAccounts(ctx, nil)
	wantCode(t, "a role that is not there reads", err, "AccessDeniedException")
	for i := range createsAtOnce {
		email := string(rune('a'+i)) + "2@example.com"
		if _, err := admin.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("x"), Email: &email}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = admin.CreateAccount(ctx, in)
	wantCode(t, "one too many at once", err, "ConcurrentModificationException")
	_, err = admin.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("no address")})
	wantCode(t, "no address", err, "InvalidInputException")
	_, err = admin.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: aws.String("forged")})
	wantCode(t, "forged token", err, "InvalidInputException")
	_, err = admin.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: aws.String(demoRoot), Name: aws.String("prod")})
	wantCode(t, "unit of the same name", err, "DuplicateOrganizationalUnitException")
	_, err = admin.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String("999999999999")})
	wantCode(t, "unknown account", err, "AccountNotFoundException")
	_, err = admin.ListHandshakesForOrganization(ctx, nil)
	wantCode(t, "operation that is not played", err, "UnknownOperationException")
	_, err = organizations.NewFromConfig(w.as("AKIANOBODYKNOWS00000")).ListRoots(ctx, nil)
	wantCode(t, "unknown key", err, "UnrecognizedClientException")
}

// TestTwoProcesses races two simulators on one world: one address, one account.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	other := openWorld(t, w.database, 500)
	clients := []*organizations.Client{organizations.NewFromConfig(w.as(asAdmin)), organizations.NewFromConfig(other.as(asAdmin))}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := clients[i%2].CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("race"), Email: aws.String("race@example.com")})
			if c := code(err); c != "" {
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	eventually(t, "every creation ends", func() bool {
		if _, err := clients[0].ListRoots(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return count(t, w, `SELECT count(*) FROM account_creations WHERE state = 'IN_PROGRESS'`) == 0
	})
	if n := count(t, w, `SELECT count(*) FROM accounts WHERE email = 'race@example.com'`); n != 1 {
		t.Errorf("%d accounts with one address", n)
	}
}
