package price

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"slipway/models/blueprint"
)

var update = flag.Bool("update", false, "write golden files anew")

// golden is a shipped blueprint, as far as its cost goes.
type golden struct {
	name     string // name-version
	template []byte
	meta     struct {
		Kind   string
		Stages []string
		Inputs struct {
			Properties map[string]struct {
				Default any
				Enum    []any
				Minimum any
			}
		}
		Given map[string]string
		Cost  struct {
			Usage map[string]map[string]string
		}
	}
}

// given are the values that Slipway itself fills in, for a service that has an image and runs in two zones.
var given = map[string]string{
	"tenant.slug": "payments", "tenant.cost_centre": "CC-4100", "class": "nonprod", "object.name": "api", "hibernated": "false", "peer.account": "",
	"environment.name": "api", "environment.stage": "dev", "environment.host": "api.payments-nonprod.example.com",
	"image":        "222222222222.dkr.ecr.us-east-1.amazonaws.com/slw-payments/api@sha256:" + strings.Repeat("ab", 32),
	"service.name": "api", "service.RepositoryArn": "arn:aws:ecr:us-east-1:222222222222:repository/slw-payments/api",
	"service.RepositoryUri": "222222222222.dkr.ecr.us-east-1.amazonaws.com/slw-payments/api", "service.KeyArn": "arn:aws:kms:us-east-1:222222222222:key/00000000-0000-4000-8000-000000000000",
	"network.VpcId": "vpc-0aaaaaaaaaaaaaaa1", "network.VpcCidr": "10.20.0.0/20", "network.cidr": "10.20.0.0/20", "network.AvailabilityZones": "us-east-1a,us-east-1b",
	"network.PublicSubnetIds": "subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2", "network.PrivateSubnetIds": "subnet-0bbbbbbbbbbbbbbb1,subnet-0bbbbbbbbbbbbbbb2",
	"service.RepositoryName": "slw-payments/api", "connection.provider": "GitHub", "workflows.issuer": "https://token.actions.githubusercontent.com",
	"workflows.ProviderArn": "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com",
	"pipeline.source":       "connection", "pipeline.connection": "arn:aws:codeconnections:us-east-1:222222222222:connection/00000000-0000-4000-8000-000000000002",
	"pipeline.repository": "acme/api", "pipeline.repository_id": "1001", "pipeline.owner_id": "1", "pipeline.branch": "main", "pipeline.paths": "", "pipeline.tag": "", "pipeline.paused": "false",
	"pipeline.stage.1": "api", "pipeline.timeout.1": "10080", "pipeline.timeout.2": "10080", "pipeline.timeout.3": "10080", "pipeline.timeout.4": "10080", "pipeline.timeout.5": "10080",
	"zone.HostedZoneId": "Z00000000000000000001", "zone.ZoneName": "payments-nonprod.example.com", "zone.name": "payments-nonprod.example.com",
	"baseline.AlarmTopicArn": "arn:aws:sns:us-east-1:222222222222:slipway-alarms", "baseline.BaselineKeyArn": "arn:aws:kms:us-east-1:222222222222:key/00000000-0000-4000-8000-000000000001",
}

// typed are inputs without a default that a person types.
var typed = map[string]string{"ScheduleExpression": "rate(1 day)", "Schedule": "rate(1 day)"}

func shippedBlueprints(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob("../../provisioners/blueprints/*/*/meta.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no shipped blueprint found: %v", err)
	}
	var all []golden
	for _, file := range files {
		dir := filepath.Dir(file)
		g := golden{name: filepath.Base(filepath.Dir(dir)) + "-" + filepath.Base(dir)}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &g.meta); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if g.template, err = os.ReadFile(filepath.Join(dir, "template.yaml")); err != nil {
			t.Fatal(err)
		}
		if g.meta.Kind != "baseline" { // its cost is a list of items
			all = append(all, g)
		}
	}
	return all
}

// parameters of an order of one size for one stage.
func (g golden) parameters(size, stage string) map[string]string {
	values := map[string]string{}
	for name, p := range g.meta.Inputs.Properties {
		for _, v := range []any{p.Default, append(p.Enum, nil)[0], p.Minimum, typed[name]} {
			if v != nil {
				values[name] = fmt.Sprint(v)
				break
			}
		}
	}
	if _, has := values["Size"]; has {
		values["Size"] = size
	}
	for name, from := range g.meta.Given {
		values[name] = given[from]
		switch from {
		case "environment.stage":
			values[name] = stage
		case "class":
			if stage == "prod" {
				values[name] = "prod"
			}
		}
	}
	return values
}

