-- +goose Up
-- What the last check of Slipway's roles found: one row per account, and one for the organization's set-up.
CREATE TABLE role_health (
    object_id uuid PRIMARY KEY, -- the account's row; of the organization's set-up a fixed id
    account_id uuid REFERENCES accounts (id), -- null for the organization's set-up
    state text NOT NULL DEFAULT '' CHECK (state IN ('', 'healthy', 'differs', 'missing', 'unseen')),
    at timestamptz, -- product time of the last result
    by_whom text NOT NULL DEFAULT '',
    since timestamptz, -- since when it is healthy, or not
    result jsonb NOT NULL DEFAULT '{}',
    checking boolean NOT NULL DEFAULT false,
    asked_by text NOT NULL DEFAULT '',
    failure text NOT NULL DEFAULT '', -- why the last check could not be made; the result is the one before
    due timestamptz NOT NULL, -- product time of the next check
    CHECK (account_id IS NULL OR account_id = object_id),
    CHECK ((state = '') = (at IS NULL))
);
CREATE INDEX role_health_due ON role_health (due);
GRANT SELECT, INSERT, UPDATE ON role_health TO slipway_app;
