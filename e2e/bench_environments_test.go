package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"slipway/models"
)

const (
	benchEnvironments = 100_000
	benchChanges      = 500
	benchPlan         = "00000000-0000-4000-8000-00000000b001" // request with a plan of that many changes
)

// fillEnvironments gives every tenant of the benchmark ten environments with their stacks, and one of them a large plan.
func (w *bench) fillEnvironments(b *testing.B) {
	b.Helper()
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO environments (id, tenant_id, account_id, name, stage, region, blueprint, expires_at, state, estimate, monthly, drift, request_id, created_at, updated_at)
			SELECT gen_random_uuid(), t.id, t.account, 'e-' || n, (ARRAY['dev', 'staging'])[n %% 2 + 1], 'eu-west-1', 'ecs-web-service', t.created_at + n * interval '1 minute', 'ready', '{}', n %% 997, 'none',
				t.request_id, t.created_at, t.created_at + n * interval '1 second'
			FROM generate_series(1, %d) n JOIN (SELECT t.id, t.request_id, t.created_at, a.id AS account, row_number() OVER () AS k FROM tenants t JOIN accounts a ON a.tenant_id = t.id WHERE t.slug LIKE 'bench-%%') t
				ON t.k = n %% %d + 1`, benchEnvironments, benchTenants),
		`INSERT INTO stacks (object_id, object_type, tenant_id, account_id, region, name, status, blueprint, version)
			SELECT id, 'environment', tenant_id, account_id, region, 'slw-env-' || name, 'CREATE_COMPLETE', blueprint, '1.0.0' FROM environments`,
		fmt.Sprintf(`INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
			SELECT '%s', 'environment.update', 'environment', e.id, e.name, e.tenant_id, 'Update environment ' || e.name, 'awaiting_approval', '{}', r.inputs_by, r.requester_id, 'bench-plan', x.t, x.t, x.t
			FROM environments e JOIN requests r ON r.id = e.request_id, (SELECT clock_timestamp() AS t) x LIMIT 1`, benchPlan),
		fmt.Sprintf(`INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
			VALUES ('00000000-0000-4000-8000-00000000b002', '%s', 1, repeat('a', 64), $plan$%s$plan$, '', '{}', 0, 0, '{"change": %d}', clock_timestamp())`, benchPlan, largePlan(b), benchChanges),
		fmt.Sprintf(`UPDATE requests SET plan_id = '00000000-0000-4000-8000-00000000b002' WHERE id = '%s'`, benchPlan),
	} {
		w.exec(sql)
	}
}

// largePlan is the content of a plan with as many changes as a template may have resources, each with two properties.
func largePlan(b *testing.B) []byte {
	b.Helper()
	part := models.PlanPart{Name: "Environment large", Account: "500000000001", Class: models.NonProd, Region: "eu-west-1", Blueprint: "ecs-web-service@1.0.0", StackName: "slw-bench-env-large",
		Mode: models.StackUpdate, Parameters: map[string]string{}, Tags: map[string]string{}}
	before, after := "30", "90"
	for i := range benchChanges {
		part.Changes = append(part.Changes, models.Change{Step: "environment.stack", LogicalID: fmt.Sprintf("Log%d", i), Type: "AWS::Logs::LogGroup", Action: models.Modify, Replacement: "False",
			Properties: []models.PropertyChange{{Path: "/Properties/RetentionInDays", Before: &before, After: &after}, {Path: "/Properties/Tags/0/Value", Before: &before, After: &after}}})
	}
	content, err := json.Marshal(models.PlanContent{Kind: models.UpdateEnvironment, ObjectType: models.EnvironmentObject, Object: "large", Inputs: json.RawMessage("{}"), Parts: []models.PlanPart{part}})
	if err != nil {
		b.Fatal(err)
	}
	return content
}

// handEnvironments are the queries of the lists of environments and of the large plan, written by hand; nil for another page.
func handEnvironments(page string) []string {
	path, query, _ := strings.Cut(page, "?")
	switch path {
	case "/requests/" + benchPlan:
		is := ` = '` + benchPlan + `'`
		return []string{`SELECT r.*, p.name FROM requests r JOIN people p ON p.id = r.requester_id WHERE r.id` + is, `SELECT t.* FROM tenants t JOIN requests r ON r.tenant_id = t.id WHERE r.id` + is,
			`SELECT p.* FROM plans p JOIN requests r ON r.plan_id = p.id WHERE r.id` + is, `SELECT * FROM approvals WHERE request_id` + is + ` LIMIT 100`, `SELECT * FROM comments WHERE request_id` + is + ` LIMIT 500`,
			`SELECT * FROM rule_results WHERE request_id` + is}
	case "/environments":
	default:
		return nil
	}
	where, order := `e.state <> 'deleted'`, `e.name, e.id`
	switch query {
	case "stage=staging":
		where += ` AND e.stage = 'staging'`
	case "sort=-monthly":
		order = `e.monthly DESC, e.id DESC`
	case "q=e-9999":
		where += ` AND (e.name ILIKE '%e-9999%' OR t.slug ILIKE '%e-9999%')`
	}
	from := ` FROM environments e JOIN tenants t ON t.id = e.tenant_id`
	page50 := `(SELECT e.*, t.slug` + from + ` WHERE ` + where + ` ORDER BY ` + order + ` LIMIT 51) e`
	return []string{`SELECT count(*) FROM (SELECT 1` + from + ` WHERE ` + where + ` LIMIT 10001) x`,
		`SELECT e.id, e.slug, e.name, e.stage, e.region, a.aws_id, e.blueprint, s.version, v.name, e.image, e.hibernated, e.state, s.status, e.drift, e.drifted, e.monthly, e.expires_at, e.updated_at FROM ` +
			page50 + ` JOIN accounts a ON a.id = e.account_id LEFT JOIN stacks s ON s.object_id = e.id LEFT JOIN services v ON v.id = e.service_id ORDER BY ` + order}
}
