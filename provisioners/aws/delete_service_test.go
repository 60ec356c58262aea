package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"slipway/models"
)

const repository = `
Resources:
  Repository: {Type: AWS::ECR::Repository, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {RepositoryName: %s}}
`

func (e *estate) push(name string, n int) {
	e.t.Helper()
	api := ecr.NewFromConfig(e.administrator())
	for i := range n {
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%064d","size":1},"layers":[]}`, i)
		if _, err := api.PutImage(e.t.Context(), &ecr.PutImageInput{RepositoryName: &name, ImageManifest: &manifest, ImageManifestMediaType: sdk.String("application/vnd.oci.image.manifest.v1+json"), ImageTag: sdk.String(fmt.Sprintf("v%d", i))}); err != nil {
			e.t.Fatal(err)
		}
	}
}

// TestImagesGoOnlyWithTheirService: a service gives its images back when that was asked for, an environment never does.
func TestImagesGoOnlyWithTheirService(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	service := e.own(models.ServiceObject, "orders", fmt.Sprintf(repository, "slw-payments/orders"), nil)
	e.push("slw-payments/orders", 3)
	if why := e.refused(e.end(service, models.ServiceInputs{})); !strings.Contains(why, "still holds images") || !strings.Contains(why, "with its images") {
		t.Errorf("images that nobody gave up: %s", why)
	}
	env := e.own(models.EnvironmentObject, "odd", fmt.Sprintf(repository, "slw-payments/odd"), nil)
	e.push("slw-payments/odd", 1)
	if why := e.refused(e.insert(models.DeleteEnvironment, models.EnvironmentObject, env.ObjectID, "odd", map[string]any{"empty": true, "empty_buckets": true}, models.Planning)); !strings.Contains(why, "images are deleted only with their service") {
		t.Errorf("images of an environment: %s", why)
	}
	e.exec(`UPDATE requests SET state = 'cancelled', ended_at = now() WHERE state = 'plan_failed'`)
	died := e.diesOnce()
	request := e.end(service, models.ServiceInputs{Empty: true})
	e.succeed(request)
	r := e.receiptOf(request)
	if line(r.Gone, "Repository") == nil || !slices.Equal(r.Emptied, []string{"repository slw-payments/orders: 3 images"}) || !died["run/service.empty/after-aws-call"] {
		t.Errorf("receipt %+v, died at %v", r, died)
	}
}

// TestNetworkIsDeleted with all that holds on to each other in it.
func TestNetworkIsDeleted(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.NetworkObject, "nonprod-eu-west-1", vpcs, nil)
	request := e.end(st, models.NetworkInputs{})
	e.succeed(request)
	r := e.receiptOf(request)
	if line(r.Gone, "Nat") == nil || len(r.Left) != 0 || e.standing(st) {
		t.Errorf("receipt %+v", r)
	}
	if !slices.ContainsFunc(r.CannotSee, func(s string) bool { return strings.Contains(s, "AWS::EC2::Route,") }) {
		t.Errorf("what no search finds: %q", r.CannotSee)
	}
	if n := one[int](e, `SELECT count(*) FROM run_resources WHERE status = 'DELETE_COMPLETE' AND ended_at IS NOT NULL`); n < 20 {
		t.Errorf("the run's tree shows %d resources", n)
	}
}
