package provisioners

import (
	"context"
	"time"

	"slipway/models"
)

// TenantBook is what the steps of a tenant's later life may know and record: enrolling, changing, closing. Every method is idempotent.
type TenantBook interface {
	// SaveTenant changes a tenant under a row lock and audits what differs. Slug and state are not its to change.
	SaveTenant(ctx context.Context, actor models.Actor, id string, change func(*models.Tenant)) error
	// EnsureAccount makes the account row that a request asks for (creating), or gives the living one of the class back. One to enrol
	// keeps its own name and e-mail address; a Conflict says in words that another tenant has it.
	EnsureAccount(ctx context.Context, actor models.Actor, requestID string, class models.Class, enrol *models.Account) (models.Account, error)
	// BoundAccount is the living account row of an AWS account; NotFound when none is bound to it.
	BoundAccount(ctx context.Context, awsID string) (models.Account, error)
	// ReleaseAccount takes an enrolled account's row back: it can be enrolled again.
	ReleaseAccount(ctx context.Context, actor models.Actor, accountID string) error

	// Contents lists the stacks of all that lives in the tenant's accounts, in the order in which it can be deleted: pipelines, connections,
	// environments, services, networks, zones, identity providers. A registered network has a stack without a name.
	Contents(ctx context.Context, tenantID string) ([]models.Stack, error)
	// BeginClosing refuses new requests about the tenant from now on, and cancels those that have not run.
	BeginClosing(ctx context.Context, actor models.Actor, requestID string) error
	// StopClosing lets the tenant be asked for things again: the undo of BeginClosing.
	StopClosing(ctx context.Context, actor models.Actor, requestID string) error
	// EndContent writes that one of them is deleted as part of closing its tenant.
	EndContent(ctx context.Context, actor models.Actor, requestID string, object models.ObjectType, id string) error
	// Closures counts the accounts whose closing AWS took since a time: AWS bounds them over 30 days.
	Closures(ctx context.Context, since time.Time) (int, error)

	// SaveAccess writes what an account's assignments look like now; rows of roles that are not named stay.
	SaveAccess(ctx context.Context, actor models.Actor, accountID string, access ...models.AccountAccess) error
	// Access lists the assignments of a tenant's accounts, as last seen.
	Access(ctx context.Context, tenantID string) ([]models.AccountAccess, error)
}