func (g golden) estimate(l *List, size, stage string) (Estimate, error) {
	tpl, err := blueprint.Parse(g.template)
	if err != nil {
		return Estimate{}, err
	}
	if wrong := blueprint.Errors(tpl.Check()); len(wrong) > 0 {
		return Estimate{}, fmt.Errorf("%v", wrong)
	}
	return g.priced(l, tpl, size, stage)
}

func (g golden) priced(l *List, tpl *blueprint.Template, size, stage string) (Estimate, error) {
	r, err := tpl.Resolve(blueprint.Inputs{Parameters: g.parameters(size, stage), Account: "222222222222", Region: "us-east-1", StackName: "slw-payments-env-api"})
	if err != nil {
		return Estimate{}, err
	}
	u, problems := ParseUsage(g.meta.Cost.Usage[size])
	if len(problems) > 0 {
		return Estimate{}, fmt.Errorf("usage of %s: %v", size, problems)
	}
	return l.EstimateTemplate("", "us-east-1", r, u), nil
}

// TestShippedCosts holds what each shipped blueprint costs, by size and stage. -update writes it anew.
func TestShippedCosts(t *testing.T) {
	l := shippedList(t)
	names := map[string]bool{}
	for _, g := range shippedBlueprints(t) {
		names[g.name] = true
		var b strings.Builder
		stages := g.meta.Stages
		if len(stages) == 0 {
			stages = []string{"nonprod", "prod"} // no stage, but a class
		}
		rests := map[string]bool{}
		for _, stage := range stages {
			for _, size := range []string{"S", "M", "L"} {
				e, err := g.estimate(l, size, stage)
				if err != nil {
					t.Fatalf("%s %s %s: %v", g.name, stage, size, err)
				}
				tell(&b, stage, size, e)
				for _, key := range e.Uses {
					rests[key] = true
				}
			}
		}
		for size, profile := range g.meta.Cost.Usage {
			for key := range profile {
				if !rests[key] {
					t.Errorf("%s: size %s assumes %s, which nothing in the template depends on", g.name, size, key)
				}
			}
		}
		file := filepath.Join("testdata", g.name+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != b.String() {
			t.Errorf("%s costs otherwise than %s says (%v):\n%s", g.name, file, err, b.String())
		}
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !names[strings.TrimSuffix(filepath.Base(f), ".golden")] {
			t.Errorf("%s belongs to no blueprint", f)
		}
	}
}

func tell(b *strings.Builder, stage, size string, e Estimate) {
	_, fixed := e.Fixed()
	_, use := e.ByUse()
	least := ""
	if e.Unpriced {
		least = "at least "
	}
	fmt.Fprintf(b, "%s %s: %s$%s a month, $%s fixed, $%s by use\n", stage, size, least, e.Monthly().StringFixed(2), fixed.StringFixed(2), use.StringFixed(2))
	for _, l := range e.Lines {
		fmt.Fprintf(b, "  %9s  %s\n", l.Planned.StringFixed(2), l.Item)
	}
	for _, n := range e.NotEstimated {
		fmt.Fprintf(b, "  not est.   %s\n", n)
	}
	for _, n := range e.Notes {
		fmt.Fprintf(b, "  note       %s\n", n)
	}
	b.WriteString("\n")
}

// BenchmarkEstimate works on the largest shipped blueprint. "offline" is all that is done without AWS, from the template's bytes on: parse,
// check, resolve, estimate; the aim is 50 ms, and the first time, which also reads the schema of its services, is told apart. "form" is
// what a changed answer in a form costs where the parsed template is kept.
func BenchmarkEstimate(b *testing.B) {
	l := shippedList(b)
	largest := slices.MaxFunc(shippedBlueprints(b), func(x, y golden) int { return len(x.template) - len(y.template) })
	offline := func() {
		if _, err := largest.estimate(l, "L", "prod"); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	offline()
	first := time.Since(start)
	b.Run("offline", func(b *testing.B) {
		for b.Loop() {
			offline()
		}
		b.ReportMetric(float64(first.Microseconds())/1000, "ms-first")
		b.ReportMetric(float64(len(largest.template)), "template-bytes")
	})
	tpl, err := blueprint.Parse(largest.template)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("form", func(b *testing.B) {
		for b.Loop() {
			if _, err := largest.priced(l, tpl, "L", "prod"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
