package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

// requestListRow is a request with what its current plan says in short. The inputs come along: the queue says what a promotion brings.
type requestListRow struct {
	Request        requestRow `gorm:"embedded"`
	TenantSlug     *string
	Tally          jsonb
	MonthlyNow     *decimal.Decimal
	MonthlyPlanned *decimal.Decimal
	Needed         int
	Given          int
}

func (r requestListRow) model() (models.RequestRow, error) {
	request, err := r.Request.model()
	if err != nil {
		return models.RequestRow{}, err
	}
	m := models.RequestRow{Request: request, TenantSlug: value(r.TenantSlug), HasPlan: r.MonthlyPlanned != nil, MonthlyNow: value(r.MonthlyNow),
		MonthlyPlanned: value(r.MonthlyPlanned), Needed: r.Needed, Given: min(r.Given, r.Needed)}
	return m, r.Tally.decode(&m.Tally)
}

// demandsOf is the demands of plan l as a JSON array, whatever the notes hold.
const demandsOf = `CASE jsonb_typeof(l.notes->'demands') WHEN 'array' THEN l.notes->'demands' ELSE '[]'::jsonb END`

const (
	requestListColumns = requestColumns + `, t.slug AS tenant_slug, l.tally, l.monthly_now, l.monthly_planned, ne.needed, gi.given`
	requestListFrom    = requestsJoined + ` LEFT JOIN tenants t ON t.id = r.tenant_id LEFT JOIN plans l ON l.id = r.plan_id`
	requestListWide    = `
		CROSS JOIN LATERAL (SELECT COALESCE(sum((d->>'count')::int), 0) AS needed FROM jsonb_array_elements(` + demandsOf + `) d) ne
		CROSS JOIN LATERAL (SELECT count(DISTINCT a.person_id) AS given FROM approvals a
			WHERE a.request_id = r.id AND a.plan_hash = r.plan_hash AND a.decision = 'approve' AND NOT a.dropped) gi`
)

var requestsList = listing[requestListRow]{
	columns: requestListColumns, from: requestListFrom, wide: requestListWide, id: `r.id`, usual: "-asked",
	sorts: map[string]column{
		"number": {`r.number`, "numeric"}, "title": {`r.title`, "text"}, "state": {`r.state`, "text"}, "tenant": {`COALESCE(t.slug, '')`, "text"},
		"asked": {`r.submitted_at`, "timestamptz"}, "since": {`r.state_since`, "timestamptz"}, "requester": {`p.name`, "text"},
		"cost": {`COALESCE(l.monthly_planned, -1)`, "numeric"},
	},
}

// decidable is the condition that the actor may decide on the request, and has not approved this plan yet. models.MayDecide
// says the same of one request.
func decidable(actor models.Actor) (string, []any) {
	if actor.IsSystem() || actor.Person.ID == "" {
		return "FALSE", nil
	}
	own := texts{}
	for _, m := range actor.Memberships {
		if m.Role == models.Owner {
			own = append(own, m.TenantID)
		}
	}
	me := actor.Person.ID
	where := `r.state = 'awaiting_approval' AND r.requester_id <> ? AND NOT (? = ANY (r.inputs_by))
		AND NOT EXISTS (SELECT FROM approvals a WHERE a.request_id = r.id AND a.plan_hash = r.plan_hash AND a.person_id = ? AND a.decision = 'approve' AND NOT a.dropped)`
	args := []any{me, me, me}
	if !actor.Has(models.PlatformAdmin) {
		where += ` AND r.tenant_id = ANY (?::uuid[]) AND EXISTS (SELECT FROM plans l, jsonb_array_elements(` + demandsOf + `) d WHERE l.id = r.plan_id AND d->>'role' = 'owner')`
		args = append(args, own)
	}
	return where, args
}

var digits = regexp.MustCompile(`^(?i:req-)?([0-9]{1,15})$`)

func requestConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	seen, args := requestScope(actor)
	c.add(seen, args...)
	if m := digits.FindStringSubmatch(strings.TrimSpace(q.Search)); m != nil {
		c.add(`(r.number = ?::bigint OR r.title ILIKE ?)`, m[1], "%"+m[1]+"%")
	} else if err := c.search(q.Search, `r.title`, `p.name`, `r.object_name`); err != nil {
		return c, err
	}
	return c, narrow(&c, q, map[string]filter{
		"state": stateOrFailing, "kind": oneOf(`r.kind`, models.RequestKinds()),
		"tenant": ofTenant, "object": ofObject,
		"mine": func(c *conditions, _ string) error {
			c.add(`r.requester_id = ?`, orNull(actor.Person.ID))
			return nil
		},
		"decide": func(c *conditions, _ string) error {
			where, args := decidable(actor)
			c.add(where, args...)
			return nil
		},
	})
}

// stateOrFailing finds one state, or as "failing" what stands still until somebody acts: home counts the same.
func stateOrFailing(c *conditions, text string) error {
	if text == "failing" {
		c.add(`r.state IN ('failed', 'plan_failed')`)
		return nil
	}
	return oneOf(`r.state`, models.RequestStates())(c, text)
}

