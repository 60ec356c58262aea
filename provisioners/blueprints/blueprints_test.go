package blueprints

import (
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy"
	"slipway/models/blueprint"
)

// checker is what a running Slipway holds blueprints against.
func checker(t testing.TB) blueprint.Checker {
	t.Helper()
	spoke, err := deploy.AWS.ReadFile("aws/spoke.yaml")
	if err != nil {
		t.Fatal(err)
	}
	grants, err := blueprint.ReadGrants(spoke)
	if err != nil {
		t.Fatal(err)
	}
	return blueprint.Checker{Grants: grants}
}

func catalogue(t testing.TB, dir string) *Catalogue {
	t.Helper()
	c, err := New(Options{Dir: dir, Checker: checker(t), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShipped loads every folder that is embedded: none has a problem, not even a warning.
func TestShipped(t *testing.T) {
	report, err := catalogue(t, "").Shipped()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range report.Folders {
		names[f.Name] = true
		for _, p := range f.Problems {
			t.Errorf("%s %s: %s", f.Name, f.Version, p)
		}
		fields, err := f.Content.Meta.Fields()
		if err != nil {
			t.Errorf("%s %s: %v", f.Name, f.Version, err)
		}
		required := 0
		for _, q := range fields {
			if q.Required {
				required++
			}
			if q.Help == "" && f.Content.Meta.Kind == blueprint.KindEnvironment {
				t.Errorf("%s %s: input %s has no help", f.Name, f.Version, q.Name)
			}
		}
		if required > 3 {
			t.Errorf("%s %s asks for %d things at once, more than 3", f.Name, f.Version, required)
		}
	}
	if !names[TenantBaseline] {
		t.Errorf("the tenant baseline is not among %v", names)
	}
	versions, err := Versions(TenantBaseline)
	if err != nil || versions[len(versions)-1] != TenantBaselineVersion {
		t.Fatalf("versions of the tenant baseline: %v, %v", versions, err)
	}
	for _, v := range versions {
		b, err := Load(TenantBaseline, v)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Digest) != 64 || len(b.Template) == 0 || b.Meta.Title == "" || len(b.Template) > 51200 {
			t.Errorf("blueprint %s: digest %q, %d bytes of template, title %q", v, b.Digest, len(b.Template), b.Meta.Title)
		}
	}
}

// A small blueprint without a problem.
const (
	topicTemplate = `Parameters:
  Name: {Type: String}
  Tenant: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${Tenant}-${Name}", KmsMasterKeyId: alias/aws/sns}
Outputs:
  TopicArn: {Value: !Ref Topic}
`
	topicMeta = `id: topic
version: 1.0.0
kind: environment
title: Topic
description: A topic and nothing else.
stages: [dev]
inputs:
  required: [Name]
  properties:
    Name: {type: string, title: Name, description: How it is called}
given: {Tenant: tenant.slug}
outputs: {TopicArn: The topic}
`
)

func folder(template, meta string) fstest.MapFS {
	return fstest.MapFS{"topic/1.0.0/template.yaml": {Data: []byte(template)}, "topic/1.0.0/meta.yaml": {Data: []byte(meta)}}
}

func TestLoadFrom(t *testing.T) {
	for name, tc := range map[string]struct{ template, meta, want string }{
		"good":         {topicTemplate, topicMeta, ""},
		"other name":   {topicTemplate, strings.Replace(topicMeta, "id: topic", "id: queue", 1), "meta.yaml:1"},
		"bad template": {strings.Replace(topicTemplate, "TopicName", "TopicNome", 1), topicMeta, "template.yaml:7"},
	} {
		_, err := LoadFrom(folder(tc.template, tc.meta), "topic", "1.0.0", checker(t))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	if _, err := Load("../tenant-baseline", "1.0.0"); err == nil {
		t.Error("a name with a path in it was accepted")
	}
}
