-- +goose Up
-- Blueprint versions never change: a digest is one content for ever, and a name with a version is one digest. What folders
-- were found and what is hidden is the last report of each origin.

CREATE TABLE blueprint_versions (
    digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,62}$'),
    version text NOT NULL CHECK (version ~ '^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$'),
    kind text NOT NULL CHECK (kind IN ('baseline', 'network', 'environment', 'support')),
    template bytea NOT NULL CHECK (length(template) <= 1048576),
    source bytea NOT NULL CHECK (length(source) <= 1048576),
    first_seen timestamptz NOT NULL,
    CONSTRAINT blueprint_versions_once UNIQUE (name, version)
);

CREATE TABLE blueprint_folders (
    origin text NOT NULL CHECK (origin IN ('shipped', 'directory')),
    name text NOT NULL,
    version text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '', -- of what was read, stored or not; empty when nothing could be read
    problems jsonb,
    checks jsonb,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (origin, name, version)
);

CREATE TABLE blueprint_hidden (
    name text NOT NULL,
    version text NOT NULL DEFAULT '', -- empty: every version
    reason text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (name, version)
);

GRANT SELECT, INSERT ON blueprint_versions TO slipway_app;
GRANT SELECT, INSERT, DELETE ON blueprint_folders, blueprint_hidden TO slipway_app;
