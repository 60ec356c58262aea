-- +goose Up
-- What the nightly sweep needs, and the figures that every replica shows alike.

-- A sweep that one replica does at a time. The lease is by the database's clock; what was removed is counted with each batch, so that a
-- sweep that was cut short goes on and its report stays true.
CREATE TABLE sweeps (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    removed jsonb NOT NULL DEFAULT '{}',
    lease_owner text,
    lease_until timestamptz,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);

-- Why a run's log is empty: its lines were swept.
ALTER TABLE runs ADD COLUMN events_cleared_at timestamptz;
CREATE INDEX runs_events_kept ON runs (ended_at) WHERE events_cleared_at IS NULL AND ended_at IS NOT NULL;
CREATE INDEX journal_done ON journal (created_at) WHERE done;
CREATE INDEX saved_forms_saved ON saved_forms (saved_at);
CREATE INDEX sessions_over ON sessions (LEAST(expires_at, COALESCE(ended_at, expires_at)));
CREATE INDEX requests_keyed ON requests (submitted_at) WHERE idempotency_key NOT LIKE 'swept:%';
CREATE INDEX comments_keyed ON comments (at) WHERE idempotency_key NOT LIKE 'swept:%';
CREATE INDEX drifts_started ON drifts (started_at);

-- Attempts of AWS calls by account and hour, summed over all processes.
CREATE TABLE aws_calls (
    hour timestamptz NOT NULL,
    account text NOT NULL CHECK (length(account) BETWEEN 1 AND 64),
    calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
    throttles bigint NOT NULL DEFAULT 0 CHECK (throttles BETWEEN 0 AND calls),
    PRIMARY KEY (hour, account)
);

-- Processes that serve or work, as they tell themselves.
CREATE TABLE processes (
    owner text PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('all', 'web', 'worker')),
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX processes_seen ON processes (seen_at);

GRANT SELECT, INSERT, UPDATE ON sweeps TO slipway_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON aws_calls, processes TO slipway_app;
