-- +goose Up
CREATE TABLE world (
    key   text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE org_nodes (
    id     text PRIMARY KEY,
    parent text REFERENCES org_nodes (id),
    name   text NOT NULL,
    tags   jsonb NOT NULL DEFAULT '{}',
    UNIQUE (parent, name)
);

CREATE TABLE accounts (
    id           text PRIMARY KEY CHECK (id ~ '^[0-9]{12}$'),
    seq          bigserial,
    name         text NOT NULL,
    email        text NOT NULL,
    state        text NOT NULL CHECK (state IN ('PENDING_ACTIVATION', 'ACTIVE', 'SUSPENDED', 'PENDING_CLOSURE', 'CLOSED')),
    parent       text NOT NULL REFERENCES org_nodes (id),
    joined_at    timestamptz NOT NULL,
    usable_after timestamptz NOT NULL,
    listed_after timestamptz NOT NULL,
    closing_at   timestamptz,
    tags         jsonb NOT NULL DEFAULT '{}'
);
-- An address stays taken for ever, also after its account was closed.
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email));

CREATE TABLE account_creations (
    id             text PRIMARY KEY,
    name           text NOT NULL,
    email          text NOT NULL,
    role_name      text NOT NULL,
    tags           jsonb NOT NULL DEFAULT '{}',
    state          text NOT NULL CHECK (state IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    failure_reason text NOT NULL DEFAULT '',
    account_id     text REFERENCES accounts (id),
    requested_at   timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    completed_at   timestamptz
);

CREATE TABLE org_policies (
    id          text PRIMARY KEY,
    type        text NOT NULL,
    name        text NOT NULL,
    description text NOT NULL,
    content     text NOT NULL,
    aws_managed boolean NOT NULL,
    UNIQUE (type, name)
);
CREATE TABLE org_attachments (
    policy text NOT NULL REFERENCES org_policies (id),
    target text NOT NULL,
    PRIMARY KEY (policy, target)
);
CREATE TABLE org_services (
    principal  text PRIMARY KEY,
    enabled_at timestamptz NOT NULL
);
CREATE TABLE org_delegations (
    account   text NOT NULL REFERENCES accounts (id),
    principal text NOT NULL,
    since     timestamptz NOT NULL,
    PRIMARY KEY (account, principal)
);

CREATE TABLE roles (
    account      text NOT NULL,
    name         text NOT NULL,
    path         text NOT NULL,
    id           text NOT NULL UNIQUE,
    description  text NOT NULL DEFAULT '',
    trust        text NOT NULL,
    inline       jsonb NOT NULL DEFAULT '{}',
    managed      text[] NOT NULL DEFAULT '{}',
    boundary     text NOT NULL DEFAULT '',
    tags         jsonb NOT NULL DEFAULT '{}',
    max_session  integer NOT NULL,
    created_at   timestamptz NOT NULL,
    usable_after timestamptz NOT NULL,
    PRIMARY KEY (account, name)
);
CREATE TABLE policies (
    arn         text PRIMARY KEY,
    account     text NOT NULL,
    name        text NOT NULL,
    path        text NOT NULL,
    id          text NOT NULL UNIQUE,
    description text NOT NULL DEFAULT '',
    document    text NOT NULL,
    version     integer NOT NULL,
    tags        jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL
);

CREATE TABLE sessions (
    key             text PRIMARY KEY,
    token           text NOT NULL,
    account         text NOT NULL,
    arn             text NOT NULL,
    user_id         text NOT NULL,
    role_name       text NOT NULL,
    role_arn        text NOT NULL,
    session_name    text NOT NULL,
    source_identity text NOT NULL,
    tags            jsonb NOT NULL,
    transitive      text[] NOT NULL,
    session_policy  text NOT NULL,
    expires_at      timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- What an account is set to: contacts, EBS encryption, public access block, password policy.
CREATE TABLE settings (
    account text NOT NULL,
    region  text NOT NULL,
    name    text NOT NULL,
    value   jsonb NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE buckets (
    name       text PRIMARY KEY,
    account    text NOT NULL,
    region     text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE objects (
    bucket       text NOT NULL REFERENCES buckets (name),
    key          text NOT NULL COLLATE "C",
    body         bytea NOT NULL,
    content_type text NOT NULL,
    etag         text NOT NULL,
    meta         jsonb NOT NULL DEFAULT '{}',
    lock_mode    text NOT NULL DEFAULT '',
    retain_until timestamptz,
    modified_at  timestamptz NOT NULL,
    PRIMARY KEY (bucket, key)
);

CREATE TABLE budgets (
    account    text NOT NULL,
    name       text NOT NULL,
    body       jsonb NOT NULL,
    tags       jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account, name)
);
CREATE TABLE budget_notifications (
    account     text NOT NULL,
    budget      text NOT NULL,
    key         text NOT NULL,
    body        jsonb NOT NULL,
    subscribers jsonb NOT NULL,
    PRIMARY KEY (account, budget, key),
    FOREIGN KEY (account, budget) REFERENCES budgets (account, name) ON DELETE CASCADE
);

CREATE TABLE rules (
    id          bigserial PRIMARY KEY,
    service     text NOT NULL DEFAULT '',
    op          text NOT NULL DEFAULT '',
    account     text NOT NULL DEFAULT '',
    match       text NOT NULL DEFAULT '',
    nth         integer NOT NULL DEFAULT 1 CHECK (nth >= 1),
    times       integer NOT NULL DEFAULT 0 CHECK (times >= 0),
    probability double precision NOT NULL DEFAULT 1 CHECK (probability > 0 AND probability <= 1),
    seed        bigint NOT NULL DEFAULT 0,
    action      text NOT NULL,
    delay_ms    integer NOT NULL DEFAULT 0 CHECK (delay_ms >= 0),
    logical_id  text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    seen        bigint NOT NULL DEFAULT 0,
    fired       bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL
);

CREATE TABLE calls (
    id              bigserial PRIMARY KEY,
    at              timestamptz NOT NULL,
    request_id      text NOT NULL,
    account         text NOT NULL,
    region          text NOT NULL,
    principal       text NOT NULL,
    session_name    text NOT NULL,
    source_identity text NOT NULL,
    service         text NOT NULL,
    op              text NOT NULL,
    error_code      text NOT NULL,
    error_message   text NOT NULL,
    rule            bigint,
    dropped         boolean NOT NULL
);
CREATE INDEX calls_by_op ON calls (service, op, id);
