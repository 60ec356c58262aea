package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// worldTables are what /world shows: everything that a test compares with Slipway's own
// database. Secrets and bodies stay out.
func worldTables() map[string]string {
	return map[string]string{
		"accounts":             `SELECT id, name, email, state, parent, joined_at, tags FROM accounts ORDER BY seq`,
		"account_creations":    `SELECT id, name, email, state, failure_reason, account_id, requested_at, completed_at, tags FROM account_creations ORDER BY requested_at, id`,
		"organizational_units": `SELECT id, parent, name FROM org_nodes ORDER BY id`,
		"roles":                `SELECT account, path, name, boundary, managed, created_at FROM roles ORDER BY account, path, name`,
		"policies":             `SELECT account, path, name, version FROM policies ORDER BY account, path, name`,
		"settings":             `SELECT account, region, name, value FROM settings ORDER BY account, region, name`,
		"things":               `SELECT account, region, type, physical, arn, stack_name, logical, tags, gone_at FROM things ORDER BY account, region, type, physical`,
		"images":               `SELECT account, region, repository, digest, tags FROM images ORDER BY account, region, repository, pushed_at, digest`,
		"dns_records":          `SELECT zone, name, type, body FROM dns_records ORDER BY zone, name, type`,
		"secret_versions":      `SELECT secret, id, stages FROM secret_versions ORDER BY secret, made_at, id`,
		"buckets":              `SELECT name, account, region, (SELECT count(*) FROM objects o WHERE o.bucket = b.name) AS objects FROM buckets b ORDER BY name`,
		"budgets":              `SELECT account, name, body, tags, created_at FROM budgets ORDER BY account, name`,
		"account_assignments":  `SELECT a.account, p.name AS permission_set, coalesce(g.name, a.principal) AS principal, a.since FROM account_assignments a JOIN permission_sets p ON p.arn = a.permission_set LEFT JOIN identity_groups g ON g.id = a.principal ORDER BY 1, 2, 3`,
		"identity_groups":      `SELECT id, name, gone FROM identity_groups ORDER BY name`,
		"permission_sets":      `SELECT arn, name, gone FROM permission_sets ORDER BY arn`,
		"bills":                `SELECT stack, account, region, tags, lines, from_at, to_at FROM bills ORDER BY id`,
		"cost_settings":        `SELECT kind, account, tenant, environment, price, amount, from_at, to_at FROM cost_settings ORDER BY id`,
		"incidents":            `SELECT kind, account, region, target, amount, started_at, ended_at FROM incidents ORDER BY id`,
		"budget_notifications": `SELECT account, budget, body, subscribers FROM budget_notifications ORDER BY account, budget, key`,

		"stacks":          `SELECT id, account, region, name, status, created_at, body->'Definition'->'Tags' AS tags FROM stacks ORDER BY account, region, name, created_at`,
		"stack_resources": `SELECT stack, id, account, region, type, physical_id, status, live, gone, drift->>'Status' AS drift FROM stack_resources ORDER BY stack, seq`,
		"change_sets":     `SELECT id, stack, name, created_at, body->>'Status' AS status, body->>'Execution' AS execution FROM change_sets ORDER BY created_at, id`,
		"stack_sets":      `SELECT id, account, region, name FROM stack_sets ORDER BY id`,
		"stack_instances": `SELECT stack_set, account, region, detailed, stack FROM stack_instances ORDER BY stack_set, account, region`,
	}
}

// showWorld answers the whole world as one JSON object, a list of rows per table, all of
// one moment, with everything applied that is due.
func (s *Sim) showWorld(w http.ResponseWriter, r *http.Request) {
	out := map[string]json.RawMessage{}
	err := s.within(r.Context(), func(ctx context.Context, c *Call) error {
		for name, query := range worldTables() {
			var rows []byte
			if err := c.Tx.QueryRow(ctx, `SELECT coalesce(jsonb_agg(t), '[]') FROM (`+query+`) t`).Scan(&rows); err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			out[name] = rows
		}
		return nil
	})
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusOK, out)
}

// call is one line of the log.
type call struct {
	ID             int64     `json:"id"`
	At             time.Time `json:"at"`
	RequestID      string    `json:"request_id"`
	Account        string    `json:"account"`
	Region         string    `json:"region"`
	Principal      string    `json:"principal"`
	SessionName    string    `json:"session_name,omitempty"`
	SourceIdentity string    `json:"source_identity,omitempty"`
	Service        string    `json:"service"`
	Op             string    `json:"op"`
	ErrorCode      string    `json:"error_code,omitempty"`
	ErrorMessage   string    `json:"error_message,omitempty"`
	Rule           *int64    `json:"rule,omitempty"`
	Dropped        bool      `json:"dropped,omitempty"`
}

const (
	callsShown = 200
	callsMost  = 20000
)

// showCalls answers the log, newest first; service, op, account, after (an id) and limit
// narrow it.
func (s *Sim) showCalls(w http.ResponseWriter, r *http.Request) {
	all, err := s.calls(r)
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.adminJSON(w, r, http.StatusOK, all)
}

func (s *Sim) calls(r *http.Request) ([]call, error) {
	q := r.URL.Query()
	limit, after := int64(callsShown), int64(0)
	for name, into := range map[string]*int64{"limit": &limit, "after": &after} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				return nil, adminError{http.StatusBadRequest, name + " is a number"}
			}
			*into = n
		}
	}
	rows, err := s.pool.Query(r.Context(), `SELECT id, at, request_id, account, region, principal, session_name, source_identity, service, op, error_code, error_message, rule, dropped
		FROM calls WHERE id > $1 AND ($2 = '' OR service = $2) AND ($3 = '' OR op = $3) AND ($4 = '' OR account = $4) ORDER BY id DESC LIMIT $5`,
		after, q.Get("service"), q.Get("op"), q.Get("account"), min(limit, callsMost))
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[call])
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return append([]call{}, all...), nil
}
