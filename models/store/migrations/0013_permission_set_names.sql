-- +goose Up
-- The access portal's links name a permission set, not its ARN.
ALTER TABLE account_access ADD COLUMN set_name text NOT NULL DEFAULT '';
