package blueprint

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const before = `
Parameters:
  Name: {Type: String, Default: one}
  Port: {Type: Number, Default: 80}
Resources:
  Topic: {Type: AWS::SNS::Topic, UpdateReplacePolicy: Retain, Properties: {TopicName: !Ref Name, DisplayName: a}}
  Mail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: a@example.com}}
  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: !Ref Port, ToPort: 80, CidrIp: 10.0.0.0/8}]}}
`

// told is a change in one line each.
func told(changes []ResourceChange) string {
	var lines []string
	for _, c := range changes {
		line := strings.Join(strings.Fields(fmt.Sprint(c.Action, " ", c.ID, " ", c.Replacement, " ", c.Policy)), " ")
		for _, d := range c.Details {
			if c.Action == Modify {
				line += fmt.Sprintf("\n  %s %v -> %v (%s)", d.Path, d.Before, d.After, d.Replaces)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestDiff(t *testing.T) {
	known := func(id, attr string) (any, bool) { return "old-" + id + "-" + attr, true }
	resolve := func(src string, parameters, tags map[string]string) *Resolved {
		r, err := mustParse(t, src).Resolve(Inputs{Parameters: parameters, Tags: tags, Attr: known})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	old := resolve(before, nil, nil)
	for name, tc := range map[string]struct {
		src        string
		parameters map[string]string
		tags       map[string]string
		want       string
	}{
		"nothing": {before, nil, nil, ""},
		"in place": {strings.Replace(before, "DisplayName: a", "DisplayName: b", 1), nil, nil,
			"Modify Topic False\n  /Properties/DisplayName a -> b (never)"},
		"replacement reaches what refers to it": {before, map[string]string{"Name": "two"}, nil,
			"Modify Topic True ReplaceAndRetain\n  /Properties/TopicName one -> two (always)\n" +
				"Modify Mail Conditional\n  /Properties/TopicArn old-Topic-Ref -> {{known after apply: Topic}} (always)"},
		"inside a list": {before, map[string]string{"Port": "443"}, nil,
			"Modify Group False\n  /Properties/SecurityGroupIngress/0/FromPort 80 -> 443 (never)"},
		"removed and added": {strings.Replace(before, "Bucket:", "Store:", 1), nil, nil,
			"Add Store\nRemove Bucket Retain"},
		"tags": {before, nil, map[string]string{"team": "a"},
			"Modify Topic False\n  /Tags <nil> -> map[team:a] (never)\nModify Bucket False\n  /Tags <nil> -> map[team:a] (never)\nModify Group False\n  /Tags <nil> -> map[team:a] (never)"},
		"policy": {strings.Replace(before, "DeletionPolicy: Retain", "DeletionPolicy: Delete", 1), nil, nil,
			"Modify Bucket False\n  /DeletionPolicy Retain -> Delete (never)"},
	} {
		_, changes, err := mustParse(t, tc.src).Update(old, Inputs{Parameters: tc.parameters, Tags: tc.tags, Attr: known})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := told(changes); got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tc.want)
		}
	}
	stored := resolve(before, nil, nil) // as it comes back from JSON
	for i, r := range stored.Resources {
		b, err := json.Marshal(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		stored.Resources[i].Properties = nil
		if err := json.Unmarshal(b, &stored.Resources[i].Properties); err != nil {
			t.Fatal(err)
		}
	}
	if got := told(Diff(stored, old)); got != "" {
		t.Errorf("nothing changed but the types of numbers: %s", got)
	}
	if got := told(Diff(nil, old)); strings.Count(got, "Add ") != 4 {
		t.Errorf("creation: %s", got)
	}
	if got := told(Diff(old, nil)); !strings.Contains(got, "Remove Bucket Retain") || strings.Count(got, "Remove ") != 4 {
		t.Errorf("deletion: %s", got)
	}
}

func TestOrder(t *testing.T) {
	r, err := mustParse(t, `
Conditions: {No: !Equals [a, b]}
Resources:
  Last: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${Middle}"}}
  Middle: {Type: AWS::SNS::Topic, DependsOn: [First, Skipped]}
  First: {Type: AWS::SNS::Topic, Properties: {TopicName: !If [No, !Ref Last, x]}}
  Skipped: {Type: AWS::SNS::Topic, Condition: No}
`).Resolve(Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, res := range r.Resources {
		order = append(order, res.ID)
	}
	if got := strings.Join(order, " "); got != "First Middle Last" || len(r.Skipped) != 1 {
		t.Errorf("order %s, skipped %v", got, r.Skipped)
	}
	_, err = mustParse(t, "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref B}}, B: {Type: AWS::SNS::Topic, DependsOn: A}}").Resolve(Inputs{})
	if err == nil || !strings.Contains(err.Error(), "circular dependency") {
		t.Errorf("a circle: %v", err)
	}
}
