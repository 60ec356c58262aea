-- Rows slipway.from to slipway.to of everything that pages list: other tenants with a request and a run each, and within tenant one more
-- requests, runs, comments, steps, log lines, audit entries and drafts.
CREATE TEMP TABLE more AS SELECT g, gen_random_uuid() AS tenant, gen_random_uuid() AS request, gen_random_uuid() AS plan, gen_random_uuid() AS run,
    gen_random_uuid() AS mine, gen_random_uuid() AS my_plan, gen_random_uuid() AS my_run, 't' || lpad(g::text, 6, '0') AS slug,
    '2026-01-01'::timestamptz + g * interval '1 minute' AS at, (SELECT id FROM people WHERE subject = 'demo-owner') AS person,
    '0190b9a0-0000-7000-8000-ee0000000001'::uuid AS payments
    FROM generate_series(current_setting('slipway.from')::int, current_setting('slipway.to')::int) g;

INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, plan_hash, state_since, created_at, submitted_at)
SELECT request, 'tenant.create', 'tenant', tenant, slug, NULL::uuid, 'Create tenant ' || slug, (ARRAY['succeeded', 'running', 'awaiting_approval', 'failed'])[1 + g % 4],
    '{}'::jsonb, ARRAY[person], person, 'more-' || slug, lpad(to_hex(g), 64, '0'), at, at, at FROM more
UNION ALL SELECT mine, 'tenant.create', 'tenant', payments, 'payments', payments, 'Change payments ' || g, (ARRAY['succeeded', 'running', 'awaiting_approval', 'failed'])[1 + g % 4],
    '{}', ARRAY[person], person, 'mine-' || slug, lpad(to_hex(g), 64, 'a'), at, at, at FROM more;
INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
SELECT plan, request, 1, lpad(to_hex(g), 64, '0'), '{}'::jsonb, ''::bytea, '{"demands": [{"role": "platform-admin", "count": 1}]}'::jsonb, 0, g % 17, '{"add": 3}'::jsonb, now() FROM more
UNION ALL SELECT my_plan, mine, 1, lpad(to_hex(g), 64, 'a'), '{}', '', '{"demands": [{"role": "owner", "count": 1}]}', 0, g % 17, '{"add": 3}', now() FROM more;
INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at, ended_at)
SELECT run, request, plan, (ARRAY['succeeded', 'running', 'succeeded', 'failed'])[1 + g % 4], person, at, at + interval '5 minutes' FROM more
UNION ALL SELECT my_run, mine, my_plan, (ARRAY['succeeded', 'running', 'succeeded', 'failed'])[1 + g % 4], person, at, at + interval '5 minutes' FROM more;
INSERT INTO steps (id, run_id, position, name, title, state)
SELECT gen_random_uuid(), r, p, 'step' || p, 'Step ' || p, CASE p WHEN 1 THEN 'done' ELSE 'pending' END FROM more, unnest(ARRAY[run, my_run]) r, generate_series(1, 3) p;
INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, estimate, created_at, updated_at)
SELECT tenant, slug, 'Team ' || (g % 7), 'payments-owners', slug || '-developers', slug || '-viewers', 'CC-' || (g % 5), 100 + g % 11, 'ready', request,
    CASE WHEN g % 3 > 0 THEN g % 13 END, at, at FROM more;
INSERT INTO accounts (id, tenant_id, class, name, email, state, aws_state, created_at)
SELECT gen_random_uuid(), tenant, c, slug || '-' || c, slug || c || '@example.com', 'ready', '', at FROM more, unnest(ARRAY['nonprod', 'prod']) c;
UPDATE requests r SET plan_id = plan, run_id = run, tenant_id = tenant FROM more WHERE request = r.id;
UPDATE requests r SET plan_id = my_plan, run_id = my_run FROM more WHERE mine = r.id;

INSERT INTO comments (id, request_id, person_id, idempotency_key, body, at)
SELECT gen_random_uuid(), '0190b9a0-0000-7000-8000-aa0000000001', person, 'more-' || g, 'Comment ' || g, at FROM more;
INSERT INTO approvals (id, request_id, plan_hash, decision, person_id, role, dropped, at)
SELECT gen_random_uuid(), '0190b9a0-0000-7000-8000-aa0000000001', lpad(to_hex(g), 64, 'b'), 'approve', p.id, 'platform-admin', true, at FROM more, people p WHERE p.subject = 'demo-admin';
INSERT INTO rule_results (plan_id, request_id, rule_id, rule_version, effect, matched, message, at)
SELECT '0190b9a0-0000-7000-8000-ff0000000001', '0190b9a0-0000-7000-8000-aa0000000001', 'rule-' || g, 1, 'require', true, 'Rule ' || g, at FROM more;
INSERT INTO steps (id, run_id, position, name, title, state, started_at)
SELECT gen_random_uuid(), '0190b9a0-0000-7000-8000-bb0000000001', 1000 + g, 'more' || g, 'More ' || g, 'done', at FROM more;
INSERT INTO run_events (run_id, step_id, at, level, text, key)
SELECT s.run_id, s.id, at, 'info', 'Line ' || g, 'more-' || g FROM more JOIN steps s ON s.run_id = '0190b9a0-0000-7000-8000-bb0000000001' AND s.name = 'more' || g;
INSERT INTO audit_entries (id, at, actor, role, action, object_type, object_id, object_name, tenant_id)
SELECT gen_random_uuid(), at, 'engine', 'system', 'tenant.ready', 'tenant', payments::text, 'payments', payments::text FROM more;
INSERT INTO saved_forms (id, person_id, issuer, subject, path, fields, saved_at)
SELECT gen_random_uuid(), p.id, p.issuer, p.subject, '/tenants/new', '{}', at FROM more, people p WHERE p.subject IN ('demo-owner', 'demo-admin');
INSERT INTO role_mappings (id, group_name, role, created_by, created_at) SELECT gen_random_uuid(), 'group-' || g, 'requester', 'test', at FROM more;

-- Costs: a day that was read, with more tenants and services on it.
INSERT INTO cost_records (month, source) VALUES (date_trunc('month', current_date - 1)::date, 'cost_explorer') ON CONFLICT DO NOTHING;
INSERT INTO cost_reads (source, day, estimated, read_at) VALUES ('cost_explorer', current_date - 1, true, now()) ON CONFLICT DO NOTHING;
INSERT INTO cost_days (source, cut, day, account, category, service, billed, effective, tenant_id)
SELECT 'cost_explorer', 'service', current_date - 1, lpad(g::text, 12, '7'), 'usage', 'Service ' || g, 1, 1, payments FROM more;
INSERT INTO cost_rollups (day, scope, tenant_id, category, billed, effective)
SELECT current_date - 1, 'tenant', t.id, 'usage', 1, 1 FROM more JOIN tenants t ON t.slug = more.slug;
INSERT INTO cost_rollups (day, scope, service, category, billed, effective)
SELECT current_date - 1, 'service', 'Service ' || g, 'usage', 1, 1 FROM more;
DROP TABLE more;
