-- +goose Up
CREATE TABLE stacks (
    id         text PRIMARY KEY,
    account    text NOT NULL,
    region     text NOT NULL,
    name       text NOT NULL,
    status     text NOT NULL,
    created_at timestamptz NOT NULL,
    body       jsonb NOT NULL
);
-- A deleted stack is still found by its id, but its name is free.
CREATE UNIQUE INDEX stacks_name ON stacks (account, region, name) WHERE status <> 'DELETE_COMPLETE';

CREATE TABLE stack_resources (
    stack       text NOT NULL REFERENCES stacks (id),
    id          text NOT NULL,
    seq         bigserial,
    account     text NOT NULL,
    region      text NOT NULL,
    type        text NOT NULL,
    physical_id text NOT NULL,
    status      text NOT NULL,
    body        jsonb NOT NULL,
    PRIMARY KEY (stack, id)
);
CREATE INDEX stack_resources_physical ON stack_resources (type, physical_id);

CREATE TABLE stack_events (
    seq         bigserial PRIMARY KEY,
    stack       text NOT NULL REFERENCES stacks (id),
    event_id    text NOT NULL UNIQUE,
    at          timestamptz NOT NULL,
    logical_id  text NOT NULL,
    physical_id text NOT NULL,
    type        text NOT NULL,
    status      text NOT NULL,
    reason      text NOT NULL,
    properties  text NOT NULL,
    token       text NOT NULL,
    operation   text NOT NULL,
    kind        text NOT NULL, -- STACK_EVENT, or VALIDATION_ERROR with the fields below
    validation  jsonb
);
CREATE INDEX stack_events_order ON stack_events (stack, seq DESC);

-- What is going to happen, frozen when an operation begins.
CREATE TABLE stack_steps (
    seq    bigserial PRIMARY KEY,
    stack  text NOT NULL REFERENCES stacks (id),
    due_at timestamptz NOT NULL,
    body   jsonb NOT NULL
);
CREATE INDEX stack_steps_due ON stack_steps (due_at, seq);

CREATE TABLE change_sets (
    id         text PRIMARY KEY,
    stack      text NOT NULL REFERENCES stacks (id),
    name       text NOT NULL,
    created_at timestamptz NOT NULL,
    body       jsonb NOT NULL,
    UNIQUE (stack, name)
);

CREATE TABLE stack_sets (
    id         text PRIMARY KEY, -- name:uuid
    account    text NOT NULL,    -- the administrator
    region     text NOT NULL,
    name       text NOT NULL,
    created_at timestamptz NOT NULL,
    body       jsonb NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE stack_instances (
    stack_set text NOT NULL REFERENCES stack_sets (id) ON DELETE CASCADE,
    account   text NOT NULL,
    region    text NOT NULL,
    detailed  text NOT NULL,
    start_at  timestamptz NOT NULL, -- a pending instance begins then
    stack     text REFERENCES stacks (id),
    body      jsonb NOT NULL,
    PRIMARY KEY (stack_set, account, region)
);

CREATE TABLE stack_set_operations (
    id         text PRIMARY KEY,
    stack_set  text NOT NULL REFERENCES stack_sets (id) ON DELETE CASCADE,
    status     text NOT NULL,
    created_at timestamptz NOT NULL,
    body       jsonb NOT NULL
);
