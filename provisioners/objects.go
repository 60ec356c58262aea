package provisioners

import (
	"context"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
)

// Objects is what plans and steps may know and record of networks, zones, services, environments, connections, pipelines and identity
// providers. Every method is idempotent: a step repeats it after a crash. What does not exist is NotFound.
type Objects interface {
	Tenant(ctx context.Context, id string) (models.Tenant, error)
	// BlueprintByDigest reads a version as it was loaded; workers read blueprints from the database only.
	BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
	// NewestBlueprint is the newest version of a name that is offered: what networks, zones and services are made of.
	NewestBlueprint(ctx context.Context, name string) (blueprint.Version, error)

	Environment(ctx context.Context, id string) (models.Environment, error)
	Network(ctx context.Context, id string) (models.Network, error)
	Service(ctx context.Context, id string) (models.Service, error)
	Connection(ctx context.Context, id string) (models.Connection, error)
	Pipeline(ctx context.Context, id string) (models.Pipeline, error)
	// IdentityProviderOf reads the identity provider of an account (its row id) for an issuer.
	IdentityProviderOf(ctx context.Context, accountID, issuer string) (models.IdentityProvider, error)
	// ZoneOf reads the hosted zone of an account (its row id).
	ZoneOf(ctx context.Context, accountID string) (models.Zone, error)
	// StackOf reads the stack row of an object. A tenant's baseline has none: its outputs are read from its stack.
	StackOf(ctx context.Context, objectID string) (models.Stack, error)
	// UsersOf names in words what stands on a network, service or connection and would lose it: environments, pipelines.
	UsersOf(ctx context.Context, objectID string) ([]string, error)

	// EnsureObject makes the row that a create request asks for (creating), with its stack row; or gives back what is there.
	EnsureObject(ctx context.Context, actor models.Actor, requestID string, stack models.Stack) error
	// EnsureZone makes the zone row of an account, with its stack row, for the first network there, under the id that it was planned with.
	EnsureZone(ctx context.Context, actor models.Actor, requestID string, zone models.Zone) (models.Zone, error)
	// EnsureIdentityProvider makes the row of an account's identity provider, with its stack row, for the first pipeline that needs it, under
	// the id that it was planned with.
	EnsureIdentityProvider(ctx context.Context, actor models.Actor, requestID string, p models.IdentityProvider) (models.IdentityProvider, error)
	// SaveStack changes the stack row under a lock; what differs is audited, nothing else is written.
	SaveStack(ctx context.Context, actor models.Actor, objectID string, change func(*models.Stack)) error
	SaveEnvironment(ctx context.Context, actor models.Actor, id string, change func(*models.Environment)) error
	SaveNetwork(ctx context.Context, actor models.Actor, id string, change func(*models.Network)) error
	SaveService(ctx context.Context, actor models.Actor, id string, change func(*models.Service)) error
	SaveZone(ctx context.Context, actor models.Actor, id string, change func(*models.Zone)) error
	// SaveConnection writes a connection's status and estimate.
	SaveConnection(ctx context.Context, actor models.Actor, id string, change func(*models.Connection)) error
	// SavePipeline writes a pipeline's source, stages, whether it is paused, and its estimate.
	SavePipeline(ctx context.Context, actor models.Actor, id string, change func(*models.Pipeline)) error
	// SaveIdentityProvider writes the state that the run of its first pipeline leads it to.
	SaveIdentityProvider(ctx context.Context, actor models.Actor, id string, change func(*models.IdentityProvider)) error

	// SaveRunResources upserts resources of a run's step by logical id and wakes the run's page. One without a start keeps the one it had.
	SaveRunResources(ctx context.Context, runID string, resources []models.RunResource) error
	// WriteReceipt writes the receipt of a request once; a repetition changes nothing.
	WriteReceipt(ctx context.Context, actor models.Actor, receipt models.Receipt) error
	// Drift reads the newest check of an object.
	Drift(ctx context.Context, objectID string) (models.Drift, error)
	// AcceptDrift lets what the newest check found be until a day.
	AcceptDrift(ctx context.Context, actor models.Actor, objectID string, until time.Time, by, reason string) error

	MadeChangeSet(ctx context.Context, set models.ChangeSet) error
	EndedChangeSet(ctx context.Context, set models.ChangeSet, outcome string) error
	// OpenChangeSets lists the request's change sets that have not ended, newest first.
	OpenChangeSets(ctx context.Context, requestID string) ([]models.ChangeSet, error)
}

// DriftBook is where drift checks are kept. Checks are journaled work (models.DriftWork): the engine starts one, polls and writes it down.
type DriftBook interface {
	// StartDue starts the nightly check of environments whose turn it is in product time, and puts each one's next turn off by a day.
	StartDue(ctx context.Context, limit int) (int, error)
	// BeginDrift makes the check's row for an environment, or gives the one that is still going on.
	BeginDrift(ctx context.Context, job Job, by string) (models.Drift, models.Environment, error)
	// KeepDetection writes down CloudFormation's id of the comparison.
	KeepDetection(ctx context.Context, job Job, driftID, detectionID string, next Next) error
	// EndDrift writes what was found, and the environment's own drift state with it.
	EndDrift(ctx context.Context, job Job, drift models.Drift) error
}

// DriftChecker asks CloudFormation to compare a stack with its account.
type DriftChecker interface {
	// StartDrift begins a comparison and returns its id. A comparison that goes on already answers with Wait.
	StartDrift(ctx context.Context, env models.Environment) (id string, err error)
	// PollDrift tells whether it has ended and, when it has, what it found: state, checked, not checked, resources, failure.
	PollDrift(ctx context.Context, env models.Environment, id string) (done bool, found models.Drift, err error)
}
