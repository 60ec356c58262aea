-- +goose Up
-- How environments run, as the last round of the collector found it. Times are wall time: AWS gave them, or they are compared with its.
-- (role_health is about Slipway's own roles.)

-- What lists sort and count by. A new environment has no data; its stage counts into the rank with the first reading.
ALTER TABLE environments ADD COLUMN health text NOT NULL DEFAULT 'no_data' CHECK (health IN ('failing', 'degraded', 'unknown', 'no_data', 'healthy'));
ALTER TABLE environments ADD COLUMN health_rank integer NOT NULL DEFAULT 10;
CREATE INDEX environments_health ON environments (health_rank, id) WHERE state <> 'deleted';
CREATE INDEX environments_place ON environments (account_id, region, id) WHERE state <> 'deleted';
CREATE INDEX environments_unwell ON environments (tenant_id) WHERE state <> 'deleted' AND health = 'failing';

CREATE TABLE environment_health (
    environment_id uuid PRIMARY KEY REFERENCES environments (id),
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    reason text NOT NULL DEFAULT '',
    since timestamptz NOT NULL, -- since when it is in the state that environments.health says
    tried_at timestamptz NOT NULL, -- the last round
    read_at timestamptz, -- the last round that could read something of it
    parts jsonb NOT NULL DEFAULT '[]', -- worst first
    seen text NOT NULL DEFAULT '' CHECK (seen IN ('', 'failing', 'degraded', 'unknown', 'no_data', 'healthy')), -- what the last rounds found instead
    seen_at timestamptz,
    rounds integer NOT NULL DEFAULT 0 CHECK (rounds >= 0),
    told text NOT NULL DEFAULT '' CHECK (told IN ('', 'failing', 'degraded')), -- what people were told and not yet that it is over
    turned_at timestamptz, -- when the state changed last
    CHECK ((seen = '') = (seen_at IS NULL))
);
CREATE INDEX environment_health_tenant ON environment_health (tenant_id);

CREATE TABLE health_changes (
    id uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environments (id),
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    at timestamptz NOT NULL,
    was text NOT NULL CHECK (was IN ('failing', 'degraded', 'unknown', 'no_data', 'healthy')),
    state text NOT NULL CHECK (state IN ('failing', 'degraded', 'unknown', 'no_data', 'healthy') AND state <> was),
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX health_changes_environment ON health_changes (environment_id, at DESC);
CREATE INDEX health_changes_at ON health_changes (at);

-- What CloudWatch keeps of the alarms that changed.
CREATE TABLE alarm_changes (
    environment_id uuid NOT NULL REFERENCES environments (id),
    alarm text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (environment_id, alarm, at)
);
CREATE INDEX alarm_changes_environment ON alarm_changes (environment_id, at DESC);
CREATE INDEX alarm_changes_at ON alarm_changes (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON environment_health, health_changes, alarm_changes TO slipway_app;

-- People are told of health, too.
-- contract: looser than the rule before it.
ALTER TABLE notification_events DROP CONSTRAINT notification_events_kind_check;
-- contract: looser than the rule before it.
ALTER TABLE notification_events ADD CONSTRAINT notification_events_kind_check
    CHECK (kind IN ('approve', 'decided', 'failed', 'blocked', 'done', 'break_glass', 'expiry', 'freeze', 'role_lost', 'health', 'budget', 'test')) NOT VALID;
