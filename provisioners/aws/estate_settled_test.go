package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/jackc/pgx/v5"

	"slipway/models"
	"slipway/models/store"
)

// What every estate has: made once, and copied for each test.
const (
	askerID     = "10000000-0000-4000-8000-000000000001"
	approverID  = "10000000-0000-4000-8000-000000000002"
	tenantID    = "10000000-0000-4000-8000-000000000003"
	accountRow  = "10000000-0000-4000-8000-000000000004"
	madeByID    = "10000000-0000-4000-8000-000000000005"
	serviceID   = "10000000-0000-4000-8000-000000000006"
	accountID   = "600000000001"
	accountName = "payments-nonprod"
)

// settledStore is a database with a tenant that has one account, and two people.
func settledStore(ctx context.Context, url string) error {
	if err := store.Migrate(ctx, url); err != nil {
		return err
	}
	return execAll(ctx, url,
		`INSERT INTO people (id, issuer, subject, name, groups, groups_seen_at, created_at) SELECT id::uuid, 'i', name, name, '{platform-admins}', now(), now()
			FROM (VALUES ('`+askerID+`', 'asker'), ('`+approverID+`', 'approver')) AS p (id, name)`,
		`INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at, ended_at)
			VALUES ('`+madeByID+`', 'tenant.create', 'tenant', '`+tenantID+`', 'payments', 'Create tenant payments', 'succeeded', '{}', ARRAY['`+askerID+`']::uuid[], '`+askerID+`', 'settled', now(), now(), now(), now())`,
		`INSERT INTO tenants (id, slug, display_name, description, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
			VALUES ('`+tenantID+`', 'payments', 'Payments', '', 'o', 'd', 'v', 'CC-4100', 4000, 'ready', '`+madeByID+`', now(), now())`,
		`UPDATE requests SET tenant_id = '`+tenantID+`'`,
		`INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, aws_state, created_at)
			VALUES ('`+accountRow+`', '`+tenantID+`', 'nonprod', '`+accountName+`', 'aws+payments@example.com', '`+accountID+`', 'ready', 'ACTIVE', now())`,
		`INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at)
			VALUES ('`+serviceID+`', '`+tenantID+`', '`+accountRow+`', 'nonprod', 'notes', 'ready', '`+madeByID+`', now(), now())`,
		`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, outputs)
			VALUES ('`+serviceID+`', 'service', '`+tenantID+`', '`+accountRow+`', 'eu-west-1', 'slw-payments-svc-notes', '{"RepositoryUri": "r"}')`)
}

func execAll(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// settledWorld is a simulated organization with the tenant's account in it: enrolled, with its roles and its baseline.
func settledWorld(ctx context.Context, url string) error {
	sim, err := simulator(ctx, url, 5000)
	if err != nil {
		return err
	}
	defer sim.Close()
	srv := httptest.NewServer(sim.Handler())
	defer srv.Close()
	err = execAll(ctx, url, `INSERT INTO accounts (id, name, email, state, parent, joined_at, usable_after, listed_after, tags)
		VALUES ('`+accountID+`', '`+accountName+`', 'aws+payments@example.com', 'ACTIVE', 'r-demo', clock_timestamp(), clock_timestamp(), clock_timestamp(),
			'{"slipway:tenant": "payments", "slipway:account": "`+accountRow+`", "slipway:request": "`+madeByID+`"}')`,
		`INSERT INTO org_attachments (policy, target) VALUES ('p-FullAWSAccess', '`+accountID+`')`)
	if err != nil {
		return err
	}
	c, err := New(ctx, Options{Endpoint: srv.URL, Region: "eu-west-1", Regions: []string{"eu-west-1"}, ExternalID: externalID, Clock: &models.ShiftedClock{}, Pace: 1000,
		OrgRoleARN: "arn:aws:iam::111111111111:role/slipway/platform/slipway-org", Credentials: credentials.NewStaticCredentialsProvider(asWorker, "secret", "")})
	if err != nil {
		return err
	}
	cfg := c.config("111111111111", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMMGMTADMIN0001", "s", ""))
	if _, err := organizationsClient(cfg).MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: sdk.String(accountID), SourceParentId: sdk.String("r-demo"),
		DestinationParentId: sdk.String("ou-demo-nonprod01")}); err != nil {
		return err
	}
	return settleBaseline(ctx, stack{clients: c, account: accountID, region: "eu-west-1", name: baselineStackName("payments"), who: who{job: "settle"}})
}

// settleBaseline makes the baseline as soon as the account's roles are there.
func settleBaseline(ctx context.Context, s stack) error {
	template, err := os.ReadFile("../blueprints/tenant-baseline/1.0.0/template.yaml")
	if err != nil {
		return err
	}
	in := &cloudformation.CreateChangeSetInput{StackName: &s.name, ChangeSetName: sdk.String("settle"), ClientToken: sdk.String("settle"), ChangeSetType: cfn.ChangeSetTypeCreate,
		TemplateBody: sdk.String(string(template)), RoleARN: sdk.String(s.clients.roleARN(s.account, "cfn-exec")), Capabilities: []cfn.Capability{cfn.CapabilityCapabilityNamedIam},
		Parameters: parameterList(map[string]string{"Tenant": "payments", "Class": "nonprod", "CostCentre": "CC-4100"}), Tags: tagList(map[string]string{"slipway:tenant": "payments"})}
	for range 2000 {
		if err = s.settle(ctx, in); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("the baseline does not come up: %w", err)
}

var errNotYet = errors.New("not yet")

// settle goes one step towards a stack that is complete.
func (s stack) settle(ctx context.Context, in *cloudformation.CreateChangeSetInput) error {
	st, err := s.describe(ctx)
	switch {
	case err != nil:
		return err
	case st == nil:
		_, err = s.client().CreateChangeSet(ctx, in)
		return errors.Join(errNotYet, err)
	case st.StackStatus == cfn.StackStatusReviewInProgress:
		_, err = s.client().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &s.name, ChangeSetName: in.ChangeSetName})
		return errors.Join(errNotYet, err)
	case st.StackStatus != cfn.StackStatusCreateComplete:
		return fmt.Errorf("%w: %s", errNotYet, st.StackStatus)
	}
	return nil
}
