-- +goose Up
-- What AWS charges: by day, account, service, environment and kind of charge, as each source says it; budgets; and what was paid for asking.

-- Since when, and until when, an account belongs to a tenant. An account that Slipway had made belongs to its tenant from its first day.
CREATE TABLE account_bindings (
    account_id uuid PRIMARY KEY REFERENCES accounts (id),
    aws_id text NOT NULL CHECK (aws_id ~ '^[0-9]{12}$'),
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    from_day date NOT NULL,
    until_day date CHECK (until_day >= from_day) -- the last day; null: it still does
);
CREATE INDEX account_bindings_aws ON account_bindings (aws_id, from_day);
CREATE INDEX account_bindings_tenant ON account_bindings (tenant_id);

-- Which source is the record of a month. Sources are kept beside each other, and never added up.
CREATE TABLE cost_records (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    source text NOT NULL CHECK (source IN ('cost_explorer', 'focus'))
);

-- The days that were read. A day without a row here was never read; one with a row and without costs cost nothing.
CREATE TABLE cost_reads (
    source text NOT NULL CHECK (source IN ('cost_explorer', 'focus')),
    day date NOT NULL,
    estimated boolean NOT NULL, -- AWS may still change it
    read_at timestamptz NOT NULL, -- wall time
    again boolean NOT NULL DEFAULT false, -- somebody wants it read again, final or not
    PRIMARY KEY (source, day)
);

-- Two cuts of the same money: by service, with credits, refunds and tax, and by environment, usage only. Sums are made within one cut.
CREATE TABLE cost_days (
    source text NOT NULL CHECK (source IN ('cost_explorer', 'focus')),
    cut text NOT NULL CHECK (cut IN ('service', 'environment')),
    day date NOT NULL,
    account text NOT NULL CHECK (length(account) BETWEEN 1 AND 64),
    category text NOT NULL CHECK (category IN ('usage', 'credit', 'refund', 'tax')),
    service text NOT NULL DEFAULT '',
    environment text NOT NULL DEFAULT '', -- value of the tag slipway:environment
    billed numeric(24, 10) NOT NULL,
    effective numeric(24, 10) NOT NULL,
    tenant_id uuid REFERENCES tenants (id), -- by the account's binding of that day; null: unallocated
    PRIMARY KEY (source, cut, day, account, category, service, environment),
    CHECK (cut = 'environment' OR environment = ''),
    CHECK (cut = 'service' OR (service = '' AND category = 'usage')),
    FOREIGN KEY (source, day) REFERENCES cost_reads (source, day)
);
CREATE INDEX cost_days_tenant ON cost_days (tenant_id, day);
CREATE INDEX cost_days_service ON cost_days (service, day) WHERE cut = 'service' AND service <> '';

-- Sums of each day of the record, so that nobody adds up every row of an organization to show a page.
CREATE TABLE cost_rollups (
    day date NOT NULL,
    scope text NOT NULL CHECK (scope IN ('tenant', 'service')),
    tenant_id uuid REFERENCES tenants (id), -- scope tenant; null: unallocated
    service text NOT NULL DEFAULT '',       -- scope service
    category text NOT NULL CHECK (category IN ('usage', 'credit', 'refund', 'tax')),
    billed numeric(24, 10) NOT NULL,
    effective numeric(24, 10) NOT NULL,
    CHECK (scope = 'tenant' OR tenant_id IS NULL),
    CHECK (scope = 'service' OR service = '')
);
CREATE UNIQUE INDEX cost_rollups_one ON cost_rollups (scope, day, category, service, COALESCE(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid));
CREATE INDEX cost_rollups_tenant ON cost_rollups (tenant_id, day) WHERE scope = 'tenant';

-- What AWS Budgets says of a tenant's month. A tenant without a row was never read; one whose row says absent has no budget in AWS.
CREATE TABLE tenant_spends (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    state text NOT NULL CHECK (state IN ('ok', 'absent', 'foreign')),
    limit_usd numeric(16, 4),
    actual numeric(24, 10),
    forecast numeric(24, 10), -- null: AWS has none
    read_at timestamptz NOT NULL, -- wall time
    PRIMARY KEY (tenant_id, month),
    CHECK (state = 'ok' OR (actual IS NULL AND forecast IS NULL))
);

-- What was told of a tenant's month, each once.
CREATE TABLE tenant_spend_alerts (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    month date NOT NULL,
    basis text NOT NULL CHECK (basis IN ('actual', 'forecast')),
    percent integer NOT NULL CHECK (percent IN (80, 100)),
    figure numeric(24, 10) NOT NULL,
    budget numeric(14, 2) NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, month, basis, percent)
);

-- Calls that cost money, counted before they are made.
CREATE TABLE metered_calls (
    day date NOT NULL, -- UTC, wall time
    api text NOT NULL CHECK (api IN ('cost_explorer')),
    calls integer NOT NULL DEFAULT 0 CHECK (calls >= 0),
    spent numeric(12, 4) NOT NULL DEFAULT 0, -- USD
    refused_at timestamptz, -- when the day's cap first refused one
    PRIMARY KEY (day, api)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON account_bindings, cost_records, cost_reads, cost_days, cost_rollups, tenant_spends, tenant_spend_alerts, metered_calls TO slipway_app;
