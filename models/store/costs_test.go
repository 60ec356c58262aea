package store

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"slipway/models"
)

func usd(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// spender is a tenant with an account, as a row.
func spender(t testing.TB, s *Store, slug, aws string, enrolled bool, made time.Time) string {
	t.Helper()
	var requester, request, tenant string
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(s.pool.QueryRow(ctx, `SELECT id::text FROM people WHERE issuer = 'slipway' LIMIT 1`).Scan(&requester))
	must(s.pool.QueryRow(ctx, `INSERT INTO requests (id, kind, object_type, object_id, object_name, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
		VALUES (gen_random_uuid(), 'tenant.create', 'tenant', gen_random_uuid(), $1::text, 'Create', 'succeeded', '{}', '{}', $2, 'spender-' || $1::text, $3, $3, $3) RETURNING id::text`, slug, requester, made).Scan(&request))
	must(s.pool.QueryRow(ctx, `INSERT INTO tenants (id, slug, display_name, owner_group, developer_group, viewer_group, cost_centre, budget, state, request_id, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, 'Team ' || $1, $1 || '-owners', $1 || '-developers', $1 || '-viewers', 'CC-1', 1000, 'ready', $2, $3, $3) RETURNING id::text`, slug, request, made).Scan(&tenant))
	account(t, s, tenant, slug, aws, enrolled, made)
	return tenant
}

func account(t testing.TB, s *Store, tenant, slug, aws string, enrolled bool, made time.Time) {
	t.Helper()
	exec(t, s, `INSERT INTO accounts (id, tenant_id, class, name, email, aws_id, state, enrolled, created_at) VALUES (gen_random_uuid(), $1, 'nonprod', $2, $3, $3, 'ready', $4, $5)`, tenant, slug+"-nonprod", aws, enrolled, made)
}

// keep writes a reading as the framework does.
func keep(t testing.TB, s *Store, r models.Reading) {
	t.Helper()
	if err := s.tx(t.Context(), func(w *tx) error { return w.keepReading(models.CollectTarget{}, r) }); err != nil {
		t.Fatal(err)
	}
}

// costsOf is a reading of whole days: each account has two services and one environment a day, with a credit and tax on the first.
func costsOf(wall time.Time, from, to time.Time, accounts ...string) models.Reading {
	c := &models.CostReading{Source: models.CostExplorer}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		c.Days = append(c.Days, models.CostDayRead{Day: day, Estimated: models.MonthOf(day).Equal(models.MonthOf(wall))})
		for i, a := range accounts {
			row := func(cut models.CostCut, cat models.ChargeCategory, service, env, amount string) {
				d := usd(amount).Mul(decimal.NewFromInt(int64(i + 1)))
				c.Rows = append(c.Rows, models.CostRow{Day: day, Account: a, Cut: cut, Category: cat, Service: service, Environment: env, Billed: d, Effective: d.Mul(usd("0.9"))})
			}
			row(models.ByService, models.Usage, "Amazon ECS", "", "10.10")
			row(models.ByService, models.Usage, "Amazon VPC", "", "1.0000000001")
			row(models.ByEnvironment, models.Usage, "", "shop-dev", "8")
			row(models.ByEnvironment, models.Usage, "", "", "3.1000000001")
			if day.Day() == 1 {
				row(models.ByService, models.Credit, "", "", "-5")
				row(models.ByService, models.Tax, "", "", "2")
			}
		}
	}
	return models.Reading{Source: "cost_explorer", At: wall, Costs: c}
}

// at is a store whose wall clock is the machine's, and the days of this month and the last.
func costWorld(t testing.TB) (s *Store, wall, month time.Time) {
	t.Helper()
	s, _ = open(t)
	wall = s.clock.Wall()
	return s, wall, models.MonthOf(wall)
}

