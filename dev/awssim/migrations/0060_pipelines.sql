-- +goose Up
-- What was pushed to the repositories that pipelines read; a repository is the same in every account.
CREATE TABLE commits (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository text NOT NULL,
    branch     text NOT NULL,
    id         text NOT NULL,
    body       jsonb NOT NULL,
    UNIQUE (repository, branch, id)
);

-- Executions of pipelines, the newest with the highest number.
CREATE TABLE pipeline_executions (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text NOT NULL UNIQUE,
    pipeline text NOT NULL, -- ARN
    active   boolean NOT NULL,
    next_at  timestamptz,   -- when something is due in it
    body     jsonb NOT NULL
);
CREATE INDEX pipeline_executions_pipeline ON pipeline_executions (pipeline, seq);
CREATE INDEX pipeline_executions_active ON pipeline_executions (pipeline) WHERE active;
CREATE INDEX pipeline_executions_due ON pipeline_executions (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE builds (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      text NOT NULL UNIQUE, -- project:uuid
    account text NOT NULL,
    region  text NOT NULL,
    project text NOT NULL,
    number  integer NOT NULL,
    next_at timestamptz, -- when it pushes its image
    body    jsonb NOT NULL
);
CREATE INDEX builds_project ON builds (account, region, project, seq);
CREATE INDEX builds_due ON builds (next_at) WHERE next_at IS NOT NULL;

-- What a scan finds in an image; without a row, what its digest says.
CREATE TABLE image_scans (
    account    text NOT NULL,
    region     text NOT NULL,
    repository text NOT NULL,
    digest     text NOT NULL,
    body       jsonb NOT NULL,
    PRIMARY KEY (account, region, repository, digest)
);
