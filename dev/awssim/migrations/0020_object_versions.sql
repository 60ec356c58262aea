-- +goose Up
ALTER TABLE buckets ADD COLUMN versioning text NOT NULL DEFAULT '' CHECK (versioning IN ('', 'Enabled', 'Suspended'));

-- Every version of an object is a row; the newest one is what calls without a version see.
ALTER TABLE objects
    ADD COLUMN version text NOT NULL DEFAULT 'null',
    ADD COLUMN newest boolean NOT NULL DEFAULT true,
    ADD COLUMN marker boolean NOT NULL DEFAULT false, -- a delete marker: it has no content
    ADD COLUMN seq bigserial;
ALTER TABLE objects DROP CONSTRAINT objects_pkey, ADD PRIMARY KEY (bucket, key, version);
CREATE UNIQUE INDEX objects_newest ON objects (bucket, key) WHERE newest;

CREATE TABLE multipart_uploads (
    bucket       text NOT NULL REFERENCES buckets (name),
    key          text NOT NULL COLLATE "C",
    id           text NOT NULL,
    initiated_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, key, id)
);