// TestCostsAreReplacedWhole reads the same days twice, the second time with less in them: nothing is doubled, and what is gone is gone.
func TestCostsAreReplacedWhole(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	spender(t, s, "payments", "111111111111", false, wall)
	from, to := month.AddDate(0, -1, 0), month.AddDate(0, 0, -1)
	keep(t, s, costsOf(wall, from, to, "111111111111", "999999999999"))
	once := contents(t, s, []string{"cost_days", "cost_rollups", "cost_reads", "cost_records"})
	keep(t, s, costsOf(wall, from, to, "111111111111", "999999999999"))
	if again := contents(t, s, []string{"cost_days", "cost_rollups", "cost_reads", "cost_records"}); again != once {
		t.Errorf("the same reading twice left\n%s\nnot\n%s", again, once)
	}
	less := costsOf(wall, to, to, "111111111111")
	keep(t, s, less)
	if n := count(t, s, `SELECT count(*) FROM cost_days WHERE day = $1 AND account = '999999999999'`, to); n != 0 {
		t.Errorf("%d rows of a restated day stayed", n)
	}
	if n := count(t, s, `SELECT count(*) FROM (SELECT day, sum(billed) b FROM cost_rollups WHERE scope = 'tenant' GROUP BY day) r
		FULL JOIN (SELECT day, sum(billed) b FROM cost_days WHERE cut = 'service' GROUP BY day) d USING (day) WHERE r.b IS DISTINCT FROM d.b`); n != 0 {
		t.Errorf("the sums of %d days differ from their rows", n)
	}
}

// TestCostsOfADayThatIsNotNamed refuses a reading that would leave rows nobody replaces.
func TestCostsOfADayThatIsNotNamed(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	r := costsOf(wall, month.AddDate(0, -1, 0), month.AddDate(0, -1, 1), "111111111111")
	r.Costs.Days = r.Costs.Days[:1]
	if err := s.tx(t.Context(), func(w *tx) error { return w.keepReading(models.CollectTarget{}, r) }); err == nil {
		t.Fatal("it was taken")
	}
	if n := count(t, s, `SELECT count(*) FROM cost_days`); n != 0 {
		t.Errorf("%d rows were left", n)
	}
}

// TestWhoseAnAccountWas resolves tenants by the day: an enrolled account is its tenant's from that day, a made one from its first, a
// released one until it was.
func TestWhoseAnAccountWas(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	last := month.AddDate(0, -1, 0)
	made := spender(t, s, "made", "111111111111", false, wall)
	spender(t, s, "enrolled", "222222222222", true, last.AddDate(0, 0, 10).Add(5*time.Hour))
	gone := spender(t, s, "gone", "333333333333", false, last.AddDate(0, -3, 0))
	exec(t, s, `UPDATE accounts SET state = 'deleted', closed_at = $2 WHERE tenant_id = $1`, gone, last.AddDate(0, 0, 5).Add(time.Hour))
	heir := spender(t, s, "heir", "333333333333", true, last.AddDate(0, 0, 20))
	keep(t, s, costsOf(wall, last, month.AddDate(0, 0, -1), "111111111111", "222222222222", "333333333333"))
	days := models.DaysIn(last)
	for what, want := range map[string]int{
		`account = '111111111111' AND tenant_id = '` + made + `'`: days,
		`account = '222222222222' AND tenant_id IS NULL`:          10,
		`account = '222222222222' AND tenant_id IS NOT NULL`:      days - 10,
		`account = '333333333333' AND tenant_id = '` + gone + `'`: 6,
		`account = '333333333333' AND tenant_id IS NULL`:          14,
		`account = '333333333333' AND tenant_id = '` + heir + `'`: days - 20,
	} {
		if got := count(t, s, `SELECT count(DISTINCT day) FROM cost_days WHERE `+what); got != want {
			t.Errorf("%s: %d days, want %d", what, got, want)
		}
	}
}

