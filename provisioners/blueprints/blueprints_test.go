package blueprints

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestShipped(t *testing.T) {
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

func TestLoadFrom(t *testing.T) {
	const template = "Parameters: {Name: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name, KmsMasterKeyId: alias/aws/sns}}}\n"
	const meta = "id: topic\nversion: 1.0.0\ninputs: {properties: {Name: {type: string}}}\n"
	for name, tc := range map[string]struct{ template, meta, want string }{
		"good":             {template, meta, ""},
		"other name":       {template, strings.Replace(meta, "topic", "queue", 1), "calls itself"},
		"unknown key":      {template, meta + "colour: red\n", "colour"},
		"unknown input":    {template, strings.Replace(meta, "Name:", "Nome:", 1), "input Nome is no parameter"},
		"unknown resource": {template, meta + "controls: [{id: SNS.1, resource: Tropic}]\n", `"Tropic"`},
		"bad template":     {strings.Replace(template, "TopicName", "TopicNome", 1), meta, "unknown property"},
	} {
		root := fstest.MapFS{"topic/1.0.0/template.yaml": {Data: []byte(tc.template)}, "topic/1.0.0/meta.yaml": {Data: []byte(tc.meta)}}
		_, err := LoadFrom(root, "topic", "1.0.0")
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	if _, err := Load("../tenant-baseline", "1.0.0"); err == nil {
		t.Error("a name with a path in it was accepted")
	}
}

func TestDigestSeesNames(t *testing.T) {
	a := digest(map[string][]byte{"a": []byte("bc"), "d": nil})
	b := digest(map[string][]byte{"ab": []byte("c"), "d": nil})
	if a == b {
		t.Error("two different folders have the same digest")
	}
}
