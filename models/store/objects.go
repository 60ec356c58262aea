package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/blueprint"
)

// stackColumns are the CloudFormation side of an object: stacks s JOIN tenants t, LEFT JOIN accounts a.
const stackColumns = `s.object_id, s.object_type, s.tenant_id AS stack_tenant, t.slug AS stack_slug, t.cost_centre, s.account_id, a.aws_id, a.class AS account_class, s.region AS stack_region,
	s.name AS stack_name, s.stack_id, s.status, s.reason, s.status_at, s.blueprint, s.version, s.digest, s.inputs, s.parameters, s.outputs`

const stackJoined = `stacks s JOIN tenants t ON t.id = s.tenant_id JOIN accounts a ON a.id = s.account_id`

type stackRow struct {
	ObjectID     string
	ObjectType   models.ObjectType
	StackTenant  string
	StackSlug    string
	CostCentre   string
	AccountID    string
	AWSID        *string `gorm:"column:aws_id"`
	AccountClass models.Class
	StackRegion  string
	StackName    string
	StackID      string
	Status       string
	Reason       string
	StatusAt     *time.Time
	Blueprint    string
	Version      string
	Digest       string
	Inputs       jsonb
	Parameters   jsonb
	Outputs      jsonb
	Resources    jsonb
}

func (r stackRow) model() (models.Stack, error) {
	m := models.Stack{ObjectID: r.ObjectID, ObjectType: r.ObjectType, TenantID: r.StackTenant, TenantSlug: r.StackSlug, CostCentre: r.CostCentre, AccountID: r.AccountID,
		Account: value(r.AWSID), Class: r.AccountClass, Region: r.StackRegion, Name: r.StackName, StackID: r.StackID, Status: r.Status, Reason: r.Reason,
		StatusAt: value(r.StatusAt), Blueprint: r.Blueprint, Version: r.Version, Digest: r.Digest}
	for doc, v := range map[*jsonb]any{&r.Inputs: &m.Inputs, &r.Parameters: &m.Parameters, &r.Outputs: &m.Outputs, &r.Resources: &m.Resources} {
		if err := doc.decode(v); err != nil {
			return m, fmt.Errorf("read stack %s: %w", r.StackName, err)
		}
	}
	return m, nil
}

func readStack(db *gorm.DB, objectID string) (models.Stack, error) {
	row, err := one[stackRow](db, `SELECT `+stackColumns+`, s.resources FROM `+stackJoined+` WHERE s.object_id = ?`, objectID)
	if err != nil {
		return models.Stack{}, fmt.Errorf("read the stack of %s: %w", objectID, err)
	}
	return row.model()
}

// environmentColumns are an environment with its stack: environments e JOIN stacks s ...
const environmentColumns = `e.id, e.name, e.stage, e.network_id, e.service_id, v.name AS service_name, e.image, e.hibernated, e.host, e.usage, e.empty_buckets, e.expires_at,
	e.expiry_warned, e.hibernated_at, e.state, e.estimate, e.request_id, e.created_at, e.updated_at,
	(SELECT q.outputs FROM stacks q WHERE q.object_id = e.service_id) AS service_outputs, ` + stackColumns

const environmentJoined = stackJoined + ` JOIN environments e ON e.id = s.object_id LEFT JOIN services v ON v.id = e.service_id`

type environmentRow struct {
	ID           string
	Name         string
	Stage        models.Stage
	NetworkID    *string
	ServiceID    *string
	ServiceName  *string
	Image        string
	Hibernated   bool
	Host         string
	Usage        jsonb
	EmptyBuckets bool
	ExpiresAt    *time.Time
	ExpiryWarned string
	HibernatedAt *time.Time
	State        models.ObjectState
	Estimate     jsonb
	RequestID    string
	CreatedAt    time.Time
	UpdatedAt    time.Time

	ServiceOutputs jsonb
	Stack          stackRow `gorm:"embedded"`
}

