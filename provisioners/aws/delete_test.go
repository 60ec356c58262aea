package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"slipway/models"
)

// workload has what a deletion must look at: things that go, one that is kept, one that AWS deletes later, and a bucket.
const workload = `
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Group: {Type: AWS::Logs::LogGroup, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {RetentionInDays: 7}}
  Kept: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, UpdateReplacePolicy: Retain, Properties: {RetentionInDays: 7}}
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: Delete
    UpdateReplacePolicy: Retain
    Properties:
      PendingWindowInDays: 7
      KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}]}
  Files: {Type: AWS::S3::Bucket, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {VersioningConfiguration: {Status: Enabled}}}
`

// fill puts objects into a bucket as somebody in the account would.
func (e *estate) fill(bucket string, n int) {
	e.t.Helper()
	api := e.files()
	for i := range n {
		key := fmt.Sprintf("file-%d", i%3) // some keys twice: older versions
		if _, err := api.PutObject(e.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")}); err != nil {
			e.t.Fatalf("fill %s: %v", bucket, err)
		}
	}
}

// files is S3 as an administrator of the account sees it.
func (e *estate) files() *s3.Client {
	return s3.NewFromConfig(e.administrator(), func(o *s3.Options) { o.UsePathStyle = true })
}

// end asks for the deletion of an object.
func (e *estate) end(st models.Stack, in any) string {
	e.t.Helper()
	kind := map[models.ObjectType]models.RequestKind{models.EnvironmentObject: models.DeleteEnvironment, models.ServiceObject: models.DeleteService, models.NetworkObject: models.DeleteNetwork}[st.ObjectType]
	return e.insert(kind, st.ObjectType, st.ObjectID, st.ObjectName, in, models.Planning)
}

func TestDeletionWithReceipt(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders-dev", workload, nil)
	e.fill(physical(st, "Files"), 5)

	refused := e.end(st, models.EnvironmentInputs{})
	if why := e.refused(refused); !strings.Contains(why, "not empty") || !strings.Contains(why, "Files ("+physical(st, "Files")+")") {
		t.Errorf("a deletion without consent: %s", why)
	}
	e.exec(`UPDATE requests SET state = 'cancelled', ended_at = now() WHERE id = $1`, refused)

	request := e.end(st, models.EnvironmentInputs{EmptyBuckets: true})
	plan := e.approve(request).Content
	said := map[string]string{}
	for _, ch := range plan.Parts[0].Changes {
		said[ch.Step+" "+ch.LogicalID] = string(ch.Action) + " " + ch.Note
	}
	for what, want := range map[string]string{"environment.empty Files": "delete It is not empty.", "environment.remove Files": "delete ", "environment.remove Kept": "exists " + keptByBlueprint,
		"environment.remove Key": "after 7 days", "environment.remove Topic": "delete", " orders-dev": "Its name is free again"} {
		if !strings.Contains(said[what], want) {
			t.Errorf("plan of %q: %q, want %q", what, said[what], want)
		}
	}
	if raw := fmt.Sprintf("%+v", plan.Parts); strings.Contains(raw, physical(st, "Key")) {
		t.Error("the plan holds physical ids: another look would hash differently")
	}
	e.drive(request, models.Succeeded)

	if e.standing(st) {
		t.Error("the stack is still there")
	}
	r := e.receiptOf(request)
	for _, id := range []string{"Topic", "Group", "Files"} {
		if l := line(r.Gone, id); l == nil || l.ID == "" {
			t.Errorf("%s is not among what is gone: %+v", id, r.Gone)
		}
	}
	if l := line(r.Left, "Kept"); l == nil || l.Why != keptByBlueprint || l.Cost != "by the logs in it" {
		t.Errorf("what was kept: %+v", l)
	}
	if l := line(r.Left, "Key"); l == nil || !strings.Contains(l.Why, "AWS deletes the key on 20") || l.Cost != "0" {
		t.Errorf("the key: %+v", l)
	}
	if !slices.Equal(r.Emptied, []string{"bucket " + physical(st, "Files") + ": 5 object versions"}) {
		t.Errorf("emptied: %q", r.Emptied)
	}
	if !slices.Equal(r.ScannedIn, []string{"eu-west-1", "eu-central-1", "us-east-1"}) || len(r.CannotSee) != 0 {
		t.Errorf("scanned in %v, cannot see %v", r.ScannedIn, r.CannotSee)
	}
	if one[string](e, `SELECT state FROM environments WHERE id = $1`, st.ObjectID) != "deleted" || one[string](e, `SELECT status FROM stacks WHERE object_id = $1`, st.ObjectID) != "DELETE_COMPLETE" {
		t.Error("Slipway's rows do not say that it is deleted")
	}
	if n := e.w.count(`SELECT count(*) FROM calls WHERE op = 'DeleteStack' AND account = $1`, accountID); n != 1 {
		t.Errorf("DeleteStack was called %d times", n)
	}
}

// TestDeletionStoppedAnywhere dies once at every point of every step; the end is the same, and nothing is done twice.
func TestDeletionStoppedAnywhere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders-dev", workload, nil)
	e.fill(physical(st, "Files"), 3)
	died := e.diesOnce()
	request := e.end(st, models.EnvironmentInputs{EmptyBuckets: true})
	e.succeed(request)
	if e.standing(st) {
		t.Error("the stack is still there")
	}
	for _, step := range []string{"environment.empty", "environment.remove"} {
		for _, point := range []string{"after-intent-commit", "after-aws-call", "after-outcome-commit"} {
			if !died["run/"+step+"/"+point] {
				t.Errorf("it never died in %s %s: %v", step, point, died)
			}
		}
	}
	r := e.receiptOf(request)
	if len(r.Gone) != 3 || len(r.Left) != 2 || !slices.Equal(r.Emptied, []string{"bucket " + physical(st, "Files") + ": 3 object versions"}) {
		t.Errorf("receipt %+v", r)
	}
	if n := one[int](e, `SELECT count(*) FROM receipts`); n != 1 {
		t.Errorf("%d receipts", n)
	}
}
