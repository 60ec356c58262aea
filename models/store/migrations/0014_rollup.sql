-- +goose Up
-- What collectors read: one row per collector, account and region.
CREATE TABLE collect_targets (
    id uuid PRIMARY KEY,
    collector text NOT NULL,
    account_id uuid REFERENCES accounts (id), -- null: the organization
    region text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT '' CHECK (state IN ('', 'ok', 'partial', 'cannot_read', 'failed')),
    since timestamptz, -- wall time since when the state is what it is
    read_at timestamptz, -- wall time of the last reading
    ended_at timestamptz, -- wall time of the end of the last round
    gaps jsonb NOT NULL DEFAULT '[]', -- of the last round that has ended
    took_ms bigint NOT NULL DEFAULT 0,
    calls bigint NOT NULL DEFAULT 0,
    throttles bigint NOT NULL DEFAULT 0,
    metered integer NOT NULL DEFAULT 0, -- calls of the last round that AWS charges for
    working boolean NOT NULL DEFAULT false,
    asked_by text NOT NULL DEFAULT '', -- empty: its turn came
    due timestamptz NOT NULL, -- product time of the next round
    CHECK ((account_id IS NULL) = (region = '')),
    CHECK ((state = '') = (ended_at IS NULL)),
    UNIQUE NULLS NOT DISTINCT (collector, account_id, region)
);
CREATE INDEX collect_targets_due ON collect_targets (due);
CREATE INDEX collect_targets_account ON collect_targets (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collect_targets TO slipway_app;
