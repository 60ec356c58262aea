-- Roles of Slipway. Run once per installation by an administrator who is connected to Slipway's own, empty database:
--   createdb slipway && psql -d slipway -f roles.sql
-- Running it again changes nothing. Give the roles passwords (\password slipway_owner) or the provider's own sign-in.
--   slipway_owner  owns the database and everything in it; only `slipway migrate` uses it
--   slipway_app    serves; no DDL; what it may touch is granted table by table in the migrations

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'slipway_owner') THEN
        CREATE ROLE slipway_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'slipway_app') THEN
        CREATE ROLE slipway_app LOGIN;
    END IF;
    -- A managed service's administrator is no superuser: only a member may give a database away.
    IF NOT pg_has_role(current_user, 'slipway_owner', 'MEMBER') THEN
        EXECUTE format('GRANT slipway_owner TO %I', current_user);
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO slipway_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO slipway_app', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO slipway_app;

-- A forgotten query, lock or transaction ends by itself; pages give up after 10 s anyway.
ALTER ROLE slipway_app SET statement_timeout = '30s';
ALTER ROLE slipway_app SET lock_timeout = '5s';
ALTER ROLE slipway_app SET idle_in_transaction_session_timeout = '30s';
