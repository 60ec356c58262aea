-- +goose Up
-- Breaking the glass needs a sign-in at which the provider asked for the password.
ALTER TABLE sessions ADD COLUMN fresh_at timestamptz;
ALTER TABLE sign_ins ADD COLUMN fresh boolean NOT NULL DEFAULT false;
