package blueprint

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

func mustParse(t *testing.T, src string) *Template {
	t.Helper()
	tpl, err := Parse([]byte(src))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return tpl
}

// around puts a value into a template with something of everything to refer to.
func around(value string) string {
	return `
Parameters:
  Name: {Type: String, Default: payments}
  Port: {Type: Number, Default: 443}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
Mappings:
  Size: {prod: {cpu: 1024, zones: [a, b]}, dev: {cpu: 256, zones: [a]}}
Conditions:
  Yes: !Equals [!Ref Name, payments]
  No: !Not [{Condition: Yes}]
  Both: !And [!Condition Yes, !Not [!Condition No]]
  Either: !Or [!Condition No, !Equals [a, b]]
Resources:
  Key: {Type: AWS::KMS::Key}
  Net: {Type: AWS::EC2::VPC}
  Never: {Type: AWS::SNS::Topic, Condition: No}
  Value:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData: {UserData: ` + value + `}
`
}

func TestFunctions(t *testing.T) {
	for value, want := range map[string]any{
		"!Ref Name":                  "payments",
		"!Ref Zones":                 []any{"a", "b", "c"},
		"!Ref AWS::Region":           "eu-west-1",
		"!Ref AWS::AccountId":        "{{known after apply: AWS::AccountId}}",
		"!Ref AWS::Partition":        "aws",
		"!Ref Key":                   "key-1",
		"!GetAtt Key.Arn":            "arn:key-1",
		"!GetAtt Net.VpcId":          "{{known after apply: Net.VpcId}}",
		`{"Fn::GetAtt": [Key, Arn]}`: "arn:key-1",
		`!Sub "${Name}-${AWS::Region}-${Key.Arn}-${!literal}"`: "payments-eu-west-1-arn:key-1-${literal}",
		`!Sub ["${a}/${Name}", {a: !Ref Port}]`:                "443/payments",
		`!Sub "arn:${Net}:x"`:                                  "arn:{{known after apply: Net}}:x",
		`!Join ["-", [a, !Ref Name, !Ref Port]]`:               "a-payments-443",
		`!Join [":", !Ref Zones]`:                              "a:b:c",
		`!Select [1, !Ref Zones]`:                              "b",
		`!Select ["0", !GetAZs ""]`:                            "eu-west-1a",
		`!Select [0, !GetAtt Net.CidrBlockAssociations]`:       "{{known after apply: Net.CidrBlockAssociations}}",
		`!Split [",", "a,b"]`:                                  []any{"a", "b"},
		`!Split [",", !GetAtt Net.CidrBlock]`:                  "{{known after apply: Net.CidrBlock}}",
		`!FindInMap [Size, prod, cpu]`:                         "1024",
		`!FindInMap [Size, !If [Yes, dev, prod], zones]`:       []any{"a"},
		`!FindInMap [Size, test, cpu, {DefaultValue: 1}]`:      "1",
		`!If [Yes, a, b]`:                                      "a",
		`!If [No, !Ref Never, b]`:                              "b",
		`!If [Both, a, b]`:                                     "a",
		`!If [Either, a, b]`:                                   "b",
		`[a, !If [No, x, !Ref AWS::NoValue], b]`:               []any{"a", "b"},
		`{a: 1, b: !If [No, x, !Ref AWS::NoValue]}`:            map[string]any{"a": int64(1)},
		`!Base64 hello`:                                        "aGVsbG8=",
		`!Base64 {"Fn::Sub": "${Key}"}`:                        "a2V5LTE=",
		`!Cidr [10.0.0.0/16, 3, 8]`:                            []any{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"},
		`!Cidr ["2001:db8::/56", 2, 64]`:                       []any{"2001:db8::/64", "2001:db8:0:1::/64"},
		`!Cidr [!GetAtt Net.CidrBlock, 2, 8]`:                  "{{known after apply: Net.CidrBlock}}",
		`2012-10-17`:                                           "2012-10-17",
		`"0123"`:                                               "0123",
		`{"Fn::ToJsonString": {a: [1, !Ref Name]}}`:            `{"a":[1,"payments"]}`,
	} {
		in := Inputs{Region: "eu-west-1", StackName: "s", Attr: func(id, attr string) (any, bool) {
			v, ok := map[string]any{"Key.Ref": "key-1", "Key.Arn": "arn:key-1"}[id+"."+attr]
			return v, ok
		}}
		r, err := mustParse(t, around(value)).Resolve(in)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		res, _ := r.Find("Value")
		data, _ := res.Properties["LaunchTemplateData"].(map[string]any)
		if !reflect.DeepEqual(data["UserData"], want) {
			t.Errorf("%s: got %#v, want %#v", value, data["UserData"], want)
		}
	}
}

func TestFunctionsRefuse(t *testing.T) {
	for value, want := range map[string]string{
		"!Ref Nothing":                        `"Nothing" is neither a parameter nor a resource`,
		"!Ref Never":                          "is not made, because its condition No is false",
		"!Ref AWS::Nothing":                   "no pseudo parameter",
		"!ImportValue other":                  "ImportValue is not supported",
		"!If [Maybe, a, b]":                   `no condition "Maybe"`,
		"!Select [9, !Ref Zones]":             "item 9 of 3",
		"!Select [-1, !Ref Zones]":            "item -1 of 3",
		"!FindInMap [Size, test, cpu]":        "mapping Size has no test, cpu",
		"!FindInMap [Size, !Ref Key, cpu]":    "known only later",
		"!Cidr [10.0.0.0/24, 300, 4]":         "count of 1 to 256",
		"!Cidr [10.0.0.0/24, 9, 5]":           "no room for 9 blocks",
		"!Cidr [10.0.0.0/24, 1, 9]":           "no block of 9 bits",
		"!Cidr [ten, 1, 8]":                   "Cidr",
		"!Join [a]":                           "Join takes",
		`!Split ["", a]`:                      "Split takes",
		"!Equals [a, b]":                      "belongs into Conditions",
		`!Sub "${Zones}"`:                     "is not a text",
		`!Sub ["${a}", {a: !Ref Nothing}]`:    "neither a parameter nor a resource",
		`{"Fn::GetAtt": [Key, !Ref Nothing]}`: "neither a parameter nor a resource",
	} {
		_, err := mustParse(t, around(value)).Resolve(Inputs{Region: "eu-west-1"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", value, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	ok := "Resources: {A: {Type: AWS::SNS::Topic}}\n"
	for name, tc := range map[string]struct{ src, want string }{
		"empty":             {"", "empty"},
		"not YAML":          {"a: [", "read YAML"},
		"no resources":      {"Outputs: {}", "no resources"},
		"unknown section":   {ok + "Resource: {}", `unknown section "Resource"`},
		"transform":         {ok + "Transform: AWS::Serverless-2016-10-31", "Transform is not supported"},
		"twice":             {"Resources: {A: {Type: AWS::SNS::Topic}, A: {Type: AWS::SNS::Topic}}", "given twice"},
		"unknown tag":       {"Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Reff x}}}", "unknown intrinsic function !Reff"},
		"unknown function":  {`Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: {"Fn::Nope": x}}}}`, "unknown intrinsic function Fn::Nope"},
		"crowded function":  {`Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: {"Fn::Sub": x, b: c}}}}`, "only key"},
		"bad name":          {"Resources: {a-b: {Type: AWS::SNS::Topic}}", "letters and digits"},
		"no type":           {"Resources: {A: {}}", "has no Type"},
		"unknown key":       {"Resources: {A: {Type: AWS::SNS::Topic, Propertys: {}}}", "unknown key"},
		"policy":            {"Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}}", "none of"},
		"merge":             {"x: &x {a: b}\nResources: {A: {<<: *x}}", "merge keys"},
		"itself":            {"Resources: &r {A: *r}", "nested deeper"},
		"marker":            {"Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: '{{known after apply: B}}'}}}", "reserved"},
		"parameter type":    {ok + "Parameters: {P: {Type: Text}}", "unknown parameter type"},
		"parameter pattern": {ok + "Parameters: {P: {Type: String, AllowedPattern: '('}}", "pattern"},
		"output":            {ok + "Outputs: {O: {Description: x}}", "has no Value"},
		"big":               {"# " + strings.Repeat("x", MaxBytes), "more than"},
		"bomb":              {bomb(), "more than 60000 values"},
	} {
		if _, err := Parse([]byte(tc.src)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

// bomb is a small file that aliases unfold into a billion values.
func bomb() string {
	b := &strings.Builder{}
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n := string(rune('0' + i))
		m := string(rune('1' + i))
		b.WriteString("a" + m + ": &a" + m + " [" + strings.TrimSuffix(strings.Repeat("*a"+n+", ", 10), ", ") + "]\n")
	}
	return b.String()
}

func TestResolveIsBounded(t *testing.T) {
	list := strings.TrimSuffix(strings.Repeat("x,", 20000), ",")
	uses := strings.TrimSuffix(strings.Repeat("!FindInMap [M, a, b],", 2000), ",")
	src := "Mappings: {M: {a: {b: [" + list + "]}}}\nResources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: [" + uses + "]}}}"
	if _, err := mustParse(t, src).Resolve(Inputs{}); err == nil || !strings.Contains(err.Error(), "unfolds into too much") {
		t.Errorf("a mapping used 2,000 times: %v", err)
	}
	b := &strings.Builder{}
	b.WriteString("Resources: {A: {Type: AWS::SNS::Topic, Condition: C0}}\nConditions:\n")
	for i := range 150 { // each asks twice for the next: 2^150 ways through
		fmt.Fprintf(b, "  C%d: !And [!Condition C%d, !Condition C%d]\n", i, i+1, i+1)
	}
	b.WriteString("  C150: !Equals [a, a]\n")
	tpl := mustParse(t, b.String())
	if got := Errors(tpl.Check()); len(got) > 0 {
		t.Errorf("a ladder of conditions: %v", got)
	}
	if r, err := tpl.Resolve(Inputs{}); err != nil || len(r.Resources) != 1 {
		t.Errorf("a ladder of conditions: %+v, %v", r, err)
	}
}

func TestJSONTemplates(t *testing.T) {
	src := "{\n\t\"Resources\": {\t\"A\": {\"Type\": \"AWS::SNS::Topic\", \"Properties\": {\"TopicName\": {\"Fn::Sub\": \"a-\\ud83d\\ude00\"}}}}}"
	r, err := mustParse(t, src).Resolve(Inputs{})
	if err != nil || r.Resources[0].Properties["TopicName"] != "a-😀" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestParameters(t *testing.T) {
	const src = `
Parameters:
  Slug: {Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: small letters only}
  Size: {Type: Number, Default: 1, MinValue: 1, MaxValue: 9}
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Word: {Type: String, Default: "", NoEcho: true}
Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Slug, DisplayName: !Ref Word}}}
`
	for name, tc := range map[string]struct {
		give map[string]string
		want string
	}{
		"good":         {map[string]string{"Slug": "a"}, ""},
		"missing":      {nil, "parameter Slug must have a value"},
		"unknown":      {map[string]string{"Slug": "a", "B": "c"}, "parameter B is not in the template"},
		"pattern":      {map[string]string{"Slug": "A"}, "small letters only"},
		"whole":        {map[string]string{"Slug": "a\nb"}, "must match pattern"},
		"range":        {map[string]string{"Slug": "a", "Size": "10"}, "out of its range"},
		"not a number": {map[string]string{"Slug": "a", "Size": "ten"}, "must be a number"},
		"value":        {map[string]string{"Slug": "a", "Stage": "test"}, "must be one of dev, prod"},
		"marker":       {map[string]string{"Slug": "a", "Word": Unknown("X")}, "may not hold"},
	} {
		_, err := mustParse(t, src).Resolve(Inputs{Parameters: tc.give})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
	r, err := mustParse(t, src).Resolve(Inputs{Parameters: map[string]string{"Slug": "a", "Word": "hush"}, Masked: true})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(r); err != nil || bytes.Contains(text, []byte("hush")) {
		t.Errorf("a masked resolution tells the secret: %s %v", text, err)
	}
}

// TestBaselineGolden is what an approver sees of the tenant baseline before its account exists.
func TestBaselineGolden(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "provisioners", "blueprints", "tenant-baseline", "1.0.0", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := mustParse(t, string(src)).Resolve(Inputs{Region: "eu-west-1", StackName: "slw-payments-baseline", Tags: map[string]string{"slipway:tenant": "payments"},
		Parameters: map[string]string{"Tenant": "payments", "Class": "nonprod", "CostCentre": "CC-42"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "baseline.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the baseline resolves differently from %s (%v); look at it after go test -run Golden -update", golden, err)
	}
}
