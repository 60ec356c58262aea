package handlers

import (
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/views/urls"
)

// still is a clock that stands; ahead is how far product time is in front of the wall.
type still struct{ ahead time.Duration }

func (c still) Wall() time.Time { return time.Date(2026, 11, 26, 14, 10, 0, 0, time.UTC) }
func (c still) Now() time.Time  { return c.Wall().Add(c.ahead) }

func shopEnvironment() models.Environment {
	return models.Environment{Name: "shop", TenantSlug: "payments", Stage: models.Production, Stack: models.Stack{Account: "209355718840", Region: "eu-west-1", Name: "slw-payments-env-shop", StackID: "arn:stack"}}
}

func figures(values ...float64) []models.SignalPoint {
	var points []models.SignalPoint
	for i, v := range values {
		p := models.SignalPoint{At: still{}.Wall().Add(time.Duration(i-len(values)) * time.Minute)}
		if v >= 0 {
			p.Value = &v
		}
		points = append(points, p)
	}
	return points
}

// TestSignalsTellMissingFromZero: a gap is a gap, zero is zero, a series without a figure says so, and so does one that nothing measures.
func TestSignalsTellMissingFromZero(t *testing.T) {
	t.Parallel()
	s := models.Signals{From: still{}.Wall().Add(-3 * time.Minute), To: still{}.Wall(), Period: time.Minute, ReadAt: still{}.Wall(), Metered: 4, Series: map[models.SignalKind][]models.SignalPoint{
		models.SignalRequests: figures(120, -1, 1520), models.SignalErrors: figures(0, -1, 0), models.SignalP50: figures(-1, -1, -1), models.SignalP95: figures(-1, -1, -1), models.SignalP99: figures(-1, -1, -1)},
		None: []models.SignalKind{models.SignalCPU}}
	d := signalsView(still{}, shopEnvironment(), s)
	if len(d.Charts) != 4 || d.Gap != nil || d.Charged != 4 {
		t.Fatalf("%+v", d)
	}
	requests, errors, latency, load := d.Charts[0], d.Charts[1], d.Charts[2], d.Charts[3]
	if requests.Now != "1520/min" || requests.Chart.Series[0].Points[1].Value != nil || !strings.Contains(requests.Chart.Note, "gap") {
		t.Errorf("requests: %+v", requests)
	}
	if errors.Now != "0/min" || errors.None != "" || *errors.Chart.Series[0].Points[0].Value != 0 {
		t.Errorf("errors: %+v", errors)
	}
	if !strings.Contains(latency.None, "That is not zero") || latency.Now != "" {
		t.Errorf("latency: %+v", latency)
	}
	if !strings.Contains(load.None, "no service") {
		t.Errorf("load: %+v", load)
	}
	asleep := shopEnvironment()
	asleep.Hibernated = true
	if d := signalsView(still{}, asleep, s); !strings.Contains(d.Charts[2].None, "hibernates") {
		t.Errorf("asleep: %s", d.Charts[2].None)
	}
}

// TestSignalsThatCannotBeReadSayWhy names the permission and leads to the account.
func TestSignalsThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	for kind, account := range map[models.GapKind]string{models.GapDenied: urls.Account("payments", "prod"), models.GapThrottled: "", models.GapUnavailable: ""} {
		d := signalsView(still{}, shopEnvironment(), models.Signals{Gap: &models.ReadGap{Kind: kind, Permission: "cloudwatch:GetMetricData", Words: "AWS says no."}})
		if d.Gap == nil || d.Gap.Text != "AWS says no." || d.Gap.Account != account || len(d.Charts) != 0 {
			t.Errorf("%s: %+v", kind, d.Gap)
		}
	}
}

// TestDeploymentsAreDrawnWhereTheyWere: in wall time, also where product time is ahead, and only those within the picture.
func TestDeploymentsAreDrawnWhereTheyWere(t *testing.T) {
	t.Parallel()
	clock := still{ahead: 48 * time.Hour}
	s := models.Signals{From: clock.Wall().Add(-3 * time.Hour), To: clock.Wall(), Series: map[models.SignalKind][]models.SignalPoint{models.SignalRequests: figures(1, 2)}}
	d := signalsView(clock, shopEnvironment(), s)
	mark(&d, clock, []models.Deployed{{RunID: "old", Number: 1, Title: "before", Started: clock.Now().Add(-5 * time.Hour)}, {RunID: "new", Number: 2, Title: "Deploy to shop", Started: clock.Now().Add(-time.Hour)}})
	marks := d.Charts[0].Chart.Marks
	if len(marks) != 1 || !marks[0].At.Equal(clock.Wall().Add(-time.Hour)) || !strings.HasPrefix(marks[0].Title, "REQ-2 Deploy to shop") {
		t.Errorf("marks %+v", marks)
	}
	if len(d.Deployed) != 2 || d.Deployed[0].URL != urls.Run("new") {
		t.Errorf("listed %+v", d.Deployed)
	}
}

