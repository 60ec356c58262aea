package blueprints

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/models/blueprint"
)

const bucketTemplate = `Parameters:
  Name: {Type: String}
  Tenant: {Type: String}
Resources:
  Store:
    Type: AWS::S3::Bucket
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      BucketName: !Sub "${Tenant}-${Name}"
      PublicAccessBlockConfiguration: {BlockPublicAcls: true}
Outputs:
  TopicArn: {Value: !Ref Store}
`

// guardSaid is cfn-guard's report of a bucket, shortened.
const guardSaid = `[{"name": "/tmp/x/1.yaml", "not_compliant": []}, {"name": "/tmp/x/0.yaml", "status": "FAIL", "not_compliant": [{"Rule": {"name": "s3_check", "messages": {"custom_message": null}, "checks": [{"Clause": {
	"messages": {"custom_message": "\n  [CT.S3.PR.1]: Require block public access\n  [FIX]: Set it\n"},
	"from": {"path": "/Resources/Store/Properties/PublicAccessBlockConfiguration"}, "to": {"path": "/Resources/Other"}}}, {"from": {"path": "/Resources/Store"}}]}}]}]`

func TestReadGuard(t *testing.T) {
	tpl, err := blueprint.Parse([]byte(bucketTemplate))
	if err != nil {
		t.Fatal(err)
	}
	said, err := readGuard([]byte(guardSaid))
	got := problemsOf(said["0.yaml"], tpl)
	want := blueprint.Problem{File: "template.yaml", Level: blueprint.LevelError, Rule: "CT.S3.PR.1", Path: "Resources.Store", Line: 6, Message: "Require block public access"}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if failed, there := said["1.yaml"]; !there || len(failed) > 0 {
		t.Errorf("of the second file: %v", failed)
	}
	if _, err := readGuard([]byte("no JSON")); err == nil {
		t.Error("anything was read as a report")
	}
}

