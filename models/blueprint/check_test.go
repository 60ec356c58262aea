package blueprint

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShippedTemplates holds every template of the repository to its own checks.
func TestShippedTemplates(t *testing.T) {
	root := filepath.Join("..", "..")
	var files []string
	for _, pattern := range []string{"deploy/aws/*.yaml", "provisioners/blueprints/*/*/template.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no template matches %s (%v)", pattern, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tpl, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range tpl.Check() {
			t.Errorf("%s: %s", name, p)
		}
	}
}

// TestCheckFinds seeds one mistake at a time into a template that is clean without it.
func TestCheckFinds(t *testing.T) {
	const clean = `
Parameters:
  Size: {Type: Number, Default: 30, AllowedValues: [30, 90]}
Mappings: {M: {a: {b: c}}}
Conditions: {Big: !Equals [!Ref Size, 90]}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties: {RetentionInDays: !Ref Size, LogGroupName: !If [Big, !FindInMap [M, a, b], x]}
  Role:
    Type: AWS::IAM::Role
    DependsOn: Log
    Properties:
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Path: /
      Policies: [{PolicyName: p, PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "logs:Put*", Resource: !GetAtt Log.Arn}]}}]
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, Threshold: 1, MetricName: x, Namespace: y, Period: 60, Statistic: Sum}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions: [{Name: app, Image: x, Environment: [{Name: COLOUR, Value: red}]}]
Outputs:
  Arn: {Value: !Sub "${Role.Arn}"}
`
	if got := mustParse(t, clean).Check(); len(got) > 0 {
		t.Fatalf("the clean template has problems: %v", got)
	}
	for name, tc := range map[string]struct{ old, put, rule, words string }{
		"unknown type":         {"AWS::Logs::LogGroup", "AWS::Logs::LogGrup", "type", "AWS::Logs::LogGrup"},
		"custom resource":      {"AWS::CloudWatch::Alarm", "Custom::Thing", "custom-resource", "not supported"},
		"unknown property":     {"Namespace: y", "Namespace: y, Nmaespace: z", "property", "unknown property"},
		"wrong capitals":       {"Namespace: y", "namespace: y", "property", "did you mean Namespace?"},
		"missing property":     {"Name: app, ", "", "required", "Name"},
		"enum":                 {"RetentionInDays: !Ref Size", "RetentionInDays: 31", "enum", `"31" is none of`},
		"not a number":         {"Period: 60", "Period: often", "shape", `"often" is not of type integer`},
		"text for a list":      {"ContainerDefinitions: [{Name: app, Image: x, Environment: [{Name: COLOUR, Value: red}]}]", "ContainerDefinitions: x", "shape", "must be a list"},
		"list for a text":      {"Namespace: y", "Namespace: [y]", "shape", "must be one value"},
		"null":                 {"Namespace: y", "Namespace: null", "null", "null"},
		"unknown ref":          {"!Ref Size, LogGroupName", "!Ref Sise, LogGroupName", "ref", `"Sise"`},
		"unknown attribute":    {"Log.Arn", "Log.Name", "attribute", `no attribute "Name"`},
		"unknown in sub":       {"${Role.Arn}", "${Rolle.Arn}", "ref", `"Rolle"`},
		"open sub":             {"${Role.Arn}", "${Role.Arn}${", "function", "never closed"},
		"useless sub":          {"${Role.Arn}", "plain", "useless-sub", "nothing to substitute"},
		"depends on nothing":   {"DependsOn: Log", "DependsOn: Lok", "depends-on", `"Lok"`},
		"circle":               {"LogGroupName: !If [Big, !FindInMap [M, a, b], x]", "LogGroupName: !If [Big, !Ref Role, !FindInMap [M, a, b]]", "circle", "Log, Role"},
		"unknown condition":    {"!If [Big,", "!If [Bigg,", "condition", `"Bigg"`},
		"unused condition":     {"Conditions: {", "Conditions: {Small: !Equals [a, b], ", "unused", "condition"},
		"unused parameter":     {"Parameters:", "Parameters:\n  Idle: {Type: String}", "unused", "parameter"},
		"unknown mapping key":  {"[M, a, b]", "[M, a, c]", "mapping", `no key "a", "c"`},
		"bad default":          {"Default: 30", "Default: 31", "default", "must be one of 30, 90"},
		"secret default":       {"Default: 30", "Default: 30, NoEcho: true", "secret-default", "kept from view"},
		"condition on later":   {"!Equals [!Ref Size, 90]", "!Equals [!Ref Size, !Ref Role]", "ref", "may not refer to a resource"},
		"condition in place":   {"Namespace: y", "Namespace: !Equals [a, b]", "function", "belongs into Conditions"},
		"everything":           {`Action: "logs:Put*", Resource: !GetAtt Log.Arn`, `Action: "*", Resource: "*"`, "star-action", "name the actions"},
		"everyone":             {"Principal: {Service: ecs-tasks.amazonaws.com}", `Principal: {AWS: "*"}`, "open-principal", "everyone"},
		"no retention":         {"RetentionInDays: !Ref Size, ", "", "log-retention", "RetentionInDays"},
		"state without policy": {"    UpdateReplacePolicy: Retain\n", "", "keep-state", "holds state"},
		"secret in a variable": {"{Name: COLOUR, Value: red}", "{Name: DB_PASSWORD, Value: red}", "plain-secret", "plain text"},
		"credential":           {"Image: x", "Image: AKIAIOSFODNN7EXAMPLE", "plain-secret", "credential"},
		"import":               {"Namespace: y", "Namespace: !ImportValue y", "import", "freezes"},
		"effect":               {"Effect: Allow, Action: \"logs", "Effect: Alow, Action: \"logs", "policy-shape", "Allow or Deny"},
		"statement":            {"Effect: Allow, Action: \"logs:Put*\"", "Effect: Allow, Actoin: \"logs:Put*\"", "policy-shape", "no Actoin"},
		"resource for a list":  {"Path: /", "ManagedPolicyArns: !Ref Log", "shape", "a list is wanted"},
		"split for a text":     {"Namespace: y", `Namespace: !Split [",", y]`, "shape", "yields a list"},
	} {
		src := strings.Replace(clean, tc.old, tc.put, 1)
		if src == clean {
			t.Errorf("%s: %q is not in the template", name, tc.old)
			continue
		}
		tpl, err := Parse([]byte(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := false
		for _, p := range tpl.Check() {
			found = found || p.Rule == tc.rule && strings.Contains(p.Message, tc.words) && p.Line > 0
		}
		if !found {
			t.Errorf("%s: not found among %v", name, tpl.Check())
		}
	}
}

// TestCheckValues finds wrong values where the schema takes any text.
func TestCheckValues(t *testing.T) {
	for src, want := range map[string]string{
		"{Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/99}}":                                                                                                  "cidr",
		"{Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.1/24}}":                                                                                                  "cidr",
		"{Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}":                                                                                                  "",
		"{Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Protocol: HTP, Port: 80}}":                                                                      "value",
		"{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internet}}":                                                                            "value",
		"{Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 20, ToPort: 30, CidrIp: 0.0.0.0/0}]}}":   "open-port",
		"{Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]}}": "",
	} {
		got := ""
		for _, p := range mustParse(t, "Resources: {A: "+src+"}").Check() {
			got += p.Rule
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
}

func TestExceptions(t *testing.T) {
	const src = "Resources: {Topic: {Type: AWS::SNS::Topic, Metadata: {Slipway: {Accept: {topic-encryption: %s}}}}}"
	if got := mustParse(t, strings.Replace(src, "%s", "it carries nothing secret", 1)).Check(); len(got) > 0 {
		t.Errorf("an accepted problem is told: %v", got)
	}
	if _, err := Parse([]byte(strings.Replace(src, "%s", `""`, 1))); err == nil {
		t.Error("an exception without a reason was accepted")
	}
}

// TestSchemaComplete opens every service of the archive.
func TestSchemaComplete(t *testing.T) {
	z, err := zip.NewReader(bytes.NewReader(schemas), int64(len(schemas)))
	if err != nil {
		t.Fatal(err)
	}
	types := 0
	for _, f := range z.File {
		s, err := readService(z, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		types += len(s.Resources)
	}
	if types != 1828 {
		t.Errorf("%d resource types, schema.md says 1,828", types)
	}
	if s, ok := Schema("AWS::SNS::Topic"); !ok || s.Replacement("TopicName") != ReplaceAlways || s.Replacement("DisplayName") != ReplaceNever || s.TagProperty != "Tags" || !s.Has("TopicArn") {
		t.Errorf("the schema of a topic: %+v", s)
	}
	if _, ok := Schema("AWS::SNS::Nothing"); ok {
		t.Error("there is a type AWS::SNS::Nothing")
	}
}