func (r environmentRow) model() (models.Environment, error) {
	m := models.Environment{ID: r.ID, TenantID: r.Stack.StackTenant, TenantSlug: r.Stack.StackSlug, Name: r.Name, Stage: r.Stage, NetworkID: value(r.NetworkID),
		ServiceID: value(r.ServiceID), ServiceName: value(r.ServiceName), Image: r.Image, Hibernated: r.Hibernated, Host: r.Host, EmptyBuckets: r.EmptyBuckets,
		ExpiresAt: value(r.ExpiresAt), ExpiryWarned: r.ExpiryWarned, HibernatedAt: value(r.HibernatedAt), State: r.State, RequestID: r.RequestID,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	var err error
	if m.Stack, err = r.Stack.model(); err != nil {
		return m, err
	}
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	if m.Estimate, err = estimateOf(r.Estimate); err != nil {
		return m, err
	}
	var service struct{ RepositoryUri string }
	if err := r.ServiceOutputs.decode(&service); err != nil {
		return m, err
	}
	m.Repository = service.RepositoryUri
	return m, r.Usage.decode(&m.Usage)
}

func estimateOf(doc jsonb) (*models.Estimate, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	e := &models.Estimate{}
	return e, doc.decode(e)
}

// monthlyOf is an estimate as one figure, for lists and quotas.
func monthlyOf(e *models.Estimate) decimal.Decimal { return e.Total() }

func readEnvironment(db *gorm.DB, where string, args ...any) (models.Environment, error) {
	row, err := one[environmentRow](db, `SELECT `+environmentColumns+`, s.resources FROM `+environmentJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Environment{}, fmt.Errorf("read the environment: %w", err)
	}
	return row.model()
}

type networkRow struct {
	ID         string
	Name       string
	Registered bool
	CIDR       *string `gorm:"column:cidr"`
	State      models.ObjectState
	Estimate   jsonb
	RequestID  string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Stack      stackRow `gorm:"embedded"`
}

const networkColumns = `n.id, n.name, n.registered, n.cidr::text AS cidr, n.state, n.estimate, n.request_id, n.created_at, n.updated_at, ` + stackColumns

const networkJoined = stackJoined + ` JOIN networks n ON n.id = s.object_id`

func (r networkRow) model() (models.Network, error) {
	m := models.Network{ID: r.ID, TenantID: r.Stack.StackTenant, TenantSlug: r.Stack.StackSlug, AccountID: r.Stack.AccountID, Class: r.Stack.AccountClass, Region: r.Stack.StackRegion,
		Name: r.Name, Registered: r.Registered, CIDR: value(r.CIDR), State: r.State, RequestID: r.RequestID, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	var err error
	if m.Stack, err = r.Stack.model(); err != nil {
		return m, err
	}
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	m.Estimate, err = estimateOf(r.Estimate)
	return m, err
}

func readNetwork(db *gorm.DB, where string, args ...any) (models.Network, error) {
	row, err := one[networkRow](db, `SELECT `+networkColumns+`, s.resources FROM `+networkJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Network{}, fmt.Errorf("read the network: %w", err)
	}
	return row.model()
}

type serviceRow struct {
	ID        string
	Name      string
	State     models.ObjectState
	Estimate  jsonb
	RequestID string
	CreatedAt time.Time
	UpdatedAt time.Time
	Stack     stackRow `gorm:"embedded"`
}

const serviceColumns = `v.id, v.name, v.state, v.estimate, v.request_id, v.created_at, v.updated_at, ` + stackColumns

const serviceJoined = stackJoined + ` JOIN services v ON v.id = s.object_id`

func (r serviceRow) model() (models.Service, error) {
	m := models.Service{ID: r.ID, TenantID: r.Stack.StackTenant, TenantSlug: r.Stack.StackSlug, Name: r.Name, AccountID: r.Stack.AccountID, Class: r.Stack.AccountClass,
		State: r.State, RequestID: r.RequestID, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	var err error
	if m.Stack, err = r.Stack.model(); err != nil {
		return m, err
	}
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	m.Estimate, err = estimateOf(r.Estimate)
	return m, err
}

func readService(db *gorm.DB, where string, args ...any) (models.Service, error) {
	row, err := one[serviceRow](db, `SELECT `+serviceColumns+`, s.resources FROM `+serviceJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Service{}, fmt.Errorf("read the service: %w", err)
	}
	return row.model()
}

type zoneRow struct {
	ID          string
	Name        string
	State       models.ObjectState
	DelegatedAt *time.Time
	Stack       stackRow `gorm:"embedded"`
}

func readZone(db *gorm.DB, where string, args ...any) (models.Zone, error) {
	r, err := one[zoneRow](db, `SELECT z.id, z.name, z.state, z.delegated_at, `+stackColumns+`, s.resources FROM `+stackJoined+` JOIN zones z ON z.id = s.object_id WHERE `+where, args...)
	if err != nil {
		return models.Zone{}, fmt.Errorf("read the zone: %w", err)
	}
	m := models.Zone{ID: r.ID, TenantID: r.Stack.StackTenant, AccountID: r.Stack.AccountID, Name: r.Name, State: r.State, DelegatedAt: value(r.DelegatedAt)}
	m.Stack, err = r.Stack.model()
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	return m, err
}

// What steps may know of objects.

// Environment reads one with its stack.
func (g *Registry) Environment(ctx context.Context, id string) (models.Environment, error) {
	e, err := readEnvironment(g.s.read(ctx), `e.id = ?`, id)
	return e, translate(err)
}

// Network reads one with its stack.
func (g *Registry) Network(ctx context.Context, id string) (models.Network, error) {
	n, err := readNetwork(g.s.read(ctx), `n.id = ?`, id)
	return n, translate(err)
}

// Service reads one with its stack.
func (g *Registry) Service(ctx context.Context, id string) (models.Service, error) {
	v, err := readService(g.s.read(ctx), `v.id = ?`, id)
	return v, translate(err)
}

// ZoneOf reads the hosted zone of an account that is not deleted.
func (g *Registry) ZoneOf(ctx context.Context, accountID string) (models.Zone, error) {
	z, err := readZone(g.s.read(ctx), `z.account_id = ? AND z.state <> 'deleted'`, accountID)
	return z, translate(err)
}

// StackOf reads the stack of an object.
func (g *Registry) StackOf(ctx context.Context, objectID string) (models.Stack, error) {
	st, err := readStack(g.s.read(ctx), objectID)
	return st, translate(err)
}

// BlueprintByDigest reads a version as it was loaded.
func (g *Registry) BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error) {
	return g.s.BlueprintByDigest(ctx, digest)
}

// NewestBlueprint is the newest version of a name that is offered.
func (g *Registry) NewestBlueprint(ctx context.Context, name string) (blueprint.Version, error) {
	return g.s.OfferedBlueprint(ctx, models.System("provisioner", ""), name)
}

// Drift reads the newest check of an object.
func (g *Registry) Drift(ctx context.Context, objectID string) (models.Drift, error) {
	d, err := newestDrift(g.s.read(ctx), objectID)
	return d, translate(err)
}

// inputsOf decodes what a request asks for.
func inputsOf[T any](r models.Request) (in T, err error) {
	if err = json.Unmarshal(r.Inputs, &in); err != nil {
		err = fmt.Errorf("read the inputs of %s: %w", r.ID, err)
	}
	return in, err
}
