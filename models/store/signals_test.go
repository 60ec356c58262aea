package store

import (
	"slices"
	"testing"
	"time"

	"slipway/models"
)

// place is the target of a tenant's nonprod account.
func (e estate) place() models.CollectTarget {
	for _, a := range e.tenant.Accounts {
		if a.Class == models.NonProd {
			return models.CollectTarget{ID: models.NewID(), AccountID: a.ID, AWSID: "000000000100", TenantID: e.tenant.ID, TenantSlug: e.tenant.Slug, Class: models.NonProd, Region: "us-east-1"}
		}
	}
	return models.CollectTarget{}
}

// round keeps what a round found of environments.
func (e estate) round(t testing.TB, at time.Time, found ...models.EnvironmentReading) {
	t.Helper()
	err := e.tx(t.Context(), func(w *tx) error {
		return w.keepEnvironments(e.place(), models.Reading{Source: "cloudwatch", At: at, Environments: found})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tasks(id string, running int) models.EnvironmentReading {
	return models.EnvironmentReading{EnvironmentID: id, Vitals: []models.Vital{models.JudgeStack("slw", "CREATE_COMPLETE", "", time.Time{}), models.JudgeTasks("shop", "", running, 2, nil, time.Time{})}}
}

// TestHealthIsKeptAndToldOnce leads an environment through an incident: what lists show, its history, and what its people are told.
func TestHealthIsKeptAndToldOnce(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	env := e.made(t, site("a-site"))
	at := e.clock.Wall().Add(-time.Hour)
	for i, tc := range []struct {
		running       int
		health        models.Condition
		changes, told int
	}{{2, models.Healthy, 1, 0}, {0, models.Healthy, 1, 0}, {0, models.Failing, 2, 1}, {0, models.Failing, 2, 1}, {2, models.Failing, 2, 1}, {2, models.Healthy, 3, 2}, {2, models.Healthy, 3, 2}} {
		at = at.Add(5 * time.Minute)
		e.round(t, at, tasks(env.ID, tc.running))
		if n := count(t, e.Store, `SELECT count(*) FROM environments WHERE id = $1 AND health = $2 AND health_rank = $3`, env.ID, tc.health, tc.health.Rank(models.Dev)); n != 1 {
			t.Errorf("round %d: not %s", i, tc.health)
		}
		if n := count(t, e.Store, `SELECT count(*) FROM health_changes WHERE environment_id = $1`, env.ID); n != tc.changes {
			t.Errorf("round %d: %d changes, want %d", i, n, tc.changes)
		}
		if n := count(t, e.Store, `SELECT count(*) FROM notification_events WHERE kind = 'health' AND object_id = $1`, env.ID); n != tc.told {
			t.Errorf("round %d: told %d times, want %d", i, n, tc.told)
		}
	}
	if n := count(t, e.Store, `SELECT count(*) FROM environment_health WHERE environment_id = $1 AND read_at = $2 AND seen = '' AND told = ''`, env.ID, at); n != 1 {
		t.Error("the last round is not what is kept")
	}
	if got := toldBy(t, e.Store, everyWay)[models.TellHealth]; !slices.Equal(got, []string{"developer", "developer", "owner", "owner"}) {
		t.Errorf("told: %q", got)
	}
}

// TestARoundThatReadsNothingSaysSo: an account that denies everything makes its environments unknown after two rounds, keeps what time
// they were read last, and touches no environment of another account, region or life.
func TestARoundThatReadsNothingSaysSo(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	env, other := e.made(t, site("a-site")), e.made(t, site("other"))
	gone := e.made(t, site("gone"))
	if _, err := e.pool.Exec(t.Context(), `UPDATE environments SET region = 'eu-central-1' WHERE id = $1`, other.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := e.pool.Exec(t.Context(), `UPDATE environments SET state = 'deleted' WHERE id = $1`, gone.ID); err != nil {
		t.Fatal(err)
	}
	at := e.clock.Wall().Add(-time.Hour)
	e.round(t, at, tasks(env.ID, 2), tasks(other.ID, 0), tasks(gone.ID, 0))
	denied := models.EnvironmentReading{EnvironmentID: env.ID, Vitals: []models.Vital{models.GapVital(models.VitalStack, "slw", "", models.ReadGap{What: "its stack", Kind: models.GapDenied, Permission: "cloudformation:DescribeStacks"})}}
	for range 2 {
		e.round(t, time.Time{}, denied)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM environment_health h JOIN environments e ON e.id = h.environment_id WHERE e.id = $1 AND e.health = 'unknown' AND h.read_at = $2 AND h.tried_at > $2
		AND h.reason = 'Slipway cannot read its stack: cloudformation:DescribeStacks is missing'`, env.ID, at); n != 1 {
		t.Error("what was denied is not said")
	}
	if n := count(t, e.Store, `SELECT count(*) FROM environment_health`); n != 1 {
		t.Errorf("%d rows, want 1: an environment that is not the target's was written", n)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM notification_events WHERE kind = 'health'`); n != 0 {
		t.Errorf("told %d times of what is only not known", n)
	}
}

// TestChangesOfAlarmsAreNotDoubled: a round that is repeated after a crash writes nothing twice.
func TestChangesOfAlarmsAreNotDoubled(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	env := e.made(t, site("a-site"))
	at := e.clock.Wall()
	found := tasks(env.ID, 2)
	for i := range 3 {
		found.Changes = append(found.Changes, models.AlarmChange{Alarm: "Latency", At: at.Add(time.Duration(i) * time.Minute), State: "ALARM", Reason: "Threshold Crossed\x00"})
	}
	for range 2 {
		e.round(t, at, found)
	}
	if n := count(t, e.Store, `SELECT count(*) FROM alarm_changes WHERE environment_id = $1`, env.ID); n != 3 {
		t.Errorf("%d changes, want 3", n)
	}
	for range 2 {
		if err := e.Sweep(t.Context(), "w"); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, e.Store, `SELECT count(*) FROM alarm_changes`); n != 3 {
		t.Errorf("%d changes after a sweep, want 3", n)
	}
}

// TestWatchedNamesWhatTells lists the living environments of a target page by page, with the resources that tell and nothing else.
func TestWatchedNamesWhatTells(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	for _, name := range []string{"one", "two", "three"} {
		e.made(t, site(name))
	}
	gone := e.made(t, site("gone"))
	for _, q := range []string{`UPDATE stacks SET resources = '[{"logical_id": "Service", "type": "AWS::ECS::Service", "physical_id": "arn"}, {"logical_id": "Key", "type": "AWS::KMS::Key"}]'`,
		`UPDATE environments SET state = 'deleted' WHERE id = '` + gone.ID + `'`} {
		if _, err := e.pool.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	after, seen := "", 0
	for {
		list, err := e.SignalBook().Watched(t.Context(), e.place(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			if seen++; len(w.Stack.Resources) != 1 || w.Stack.Resources[0].LogicalID != "Service" || w.Stack.Account != "000000000100" || w.Stack.StackID == "" || w.ID <= after {
				t.Errorf("got %+v", w)
			}
			after = w.ID
		}
		if len(list) < 2 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("%d environments, want 3", seen)
	}
}

// TestHealthListIsWorstFirst pages through environments of every condition, counts them, and shows nobody what is not theirs.
func TestHealthListIsWorstFirst(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	at := e.clock.Wall()
	var all []models.EnvironmentReading
	for i, running := range []int{2, 0, 1, 2, 0} {
		found := tasks(e.made(t, site("site-"+string(rune('a'+i)))).ID, running)
		if i == 3 {
			found.Vitals = []models.Vital{models.GapVital(models.VitalStack, "slw", "", models.ReadGap{What: "its stack", Kind: models.GapDenied})}
		}
		all = append(all, found)
	}
	e.made(t, site("site-new"))
	for range 2 {
		e.round(t, at, all...)
	}
	want := []models.Condition{models.Failing, models.Failing, models.Degraded, models.Unread, models.NoData, models.Healthy}
	var got []models.Condition
	q := models.ListQuery{Limit: 2}
	for {
		list, err := e.Health(t.Context(), e.viewer, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.Rows {
			got = append(got, r.Condition)
			if r.Condition != models.NoData && r.Reason == "" || r.TenantSlug != "payments" {
				t.Errorf("%+v", r)
			}
		}
		if list.Total != 6 {
			t.Errorf("%d in all", list.Total)
		}
		if q.After = list.Next; q.After == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	tally, err := e.HealthTally(t.Context(), e.viewer, "payments")
	if err != nil || tally.All != 6 || tally.By[models.Failing] != 2 || tally.By[models.Healthy] != 1 || tally.Late != 1 || tally.Bad() != 3 {
		t.Errorf("%+v, %v", tally, err) // the one that could not be read is late: it was tried and never read
	}
	u, err := e.Unwell(t.Context(), e.admin, "", 3)
	if err != nil || len(u.Rows) != 3 || u.Rows[0].Condition != models.Failing || u.Tally.All != 6 {
		t.Errorf("%+v, %v", u, err)
	}
	if n, err := e.NavCounts(t.Context(), e.viewer); err != nil || n.Failing != 2 {
		t.Errorf("%+v, %v", n, err)
	}
	exported := 0
	if err := e.EachHealth(t.Context(), e.viewer, models.ListQuery{Filters: map[string]string{"health": "failing"}}, func(models.HealthRow) error { exported++; return nil }); err != nil || exported != 2 {
		t.Errorf("%d exported, %v", exported, err)
	}
	if list, err := e.Health(t.Context(), e.outsider, models.ListQuery{}); err != nil || list.Total != 0 {
		t.Errorf("somebody else sees %+v, %v", list, err)
	}
	if tally, err = e.HealthTally(t.Context(), e.outsider, "payments"); err != nil || tally.All != 0 {
		t.Errorf("somebody else counts %+v, %v", tally, err)
	}
	if _, err := e.EnvironmentHealth(t.Context(), e.outsider, models.Environment{ID: all[0].EnvironmentID, TenantID: e.tenant.ID}); models.KindOf(err) != models.NotFound {
		t.Errorf("somebody else reads an environment: %v", err)
	}
	if _, err := e.SignalSource(t.Context(), e.outsider, "payments", "site-a", models.SignalRange{Length: time.Hour}); models.KindOf(err) != models.NotFound {
		t.Errorf("somebody else reads signals: %v", err)
	}
	for _, bad := range []models.ListQuery{{Sort: "health"}, {Filters: map[string]string{"health": "fine"}}, {Filters: map[string]string{"x": "y"}}, {After: "AAAA"}, {After: cursor{"-worst", "1; DROP", models.NewID()}.String()},
		{After: cursor{"-worst", "99999999999999", models.NewID()}.String()}} {
		if _, err := e.Health(t.Context(), e.viewer, bad); models.KindOf(err) != models.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestEnvironmentHealthIsWhole reads all of one environment: parts, changes, alarms, and what was deployed.
func TestEnvironmentHealthIsWhole(t *testing.T) {
	t.Parallel()
	e := settled(t, "10.64.0.0/20")
	env := e.made(t, site("a-site"))
	at := e.clock.Wall()
	found := tasks(env.ID, 0)
	found.Changes = []models.AlarmChange{{Alarm: "Latency", At: at, State: "ALARM", Reason: "Threshold Crossed"}}
	for range 2 {
		e.round(t, at, found)
	}
	h, err := e.EnvironmentHealth(t.Context(), e.viewer, env)
	if err != nil || h.Condition != models.Failing || len(h.Vitals) != 2 || h.Vitals[0].Kind != models.VitalTasks || len(h.Changes) != 1 || h.Changes[0].Was != models.NoData || len(h.Alarms) != 1 || !h.ReadAt.Equal(at) {
		t.Errorf("%+v, %v", h, err)
	}
	src, err := e.SignalSource(t.Context(), e.viewer, "payments", "a-site", models.SignalRange{Length: time.Hour})
	if err != nil || src.Environment.ID != env.ID || len(src.Deployed) != 1 || src.Access != "" {
		t.Errorf("%+v, %v", src, err)
	}
}
