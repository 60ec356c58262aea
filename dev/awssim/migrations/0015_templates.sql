-- +goose Up
-- Each template once, under the SHA-256 of its text. Rows from before hold their own.
CREATE TABLE templates (
    digest text PRIMARY KEY,
    body   text NOT NULL
);
