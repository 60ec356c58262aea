package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

const aStack = "arn:aws:cloudformation:eu-west-1:111122223333:stack/slw-payments-pipe-checkout/0a1b"

func line(name string) Delivery {
	return Delivery{ID: "id-" + name, Name: name, Kind: models.CodePipeline, Repository: "acme/" + name, Stack: Stack{Name: "slw-payments-pipe-" + name, ARN: aStack}, Line: "slw-payments-" + name,
		Project: "slw-payments-" + name}
}

func flow(name, repository string) Delivery {
	return Delivery{ID: "id-" + name, Name: name, Kind: models.GitHubActions, Repository: repository, Stack: Stack{Name: "slw-payments-pipe-" + name, ARN: aStack}}
}

// TestPipeline holds the whole entity of one pipeline of each kind.
func TestPipeline(t *testing.T) {
	home := Home{"payments", "payments-owners"}
	stages := []Target{{ID: "e1", Name: "checkout-dev"}, {ID: "e2", Name: "checkout-prod"}}
	for want, p := range map[string]Pipeline{
		`{"apiVersion":"backstage.io/v1alpha1","kind":"Resource","metadata":{"name":"payments.pipeline.checkout","title":"payments / checkout pipeline",
"description":"Delivers checkout from acme/checkout to checkout-dev, then to checkout-prod.","labels":{"slipway.dev/region":"eu-west-1","slipway.dev/state":"ready"},
"annotations":{"aws.amazon.com/arn":"` + aStack + `","aws.amazon.com/aws-codebuild-project-arn":"arn:aws:codebuild:eu-west-1:111122223333:project/slw-payments-checkout",
"aws.amazon.com/aws-codepipeline-arn":"arn:aws:codepipeline:eu-west-1:111122223333:slw-payments-checkout","aws.amazon.com/name":"slw-payments-pipe-checkout","aws.amazon.com/region":"eu-west-1",
"aws.amazon.com/resource-type":"AWS::CloudFormation::Stack","backstage.io/view-url":"https://slipway.example.com/tenants/payments/pipelines/checkout","slipway.dev/tenant":"payments"},
"tags":["slipway","pipeline","codepipeline","eu-west-1"],"links":[{"url":"https://slipway.example.com/tenants/payments/pipelines/checkout","title":"In Slipway","icon":"dashboard"}]},
"spec":{"type":"pipeline","owner":"group:default/payments-owners","system":"system:default/payments",
"dependsOn":["resource:default/payments.env.checkout-dev","resource:default/payments.env.checkout-prod","resource:default/payments.account.nonprod"]}}`: {
			Delivery: line("checkout"), Home: home, Service: "checkout", Class: models.NonProd, Region: "eu-west-1", State: models.Ready, Targets: stages},
		`{"apiVersion":"backstage.io/v1alpha1","kind":"Resource","metadata":{"name":"payments.pipeline.flow","title":"payments / flow pipeline","description":"Delivers checkout from acme/shop.",
"labels":{"slipway.dev/state":"creating"},"annotations":{"backstage.io/source-location":"url:https://github.com/acme/shop/","backstage.io/view-url":"https://slipway.example.com/tenants/payments/pipelines/flow",
"github.com/project-slug":"acme/shop","slipway.dev/tenant":"payments"},"tags":["slipway","pipeline","github-actions"],
"links":[{"url":"https://slipway.example.com/tenants/payments/pipelines/flow","title":"In Slipway","icon":"dashboard"},{"url":"https://github.com/acme/shop","title":"Repository","icon":"github"}]},
"spec":{"type":"pipeline","owner":"group:default/payments-owners","system":"system:default/payments","dependsOn":["resource:default/payments.account.prod"]}}`: {
			Delivery: Delivery{ID: "f", Name: "flow", Kind: models.GitHubActions, Repository: "acme/shop"}, Home: home, Service: "checkout", Class: models.Production.Class(), State: models.Creating},
	} {
		b, err := json.Marshal(addresses().Pipeline(p))
		if err != nil {
			t.Fatal(err)
		}
		if want = strings.ReplaceAll(want, "\n", ""); string(b) != want {
			t.Errorf("%s is\n%s, want\n%s", p.Name, b, want)
		}
	}
}

