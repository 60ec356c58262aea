package blueprint

import (
	"strings"
	"testing"
)

const agreedTemplate = `Parameters:
  Size: {Type: String, Default: S, AllowedValues: [S, M]}
  Days: {Type: Number, Default: 30}
  Tenant: {Type: String}
  Zone: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${Tenant}-${Size}-${Days}-${Zone}", KmsMasterKeyId: alias/aws/sns}
  Key:
    Type: AWS::SecretsManager::Secret
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties: {Description: Filled by a person}
Outputs:
  Url: {Value: !Ref Topic}
`

const agreedMeta = `id: topic
version: 1.1.0
kind: environment
title: Topic
description: A topic.
stages: [dev]
needs: [zone]
upgradeFrom: [1.0.0]
inputs:
  required: [Size]
  properties:
    Size: {type: string, title: Size, enum: [S, M], default: S}
    Days: {type: integer, title: Days, default: 30}
given: {Tenant: tenant.slug, Zone: zone.ZoneName}
outputs: {Url: Where it answers}
endpoints: [Url]
secrets: [Key]
gates: [{gate: Encryption, how: By a key}]
cost:
  usage: {S: {alarms_sent_thousand: "1"}, M: {alarms_sent_thousand: "2.5"}}
  notEstimated: [{resource: Topic, note: Messages}]
controls: [{id: SNS.1, resource: Topic, title: Topics are encrypted}]
`

// TestAgreement changes one thing at a time in a folder without a problem.
func TestAgreement(t *testing.T) {
	c := Checker{UsageKeys: []string{"alarms_sent_thousand"}}
	check := func(template, meta string) []Problem {
		_, problems := c.Check("topic", "1.1.0", map[string][]byte{TemplateFile: []byte(template), MetaFile: []byte(meta)})
		return problems
	}
	if got := check(agreedTemplate, agreedMeta); len(got) > 0 {
		t.Fatalf("the sound folder has problems: %v", got)
	}
	for name, tc := range map[string]struct{ old, put, want string }{
		"other version":           {"version: 1.1.0", "version: 1.2.0", `meta.yaml:2: error: version: is "1.2.0"`},
		"other kind":              {"kind: environment", "kind: thing", "meta.yaml:3: error: kind"},
		"no title":                {"title: Topic", "title: ''", "meta.yaml:4: error: title"},
		"no stage":                {"stages: [dev]", "stages: []", "meta.yaml:6: error: stages"},
		"unknown stage":           {"stages: [dev]", "stages: [test]", `meta.yaml:6: error: stages[0]: "test"`},
		"stages of a network":     {"kind: environment", "kind: network", "nothing else does"},
		"unknown need":            {"needs: [zone]", "needs: [moon]", "meta.yaml:7: error: needs[0]"},
		"upgrade from itself":     {"upgradeFrom: [1.0.0]", "upgradeFrom: [1.1.0]", "is no older version"},
		"silent break":            {"upgradeFrom: [1.0.0]", "breaking: true", "says what breaks"},
		"input of no parameter":   {"    Days: {type", "    Dais: {type", "input Dais is no parameter"},
		"forgotten parameter":     {"given: {Tenant: tenant.slug, ", "given: {", "parameter Tenant of the template is neither"},
		"input and given":         {"given: {", "given: {Size: class, ", "an input and given at once"},
		"given to nobody":         {"given: {", "given: {Nobody: class, ", "Nobody is no parameter"},
		"unknown source":          {"tenant.slug", "tenant.password", `Slipway has no "tenant.password"`},
		"source without need":     {"needs: [zone]", "needs: []", "needs must name zone"},
		"block of an environment": {"tenant.slug", "network.cidr", "only a network is given"},
		"unknown choice":          {"enum: [S, M]", "enum: [S, XL]", `choice "XL"`},
		"two defaults":            {"title: Days, default: 30", "title: Days, default: 31", `the template's default is "30"`},
		"default of its own":      {"title: Days, default: 30", "title: Days, default: 30, maximum: 7", "does not pass the schema"},
		"type of its own":         {"Days: {type: integer, title: Days, default: 30}", "Days: {type: boolean, title: Days}", "is of type boolean, but the parameter of type Number"},
		"secret by form":          {"    Days: {type", "    ApiKey: {type: string}\n    Days: {type", "forms never take one"},
		"output without words":    {"outputs: {Url: Where it answers}", "outputs: {}", "output Url of the template has no words"},
		"unknown output":          {"outputs: {", "outputs: {Uri: x, ", "the template has no output Uri"},
		"unknown endpoint":        {"endpoints: [Url]", "endpoints: [Uri]", "meta.yaml:16: error: endpoints[0]"},
		"forgotten secret":        {"secrets: [Key]", "secrets: []", "secret Key is made empty"},
		"secret that is none":     {"secrets: [Key]", "secrets: [Key, Topic]", "Topic is no secret"},
		"gate without words":      {"how: By a key", "how: ''", "gates[0]"},
		"unknown usage":           {"S: {alarms_sent_thousand", "S: {alarm_sent_thousand", `there is no usage "alarm_sent_thousand"`},
		"usage in words":          {`"2.5"`, "many", "must be a decimal number"},
		"forgotten size":          {`, M: {alarms_sent_thousand: "2.5"}`, "", "states no usage for size M"},
		"size that is none":       {"usage: {", "usage: {XL: {}, ", "XL is no size"},
		"cost of nothing":         {"{resource: Topic, note", "{resource: Tropic, note", `no resource "Tropic"`},
		"control of nothing":      {"resource: Topic, title", "resource: Tropic, title", "meta.yaml:22: error: controls[0]"},
	} {
		meta := strings.Replace(agreedMeta, tc.old, tc.put, 1)
		if meta == agreedMeta {
			t.Errorf("%s: %q is not in the description", name, tc.old)
			continue
		}
		found := false
		for _, p := range check(agreedTemplate, meta) {
			found = found || strings.Contains(p.String(), tc.want) && p.Level == LevelError && p.Line > 0
		}
		if !found {
			t.Errorf("%s: want %q among %v", name, tc.want, check(agreedTemplate, meta))
		}
	}
	if got := check(strings.Replace(agreedTemplate, "Tenant: {Type: String}", "Tenant: {Type: String, NoEcho: true}", 1), agreedMeta); len(got) != 1 || !strings.Contains(got[0].Message, "no secret is ever passed") {
		t.Errorf("a hidden parameter: %v", got)
	}
}

