-- +goose Up
-- IAM Identity Center: one instance with its identity store, in the management account.
CREATE TABLE identity_groups (
    id          text PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    external_id text NOT NULL DEFAULT '',
    gone        boolean NOT NULL DEFAULT false, -- deleted: its assignments stay, as AWS leaves them
    made_at     timestamptz NOT NULL
);
CREATE TABLE permission_sets (
    arn         text PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL,
    gone        boolean NOT NULL DEFAULT false,
    made_at     timestamptz NOT NULL
);
CREATE TABLE account_assignments (
    account        text NOT NULL REFERENCES accounts (id),
    permission_set text NOT NULL REFERENCES permission_sets (arn),
    principal      text NOT NULL,
    principal_type text NOT NULL,
    since          timestamptz NOT NULL,
    PRIMARY KEY (account, permission_set, principal_type, principal)
);
CREATE INDEX account_assignments_principal ON account_assignments (principal);

-- What was asked for, with AWS's id of the request.
CREATE TABLE assignment_requests (
    id             text PRIMARY KEY,
    verb           text NOT NULL CHECK (verb IN ('create', 'delete')),
    account        text NOT NULL,
    permission_set text NOT NULL,
    principal      text NOT NULL,
    principal_type text NOT NULL,
    status         text NOT NULL CHECK (status IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    reason         text NOT NULL DEFAULT '',
    asked_at       timestamptz NOT NULL,
    due_at         timestamptz NOT NULL
);
CREATE INDEX assignment_requests_open ON assignment_requests (due_at) WHERE status = 'IN_PROGRESS';
