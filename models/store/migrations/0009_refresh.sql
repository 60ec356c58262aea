-- +goose Up
-- Sessions learn from the identity provider while they last: groups are read again by refresh token, and a sign-out there ends them here.
ALTER TABLE sessions
    ADD COLUMN nonce_hash text NOT NULL DEFAULT '',   -- of the sign-in: a refreshed ID token has the same nonce or none
    ADD COLUMN refresh_token bytea,                   -- encrypted; NULL: the provider gave none, or it is lost
    ADD COLUMN checked_at timestamptz,                -- when the provider last vouched for the groups; NULL: at the sign-in
    ADD COLUMN recheck_fence bigint NOT NULL DEFAULT 0,
    ADD COLUMN recheck_lease timestamptz,             -- until when one process alone may use the refresh token; the database's clock
    ADD COLUMN recheck_doubt boolean NOT NULL DEFAULT false, -- the token was used and no answer was kept: the provider may have replaced it
    ADD COLUMN recheck_next timestamptz,              -- not before; set when the provider did not answer
    ADD COLUMN failing_since timestamptz,             -- the provider has not vouched since; cleared when it does
    ADD COLUMN ended_why text NOT NULL DEFAULT '' CHECK (ended_why IN ('', 'provider', 'refused', 'unconfirmed'));
CREATE INDEX sessions_sid ON sessions (issuer, sid) WHERE sid <> '';

-- Logout tokens that were obeyed: each once, until it has expired.
CREATE TABLE logout_tokens (
    issuer text NOT NULL,
    jti text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX logout_tokens_until ON logout_tokens (until);
GRANT SELECT, INSERT, DELETE ON logout_tokens TO slipway_app;
