package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedocument "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"slipway/models"
	"slipway/provisioners"
)

// IdentityCenter says how people get into tenants' accounts: which permission set each Slipway role is assigned.
type IdentityCenter struct {
	Instance string            // ARN; empty: not configured, and no run has a step for it
	Region   string            // the instance's own; empty: the home region
	Issuer   string            // of the groups' external ids, where the identity provider names groups by id; empty: by display name
	Sets     map[string]string // ARNs by role, or by role.class where a class has one of its own
}

// On tells whether accounts get assignments at all.
func (i IdentityCenter) On() bool { return i.Instance != "" }

// set is the permission set of a role in accounts of a class. Developers only read in prod, unless a set is named for that.
func (i IdentityCenter) set(role models.TenantRole, class models.Class) string {
	if arn := i.Sets[string(role)+"."+string(class)]; arn != "" {
		return arn
	}
	if role == models.Developer && class == models.Prod {
		role = models.Viewer
	}
	return i.Sets[string(role)]
}

// tenantRoles are the roles that people have in accounts, in the order of plans.
var tenantRoles = []models.TenantRole{models.Owner, models.Developer, models.Viewer}

// identities remembers the identity store of the instance, which never changes.
type identities struct {
	mu    sync.Mutex
	store string
}

// people is one session for questions and changes about assignments, as slipway-org: the management account may assign to every member
// without a delegation.
type people struct {
	*Clients
	sso   *ssoadmin.Client
	store *identitystore.Client
}

func (c *Clients) people(w who, policy string) people {
	region := c.IdentityCenter.Region
	if region == "" {
		region = c.Region
	}
	cfg := c.orgIn(w, policy, region)
	return people{Clients: c, sso: ssoadmin.NewFromConfig(cfg), store: identitystore.NewFromConfig(cfg)}
}

// lookAtAccess reads groups and assignments, and changes nothing.
var lookAtAccess = policy(statement{Action: []string{"identitystore:GetGroupId", "sso:Describe*", "sso:List*"}})

// assignAccess narrows a session to one permission set in one account.
func (c *Clients) assignAccess(account, set string) string {
	return policy(statement{Action: []string{"sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"},
		Resource: []string{c.IdentityCenter.Instance, set, fmt.Sprintf("arn:%s:sso:::account/%s", c.partition, account)}})
}

// storeID is the identity store that the instance takes its groups from.
func (p people) storeID(ctx context.Context) (string, error) {
	p.identities.mu.Lock()
	defer p.identities.mu.Unlock()
	if p.identities.store != "" {
		return p.identities.store, nil
	}
	out, err := p.sso.DescribeInstance(ctx, &ssoadmin.DescribeInstanceInput{InstanceArn: &p.IdentityCenter.Instance})
	if is(err, "ResourceNotFoundException") {
		return "", finalf("There is no IAM Identity Center instance %s.", "Correct SLIPWAY_IDENTITY_CENTER_ARN and, if it is in another region than the home region, SLIPWAY_IDENTITY_CENTER_REGION. Then retry.",
			p.IdentityCenter.Instance)
	}
	if err != nil {
		return "", err
	}
	p.identities.store = sdk.ToString(out.IdentityStoreId)
	return p.identities.store, nil
}

// groupID finds a group as the identity provider calls it; empty when the identity store has none.
func (p people) groupID(ctx context.Context, name string) (string, error) {
	store, err := p.storeID(ctx)
	if err != nil {
		return "", err
	}
	in := &identitystore.GetGroupIdInput{IdentityStoreId: &store, AlternateIdentifier: &storetypes.AlternateIdentifierMemberUniqueAttribute{
		Value: storetypes.UniqueAttribute{AttributePath: sdk.String("displayName"), AttributeValue: storedocument.NewLazyDocument(name)}}}
	if issuer := p.IdentityCenter.Issuer; issuer != "" {
		in.AlternateIdentifier = &storetypes.AlternateIdentifierMemberExternalId{Value: storetypes.ExternalId{Id: &name, Issuer: &issuer}}
	}
	out, err := p.store.GetGroupId(ctx, in)
	if is(err, "ResourceNotFoundException") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return sdk.ToString(out.GroupId), nil
}

// setName is what a permission set is called; empty when it does not exist any more.
func (p people) setName(ctx context.Context, arn string) (string, error) {
	out, err := p.sso.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: &p.IdentityCenter.Instance, PermissionSetArn: &arn})
	if is(err, "ResourceNotFoundException") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return sdk.ToString(out.PermissionSet.Name), nil
}

// assigned looks for a group among those that have a permission set in an account, a few pages a job.
func (p people) assigned(ctx context.Context, account, set, group string, cursor json.RawMessage) (provisioners.Result, error) {
	var token *string
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &token); err != nil {
			return absent, fmt.Errorf("read where the list of assignments goes on: %w", err)
		}
	}
	for range pagesPerLook {
		out, err := p.sso.ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: &p.IdentityCenter.Instance, AccountId: &account, PermissionSetArn: &set, NextToken: token})
		if is(err, "ResourceNotFoundException") {
			return absent, nil // the set is gone, and its assignments with it
		}
		if err != nil {
			return absent, err
		}
		for _, a := range out.AccountAssignments {
			if a.PrincipalType == ssotypes.PrincipalTypeGroup && sdk.ToString(a.PrincipalId) == group {
				return present, nil
			}
		}
		if token = out.NextToken; token == nil {
			return absent, nil
		}
	}
	at, err := json.Marshal(token)
	return provisioners.Result{Found: provisioners.More, Cursor: at}, err
}

// has asks for all pages at once: plans are made in one go.
func (p people) has(ctx context.Context, account string, g grant) (bool, error) {
	var at json.RawMessage
	for {
		res, err := p.assigned(ctx, account, g.set, g.groupID, at)
		if err != nil || res.Found != provisioners.More {
			return res.Found == provisioners.Present, err
		}
		at = res.Cursor
	}
}
