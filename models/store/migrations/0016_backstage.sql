-- +goose Up
-- What Backstage reads and frames: tokens of the catalogue feed, and sessions of frames.

-- Only the hash of a token is kept. A revoked one stays, so that the page can say what was once in use.
CREATE TABLE catalog_tokens (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    scope text NOT NULL CHECK (scope IN ('catalog:read')),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_by text NOT NULL DEFAULT '',
    revoked_at timestamptz
);
CREATE UNIQUE INDEX catalog_tokens_name ON catalog_tokens (name) WHERE revoked_at IS NULL;

-- A code takes a signed-in person into a frame: one use, 30 seconds, for the frame whose nonce it was made with.
CREATE TABLE frame_codes (
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    nonce_hash bytea NOT NULL CHECK (length(nonce_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL -- wall time
);
CREATE INDEX frame_codes_expires ON frame_codes (expires_at);
CREATE INDEX frame_codes_session ON frame_codes (session_id);

-- A frame's session reads, and is over when the one it came from is.
CREATE TABLE frame_sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL, -- wall time
    expires_at timestamptz NOT NULL CHECK (expires_at <= created_at + interval '1 hour')
);
CREATE INDEX frame_sessions_expires ON frame_sessions (expires_at);
CREATE INDEX frame_sessions_session ON frame_sessions (session_id);

GRANT SELECT, INSERT, UPDATE ON catalog_tokens TO slipway_app;
GRANT SELECT, INSERT, DELETE ON frame_codes, frame_sessions TO slipway_app;
