-- +goose Up
-- A step that waits for others has no time yet: due_at is infinity until the last of them, by
-- logical id, is done.
ALTER TABLE stack_steps
    ADD COLUMN waits text[] NOT NULL DEFAULT '{}',
    ADD COLUMN pause interval NOT NULL DEFAULT '0';
CREATE INDEX stack_steps_stack ON stack_steps (stack);

-- What follows the beginning of a change is scheduled when it begins.
DELETE FROM stack_steps later USING stack_steps first
WHERE later.stack = first.stack AND later.body->>'ID' = first.body->>'ID'
  AND (first.body->>'Kind' = 'begin' AND later.body->>'Kind' IN ('made', 'done', 'fail')
    OR first.body->>'Kind' = 'delete' AND later.body->>'Kind' = 'deleted');

-- What was changed behind the stack's back: JSON pointers into the properties with the values
-- there are now (null: taken away), and whether the resource itself is gone.
ALTER TABLE stack_resources
    ADD COLUMN live jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN gone boolean NOT NULL DEFAULT false,
    ADD COLUMN drift jsonb;

CREATE TABLE drift_detections (
    id      text PRIMARY KEY,
    account text NOT NULL,
    region  text NOT NULL,
    stack   text NOT NULL REFERENCES stacks (id),
    at      timestamptz NOT NULL,
    due_at  timestamptz NOT NULL,
    done    boolean NOT NULL DEFAULT false,
    body    jsonb NOT NULL
);
CREATE INDEX drift_detections_due ON drift_detections (due_at) WHERE NOT done;
CREATE INDEX drift_detections_stack ON drift_detections (stack);

ALTER TABLE stack_events ADD COLUMN detailed text NOT NULL DEFAULT '';
CREATE INDEX stack_events_operation ON stack_events (operation, seq DESC);
CREATE INDEX stack_resources_place ON stack_resources (account, region, physical_id);
