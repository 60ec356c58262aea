package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

type connectionRow struct {
	ID        string
	Name      string
	Provider  models.SourceHost
	ConStatus models.ConnectionStatus
	ConAt     *time.Time
	State     models.ObjectState
	Estimate  jsonb
	RequestID string
	CreatedAt time.Time
	UpdatedAt time.Time
	Stack     stackRow `gorm:"embedded"`
}

const connectionColumns = `c.id, c.name, c.provider, c.status AS con_status, c.status_at AS con_at, c.state, c.estimate, c.request_id, c.created_at, c.updated_at, ` + stackColumns

const connectionJoined = stackJoined + ` JOIN connections c ON c.id = s.object_id`

func (r connectionRow) model() (models.Connection, error) {
	m := models.Connection{ID: r.ID, TenantID: r.Stack.StackTenant, TenantSlug: r.Stack.StackSlug, Name: r.Name, Provider: r.Provider, AccountID: r.Stack.AccountID,
		Class: r.Stack.AccountClass, Status: r.ConStatus, StatusAt: value(r.ConAt), State: r.State, RequestID: r.RequestID, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	var err error
	if m.Stack, err = r.Stack.model(); err != nil {
		return m, err
	}
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	m.Estimate, err = estimateOf(r.Estimate)
	return m, err
}

func readConnection(db *gorm.DB, where string, args ...any) (models.Connection, error) {
	row, err := one[connectionRow](db, `SELECT `+connectionColumns+`, s.resources FROM `+connectionJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Connection{}, fmt.Errorf("read the connection: %w", err)
	}
	return row.model()
}

type pipelineRow struct {
	ID             string
	Name           string
	Kind           models.PipelineKind
	ServiceID      string
	ServiceName    string
	Repository     *string
	ConnectionID   *string
	ConnectionName *string
	Source         jsonb
	Stages         jsonb
	Paused         bool
	State          models.ObjectState
	Estimate       jsonb
	RequestID      string
	CreatedAt      time.Time
	UpdatedAt      time.Time
	ReadAt         *time.Time
	ReadGap        jsonb
	Moving         bool
	Stack          stackRow `gorm:"embedded"`
}

// pipelineColumns are a pipeline with its stack: see pipelineJoined. The repository is that of its service's images.
const pipelineColumns = `p.id, p.name, p.kind, p.service_id, v.name AS service_name, (SELECT q.outputs->>'RepositoryUri' FROM stacks q WHERE q.object_id = p.service_id) AS repository,
	p.connection_id, c.name AS connection_name, p.source, p.stages, p.paused, p.state, p.estimate, p.request_id, p.created_at, p.updated_at, p.read_at, p.read_gap, p.moving, ` + stackColumns

const pipelineJoined = stackJoined + ` JOIN pipelines p ON p.id = s.object_id JOIN services v ON v.id = p.service_id LEFT JOIN connections c ON c.id = p.connection_id`

func (r pipelineRow) model() (models.Pipeline, error) {
	m := models.Pipeline{ID: r.ID, TenantID: r.Stack.StackTenant, TenantSlug: r.Stack.StackSlug, Name: r.Name, Kind: r.Kind, ServiceID: r.ServiceID, ServiceName: r.ServiceName,
		Repository: value(r.Repository), ConnectionID: value(r.ConnectionID), ConnectionName: value(r.ConnectionName), Paused: r.Paused, AccountID: r.Stack.AccountID,
		Class: r.Stack.AccountClass, State: r.State, RequestID: r.RequestID, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, ReadAt: value(r.ReadAt), Moving: r.Moving}
	var err error
	if m.Stack, err = r.Stack.model(); err != nil {
		return m, err
	}
	m.Stack.State, m.Stack.ObjectName = r.State, r.Name
	if m.Estimate, err = estimateOf(r.Estimate); err != nil {
		return m, err
	}
	if len(r.ReadGap) > 0 {
		m.ReadGap = &models.ReadGap{}
	}
	for doc, v := range map[*jsonb]any{&r.Source: &m.Source, &r.Stages: &m.Stages, &r.ReadGap: m.ReadGap} {
		if err := doc.decode(v); err != nil {
			return m, fmt.Errorf("read pipeline %s: %w", r.Name, err)
		}
	}
	return m, nil
}

func readPipeline(db *gorm.DB, where string, args ...any) (models.Pipeline, error) {
	row, err := one[pipelineRow](db, `SELECT `+pipelineColumns+`, s.resources FROM `+pipelineJoined+` WHERE `+where, args...)
	if err != nil {
		return models.Pipeline{}, fmt.Errorf("read the pipeline: %w", err)
	}
	return row.model()
}

type identityProviderRow struct {
	ID     string
	Issuer string
	State  models.ObjectState
	Stack  stackRow `gorm:"embedded"`
}

func readIdentityProvider(db *gorm.DB, where string, args ...any) (models.IdentityProvider, error) {
	r, err := one[identityProviderRow](db, `SELECT i.id, i.issuer, i.state, `+stackColumns+`, s.resources FROM `+stackJoined+` JOIN identity_providers i ON i.id = s.object_id
		WHERE `+where, args...)
	if err != nil {
		return models.IdentityProvider{}, fmt.Errorf("read the identity provider: %w", err)
	}
	m := models.IdentityProvider{ID: r.ID, TenantID: r.Stack.StackTenant, AccountID: r.Stack.AccountID, Issuer: r.Issuer, State: r.State}
	m.Stack, err = r.Stack.model()
	m.Stack.State, m.Stack.ObjectName = r.State, r.Issuer
	return m, err
}

// Connection reads one with its stack.
func (g *Registry) Connection(ctx context.Context, id string) (models.Connection, error) {
	c, err := readConnection(g.s.read(ctx), `c.id = ?`, id)
	return c, translate(err)
}

// Pipeline reads one with its stack.
func (g *Registry) Pipeline(ctx context.Context, id string) (models.Pipeline, error) {
	p, err := readPipeline(g.s.read(ctx), `p.id = ?`, id)
	return p, translate(err)
}

// IdentityProviderOf reads the identity provider of an account for an issuer that is not deleted.
func (g *Registry) IdentityProviderOf(ctx context.Context, accountID, issuer string) (models.IdentityProvider, error) {
	p, err := readIdentityProvider(g.s.read(ctx), `i.account_id = ? AND i.issuer = ? AND i.state <> 'deleted'`, accountID, issuer)
	return p, translate(err)
}
