package provisioners

import (
	"context"
	"encoding/json"
	"time"

	"slipway/models"
)

// Registry is what steps may know and record of Slipway's own objects. Every method is idempotent: a step repeats it after a crash.
type Registry interface {
	TenantBook
	// EnsureTenant makes the request's tenant (creating) and one account row per class with its reserved e-mail address, or gives
	// what is there.
	EnsureTenant(ctx context.Context, actor models.Actor, requestID string) (models.Tenant, error)
	// Tenant reads a tenant with its accounts.
	Tenant(ctx context.Context, id string) (models.Tenant, error)
	// UsedSlug tells whether the slug belongs to another object than objectID, living or gone.
	UsedSlug(ctx context.Context, slug, objectID string) (bool, error)
	Account(ctx context.Context, id string) (models.Account, error)
	// SaveAccount changes an account under a row lock and audits what differs.
	SaveAccount(ctx context.Context, actor models.Actor, id string, change func(*models.Account)) error

	// SaveStack changes the stack row of an object under a lock; what differs is audited, nothing else is written.
	SaveStack(ctx context.Context, actor models.Actor, objectID string, change func(*models.Stack)) error

	// AskSlot queues an account for a creation slot and starts its VendWork. A slot that was freed without an account is asked for anew.
	AskSlot(ctx context.Context, actor models.Actor, runID, accountID string) error
	// Slot reads the claim; the zero value when none was ever made.
	Slot(ctx context.Context, accountID string) (models.CreationSlot, error)
	// SlotPlace tells how many accounts wait in front.
	SlotPlace(ctx context.Context, accountID string) (models.QueuePlace, error)

	// MadeChangeSet writes the owner row; called before the change set is made. The same account, region, stack and name is one row.
	MadeChangeSet(ctx context.Context, set models.ChangeSet) error
	// EndedChangeSet closes the owner row: executed, deleted or failed.
	EndedChangeSet(ctx context.Context, set models.ChangeSet, outcome string) error
}

// Rules judges plans by the rules file in force.
type Rules interface {
	Evaluate(models.RuleFacts) models.Verdict
}

// Vending is one account creation as the vendor is asked about it.
type Vending struct {
	Account   models.Account
	Tenant    models.Tenant
	RequestID string
	RunID     string
	StartedBy string          // person id: the source identity of AWS sessions
	Cursor    json.RawMessage // where a paged look goes on
	PutOff    time.Duration   // how long AWS has answered CreateAccount with "not now"
}

// Creation is what a vendor saw. Found: Absent (no creation status and no account with the e-mail address), Working, Present (AWS made
// it; AWSID is set), More (go on from Cursor). Failure is AWS's terminal FAILED.
type Creation struct {
	Found    Found
	CreateID string // AWS's id of the creation (car-...)
	AWSID    string
	AWSState string // AWS's own word
	Failure  *models.Failure
	Cursor   json.RawMessage
	Delay    time.Duration
}

// Vendor creates accounts. CreateAccount has no token, so Start is called only when Find said Absent.
type Vendor interface {
	Find(context.Context, Vending) (Creation, error)
	Start(context.Context, Vending) (Creation, error) // Final: AWS refused the call
	Poll(context.Context, Vending) (Creation, error)
}

// ChangeSetDeleter deletes a change set that no plan needs and, for a CREATE, the stack it left in review after reading that it holds
// no resource. What is gone already is no error.
type ChangeSetDeleter interface {
	DeleteChangeSet(context.Context, models.ChangeSet) error
}