// ofTenant finds a tenant's requests by its slug, the one that creates it too.
func ofTenant(c *conditions, slug string) error {
	c.add(`(t.slug = ? OR r.object_type = 'tenant' AND r.object_name = ?)`, slug, slug)
	return nil
}

func ofObject(c *conditions, id string) error {
	if !models.ValidID(id) {
		return models.Errorf(models.Invalid, "The filter knows no %q.", clip(id))
	}
	c.add(`r.object_id = ?`, id)
	return nil
}

// Requests lists the requests the actor may see.
func (s *Store) Requests(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.RequestRow], error) {
	c, err := requestConditions(actor, q)
	if err != nil {
		return models.List[models.RequestRow]{}, err
	}
	return s.requestList(ctx, requestsList, c, q)
}

// EachRequest exports the requests of a list, audited.
func (s *Store) EachRequest(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.RequestRow) error) error {
	c, err := requestConditions(actor, q)
	if err != nil {
		return err
	}
	return requestsList.each(ctx, s, actor, "requests", c, q, passing(fn))
}

var queueList = listing[requestListRow]{columns: requestListColumns, from: requestListFrom, wide: requestListWide, id: `r.id`, usual: "asked", sorts: requestsList.sorts}

// queueConditions narrow the approval queue: everything that waits for a decision and the actor may see.
func (s *Store) queueConditions(actor models.Actor, q models.ListQuery) (c conditions, err error) {
	age := q.Filters["age"]
	rest := models.ListQuery{Search: q.Search, Filters: map[string]string{}}
	for name, text := range q.Filters {
		switch name {
		case "mine": // here it means: mine to decide
			rest.Filters["decide"] = text
		case "age", "state":
		default:
			rest.Filters[name] = text
		}
	}
	if c, err = requestConditions(actor, rest); err != nil {
		return c, err
	}
	c.add(`r.state = 'awaiting_approval'`)
	ages := map[string]time.Duration{"": 0, "1d": 24 * time.Hour, "3d": 72 * time.Hour, "7d": 7 * 24 * time.Hour}
	least, ok := ages[age]
	if !ok {
		return c, models.Errorf(models.Invalid, "The filter knows no age %q. It knows 1d, 3d and 7d.", clip(age))
	}
	if least > 0 {
		c.add(`r.submitted_at < ?`, s.clock.Now().Add(-least))
	}
	return c, nil
}

// Queue lists what waits for a decision, oldest first.
func (s *Store) Queue(ctx context.Context, actor models.Actor, q models.ListQuery) (models.List[models.RequestRow], error) {
	c, err := s.queueConditions(actor, q)
	if err != nil {
		return models.List[models.RequestRow]{}, err
	}
	return s.requestList(ctx, queueList, c, q)
}

// EachWaiting exports the approval queue, audited.
func (s *Store) EachWaiting(ctx context.Context, actor models.Actor, q models.ListQuery, fn func(models.RequestRow) error) error {
	c, err := s.queueConditions(actor, q)
	if err != nil {
		return err
	}
	return queueList.each(ctx, s, actor, "approvals", c, q, passing(fn))
}

func (s *Store) requestList(ctx context.Context, l listing[requestListRow], c conditions, q models.ListQuery) (models.List[models.RequestRow], error) {
	list, err := l.read(ctx, s, c, q)
	if err != nil {
		return models.List[models.RequestRow]{}, err
	}
	rows, err := modelsOf(list.Rows, requestListRow.model)
	if err != nil {
		return models.List[models.RequestRow]{}, fmt.Errorf("read the requests of a list: %w", err)
	}
	return models.List[models.RequestRow]{Rows: rows, Prev: list.Prev, Next: list.Next, Total: list.Total}, nil
}

func passing(fn func(models.RequestRow) error) func(requestListRow) error {
	return func(r requestListRow) error {
		m, err := r.model()
		if err != nil {
			return err
		}
		return fn(m)
	}
}

// firstRequests reads the first rows that a condition finds, in an order, and with counted how many there are in all.
func (s *Store) firstRequests(ctx context.Context, c conditions, sort string, limit int, counted bool) ([]models.RequestRow, int, error) {
	type row struct {
		Request requestListRow `gorm:"embedded"`
		Found   int
	}
	l := listing[row]{columns: requestListColumns, from: requestListFrom, wide: requestListWide, id: `r.id`, sorts: requestsList.sorts}
	var before []any
	if counted {
		l.columns += fmt.Sprintf(`, (SELECT count(*) FROM (SELECT 1 FROM requests r WHERE %s LIMIT %d) f) AS found`, c.sql(), maxCount+1)
		before = c.args
	}
	p, err := l.page(models.ListQuery{Sort: sort})
	if err != nil {
		return nil, 0, err
	}
	query, args := l.query(c, p, limit)
	rows, err := many[keyed[row]](s.read(ctx), query, append(before[:len(before):len(before)], args...)...)
	if err != nil {
		return nil, 0, translate(fmt.Errorf("read requests: %w", err))
	}
	found := 0
	list, err := modelsOf(rows, func(k keyed[row]) (models.RequestRow, error) {
		found = k.Row.Found
		return k.Row.Request.model()
	})
	return list, found, err
}
