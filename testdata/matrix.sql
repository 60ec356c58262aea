-- Two tenants with a request that ran and a draft each, and a request whose tenant does not exist yet.
INSERT INTO role_mappings (id, group_name, role, created_by, created_at) VALUES
    ('0190b9a0-0000-7000-8000-dd0000000001', 'engineers', 'requester', 'test', '2026-01-01T00:00:00Z'),
    ('0190b9a0-0000-7000-8000-dd0000000002', 'auditors', 'auditor', 'test', '2026-01-01T00:00:00Z');

CREATE TEMP TABLE wanted (n integer, slug text, requester text, state text);
INSERT INTO wanted VALUES (1, 'payments', 'demo-developer', 'failed'), (2, 'storefront', 'demo-outsider', 'failed'), (3, 'new-team', 'demo-fresh', 'plan_failed');

INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
SELECT ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, 'tenant.create', 'tenant', ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, slug,
    CASE WHEN n < 3 THEN ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid END, 'Create tenant ' || slug, state,
    jsonb_build_object('slug', slug, 'display_name', slug, 'description', '', 'owner_group', slug || '-owners', 'developer_group', slug || '-developers',
        'viewer_group', slug || '-viewers', 'cost_centre', 'CC-1', 'budget', '100', 'classes', '["nonprod"]'::jsonb),
    ARRAY[p.id], p.id, 'matrix-' || slug, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'
FROM wanted JOIN people p ON p.subject = wanted.requester;

INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
SELECT ('0190b9a0-0000-7000-8000-ff00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, 1, repeat('a', 64),
    '{"kind":"tenant.create","object_type":"tenant","object":"x","inputs":{},"parts":[],"cost":[],"rules":[]}', '', '{}', 0, 0, '{}', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 4;

INSERT INTO approvals (id, request_id, plan_hash, decision, role, rule_id, at)
SELECT gen_random_uuid(), ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, repeat('a', 64), 'approve', 'rule', 'matrix', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;

INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at, ended_at)
SELECT ('0190b9a0-0000-7000-8000-bb00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid,
    ('0190b9a0-0000-7000-8000-ff00000000' || lpad(n::text, 2, '0'))::uuid, 'failed', p.id, '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'
FROM wanted JOIN people p ON p.subject = wanted.requester WHERE n < 3;

UPDATE requests r SET plan_id = p.id, plan_hash = p.hash FROM plans p WHERE p.request_id = r.id;
UPDATE requests r SET run_id = u.id FROM runs u WHERE u.request_id = r.id;

INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, slug, initcap(slug), slug || '-owners', slug || '-developers', slug || '-viewers', 'CC-1', 100,
    'broken', ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 3;

INSERT INTO saved_forms (id, person_id, issuer, subject, path, fields, saved_at)
SELECT ('0190b9a0-0000-7000-8000-cc00000000' || lpad(n::text, 2, '0'))::uuid, p.id, p.issuer, p.subject, '/tenants/new', '{}', '2026-01-01T00:00:00Z'
FROM wanted JOIN people p ON p.subject = wanted.requester WHERE n < 3;
CREATE TEMP TABLE kept_forms AS SELECT * FROM saved_forms;

-- What each of the two has in its account: a network, a service and an environment.
INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, created_at)
SELECT ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, 'nonprod', slug || '-nonprod', slug || '@example.com',
    lpad(n::text, 12, '1'), 'ready', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 3;

