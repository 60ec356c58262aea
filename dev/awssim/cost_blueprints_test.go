package awssim

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/price"
)

// shippedBlueprint is one of those that tenants order, with what a plan would give it.
type shippedBlueprint struct {
	folder string
	with   map[string]string
}

// stand makes a stack of a shipped blueprint and answers its outputs.
func (b shippedBlueprint) stand(t *testing.T, w *world, template, environment string, parameters map[string]string) map[string]string {
	t.Helper()
	s := &cfnStack{ID: stackARN("us-east-1", demoHub, "slw-demo-"+environment+"/"+newRequestID()), Account: demoHub, Region: "us-east-1", Name: "slw-demo-" + environment, Created: time.Now().UTC().Truncate(time.Second),
		RunAs: Principal{Account: demoHub, Admin: true, ARN: arn("iam", "", demoHub, "user/platform-team")}}
	d := cfnDefinition{Template: template, Parameters: parameters, Capabilities: []string{"CAPABILITY_NAMED_IAM"},
		Tags: map[string]string{models.TagTenant: "demo", models.TagEnvironment: environment, models.TagBlueprint: strings.Split(b.folder, "/")[0]}}
	w.do(t, func(ctx context.Context, c *Call) error {
		if err := c.saveStack(ctx, s); err != nil {
			return err
		}
		return c.launch(ctx, s, d, "CREATE", "", false)
	})
	out := map[string]string{}
	eventually(t, b.folder+" stands", func() bool {
		w.do(t, func(ctx context.Context, c *Call) (err error) {
			s, err = c.stackByID(ctx, s.ID)
			if err == nil && strings.Contains(s.Status, "ROLLBACK") {
				why, err := c.firstFailure(ctx, s)
				t.Fatalf("%s is %s: %s (%v)", b.folder, s.Status, why, err)
			}
			return err
		})
		return s.Status == "CREATE_COMPLETE"
	})
	for _, o := range s.Outputs {
		out[o.Name] = o.Value
	}
	return out
}

// files are the template and the description of a blueprint.
func (b shippedBlueprint) files(t *testing.T) (template string, meta blueprint.Meta) {
	t.Helper()
	dir := filepath.Join("..", "..", "provisioners", "blueprints", b.folder)
	text, err := os.ReadFile(filepath.Join(dir, blueprint.TemplateFile))
	if err != nil {
		t.Fatal(err)
	}
	about, err := os.ReadFile(filepath.Join(dir, blueprint.MetaFile))
	if err != nil {
		t.Fatal(err)
	}
	if meta, err = blueprint.ReadMeta(about); err != nil {
		t.Fatal(err)
	}
	return string(text), meta
}

// estimate is what a plan says before anything is made.
func (b shippedBlueprint) estimate(t *testing.T, text string, parameters, use map[string]string) decimal.Decimal {
	t.Helper()
	list, err := price.Load(price.Default())
	if err != nil {
		t.Fatal(err)
	}
	template, err := blueprint.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := template.Resolve(blueprint.Inputs{Parameters: parameters, Account: demoHub, Region: "us-east-1", StackName: "slw-demo"})
	if err != nil {
		t.Fatal(err)
	}
	u, problems := price.ParseUsage(use)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return list.EstimateTemplate("", "us-east-1", r, u).Monthly()
}

// shippedBlueprints are those that cost something; the network comes first, for others stand in it.
func shippedBlueprints() []shippedBlueprint {
	topic := "arn:aws:sns:us-east-1:" + demoHub + ":alarms"
	service := map[string]string{"Tenant": "demo", "Stage": "prod", "ServiceName": "checkout", "Size": "S", "AlarmTopicArn": topic,
		"RepositoryArn": "arn:aws:ecr:us-east-1:" + demoHub + ":repository/slw-demo/checkout", "RepositoryUri": demoHub + ".dkr.ecr.us-east-1.amazonaws.com/slw-demo/checkout",
		"Image": "public.ecr.aws/demo/checkout@sha256:" + strings.Repeat("0", 64)}
	web, job := maps.Clone(service), maps.Clone(service)
	maps.Copy(web, map[string]string{"Environment": "web", "Host": "web.apps.example.com", "HostedZoneId": "Z0DEMOBASEDOMAIN0001"})
	maps.Copy(job, map[string]string{"Environment": "job", "ScheduleExpression": "rate(1 day)"})
	return []shippedBlueprint{
		{"network/1.0.0", map[string]string{"Tenant": "demo", "NetworkName": "main", "Class": "prod", "Cidr": "10.9.0.0/20", "AlarmTopicArn": topic, "Size": "M"}},
		{"ecs-web-service/1.1.0", web}, {"scheduled-job/1.0.0", job},
		{"static-site/1.0.0", map[string]string{"Tenant": "demo", "Environment": "docs", "Size": "S"}},
		{"image-repository/1.0.0", map[string]string{"Tenant": "demo", "Service": "basket"}},
	}
}

// TestShippedBlueprintsCostTheirEstimate: a whole month of what a shipped blueprint makes comes to
// what its plan says before anything is made, to the cent.
func TestShippedBlueprintsCostTheirEstimate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fast)
	w.do(t, func(ctx context.Context, c *Call) error {
		_, err := c.putPolicy(ctx, Policy{Account: demoHub, Name: "slipway-boundary", Path: "/slipway/platform/", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
		return err
	})
	network := map[string]string{}
	for _, b := range shippedBlueprints() {
		text, meta := b.files(t)
		w.opts.Usage = func(_, _, size string) map[string]string {
			if u, ok := meta.Cost.Usage[size]; ok {
				return u
			}
			return meta.Cost.Usage["S"]
		}
		environment := strings.Split(b.folder, "/")[0]
		parameters := maps.Clone(b.with)
		if _, needs := b.with["RepositoryArn"]; needs {
			for _, name := range []string{"VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds"} {
				if name != "PublicSubnetIds" || b.with["Host"] != "" {
					parameters[name] = network[name]
				}
			}
		}
		out := b.stand(t, w, text, environment, parameters)
		if environment == "network" {
			network = out
		}
		want := b.estimate(t, text, parameters, w.opts.Usage("", "", b.with["Size"]))
		w.setCost(t, costSetting{Kind: historySetting, Tenant: "demo", Environment: environment, Amount: decimal.NewFromInt(2)})
		last := monthOf(time.Now().UTC()).AddDate(0, -1, 0)
		got := amount(t, ask(t, w, costexplorer.GetCostAndUsageInput{TimePeriod: period(last, last.AddDate(0, 1, 0)), Granularity: cetypes.GranularityMonthly, Metrics: []string{"UnblendedCost"}, Filter: ofEnvironment(environment)})[0].Total["UnblendedCost"])
		t.Logf("%s costs %s a month", b.folder, got)
		if !got.Equal(want) || want.IsZero() {
			t.Errorf("%s costs %s, its estimate is %s", b.folder, got, want)
		}
	}
}