// TestWhatDelivers: a service shows a pipeline where Backstage looks only if there is no second one to choose from, and nothing that is not
// known for certain.
func TestWhatDelivers(t *testing.T) {
	image, young, bare := line("image"), line("young"), line("bare")
	image.Project, young.Stack.ARN, bare.Line = "", "", ""
	china, odd := line("china"), line("odd")
	china.Stack.ARN = strings.Replace(strings.Replace(aStack, "arn:aws:", "arn:aws-cn:", 1), "eu-west-1", "cn-north-1", 1)
	odd.Line, odd.Project = "a:b", "project/x"
	lines, builds := func(name string) string {
		return lineARN + "=arn:aws:codepipeline:eu-west-1:111122223333:slw-payments-" + name
	}, func(name string) string {
		return buildARN + "=arn:aws:codebuild:eu-west-1:111122223333:project/slw-payments-" + name
	}
	shop := []string{sourceNote + "=url:https://github.com/acme/shop/", gitHubSlug + "=acme/shop"}
	for name, tc := range map[string]struct {
		all  []Delivery
		want []string
	}{
		"none":                         {nil, nil},
		"one":                          {[]Delivery{line("a")}, []string{builds("a"), lines("a")}},
		"two":                          {[]Delivery{line("a"), line("b")}, nil},
		"one that builds nothing":      {[]Delivery{image}, []string{lines("image")}},
		"two, and one of them builds":  {[]Delivery{image, line("a")}, []string{builds("a")}},
		"one, and one not made yet":    {[]Delivery{line("a"), young}, []string{builds("a"), lines("a")}},
		"a stack without outputs":      {[]Delivery{bare}, []string{builds("bare")}},
		"names that would be no ARN":   {[]Delivery{odd}, nil},
		"a workflow":                   {[]Delivery{flow("f", "acme/shop")}, shop},
		"a workflow beside a pipeline": {[]Delivery{flow("f", "acme/shop"), line("a")}, slices.Concat([]string{builds("a"), lines("a")}, shop)},
		"workflows of one repository":  {[]Delivery{flow("f", "acme/shop"), flow("g", "acme/shop")}, shop},
		"workflows of two":             {[]Delivery{flow("f", "acme/shop"), flow("g", "acme/other")}, nil},
		"a path that leads elsewhere":  {[]Delivery{flow("f", "acme/..")}, nil},
		"a group of another host":      {[]Delivery{flow("f", "acme/team/shop")}, nil},
		"another partition":            {[]Delivery{china}, []string{buildARN + "=arn:aws-cn:codebuild:cn-north-1:111122223333:project/slw-payments-china", lineARN + "=arn:aws-cn:codepipeline:cn-north-1:111122223333:slw-payments-china"}},
	} {
		e := addresses().Component(Service{ID: "s", Home: Home{"payments", "owners"}, Name: "shop", Deliveries: tc.all})
		var got []string
		for _, key := range slices.Sorted(maps.Keys(e.Metadata.Annotations)) {
			if key != viewURL && key != tenantNote {
				got = append(got, key+"="+e.Metadata.Annotations[key])
			}
		}
		slices.Sort(tc.want)
		if slices.Sort(got); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		var on []string
		for _, d := range tc.all {
			on = append(on, "resource:default/payments.pipeline."+d.Name)
		}
		if got := e.Spec.(componentSpec).DependsOn; !slices.Equal(got, on) {
			t.Errorf("%s: depends on %q, want %q", name, got, on)
		}
		for _, twin := range []string{"aws.amazon.com/aws-codepipeline-tags", "aws.amazon.com/aws-codebuild-project-tags", "aws.amazon.com/aws-codepipeline", "aws.amazon.com/aws-codebuild-project"} {
			if e.Metadata.Annotations[twin] != "" {
				t.Errorf("%s: with %s the plugins could show nothing", name, twin)
			}
		}
	}
}

// TestWithoutGitHub: where the host of repositories is not known, none is said to be at one.
func TestWithoutGitHub(t *testing.T) {
	a := addresses()
	a.GitHub = ""
	m := a.Pipeline(Pipeline{Delivery: flow("flow", "acme/shop"), Home: Home{"payments", "owners"}}).Metadata
	if m.Annotations[gitHubSlug] != "" || m.Annotations[sourceNote] != "" || len(m.Links) != 1 {
		t.Errorf("%+v", m)
	}
}
