-- +goose Up
-- Slipway's first schema. Identifiers are opaque UUIDs made by the application; times are UTC; money is numeric.
-- slipway_owner migrates, slipway_app serves: every table is granted at the end.

CREATE TABLE people (
    id uuid PRIMARY KEY,
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    email text NOT NULL DEFAULT '',
    groups text[] NOT NULL DEFAULT '{}',
    groups_seen_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX people_groups ON people USING gin (groups);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    person_id uuid NOT NULL REFERENCES people (id),
    issuer text NOT NULL,
    subject text NOT NULL,
    sid text NOT NULL DEFAULT '',
    groups text[] NOT NULL DEFAULT '{}',
    csrf_secret bytea NOT NULL,
    id_token bytea,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sessions_person ON sessions (issuer, subject);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE sign_ins (
    state_hash bytea PRIMARY KEY,
    nonce text NOT NULL,
    verifier bytea NOT NULL,
    browser_hash bytea NOT NULL,
    return_to text NOT NULL,
    draft uuid,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_ins_expires ON sign_ins (expires_at);

CREATE TABLE role_mappings (
    id uuid PRIMARY KEY,
    group_name text NOT NULL CHECK (group_name <> ''),
    role text NOT NULL CHECK (role IN ('platform-admin', 'auditor', 'requester')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (group_name, role)
);

-- Settings that outlive a process: break-glass groups as last seen, the development clock's offset, the rules file's digest.
CREATE TABLE settings (
    name text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE saved_forms (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people (id),
    issuer text NOT NULL,
    subject text NOT NULL,
    path text NOT NULL,
    fields jsonb NOT NULL,
    expired boolean NOT NULL DEFAULT false,
    saved_at timestamptz NOT NULL
);
CREATE INDEX saved_forms_person ON saved_forms (person_id, saved_at DESC);

CREATE SEQUENCE request_numbers START 1001;
CREATE SEQUENCE account_numbers START 1; -- {n} of account e-mail addresses: never repeats

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE DEFAULT nextval('request_numbers'),
    kind text NOT NULL,
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    object_name text NOT NULL,
    tenant_id uuid,
    title text NOT NULL,
    state text NOT NULL CHECK (state IN ('planning', 'plan_failed', 'changes_requested', 'awaiting_approval', 'approved', 'running', 'stopping',
        'failed', 'undoing', 'succeeded', 'no_change', 'rejected', 'expired', 'cancelled', 'undone', 'abandoned')),
    inputs jsonb NOT NULL,
    inputs_by uuid[] NOT NULL,
    requester_id uuid NOT NULL REFERENCES people (id),
    idempotency_key text NOT NULL,
    plan_id uuid,
    plan_hash text NOT NULL DEFAULT '',
    run_id uuid,
    waiting jsonb,
    reason text NOT NULL DEFAULT '',
    state_since timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    submitted_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (requester_id, idempotency_key)
);
CREATE INDEX requests_state ON requests (state, state_since, id);
CREATE INDEX requests_tenant ON requests (tenant_id, submitted_at DESC);
CREATE INDEX requests_requester ON requests (requester_id, submitted_at DESC);
CREATE INDEX requests_submitted ON requests (submitted_at DESC, id DESC);
CREATE INDEX requests_object ON requests (object_id);

-- A name is reserved from submit until the request ends without an object; once the object existed it stays taken for ever.
CREATE TABLE names (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    object_type text NOT NULL,
    scope text NOT NULL DEFAULT '', -- tenant id for names that are unique within a tenant
    name text NOT NULL,
    object_id uuid NOT NULL,
    request_id uuid NOT NULL REFERENCES requests (id),
    reserved_at timestamptz NOT NULL,
    freed_at timestamptz
);
CREATE UNIQUE INDEX names_taken ON names (object_type, scope, name) WHERE freed_at IS NULL;

CREATE TABLE plans (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    number integer NOT NULL,
    hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    content jsonb NOT NULL,
    canonical bytea NOT NULL, -- the RFC 8785 form that was hashed
    notes jsonb NOT NULL,
    monthly_now numeric(14, 4) NOT NULL,
    monthly_planned numeric(14, 4) NOT NULL,
    tally jsonb NOT NULL,
    computed_at timestamptz NOT NULL,
    UNIQUE (request_id, number)
);
ALTER TABLE requests ADD CONSTRAINT requests_plan FOREIGN KEY (plan_id) REFERENCES plans (id);

CREATE TABLE rule_results (
    plan_id uuid NOT NULL REFERENCES plans (id),
    request_id uuid NOT NULL REFERENCES requests (id),
    rule_id text NOT NULL,
    rule_version integer NOT NULL,
    effect text NOT NULL,
    matched boolean NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (plan_id, rule_id)
);
CREATE INDEX rule_results_rule ON rule_results (rule_id, at DESC);

CREATE TABLE approvals (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    plan_hash text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approve', 'reject', 'changes')),
    person_id uuid REFERENCES people (id),
    role text NOT NULL,
    rule_id text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    break_glass boolean NOT NULL DEFAULT false,
    dropped boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL,
    CHECK ((person_id IS NULL) <> (rule_id = '')), -- a person or a rule, never both, never none
    CHECK (rule_id = '' OR decision = 'approve'),
    CHECK (decision = 'approve' OR reason <> '')
);
CREATE UNIQUE INDEX approvals_once ON approvals (request_id, plan_hash, person_id) WHERE NOT dropped AND decision = 'approve';
CREATE INDEX approvals_request ON approvals (request_id, at);

-- The four eyes, once more in the database: nobody approves what they asked for, break-glass aside.
-- +goose StatementBegin
CREATE FUNCTION approvals_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.decision = 'approve' AND NEW.person_id IS NOT NULL AND NOT NEW.break_glass AND NOT NEW.dropped AND EXISTS (
        SELECT 1 FROM requests r WHERE r.id = NEW.request_id AND (r.requester_id = NEW.person_id OR NEW.person_id = ANY (r.inputs_by))
    ) THEN
        RAISE EXCEPTION 'self-approval' USING ERRCODE = 'check_violation', CONSTRAINT = 'approvals_four_eyes';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER approvals_four_eyes BEFORE INSERT OR UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_four_eyes();

CREATE TABLE comments (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    person_id uuid NOT NULL REFERENCES people (id),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 5000),
    idempotency_key text NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (person_id, idempotency_key)
);
CREATE INDEX comments_request ON comments (request_id, at);

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{2,19}$'),
    display_name text NOT NULL,
    description text NOT NULL DEFAULT '',
    owner_group text NOT NULL,
    developer_group text NOT NULL,
    viewer_group text NOT NULL,
    cost_centre text NOT NULL,
    budget numeric(14, 2) NOT NULL CHECK (budget > 0),
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    request_id uuid NOT NULL REFERENCES requests (id),
    estimate numeric(14, 4),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX tenants_owner_group ON tenants (owner_group);
CREATE INDEX tenants_developer_group ON tenants (developer_group);
CREATE INDEX tenants_viewer_group ON tenants (viewer_group);
CREATE INDEX tenants_name ON tenants (lower(display_name), id);
CREATE INDEX tenants_created ON tenants (created_at, id);
CREATE INDEX tenants_budget ON tenants (budget, id);

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    class text NOT NULL CHECK (class IN ('nonprod', 'prod')),
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    aws_id text UNIQUE CHECK (aws_id ~ '^[0-9]{12}$'),
    create_id text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'changing', 'broken', 'deleting', 'deleted')),
    aws_state text NOT NULL DEFAULT '',
    aws_state_at timestamptz,
    ou text NOT NULL DEFAULT '',
    baseline_at timestamptz,
    late boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX accounts_class ON accounts (tenant_id, class) WHERE state <> 'deleted';

