-- +goose Up
-- Delivery: connections and pipelines with their stacks, what runs through them, what is known of images, and how images reach environments.

-- What pipelines ask for belongs to a person row that nobody can sign in as, as with expiry.
INSERT INTO people (id, issuer, subject, name, groups_seen_at, created_at)
VALUES ('00000000-0000-4000-8000-000000000002', 'slipway', 'pipelines', 'Slipway (pipelines)', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');

CREATE TABLE connections (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    class text NOT NULL CHECK (class IN ('nonprod', 'prod')),
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,19}$'),
    provider text NOT NULL CHECK (provider IN ('GitHub', 'GitLab', 'Bitbucket')),
    status text NOT NULL DEFAULT '' CHECK (status IN ('', 'PENDING', 'AVAILABLE', 'ERROR')), -- as AWS last said it
    status_at timestamptz, -- wall time
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    estimate jsonb,
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX connections_name ON connections (tenant_id, name) WHERE state <> 'deleted';

-- The identity provider of an account for workflows of a source host: made with the first pipeline that needs it.
CREATE TABLE identity_providers (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    issuer text NOT NULL, -- https://token.actions.githubusercontent.com
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX identity_providers_account ON identity_providers (account_id, issuer) WHERE state <> 'deleted';

CREATE TABLE pipelines (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    account_id uuid NOT NULL REFERENCES accounts (id),
    class text NOT NULL CHECK (class IN ('nonprod', 'prod')),
    service_id uuid NOT NULL REFERENCES services (id),
    connection_id uuid REFERENCES connections (id),
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,19}$'),
    kind text NOT NULL CHECK (kind IN ('codepipeline', 'github-actions')),
    source jsonb NOT NULL, -- models.PipelineSource
    repository text NOT NULL DEFAULT '', -- owner/name as it was typed; of the source
    repository_id text NOT NULL DEFAULT '', -- numeric, as the source host counts; never reused by it
    owner_id text NOT NULL DEFAULT '',
    stages jsonb NOT NULL, -- []models.PipelineStage, in order
    paused boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    estimate jsonb,
    read_at timestamptz, -- wall time of the last reading of its executions
    read_due timestamptz, -- product time of the next one; null: nothing to read
    read_gap jsonb, -- models.ReadGap of the last reading that failed
    moving boolean NOT NULL DEFAULT false, -- an execution moves: it is read often
    last_execution uuid, -- of pipeline_executions, the newest
    last_state text NOT NULL DEFAULT '',
    last_at timestamptz, -- wall time at which the newest execution began
    request_id uuid NOT NULL REFERENCES requests (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX pipelines_name ON pipelines (tenant_id, name) WHERE state <> 'deleted';
CREATE INDEX pipelines_sorted ON pipelines (name, id) WHERE state <> 'deleted';
CREATE INDEX pipelines_last ON pipelines (COALESCE(last_at, '-infinity'), id) WHERE state <> 'deleted';
CREATE INDEX pipelines_service ON pipelines (service_id) WHERE state <> 'deleted';
CREATE INDEX pipelines_connection ON pipelines (connection_id) WHERE state <> 'deleted';
CREATE INDEX pipelines_repository ON pipelines (repository_id, owner_id) WHERE state <> 'deleted' AND repository_id <> '';
CREATE INDEX pipelines_repository_name ON pipelines (lower(repository)) WHERE state <> 'deleted' AND repository <> ''; -- a token whose names match and numbers do not
CREATE INDEX pipelines_due ON pipelines (read_due) WHERE read_due IS NOT NULL AND state <> 'deleted';

-- The environments that a pipeline delivers to, in order: for what stands on what, and for what is where.
CREATE TABLE pipeline_stages (
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    position integer NOT NULL CHECK (position BETWEEN 1 AND 5),
    environment_id uuid NOT NULL REFERENCES environments (id),
    PRIMARY KEY (pipeline_id, position)
);
CREATE UNIQUE INDEX pipeline_stages_once ON pipeline_stages (pipeline_id, environment_id);
CREATE INDEX pipeline_stages_environment ON pipeline_stages (environment_id);

CREATE TABLE pipeline_executions (
    id uuid PRIMARY KEY,
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    number integer NOT NULL, -- 1, 2, ... within its pipeline, for people
    external_id text NOT NULL, -- CodePipeline's execution id, or run id and attempt of a workflow
    trigger text NOT NULL CHECK (trigger IN ('push', 'image', 'manual', 'creation', 'workflow', 'other')),
    trigger_by text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('running', 'stopping', 'stopped', 'succeeded', 'failed', 'superseded')),
    commit_id text NOT NULL DEFAULT '',
    commit_message text NOT NULL DEFAULT '',
    author text NOT NULL DEFAULT '',
    branch text NOT NULL DEFAULT '',
    commit_at timestamptz,
    link text NOT NULL DEFAULT '', -- https address of its page at AWS or the source host
    stages jsonb NOT NULL DEFAULT '[]', -- []models.ExecutionStage
    digest text NOT NULL DEFAULT '', -- of the image that it built
    started_at timestamptz NOT NULL, -- wall time, as AWS gave it
    ended_at timestamptz,
    seen_at timestamptz NOT NULL, -- wall time of the last reading that had it
    UNIQUE (pipeline_id, external_id),
    UNIQUE (pipeline_id, number)
);
CREATE INDEX pipeline_executions_newest ON pipeline_executions (pipeline_id, started_at DESC, id);
CREATE INDEX pipeline_executions_live ON pipeline_executions (pipeline_id) WHERE ended_at IS NULL;
CREATE INDEX pipeline_executions_ended ON pipeline_executions (ended_at) WHERE ended_at IS NOT NULL; -- for the nightly sweep, as with the others by age

-- What a person asked of an execution; the worker does it.
CREATE TABLE pipeline_orders (
    id uuid PRIMARY KEY,
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    verb text NOT NULL CHECK (verb IN ('start', 'stop', 'retry')),
    execution_id uuid REFERENCES pipeline_executions (id), -- null: start
    stage text NOT NULL DEFAULT '', -- retry: as CodePipeline names it
    person_id uuid NOT NULL REFERENCES people (id),
    asked_at timestamptz NOT NULL,
    done_at timestamptz,
    failure text NOT NULL DEFAULT '' -- in words
);
CREATE INDEX pipeline_orders_open ON pipeline_orders (pipeline_id) WHERE done_at IS NULL;
CREATE INDEX pipeline_orders_newest ON pipeline_orders (pipeline_id, asked_at DESC);
CREATE INDEX pipeline_orders_execution ON pipeline_orders (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX pipeline_orders_done ON pipeline_orders (done_at) WHERE done_at IS NOT NULL;

-- Images of a service that some pipeline built: one per pipeline and digest, however often it is registered.
CREATE TABLE builds (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    service_id uuid NOT NULL REFERENCES services (id),
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    execution_id uuid REFERENCES pipeline_executions (id),
    digest text NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    tag text NOT NULL DEFAULT '',
    passed boolean NOT NULL, -- what the build said of itself
    commit_id text NOT NULL DEFAULT '',
    commit_message text NOT NULL DEFAULT '',
    author text NOT NULL DEFAULT '',
    branch text NOT NULL DEFAULT '',
    commit_at timestamptz,
    link text NOT NULL DEFAULT '',
    registered_at timestamptz NOT NULL, -- wall time
    UNIQUE (pipeline_id, digest)
);
CREATE INDEX builds_service ON builds (service_id, registered_at DESC, id);
CREATE INDEX builds_digest ON builds (service_id, digest);
CREATE INDEX builds_execution ON builds (execution_id) WHERE execution_id IS NOT NULL;

CREATE TABLE image_scans (
    service_id uuid NOT NULL REFERENCES services (id),
    digest text NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    source text NOT NULL DEFAULT '' CHECK (source IN ('', 'basic', 'inspector')),
    state text NOT NULL CHECK (state IN ('waiting', 'complete', 'failed', 'unsupported', 'expired', 'absent', 'unreadable')),
    counts jsonb NOT NULL DEFAULT '{}', -- severity -> number
    words text NOT NULL DEFAULT '', -- AWS's own, when it is not complete
    scanned_at timestamptz,
    read_at timestamptz NOT NULL, -- wall time
    PRIMARY KEY (service_id, digest)
);
CREATE INDEX image_scans_read ON image_scans (read_at);

-- What CI says of an image; the newest of a gate counts. Files are at most 1 MB.
CREATE TABLE evidence (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    service_id uuid NOT NULL REFERENCES services (id),
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    execution_id uuid REFERENCES pipeline_executions (id),
    digest text NOT NULL,
    gate text NOT NULL,
    passed boolean NOT NULL,
    words text NOT NULL DEFAULT '',
    url text NOT NULL DEFAULT '',
    file_name text NOT NULL DEFAULT '',
    file_type text NOT NULL DEFAULT '',
    file bytea,
    posted_by text NOT NULL, -- who the token was about, as the issuer says it
    posted_at timestamptz NOT NULL, -- wall time
    CHECK (octet_length(file) <= 1048576)
);
CREATE INDEX evidence_image ON evidence (service_id, digest, gate, posted_at DESC);
CREATE INDEX evidence_execution ON evidence (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX evidence_posted ON evidence (posted_at);

-- A gate that somebody lets pass, for one pipeline and environment, for every image or one, until a moment in product time.
CREATE TABLE gate_waivers (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    environment_id uuid NOT NULL REFERENCES environments (id),
    gate text NOT NULL,
    digest text NOT NULL DEFAULT '', -- empty: whatever image
    reason text NOT NULL CHECK (reason <> ''),
    by_id uuid NOT NULL REFERENCES people (id),
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz, -- taken back before its end
    ended_by uuid REFERENCES people (id),
    CHECK (until > at AND until <= at + interval '30 days')
);
CREATE INDEX gate_waivers_open ON gate_waivers (pipeline_id, environment_id) WHERE ended_at IS NULL;

-- Promotions to an environment stop, until a moment in product time.
CREATE TABLE stage_freezes (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    environment_id uuid NOT NULL REFERENCES environments (id),
    reason text NOT NULL CHECK (reason <> ''),
    by_id uuid NOT NULL REFERENCES people (id),
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by uuid REFERENCES people (id),
    CHECK (until > at AND until <= at + interval '30 days')
);
CREATE INDEX stage_freezes_open ON stage_freezes (environment_id) WHERE lifted_at IS NULL;

CREATE TABLE promotions (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    pipeline_id uuid NOT NULL REFERENCES pipelines (id),
    environment_id uuid NOT NULL REFERENCES environments (id),
    service_id uuid NOT NULL REFERENCES services (id),
    execution_id uuid REFERENCES pipeline_executions (id),
    build_id uuid REFERENCES builds (id),
    image text NOT NULL, -- repository@sha256:...
    was text NOT NULL DEFAULT '', -- what ran there when it was asked for
    rollback boolean NOT NULL DEFAULT false,
    asked_by text NOT NULL CHECK (asked_by IN ('codepipeline', 'workflow', 'person')),
    asked_by_name text NOT NULL,
    person_id uuid REFERENCES people (id),
    ask_key text NOT NULL, -- the same key is the same promotion
    state text NOT NULL CHECK (state IN ('checking', 'blocked', 'held', 'requested', 'succeeded', 'failed', 'rejected', 'superseded')),
    reason text NOT NULL DEFAULT '', -- in words: why it stands where it does
    gates jsonb NOT NULL DEFAULT '[]', -- []models.GateResult as last judged
    request_id uuid REFERENCES requests (id),
    approval jsonb, -- models.PromotionApproval: what CodePipeline waits for; its token is read anew when it is answered and kept nowhere
    answer text NOT NULL DEFAULT '' CHECK (answer IN ('', 'due', 'sent', 'late', 'gone')), -- to CodePipeline
    answered_at timestamptz,
    told boolean NOT NULL DEFAULT false, -- that it fails a gate
    due timestamptz, -- product time at which the sweep has it looked at again; null: when something happens
    created_at timestamptz NOT NULL, -- product time
    ended_at timestamptz,
    UNIQUE (pipeline_id, ask_key)
);
CREATE INDEX promotions_due ON promotions (due) WHERE due IS NOT NULL;
CREATE INDEX promotions_live ON promotions (environment_id, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX promotions_pipeline ON promotions (pipeline_id, created_at DESC, id);
CREATE INDEX promotions_environment ON promotions (environment_id, created_at DESC, id);
CREATE INDEX promotions_execution ON promotions (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX promotions_open ON promotions (tenant_id) WHERE ended_at IS NULL;
CREATE INDEX promotions_request ON promotions (request_id) WHERE request_id IS NOT NULL;

-- Every image that ran, or was to run, in an environment; written when the run that brought it ends.
CREATE TABLE deployments (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    environment_id uuid NOT NULL REFERENCES environments (id),
    service_id uuid NOT NULL REFERENCES services (id),
    pipeline_id uuid REFERENCES pipelines (id), -- null: past every pipeline
    promotion_id uuid REFERENCES promotions (id),
    build_id uuid REFERENCES builds (id),
    request_id uuid NOT NULL UNIQUE REFERENCES requests (id),
    image text NOT NULL,
    rollback boolean NOT NULL DEFAULT false,
    succeeded boolean NOT NULL,
    began_at timestamptz NOT NULL, -- product time
    ended_at timestamptz NOT NULL, -- product time
    commit_at timestamptz, -- wall time
    healthy_at timestamptz, -- wall time at which it was first seen healthy
    replaced_at timestamptz -- product time at which another image took over; null: it runs
);
CREATE INDEX deployments_environment ON deployments (environment_id, ended_at DESC, id);
CREATE UNIQUE INDEX deployments_running ON deployments (environment_id) WHERE succeeded AND replaced_at IS NULL;
CREATE INDEX deployments_pipeline ON deployments (pipeline_id, ended_at DESC);

-- Tokens of CI that were accepted, until they would have ended: each is accepted once.
CREATE TABLE ci_tokens (
    id text PRIMARY KEY, -- hex SHA-256 of issuer and jti
    expires_at timestamptz NOT NULL -- wall time
);
CREATE INDEX ci_tokens_expires ON ci_tokens (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON connections, identity_providers, pipelines, pipeline_stages, pipeline_executions, pipeline_orders, builds, image_scans, evidence, gate_waivers,
    stage_freezes, promotions, deployments, ci_tokens TO slipway_app;

-- People are told of gates, too.
-- contract: looser than the rule before it.
ALTER TABLE notification_events DROP CONSTRAINT notification_events_kind_check;
-- contract: looser than the rule before it.
ALTER TABLE notification_events ADD CONSTRAINT notification_events_kind_check
    CHECK (kind IN ('approve', 'decided', 'failed', 'blocked', 'done', 'break_glass', 'expiry', 'freeze', 'role_lost', 'health', 'budget', 'gate', 'test')) NOT VALID;
