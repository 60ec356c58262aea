package store

import (
	"fmt"

	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/catalog"
)

// catalogPlace is which of a tenant's things are read: those of one tenant, or those after a tenant and name. x is the thing, t its tenant.
type catalogPlace struct {
	where string
	args  []any
	limit int
}

// of is the rows of a table at the place, in order, each with its tenant's slug and owners; wide tables are joined to those alone.
func (p catalogPlace) of(table, key, columns string) string {
	return `(SELECT ` + columns + `, x.state, t.slug, t.owner_group FROM tenants t JOIN ` + table + ` x ON x.tenant_id = t.id
		WHERE t.state <> 'deleted' AND x.state <> 'deleted' AND ` + p.where + ` ORDER BY t.slug, x.` + key + ` LIMIT ?)`
}

func (p catalogPlace) bound() []any { return append(append([]any{}, p.args...), p.limit) }

func catalogTenants(db *gorm.DB, where string, limit int, args ...any) ([]catalog.Tenant, error) {
	rows, err := many[catalog.Tenant](db, `SELECT t.id, t.slug, t.display_name, t.description, t.owner_group, t.state,
		EXISTS (SELECT FROM accounts a WHERE a.tenant_id = t.id AND a.state <> 'deleted' AND a.aws_id IS NOT NULL) AS has_account
		FROM tenants t WHERE t.state <> 'deleted' AND `+where+` ORDER BY t.slug LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list tenants for the catalogue: %w", err)
	}
	return rows, nil
}

// homeRow is what all things of tenants have.
type homeRow struct {
	ID         string
	Slug       string
	OwnerGroup string
	Name       string
	State      models.ObjectState
	Region     string
	AWSID      *string `gorm:"column:aws_id"`
	StackName  *string
	StackID    *string
}

func (r homeRow) home() catalog.Home { return catalog.Home{Slug: r.Slug, OwnerGroup: r.OwnerGroup} }

func (r homeRow) stack() catalog.Stack {
	return catalog.Stack{Name: value(r.StackName), ARN: value(r.StackID), Account: value(r.AWSID)}
}

func catalogAccounts(db *gorm.DB, p catalogPlace) ([]catalog.Account, error) {
	type row struct {
		Home  homeRow `gorm:"embedded"`
		Class models.Class
	}
	rows, err := many[row](db, `SELECT x.* FROM `+p.of("accounts", "class", "x.id, x.class, x.name, x.aws_id")+` x ORDER BY x.slug, x.class`, p.bound()...)
	if err != nil {
		return nil, fmt.Errorf("list accounts for the catalogue: %w", err)
	}
	all := make([]catalog.Account, len(rows))
	for i, r := range rows {
		all[i] = catalog.Account{ID: r.Home.ID, Home: r.Home.home(), Class: r.Class, AWSID: value(r.Home.AWSID), State: r.Home.State}
	}
	return all, nil
}

func catalogNetworks(db *gorm.DB, p catalogPlace) ([]catalog.Network, error) {
	type row struct {
		Home  homeRow `gorm:"embedded"`
		Class models.Class
	}
	rows, err := many[row](db, `SELECT x.*, a.aws_id, s.name AS stack_name, s.stack_id FROM `+p.of("networks", "name", "x.id, x.class, x.name, x.region, x.account_id")+` x
		JOIN accounts a ON a.id = x.account_id LEFT JOIN stacks s ON s.object_id = x.id ORDER BY x.slug, x.name`, p.bound()...)
	if err != nil {
		return nil, fmt.Errorf("list networks for the catalogue: %w", err)
	}
	all := make([]catalog.Network, len(rows))
	for i, r := range rows {
		all[i] = catalog.Network{ID: r.Home.ID, Home: r.Home.home(), Class: r.Class, Region: r.Home.Region, Name: r.Home.Name, State: r.Home.State, Stack: r.Home.stack()}
	}
	return all, nil
}

// ecsServices are the ARNs of the ECS services in the stack s, in their long form.
const ecsServices = `ARRAY(SELECT r ->> 'physical_id' FROM jsonb_array_elements(s.resources) r WHERE r ->> 'type' = 'AWS::ECS::Service' AND r ->> 'physical_id' LIKE 'arn:%:service/%/%' ORDER BY 1)`

func catalogEnvironments(db *gorm.DB, p catalogPlace) ([]catalog.Environment, error) {
	type row struct {
		Home      homeRow `gorm:"embedded"`
		Stage     models.Stage
		Blueprint string
		Host      string
		Network   *string
		ECS       texts `gorm:"column:ecs"`
	}
	rows, err := many[row](db, `SELECT x.*, a.aws_id, s.name AS stack_name, s.stack_id, n.name AS network, `+ecsServices+` AS ecs
		FROM `+p.of("environments", "name", "x.id, x.name, x.stage, x.region, x.blueprint, x.host, x.account_id, x.network_id")+` x
		JOIN accounts a ON a.id = x.account_id LEFT JOIN stacks s ON s.object_id = x.id LEFT JOIN networks n ON n.id = x.network_id AND n.state <> 'deleted' ORDER BY x.slug, x.name`, p.bound()...)
	if err != nil {
		return nil, fmt.Errorf("list environments for the catalogue: %w", err)
	}
	all := make([]catalog.Environment, len(rows))
	for i, r := range rows {
		all[i] = catalog.Environment{ID: r.Home.ID, Home: r.Home.home(), Name: r.Home.Name, Stage: r.Stage, Region: r.Home.Region, Blueprint: r.Blueprint, Host: r.Host,
			State: r.Home.State, Network: value(r.Network), ECS: r.ECS, Stack: r.Home.stack()}
	}
	return all, nil
}

func catalogServices(db *gorm.DB, p catalogPlace) ([]catalog.Service, error) {
	type row struct {
		Home       homeRow `gorm:"embedded"`
		Repository *string
		Runs       jsonb
		Deliveries jsonb
	}
	rows, err := many[row](db, `SELECT x.*, a.aws_id, q.outputs ->> 'RepositoryArn' AS repository,
		(SELECT jsonb_agg(jsonb_build_object('id', e.id, 'name', e.name, 'stage', e.stage, 'ecs', `+ecsServices+`) ORDER BY e.name) FROM environments e LEFT JOIN stacks s ON s.object_id = e.id
			WHERE e.service_id = x.id AND e.state <> 'deleted') AS runs, `+catalogDeliveries+` AS deliveries
		FROM `+p.of("services", "name", "x.id, x.name, x.account_id")+` x
		JOIN accounts a ON a.id = x.account_id LEFT JOIN stacks q ON q.object_id = x.id ORDER BY x.slug, x.name`, p.bound()...)
	if err != nil {
		return nil, fmt.Errorf("list services for the catalogue: %w", err)
	}
	all := make([]catalog.Service, len(rows))
	for i, r := range rows {
		all[i] = catalog.Service{ID: r.Home.ID, Home: r.Home.home(), Name: r.Home.Name, State: r.Home.State, Repository: value(r.Repository), Account: value(r.Home.AWSID)}
		if err := r.Runs.decode(&all[i].Runs); err != nil {
			return nil, err
		}
		if err := r.Deliveries.decode(&all[i].Deliveries); err != nil {
			return nil, err
		}
	}
	return all, nil
}
