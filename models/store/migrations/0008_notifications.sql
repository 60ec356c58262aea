-- +goose Up
-- What people and webhooks are told: the outbox of events, the messages made of them, and what both are chosen by.

CREATE TABLE notification_events (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('approve', 'decided', 'failed', 'blocked', 'done', 'break_glass', 'expiry', 'freeze', 'role_lost', 'test')),
    object_type text NOT NULL DEFAULT '',
    object_id text NOT NULL DEFAULT '',
    object_name text NOT NULL DEFAULT '',
    tenant_id uuid REFERENCES tenants (id),
    request_id uuid REFERENCES requests (id),
    state text NOT NULL DEFAULT '',
    plan_id uuid,
    plan_hash text NOT NULL DEFAULT '',
    person_id uuid REFERENCES people (id),
    by_id uuid,
    by_name text NOT NULL DEFAULT '',
    subject text NOT NULL CHECK (subject <> ''),
    words text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    told_at timestamptz
);
CREATE INDEX notification_events_untold ON notification_events (at, id) WHERE told_at IS NULL;
CREATE INDEX notification_events_request ON notification_events (request_id, at);
CREATE INDEX notification_events_at ON notification_events (at);

-- Addresses that admins want told. The address and the secret are sealed with SLIPWAY_SECRET_KEYS; a removed one has neither.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    host text NOT NULL,
    url bytea,
    form text NOT NULL CHECK (form IN ('signed', 'slack')),
    secret bytea,
    kinds text[] NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    CHECK (removed_at IS NOT NULL OR url IS NOT NULL)
);
CREATE UNIQUE INDEX webhooks_name ON webhooks (name) WHERE removed_at IS NULL;

-- One message to one recipient. Its id is the message's for ever; the lease uses the database's clock, all else product time.
CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES notification_events (id),
    channel text NOT NULL CHECK (channel IN ('email', 'webhook')),
    destination text NOT NULL,
    recipient text NOT NULL,
    person_id uuid REFERENCES people (id),
    webhook_id uuid REFERENCES webhooks (id),
    address text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'superseded', 'not_configured')),
    forced boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    generation bigint NOT NULL DEFAULT 0,
    lease_owner text,
    lease_until timestamptz,
    UNIQUE (event_id, destination, recipient),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX notifications_due ON notifications (destination, next_at) WHERE state = 'pending';
CREATE INDEX notifications_created ON notifications (created_at, id);
CREATE INDEX notifications_person ON notifications (person_id, created_at, id);

-- The circuit of each destination: after failures in a row nothing is sent there for a while.
CREATE TABLE notification_destinations (
    name text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    closed_until timestamptz,
    error text NOT NULL DEFAULT '',
    ok_at timestamptz,
    updated_at timestamptz NOT NULL
);

-- What a person does not want, or wants again; without a row the usual holds.
CREATE TABLE notification_choices (
    person_id uuid NOT NULL REFERENCES people (id),
    kind text NOT NULL,
    wanted boolean NOT NULL,
    PRIMARY KEY (person_id, kind)
);

-- Networks that webhooks may reach although they are not public.
CREATE TABLE notification_networks (
    id uuid PRIMARY KEY,
    block cidr NOT NULL UNIQUE,
    note text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON notification_events, webhooks, notifications, notification_destinations, notification_choices, notification_networks TO slipway_app;
