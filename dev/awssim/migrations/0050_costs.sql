-- +goose Up
-- What a stack costs a month at list prices, from one change of it to the next.
CREATE TABLE bills (
    id      bigserial PRIMARY KEY,
    stack   text NOT NULL,
    account text NOT NULL,
    region  text NOT NULL,
    tags    jsonb NOT NULL DEFAULT '{}',
    lines   jsonb NOT NULL,
    from_at timestamptz NOT NULL,
    to_at   timestamptz
);
CREATE UNIQUE INDEX bills_open ON bills (stack) WHERE to_at IS NULL;

-- What makes costs differ from the list prices of what stands. An empty account, tenant,
-- environment or price key matches everything.
CREATE TABLE cost_settings (
    id          bigserial PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('drift', 'price', 'leak', 'credit', 'tax', 'history')),
    account     text NOT NULL DEFAULT '',
    tenant      text NOT NULL DEFAULT '',
    environment text NOT NULL DEFAULT '',
    price       text NOT NULL DEFAULT '',
    amount      numeric NOT NULL, -- a factor, USD a day or a month, a percentage, months
    from_at     timestamptz NOT NULL,
    to_at       timestamptz
);

-- What somebody let happen, since when and until when.
CREATE TABLE incidents (
    id         bigserial PRIMARY KEY,
    kind       text NOT NULL,
    account    text NOT NULL DEFAULT '',
    region     text NOT NULL DEFAULT '',
    target     text NOT NULL DEFAULT '',
    amount     double precision NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX incidents_open ON incidents (kind) WHERE ended_at IS NULL;

-- A number that no two states of what costs and metrics are made from share.
CREATE SEQUENCE world_version;
-- +goose StatementBegin
CREATE FUNCTION world_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('world_version');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON bills FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON cost_settings FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON incidents FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON settings FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
CREATE TRIGGER world_changed AFTER INSERT OR UPDATE OR DELETE ON things FOR EACH STATEMENT EXECUTE FUNCTION world_changed();