// TestTotalsReconcile compares every sum of the pages with the collector's rows, by SQL of its own.
func TestTotalsReconcile(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	spender(t, s, "payments", "111111111111", false, wall)
	spender(t, s, "search", "222222222222", false, wall)
	last := month.AddDate(0, -1, 0)
	keep(t, s, costsOf(wall, last.AddDate(0, -1, 0), month.AddDate(0, 0, -1), "111111111111", "222222222222", "999999999999"))
	admin, _ := signIn(t, s, "admin", "platform-admins")
	member, _ := signIn(t, s, "member", "payments-viewers")
	sum := func(where string) decimal.Decimal {
		t.Helper()
		var text string
		if err := s.pool.QueryRow(t.Context(), `SELECT COALESCE(sum(billed), 0)::text FROM cost_days WHERE day >= $1 AND day < $2 AND `+where, last, month).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return usd(text)
	}
	const payments = `tenant_id = (SELECT id FROM tenants WHERE slug = 'payments')`
	for name, tc := range map[string]struct {
		actor  models.Actor
		tenant string
		query  models.CostQuery
		where  string
	}{
		"organization by tenant":      {admin, "", models.CostQuery{By: models.GroupTenant}, `cut = 'service'`},
		"organization by service":     {admin, "", models.CostQuery{By: models.GroupService}, `cut = 'service'`},
		"organization by environment": {admin, "", models.CostQuery{By: models.GroupEnvironment}, `cut = 'environment'`},
		"organization by account":     {admin, "", models.CostQuery{By: models.GroupAccount}, `cut = 'service'`},
		"one service by tenant":       {admin, "", models.CostQuery{By: models.GroupTenant, Service: "Amazon ECS"}, `service = 'Amazon ECS'`},
		"unallocated by account":      {admin, "", models.CostQuery{By: models.GroupAccount, Unallocated: true}, `cut = 'service' AND tenant_id IS NULL`},
		"a member's tenants":          {member, "", models.CostQuery{By: models.GroupTenant}, `cut = 'service' AND ` + payments},
		"a member's services":         {member, "", models.CostQuery{By: models.GroupService}, `cut = 'service' AND ` + payments},
		"a member asks for the rest":  {member, "", models.CostQuery{By: models.GroupAccount, Unallocated: true}, `cut = 'service' AND ` + payments},
		"tenant by service":           {member, "payments", models.CostQuery{By: models.GroupService}, `cut = 'service' AND ` + payments},
		"tenant by environment":       {member, "payments", models.CostQuery{By: models.GroupEnvironment}, `cut = 'environment' AND ` + payments},
		"tenant, one environment":     {member, "payments", models.CostQuery{By: models.GroupAccount, Environment: "shop-dev"}, `environment = 'shop-dev' AND ` + payments},
		"tenant, unknown service":     {member, "payments", models.CostQuery{By: models.GroupAccount, Service: "x"}, `false`},
	} {
		tc.query.Month = last
		var p models.CostPage
		var err error
		if tc.tenant == "" {
			p, err = s.OrganizationCosts(t.Context(), tc.actor, tc.query)
		} else {
			p, err = s.TenantCosts(t.Context(), tc.actor, tc.tenant, tc.query)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := sum(tc.where)
		if got := p.Of(last).Amounts.Billed.Total(); !got.Equal(want) && tc.query.By != models.GroupEnvironment {
			t.Errorf("%s: the month is %s, the rows %s", name, got, want)
		}
		lines := decimal.Zero
		for _, l := range p.Lines {
			lines = lines.Add(l.Now.Billed.Total())
		}
		if !lines.Equal(want) {
			t.Errorf("%s: the table is %s, the rows %s", name, lines, want)
		}
		if nobody := sum(`cut = 'service' AND tenant_id IS NULL`); tc.tenant == "" && tc.actor.SeesAll() && !p.Unallocated.Billed.Total().Equal(nobody) {
			t.Errorf("%s: unallocated is %s, the rows %s", name, p.Unallocated.Billed.Total(), nobody)
		}
		if !tc.actor.SeesAll() && tc.tenant == "" && !p.Unallocated.Billed.Total().IsZero() {
			t.Errorf("%s: a member is told what is nobody's", name)
		}
	}
	if _, err := s.TenantCosts(t.Context(), member, "search", models.CostQuery{By: models.GroupService}); models.KindOf(err) != models.NotFound {
		t.Errorf("another tenant's costs: %v, want NotFound", err)
	}
}

// TestZeroIsNotNoData tells a day that cost nothing from one that nobody read.
func TestZeroIsNotNoData(t *testing.T) {
	t.Parallel()
	s, wall, month := costWorld(t)
	admin, _ := signIn(t, s, "admin", "platform-admins")
	day := month.AddDate(0, -1, 3)
	keep(t, s, models.Reading{At: wall, Costs: &models.CostReading{Source: models.CostExplorer, Days: []models.CostDayRead{{Day: day}}}})
	p, err := s.OrganizationCosts(t.Context(), admin, models.CostQuery{By: models.GroupTenant, Month: models.MonthOf(day)})
	if err != nil {
		t.Fatal(err)
	}
	m := p.Of(models.MonthOf(day))
	if m.Read != 1 || !m.Amounts.Billed.Total().IsZero() || !p.LastDay().Equal(day) {
		t.Errorf("month %+v, last day %s", m, p.LastDay())
	}
	if _, _, ok := p.Same(); ok {
		t.Error("it is compared with days that nobody read")
	}
}