func TestFolderOfOthers(t *testing.T) {
	files := func(more string) map[string][]byte {
		return map[string][]byte{TemplateFile: []byte(agreedTemplate), MetaFile: []byte(agreedMeta), more: nil}
	}
	for _, tc := range []struct{ name, version, file, want string }{
		{"../topic", "1.1.0", TemplateFile, `"../topic" is no name`}, {"topic", "1.1", TemplateFile, `"1.1" is no version`}, {"topic", "01.1.0", TemplateFile, "is no version"},
		{"topic", "1.1.0", "run.sh", "run.sh: error: is not known"}, {"topic", "1.1.0", MetaFile, "meta.yaml: error: is missing"},
	} {
		_, problems := Checker{}.Check(tc.name, tc.version, files(tc.file))
		if len(problems) == 0 || !strings.Contains(problems[0].String()+problems[len(problems)-1].String(), tc.want) {
			t.Errorf("%s %s %s: %v", tc.name, tc.version, tc.file, problems)
		}
	}
}

func TestDigestSeesNames(t *testing.T) {
	if Digest(map[string][]byte{"a": []byte("bc"), "d": nil}) == Digest(map[string][]byte{"ab": []byte("c"), "d": nil}) {
		t.Error("two different folders have the same digest")
	}
}

func TestCompareVersions(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"1.0.0", "1.0.0", 0}, {"1.9.0", "1.10.0", -1}, {"2.0.0", "1.99.99", 1}, {"x", "0.0.1", -1}, {"0.0.1", "", 1}} {
		if got := CompareVersions(tc.a, tc.b); got != tc.want {
			t.Errorf("%s and %s: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
