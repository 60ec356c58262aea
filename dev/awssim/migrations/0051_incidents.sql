-- +goose Up
-- Rules that an incident began end with it.
ALTER TABLE rules
    ADD COLUMN region text NOT NULL DEFAULT '',
    ADD COLUMN skew integer NOT NULL DEFAULT 0, -- seconds that a clock is ahead
    ADD COLUMN incident bigint REFERENCES incidents (id);
