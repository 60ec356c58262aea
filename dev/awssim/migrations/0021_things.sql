-- +goose Up
-- What exists in the accounts' services: made by stacks, or beside them on the simulator's page.
CREATE TABLE things (
    account    text NOT NULL,
    region     text NOT NULL,
    type       text NOT NULL,
    physical   text NOT NULL,
    arn        text NOT NULL,
    stack      text NOT NULL DEFAULT '',
    stack_name text NOT NULL DEFAULT '',
    logical    text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    attributes jsonb NOT NULL DEFAULT '{}',
    tags       jsonb NOT NULL DEFAULT '{}',
    state      jsonb NOT NULL DEFAULT '{}', -- what the service knows of it
    made_at    timestamptz NOT NULL,
    gone_at    timestamptz,                 -- a key that is going to be deleted is there until then
    PRIMARY KEY (account, region, type, physical)
);
CREATE INDEX things_type ON things (type, physical);
CREATE INDEX things_arn ON things (arn);

CREATE TABLE images (
    account    text NOT NULL,
    region     text NOT NULL,
    repository text NOT NULL,
    digest     text NOT NULL,
    tags       text[] NOT NULL DEFAULT '{}',
    manifest   text NOT NULL,
    media_type text NOT NULL,
    bytes      bigint NOT NULL,
    pushed_at  timestamptz NOT NULL,
    PRIMARY KEY (account, region, repository, digest)
);

-- Network interfaces that outlive what they were for.
CREATE TABLE lingering_interfaces (
    id      text PRIMARY KEY,
    account text NOT NULL,
    region  text NOT NULL,
    body    jsonb NOT NULL,
    gone_at timestamptz NOT NULL
);

CREATE TABLE dns_records (
    zone  text NOT NULL,
    name  text NOT NULL, -- with its last dot, in small letters
    type  text NOT NULL,
    body  jsonb NOT NULL,
    since timestamptz NOT NULL, -- in effect from then
    PRIMARY KEY (zone, name, type)
);
CREATE TABLE dns_changes (
    id           text PRIMARY KEY,
    account      text NOT NULL,
    submitted_at timestamptz NOT NULL,
    in_sync_at   timestamptz NOT NULL
);

CREATE TABLE secret_versions (
    secret  text NOT NULL, -- ARN
    id      text NOT NULL,
    stages  text[] NOT NULL,
    value   text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (secret, id)
);
