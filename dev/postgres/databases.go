package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"slipway/deploy/sql"
)

// Databases makes slipway (with the roles and rights of deploy/sql/roles.sql) and slipway_awssim (owned by slipway_sim,
// which may not enter the other). What is there already stays as it is.
func (s *Server) Databases(ctx context.Context) error {
	admin, err := pgx.Connect(ctx, s.URL(superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	defer admin.Close(ctx)
	if err := Roles(ctx, admin); err != nil {
		return err
	}
	if err := createDatabase(ctx, admin, "slipway", superuser); err != nil {
		return err
	}
	if err := createDatabase(ctx, admin, "slipway_awssim", "slipway_sim"); err != nil {
		return err
	}
	inside, err := pgx.Connect(ctx, s.URL(superuser, "slipway"))
	if err != nil {
		return fmt.Errorf("connect to the database slipway: %w", err)
	}
	defer inside.Close(ctx)
	if _, err := inside.Exec(ctx, sql.Roles); err != nil {
		return fmt.Errorf("run roles.sql: %w", err)
	}
	return nil
}

// Roles makes the simulator's role. It is not part of roles.sql: production has no simulator.
func Roles(ctx context.Context, admin *pgx.Conn) error {
	var there bool
	if err := admin.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'slipway_sim')`).Scan(&there); err != nil || there {
		return err
	}
	if _, err := admin.Exec(ctx, `CREATE ROLE slipway_sim LOGIN`); err != nil {
		return fmt.Errorf("create the role slipway_sim: %w", err)
	}
	return nil
}

func createDatabase(ctx context.Context, admin *pgx.Conn, name, owner string) error {
	var there bool
	if err := admin.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there {
		return err
	}
	create := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " OWNER " + pgx.Identifier{owner}.Sanitize()
	if _, err := admin.Exec(ctx, create); err != nil {
		return fmt.Errorf("create the database %s: %w", name, err)
	}
	_, err := admin.Exec(ctx, "REVOKE ALL ON DATABASE "+pgx.Identifier{name}.Sanitize()+" FROM PUBLIC")
	return err
}
