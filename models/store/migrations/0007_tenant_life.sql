-- +goose Up
-- The rest of a tenant's life: accounts that were there before, closing, and what IAM Identity Center gives people.

ALTER TABLE tenants ADD COLUMN closing_at timestamptz;

ALTER TABLE accounts ADD COLUMN enrolled boolean NOT NULL DEFAULT false;
ALTER TABLE accounts ADD COLUMN by_hand boolean NOT NULL DEFAULT false;
ALTER TABLE accounts ADD COLUMN closed_at timestamptz;
CREATE INDEX accounts_closed ON accounts (closed_at) WHERE closed_at IS NOT NULL;

-- An account can be enrolled again after it was released. Addresses that Slipway made are still never used twice.
-- contract: the rules only become looser, and no statement of an older release names them.
ALTER TABLE accounts DROP CONSTRAINT accounts_aws_id_key;
-- contract: looser than the rule before it.
CREATE UNIQUE INDEX accounts_aws_id ON accounts (aws_id) WHERE state <> 'deleted';
-- contract: no statement of an older release names it.
ALTER TABLE accounts DROP CONSTRAINT accounts_email_key;
-- contract: looser than the rule before it.
CREATE UNIQUE INDEX accounts_email ON accounts (email) WHERE NOT enrolled;

-- What is in a tenant's accounts, by tenant: closing asks for all of it.
CREATE INDEX stacks_tenant ON stacks (tenant_id);

CREATE TABLE account_access (
    account_id uuid NOT NULL REFERENCES accounts (id),
    role text NOT NULL CHECK (role IN ('owner', 'developer', 'viewer')),
    group_name text NOT NULL,
    group_id text NOT NULL DEFAULT '',
    permission_set text NOT NULL,
    state text NOT NULL CHECK (state IN ('working', 'assigned', 'failed', 'removed')),
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    PRIMARY KEY (account_id, role, group_name, permission_set)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON account_access TO slipway_app;
