-- +goose Up
-- A platform admin stops new runs, of everybody or of one tenant, until a moment in product time. What runs goes on.
CREATE TABLE freezes (
    id uuid PRIMARY KEY,
    tenant_id uuid REFERENCES tenants (id), -- NULL: all
    reason text NOT NULL CHECK (reason <> ''),
    created_by uuid NOT NULL REFERENCES people (id),
    created_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    lifted_by uuid REFERENCES people (id),
    lifted_at timestamptz,
    CHECK (until > created_at AND until <= created_at + interval '30 days'),
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);
CREATE INDEX freezes_open ON freezes (until) WHERE lifted_at IS NULL;
CREATE INDEX freezes_created ON freezes (created_at DESC);
GRANT SELECT, INSERT, UPDATE ON freezes TO slipway_app;
