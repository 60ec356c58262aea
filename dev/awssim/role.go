package awssim

import (
	"context"
	"errors"
	"time"
)

// Role is an IAM role of the simulated world.
type Role struct {
	Account, Name string
	Path          string // begins and ends with a slash
	ID            string // AROA...; given by putRole
	Description   string
	TrustPolicy   string            // JSON
	Inline        map[string]string // policy name to JSON
	Managed       []string          // ARNs
	Boundary      string            // ARN, empty when none
	Tags          map[string]string
	MaxSession    int32     // seconds; 3600 when zero
	Created       time.Time // c.Now when zero
	UsableAfter   time.Time // given by putRole: IAM is eventually consistent
}

// ARN of the role.
func (r Role) ARN() string { return roleARN(r.Account, r.Path, r.Name) }

// Policy is a customer managed policy.
type Policy struct {
	Account, Name, Path, ID string
	Description             string
	Document                string // JSON
	Version                 int
	Tags                    map[string]string
	Created                 time.Time
}

// ARN of the policy.
func (p Policy) ARN() string { return arn("iam", "", p.Account, "policy"+p.Path+p.Name) }

var errNotWritten = errors.New("not written yet")

// putRole creates or replaces a role. Its documents are parsed first: one that the
// evaluator does not understand is refused as MalformedPolicyDocument.
func (c *Call) putRole(ctx context.Context, r Role) (Role, error) { return Role{}, errNotWritten }

// role finds a role by name; ok is false when there is none.
func (c *Call) role(ctx context.Context, account, name string) (r Role, ok bool, err error) {
	return Role{}, false, errNotWritten
}

// deleteRole removes a role; a role that is not there is no error.
func (c *Call) deleteRole(ctx context.Context, account, name string) error { return errNotWritten }

// putPolicy creates a managed policy or gives it a new default version.
func (c *Call) putPolicy(ctx context.Context, p Policy) (Policy, error) {
	return Policy{}, errNotWritten
}

// policy finds a managed policy by ARN, AWS's own few included.
func (c *Call) policy(ctx context.Context, arn string) (p Policy, ok bool, err error) {
	return Policy{}, false, errNotWritten
}

// deletePolicy removes a managed policy; one that is not there is no error.
func (c *Call) deletePolicy(ctx context.Context, arn string) error { return errNotWritten }

// keys are condition context keys of one call, e.g. "cloudformation:RoleArn". The keys
// of the principal (aws:PrincipalOrgID, aws:PrincipalTag/..., aws:SourceIdentity ...) and
// aws:RequestedRegion are there already.
type keys map[string][]string

// may asks whether the caller may do the call's own action on a resource; the refusal
// has AWS's words. Every operation must ask before it answers.
func (c *Call) may(ctx context.Context, resource string, k keys) error {
	return c.mayAs(ctx, c.Principal, c.Service+":"+c.Op, resource, k)
}

// mayAs asks for any principal and action: a pass of a role, or what a service does
// with the role it was passed.
func (c *Call) mayAs(ctx context.Context, p Principal, action, resource string, k keys) error {
	c.asked = true
	return errNotWritten
}

// fault finds a failure rule of kind create_failed for a logical id, counts the hit,
// and returns its reason.
func (c *Call) fault(ctx context.Context, account, stack, logicalID string) (reason string, ok bool, err error) {
	return "", false, errNotWritten
}

// object reads an object of a simulated bucket.
func (c *Call) object(ctx context.Context, bucket, key string) ([]byte, bool, error) {
	return nil, false, errNotWritten
}

// Account is a member of the organization.
type Account struct {
	ID, Name, Email, State string // AWS's State: ACTIVE, SUSPENDED, PENDING_CLOSURE ...
	Parent                 string // root or OU id
	Joined                 time.Time
	UsableAfter            time.Time // STS denies before
	Tags                   map[string]string
}

// account finds a member account.
func (c *Call) account(ctx context.Context, id string) (a Account, ok bool, err error) {
	return Account{}, false, errNotWritten
}

// accountsUnder lists active accounts whose parent is one of the OUs, or below them.
func (c *Call) accountsUnder(ctx context.Context, ous ...string) ([]Account, error) {
	return nil, errNotWritten
}