func TestReadLint(t *testing.T) {
	got, err := readLint([]byte(`[{"Level": "Error", "Message": "bad", "Rule": {"Id": "E1"}, "Location": {"Path": ["Resources", "A", 0], "Start": {"LineNumber": 3}}}, {"Level": "Warning", "Message": "hm", "Rule": {"Id": "W1"}}]`))
	if err != nil || len(got) != 2 || got[0].String() != "template.yaml:3: error: Resources.A.0: bad (E1)" || got[1].Level != blueprint.LevelWarning {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestExceptions accepts hits by rule, blueprint and resource, keeps the reason, and tells of lines nobody needs.
func TestExceptions(t *testing.T) {
	x, err := ReadExceptions([]byte("- {rule: CT.S3.PR.1, blueprint: shop, resources: [A, B], reason: because}\n- {rule: CT.S3.PR.2, blueprint: shop@1.0.0, resource: A, reason: so}\n"))
	if err != nil {
		t.Fatal(err)
	}
	hit := func(rule, id string) blueprint.Problem {
		return blueprint.Problem{Rule: rule, Path: "Resources." + id, Level: blueprint.LevelError, Message: "no"}
	}
	failed := blueprint.Check{State: blueprint.CheckFailed, Problems: []blueprint.Problem{hit("CT.S3.PR.1", "A"), hit("CT.S3.PR.2", "A"), hit("CT.S3.PR.1", "C")}}
	got := x.Apply("shop", "1.1.0", failed)
	if got.State != blueprint.CheckFailed || len(got.Problems) != 2 || len(got.Accepted) != 1 || got.Accepted[0].Message != "because" {
		t.Errorf("1.1.0: %+v", got)
	}
	if err := x.Unused(); err == nil || !strings.Contains(err.Error(), "guard-exceptions.yaml:1: CT.S3.PR.1 no longer fails for B") || !strings.Contains(err.Error(), "guard-exceptions.yaml:2: CT.S3.PR.2") {
		t.Errorf("unused: %v", err)
	}
	failed.Problems = []blueprint.Problem{hit("CT.S3.PR.1", "B"), hit("CT.S3.PR.2", "A")}
	if got := x.Apply("shop", "1.0.0", failed); got.State != blueprint.CheckPassed || len(got.Accepted) != 2 {
		t.Errorf("1.0.0: %+v", got)
	}
	if err := x.Unused(); err != nil {
		t.Errorf("unused: %v", err)
	}
	for _, bad := range []string{"- {rule: R, blueprint: b, resource: A}", "- {blueprint: b, resource: A, reason: x}", "- {rule: R, blueprint: b, reason: x}", "rule: R"} {
		if _, err := ReadExceptions([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// tool stands for cfn-guard: the same words, whatever it is asked.
func tool(t testing.TB, dir, says string, exit string) {
	t.Helper()
	place(t, dir, map[string]string{"rules/a.guard": "rule a {}", "said": says, "bin/x/y/cfn-guard": "#!/bin/sh\n[ \"$1\" = --version ] && { echo cfn-guard 3.1.1; exit 0; }\ncat \"$(dirname \"$0\")/../../../said\"\nexit " + exit + "\n"})
	if err := os.Chmod(filepath.Join(dir, "bin/x/y/cfn-guard"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestCheckup checks one folder and a whole directory, and writes down what was said.
func TestCheckup(t *testing.T) {
	tools, dir := t.TempDir(), t.TempDir()
	tool(t, tools, guardSaid, "19")
	place(t, dir, map[string]string{"topic/1.0.0/template.yaml": bucketTemplate, "topic/1.0.0/meta.yaml": topicMeta})
	guard, err := OpenGuard(t.Context(), tools)
	if err != nil || guard == nil {
		t.Fatal(guard, err)
	}
	c := Checkup{Options: Options{Checker: checker(t), Version: "test"}, Guard: guard, Record: filepath.Join(dir, "said.json")}
	for _, at := range []string{dir, filepath.Join(dir, "topic", "1.0.0")} {
		found, err := c.Dir(t.Context(), at)
		if err != nil || len(found) != 1 || !Failed(found[0]) || !found[0].Sound() {
			t.Fatalf("%s: %+v, %v", at, found, err)
		}
		if g := found[0].Checks[1]; g.Version != "3.1.1 with 1 Control Tower rules" || g.State != blueprint.CheckFailed || found[0].Checks[2].State != blueprint.CheckNotRun {
			t.Errorf("checks: %+v", found[0].Checks)
		}
	}
	if c.Exceptions, err = ReadExceptions([]byte("- {rule: CT.S3.PR.1, blueprint: topic, resource: Store, reason: because}")); err != nil {
		t.Fatal(err)
	}
	found, err := c.Dir(t.Context(), dir)
	if err != nil || Failed(found[0]) {
		t.Errorf("with the exception: %+v, %v", found, err)
	}
	text, err := os.ReadFile(c.Record)
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]Checked
	if err := json.Unmarshal(text, &record); err != nil || len(record[found[0].Content.Digest].Guard.Accepted) != 1 || record[found[0].Content.Digest].Blueprint != "topic@1.0.0" {
		t.Errorf("recorded: %s, %v", text, err)
	}
}

// TestToolThatFails is an error, never a pass.
func TestToolThatFails(t *testing.T) {
	dir := t.TempDir()
	place(t, dir, map[string]string{"topic/1.0.0/template.yaml": topicTemplate, "topic/1.0.0/meta.yaml": topicMeta})
	for exit, says := range map[string]string{"5": "", "0": "no JSON", "19": ""} {
		tools := t.TempDir()
		tool(t, tools, says, exit)
		guard, err := OpenGuard(t.Context(), tools)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (Checkup{Guard: guard}).Dir(t.Context(), dir); err == nil {
			t.Errorf("exit code %s with %q passed", exit, says)
		}
	}
	if guard, err := OpenGuard(t.Context(), t.TempDir()); guard != nil || err != nil {
		t.Errorf("no cfn-guard: %v, %v", guard, err)
	}
	for _, empty := range []string{t.TempDir(), filepath.Join(dir, "nothing")} {
		if _, err := (Checkup{}).Dir(t.Context(), empty); err == nil {
			t.Errorf("%s was checked", empty)
		}
	}
}

// TestCheckedIsCurrent finds a shipped version whose record is missing or of other content.
func TestCheckedIsCurrent(t *testing.T) {
	c := catalogue(t, "")
	report, err := c.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Folders {
		if c.checked[f.Content.Digest].Guard == nil {
			t.Errorf("checked.json knows nothing of %s as it is: run make generate", f.Content.Ref())
		}
	}
	if len(c.checked) != len(report.Folders) {
		t.Errorf("checked.json has %d versions, %d are shipped: run make generate", len(c.checked), len(report.Folders))
	}
}
