-- +goose Up
-- Networks, zones, services and environments: what a tenant's accounts hold, each with one CloudFormation stack.

-- Requests that Slipway itself makes belong to a person row that nobody can sign in as: no provider has this issuer.
INSERT INTO people (id, issuer, subject, name, groups_seen_at, created_at)
VALUES ('00000000-0000-4000-8000-000000000001', 'slipway', 'expiry', 'Slipway (expiry)', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');

-- A request that waits in planning for others: it plans when they have succeeded and fails to when one of them ends otherwise.
CREATE TABLE request_dependencies (
    request_id uuid NOT NULL REFERENCES requests (id),
    on_request_id uuid NOT NULL REFERENCES requests (id),
    PRIMARY KEY (request_id, on_request_id),
    CHECK (request_id <> on_request_id)
);
CREATE INDEX request_dependencies_on ON request_dependencies (on_request_id);

CREATE TABLE networks (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    class text NOT NULL CHECK (class IN ('nonprod', 'prod')),
    region text NOT NULL,
    name text NOT NULL,
    registered boolean NOT NULL DEFAULT false,
    cidr cidr,
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    estimate jsonb,
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX networks_place ON networks (account_id, region) WHERE state <> 'deleted';
CREATE INDEX networks_tenant ON networks (tenant_id, name);

-- The hosted zone of an account: made with its first network, and delegated from the parent zone.
CREATE TABLE zones (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    delegated_at timestamptz,
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX zones_account ON zones (account_id) WHERE state <> 'deleted';
CREATE UNIQUE INDEX zones_name ON zones (name) WHERE state <> 'deleted';

CREATE TABLE services (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    class text NOT NULL CHECK (class IN ('nonprod', 'prod')),
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,19}$'),
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    estimate jsonb,
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX services_name ON services (tenant_id, name) WHERE state <> 'deleted';
CREATE INDEX services_sorted ON services (name, id);

CREATE TABLE environments (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    network_id uuid REFERENCES networks (id),
    service_id uuid REFERENCES services (id),
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,19}$'),
    stage text NOT NULL CHECK (stage IN ('dev', 'staging', 'prod')),
    region text NOT NULL,
    blueprint text NOT NULL, -- never changes; its version is the stack's
    image text NOT NULL DEFAULT '',
    hibernated boolean NOT NULL DEFAULT false,
    host text NOT NULL DEFAULT '',
    usage jsonb NOT NULL DEFAULT '{}',
    empty_buckets boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    expiry_warned text NOT NULL DEFAULT '',
    hibernated_at timestamptz,
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    estimate jsonb,
    monthly numeric(14, 4) NOT NULL DEFAULT 0,
    drift text NOT NULL DEFAULT '' CHECK (drift IN ('', 'checking', 'none', 'drifted', 'failed')),
    drifted integer NOT NULL DEFAULT 0,
    drift_at timestamptz,
    drift_due timestamptz, -- product time of the next nightly check
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX environments_name ON environments (tenant_id, name) WHERE state <> 'deleted';
CREATE UNIQUE INDEX environments_host ON environments (host) WHERE host <> '' AND state <> 'deleted';
CREATE INDEX environments_sorted ON environments (name, id) WHERE state <> 'deleted';
CREATE INDEX environments_updated ON environments (updated_at, id) WHERE state <> 'deleted';
CREATE INDEX environments_monthly ON environments (monthly, id) WHERE state <> 'deleted';
CREATE INDEX environments_stage ON environments (stage, id) WHERE state <> 'deleted';
CREATE INDEX environments_state ON environments (state, id) WHERE state <> 'deleted';
CREATE INDEX environments_blueprint ON environments (blueprint, id) WHERE state <> 'deleted';
CREATE INDEX environments_end ON environments (COALESCE(expires_at, 'infinity'), id) WHERE state <> 'deleted';
CREATE INDEX environments_expires ON environments (expires_at) WHERE expires_at IS NOT NULL AND state <> 'deleted';
CREATE INDEX environments_drift ON environments (drift_due) WHERE drift_due IS NOT NULL AND state <> 'deleted';
CREATE INDEX environments_network ON environments (network_id) WHERE state <> 'deleted';
CREATE INDEX environments_service ON environments (service_id) WHERE state <> 'deleted';

-- The CloudFormation side of an object. It outlives the object, so that a receipt can be read against it.
CREATE TABLE stacks (
    object_id uuid PRIMARY KEY,
    object_type text NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    region text NOT NULL,
    name text NOT NULL,
    stack_id text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    status_at timestamptz,
    blueprint text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '',
    inputs jsonb NOT NULL DEFAULT '{}',
    parameters jsonb NOT NULL DEFAULT '{}',
    outputs jsonb NOT NULL DEFAULT '{}',
    resources jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX stacks_blueprint ON stacks (blueprint, version);
CREATE INDEX stacks_digest ON stacks (digest);

-- Blocks of addresses per region, from which networks get theirs. Two networks never share one, whoever asks at the same time.
CREATE TABLE cidr_pools (
    id uuid PRIMARY KEY,
    region text NOT NULL,
    block cidr NOT NULL,
    size integer NOT NULL CHECK (size BETWEEN 16 AND 24),
    note text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (family(block) = 4 AND masklen(block) <= size),
    EXCLUDE USING gist (block inet_ops WITH &&)
);
CREATE INDEX cidr_pools_region ON cidr_pools (region);

CREATE TABLE cidr_blocks (
    id uuid PRIMARY KEY,
    pool_id uuid NOT NULL REFERENCES cidr_pools (id),
    block cidr NOT NULL,
    object_id uuid NOT NULL,
    request_id uuid NOT NULL REFERENCES requests (id),
    taken_at timestamptz NOT NULL,
    freed_at timestamptz,
    EXCLUDE USING gist (block inet_ops WITH &&) WHERE (freed_at IS NULL)
);
CREATE INDEX cidr_blocks_pool ON cidr_blocks (pool_id) WHERE freed_at IS NULL;
CREATE INDEX cidr_blocks_object ON cidr_blocks (object_id);

CREATE TABLE drifts (
    id uuid PRIMARY KEY,
    object_id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    state text NOT NULL CHECK (state IN ('checking', 'none', 'drifted', 'failed')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    by_whom text NOT NULL,
    detection_id text NOT NULL DEFAULT '',
    checked integer NOT NULL DEFAULT 0,
    not_checked text[] NOT NULL DEFAULT '{}',
    resources jsonb NOT NULL DEFAULT '[]',
    failure text NOT NULL DEFAULT '',
    accepted_until timestamptz,
    accepted_by text NOT NULL DEFAULT '',
    accepted_reason text NOT NULL DEFAULT ''
);
CREATE INDEX drifts_object ON drifts (object_id, started_at DESC);

CREATE TABLE receipts (
    id uuid PRIMARY KEY,
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    object_name text NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    request_id uuid NOT NULL UNIQUE REFERENCES requests (id),
    content jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX receipts_object ON receipts (object_id, at DESC);
CREATE INDEX receipts_tenant ON receipts (tenant_id, at DESC);

-- The resources of a run's stacks as they move, for its page.
CREATE TABLE run_resources (
    run_id uuid NOT NULL REFERENCES runs (id),
    step text NOT NULL,
    logical_id text NOT NULL,
    physical_id text NOT NULL DEFAULT '',
    type text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    root boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run_id, step, logical_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON request_dependencies, networks, zones, services, environments, stacks, cidr_pools, cidr_blocks, drifts, receipts,
    run_resources TO slipway_app;