INSERT INTO networks (id, tenant_id, account_id, class, region, name, state, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-ab00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid,
    ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, 'nonprod', 'eu-west-1', 'nonprod-eu-west-1', 'ready', ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid,
    '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 3;

INSERT INTO services (id, tenant_id, account_id, class, name, state, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-ad00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid,
    ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, 'nonprod', 'orders', 'ready', ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid,
    '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 3;

INSERT INTO environments (id, tenant_id, account_id, network_id, service_id, name, stage, region, blueprint, state, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid,
    ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ab00000000' || lpad(n::text, 2, '0'))::uuid,
    ('0190b9a0-0000-7000-8000-ad00000000' || lpad(n::text, 2, '0'))::uuid, 'orders-dev', 'dev', 'eu-west-1', 'ecs-web-service', 'ready',
    ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'
FROM wanted WHERE n < 3;

-- What delivers in each of the two: a connection, a pipeline with an execution, a blocked promotion, evidence, a waiver and a freeze.
INSERT INTO connections (id, tenant_id, account_id, class, name, provider, status, state, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-ba00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, 'nonprod', 'github', 'GitHub', 'AVAILABLE', 'ready', ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;

INSERT INTO pipelines (id, tenant_id, account_id, class, service_id, connection_id, name, kind, source, repository, stages, state, last_execution, last_state, last_at, request_id, created_at, updated_at)
SELECT ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ac00000000' || lpad(n::text, 2, '0'))::uuid, 'nonprod', ('0190b9a0-0000-7000-8000-ad00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ba00000000' || lpad(n::text, 2, '0'))::uuid, 'orders', 'codepipeline', '{"kind":"connection","repository":"acme/orders","branch":"main"}', 'acme/orders',
    jsonb_build_array(jsonb_build_object('environment', 'orders-dev', 'environment_id', ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, 'stage', 'dev', 'gates', '["build","image-scan"]'::jsonb, 'scan', '{"critical":0,"high":0,"medium":-1,"low":-1}'::jsonb, 'timeout_minutes', 10080)),
    'ready', ('0190b9a0-0000-7000-8000-b200000000' || lpad(n::text, 2, '0'))::uuid, 'failed', '2026-01-01T00:00:00Z', ('0190b9a0-0000-7000-8000-aa00000000' || lpad(n::text, 2, '0'))::uuid, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;
INSERT INTO pipeline_stages (pipeline_id, position, environment_id) SELECT ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, 1, ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid FROM wanted WHERE n < 3;

INSERT INTO pipeline_executions (id, pipeline_id, tenant_id, number, external_id, trigger, state, commit_id, commit_message, author, branch, stages, digest, started_at, ended_at, seen_at)
SELECT ('0190b9a0-0000-7000-8000-b200000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, 1, 'execution-' || n, 'push', 'failed', repeat('c', 40), 'Count refunds once', 'Aiko Mori', 'main',
    jsonb_build_array(jsonb_build_object('name', 'Build', 'state', 'failed', 'actions', '[{"name":"Build","kind":"build","state":"failed","log_group":"/slipway/orders","log_stream":"build"}]'::jsonb),
        jsonb_build_object('name', 'orders-dev', 'state', '', 'environment_id', ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, 'actions', '[]'::jsonb)), 'sha256:' || repeat('ab', 32), '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;

INSERT INTO promotions (id, tenant_id, pipeline_id, environment_id, service_id, execution_id, image, asked_by, asked_by_name, ask_key, state, reason, created_at)
SELECT ('0190b9a0-0000-7000-8000-b300000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ad00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-b200000000' || lpad(n::text, 2, '0'))::uuid, '111111111111.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:' || repeat('ab', 32), 'codepipeline', 'CodePipeline', 'matrix', 'blocked', 'The image scan fails.', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;

INSERT INTO evidence (id, tenant_id, service_id, pipeline_id, digest, gate, passed, file_name, file_type, file, posted_by, posted_at)
SELECT ('0190b9a0-0000-7000-8000-b400000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ad00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, 'sha256:' || repeat('ab', 32), 'static-analysis', true, 'report.html', 'text/html', '<script>alert(1)</script>', 'repo:acme/orders', '2026-01-01T00:00:00Z' FROM wanted WHERE n < 3;

INSERT INTO gate_waivers (id, tenant_id, pipeline_id, environment_id, gate, reason, by_id, at, until)
SELECT ('0190b9a0-0000-7000-8000-b500000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-b100000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, 'image-scan', 'The fix comes on Thursday.', p.id, now() - interval '1 hour', now() + interval '9 days' FROM wanted JOIN people p ON p.subject = wanted.requester WHERE n < 3;

INSERT INTO stage_freezes (id, tenant_id, environment_id, reason, by_id, at, until)
SELECT ('0190b9a0-0000-7000-8000-b600000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ee00000000' || lpad(n::text, 2, '0'))::uuid, ('0190b9a0-0000-7000-8000-ae00000000' || lpad(n::text, 2, '0'))::uuid, 'Quarter end.', p.id, now() - interval '1 hour', now() + interval '9 days' FROM wanted JOIN people p ON p.subject = wanted.requester WHERE n < 3;

INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, blueprint, version)
SELECT o.id, o.kind, o.tenant_id, o.account_id, 'eu-west-1', 'slw-' || o.kind || '-' || o.id, 'made-by-hand', '1.0.0'
FROM (SELECT id, tenant_id, account_id, 'network' AS kind FROM networks UNION ALL SELECT id, tenant_id, account_id, 'service' FROM services
    UNION ALL SELECT id, tenant_id, account_id, 'environment' FROM environments
    UNION ALL SELECT id, tenant_id, account_id, 'connection' FROM connections UNION ALL SELECT id, tenant_id, account_id, 'pipeline' FROM pipelines) o;