CREATE TABLE runs (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL UNIQUE REFERENCES requests (id), -- one run per request; a retry is an attempt in it
    plan_id uuid NOT NULL REFERENCES plans (id),
    state text NOT NULL CHECK (state IN ('running', 'stopping', 'succeeded', 'failed', 'undoing', 'undone', 'abandoned')),
    attempt integer NOT NULL DEFAULT 1,
    started_by uuid NOT NULL REFERENCES people (id),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    failure jsonb
);
CREATE INDEX runs_started ON runs (started_at DESC, id DESC);
CREATE INDEX runs_state ON runs (state, started_at DESC);
ALTER TABLE requests ADD CONSTRAINT requests_run FOREIGN KEY (run_id) REFERENCES runs (id);

CREATE TABLE steps (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs (id),
    position integer NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    part text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('pending', 'running', 'waiting', 'done', 'skipped', 'failed', 'undone')),
    attempt integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    intent boolean NOT NULL DEFAULT false,
    outputs jsonb NOT NULL DEFAULT '{}',
    cursor jsonb,
    waiting jsonb,
    failure jsonb,
    started_at timestamptz,
    ended_at timestamptz,
    UNIQUE (run_id, name),
    UNIQUE (run_id, position)
);
CREATE INDEX steps_usual ON steps (name, ended_at DESC) WHERE state = 'done';