func TestFiguresAreShort(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.456: "0.46", 3: "3", 12.34: "12.3", 120.6: "121", 1520: "1520", 25400: "25.4k", 3000000: "3M"} {
		if got := compact(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	if seconds(0.0842) != "84.2 ms" || seconds(1.5) != "1.5 s" || ofHundred(41.26) != "41.3 %" {
		t.Errorf("%s, %s, %s", seconds(0.0842), seconds(1.5), ofHundred(41.26))
	}
}

// TestHealthRows say what is known beside, what is confirmed next, and how old it is.
func TestHealthRows(t *testing.T) {
	t.Parallel()
	clock := still{ahead: time.Hour}
	r := models.HealthRow{TenantSlug: "payments", Name: "shop", Condition: models.Degraded, Reason: "no task should run", Since: clock.Wall().Add(-time.Hour), ReadAt: clock.Wall().Add(-12 * time.Minute), Seen: models.Healthy,
		Drift: models.DriftFound, Drifted: 3, ExpiresAt: clock.Now().Add(time.Hour), CreatedAt: clock.Wall().AddDate(0, 0, -1), State: models.Ready}
	v := healthRow(clock, r)
	if v.Reason != "No task should run" || !v.Late || len(v.Notes) != 2 || v.Notes[0].Label != "3 drifted" || v.Notes[1].Label != "Ends in 1 h" || !strings.Contains(v.Later, "found it healthy") {
		t.Errorf("%+v", v)
	}
	r.DriftUntil, r.ReadAt, r.Seen, r.Hibernated = clock.Now().Add(time.Minute), clock.Wall(), "", true
	if v = healthRow(clock, r); v.Late || v.Later != "" || len(v.Notes) != 1 || v.Notes[0].Label != "Hibernates" {
		t.Errorf("%+v", v)
	}
	for state, want := range map[models.ObjectState]string{models.Creating: "It is being made", models.Deleting: "It is being deleted", models.Ready: "No round has looked at it yet"} {
		fresh := models.HealthRow{State: state, Condition: models.NoData, CreatedAt: clock.Wall()}
		if v := healthRow(clock, fresh); v.Reason != want || v.Late {
			t.Errorf("%s: %q, late %v", state, v.Reason, v.Late)
		}
	}
}

// TestPartsLeadIntoAWS, through the portal where there is one and the reader gets into the account by it.
func TestPartsLeadIntoAWS(t *testing.T) {
	t.Parallel()
	env := shopEnvironment()
	env.Stack.Resources = []models.StackResource{{Type: "AWS::CloudWatch::Dashboard", PhysicalID: "slw-payments-shop"}, {Type: "AWS::CloudWatch::Alarm", PhysicalID: "slw-a"}}
	denied := models.ReadGap{What: "its certificate", Kind: models.GapDenied, Permission: "acm:DescribeCertificate", Words: "No."}
	h := models.EnvironmentHealth{Access: "Developer", Vitals: []models.Vital{
		models.JudgeAlarm(models.Alarm{Name: "slw-a b", Logical: "Latency", Words: "Slow", State: "ALARM", Since: still{}.Wall()}),
		models.GapVital(models.VitalCertificate, "Certificate", "arn:aws:acm:eu-west-1:1:certificate/abc", denied),
		models.JudgeTasks("shop", "arn:aws:ecs:eu-west-1:1:service/slw-payments-shop/shop", 2, 2, nil, still{}.Wall()),
		models.JudgeAlarm(models.Alarm{Name: "x", Logical: "HighCpu", State: "OK"}), models.JudgeAlarm(models.Alarm{Name: "y", Logical: "HighMemory", State: "OK"})}}
	v := environmentHealthView(still{}, h, env, "", "12h")
	if len(v.Parts) != 4 || v.Parts[0].Text != "Latency: Slow" || v.Parts[0].Since.At.IsZero() || v.Parts[1].Permission != "acm:DescribeCertificate" || v.Parts[3].Text != "Quiet: HighCpu, HighMemory" {
		t.Errorf("parts %+v", v.Parts)
	}
	if v.Account != urls.Account("payments", "prod") || v.SignalURL != urls.Signals("payments", "shop", "12h") || len(v.Links) != 4 {
		t.Errorf("%+v", v)
	}
	if got := v.Parts[0].Console.URL; got != "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/slw-a%20b" {
		t.Errorf("alarm: %s", got)
	}
	if got := v.Parts[2].Console.URL; !strings.Contains(got, "/ecs/v2/clusters/slw-payments-shop/services/shop/") {
		t.Errorf("service: %s", got)
	}
	v = environmentHealthView(still{}, h, env, "https://portal.example.com/start", "")
	if got := v.Parts[0].Console.URL; !strings.HasPrefix(got, "https://portal.example.com/start/#/console?account_id=209355718840&role_name=Developer&destination=https%3A%2F%2Feu-west-1.console") {
		t.Errorf("through the portal: %s", got)
	}
	h.Access = ""
	if v = environmentHealthView(still{}, h, env, "https://portal.example.com/start", ""); !strings.HasPrefix(v.Parts[0].Console.URL, "https://eu-west-1.console") {
		t.Errorf("without access: %s", v.Parts[0].Console.URL)
	}
	env.State, env.Stack.StackID = models.Creating, ""
	if v = environmentHealthView(still{}, models.EnvironmentHealth{}, env, "", ""); v.SignalURL != "" || v.Links != nil {
		t.Errorf("before there is a stack: %+v", v)
	}
}
