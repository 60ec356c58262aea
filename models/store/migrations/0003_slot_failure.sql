-- +goose Up
-- Why no account came of a creation, for the step of the run that waits for it.
ALTER TABLE creation_slots ADD COLUMN failure jsonb;