CREATE TABLE run_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs (id),
    step_id uuid NOT NULL REFERENCES steps (id),
    at timestamptz NOT NULL,
    level text NOT NULL CHECK (level IN ('info', 'warn', 'fail')),
    text text NOT NULL,
    key text NOT NULL,
    UNIQUE (step_id, key)
);
CREATE INDEX run_events_run ON run_events (run_id, id);

-- The journal is the truth of background work; a River job is only a wake-up for one of its rows.
CREATE TABLE journal (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    generation bigint NOT NULL DEFAULT 1,
    lease_owner text,
    lease_until timestamptz, -- by the database's clock
    next_at timestamptz NOT NULL, -- by the database's clock
    done boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0, -- calls that ended in an error since the last success
    state jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE UNIQUE INDEX journal_live ON journal (kind, object_id) WHERE NOT done;
CREATE INDEX journal_due ON journal (next_at) WHERE NOT done;

CREATE SEQUENCE fences;
CREATE TABLE locks (
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    request_id uuid NOT NULL REFERENCES requests (id),
    exclusive boolean NOT NULL,
    fence bigint NOT NULL DEFAULT nextval('fences'),
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (object_type, object_id, request_id)
);
CREATE UNIQUE INDEX locks_exclusive ON locks (object_type, object_id) WHERE exclusive;

-- A slot is held from before CreateAccount until AWS has ended it, whatever becomes of the run.
CREATE TABLE creation_slots (
    account_id uuid PRIMARY KEY REFERENCES accounts (id),
    run_id uuid NOT NULL REFERENCES runs (id),
    asked_at timestamptz NOT NULL, -- place in the queue
    taken_at timestamptz,          -- null while waiting
    freed_at timestamptz,
    outcome text NOT NULL DEFAULT ''
);
CREATE INDEX creation_slots_open ON creation_slots (asked_at) WHERE freed_at IS NULL;

-- Change sets that Slipway made: each has an owner row, so that a sweeper can delete what no plan needs any more.
CREATE TABLE change_sets (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    account text NOT NULL,
    region text NOT NULL,
    stack_name text NOT NULL,
    name text NOT NULL,
    type text NOT NULL CHECK (type IN ('CREATE', 'UPDATE')),
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT '',
    UNIQUE (account, region, stack_name, name)
);
CREATE INDEX change_sets_open ON change_sets (request_id) WHERE ended_at IS NULL;

CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id text NOT NULL DEFAULT '',
    actor text NOT NULL,
    role text NOT NULL,
    action text NOT NULL,
    object_type text NOT NULL DEFAULT '',
    object_id text NOT NULL DEFAULT '',
    object_name text NOT NULL DEFAULT '',
    tenant_id text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    before jsonb,
    after jsonb
);
CREATE INDEX audit_entries_at ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_object ON audit_entries (object_id, at DESC);
CREATE INDEX audit_entries_tenant ON audit_entries (tenant_id, at DESC) WHERE tenant_id <> '';
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, at DESC);
CREATE INDEX audit_entries_action ON audit_entries (action, at DESC);

CREATE TABLE audit_seals (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    entry_id uuid NOT NULL UNIQUE REFERENCES audit_entries (id),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    sealed_at timestamptz NOT NULL
);

-- Denials after the first of a minute are counted here and become one entry when the minute is over.
CREATE TABLE audit_denied (
    actor text NOT NULL,
    route text NOT NULL,
    object text NOT NULL,
    minute timestamptz NOT NULL,
    count integer NOT NULL DEFAULT 0,
    entry jsonb NOT NULL,
    PRIMARY KEY (actor, route, object, minute)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON people, sessions, sign_ins, role_mappings, settings, saved_forms, requests, names, plans, rule_results, approvals,
    comments, tenants, accounts, runs, steps, run_events, journal, locks, creation_slots, change_sets, audit_denied TO slipway_app;
GRANT SELECT, INSERT ON audit_entries, audit_seals TO slipway_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO slipway_app;
GRANT SELECT ON goose_db_version TO slipway_app;
