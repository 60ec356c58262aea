package awssim

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

const registryStack = `
Resources:
  Scanned:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: scanned, EmptyOnDelete: true, ImageScanningConfiguration: {ScanOnPush: true}}
  Plain:
    Type: AWS::ECR::Repository
    Properties: {RepositoryName: plain, EmptyOnDelete: true}
`

const inspectorStack = `
Resources:
  Scanning:
    Type: AWS::ECR::RegistryScanningConfiguration
    Properties: {ScanType: ENHANCED, Rules: [{ScanFrequency: CONTINUOUS_SCAN, RepositoryFilters: [{Filter: "*", FilterType: WILDCARD}]}]}
`

func TestImageScans(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	s, api := newStackTest(t, w), ecr.NewFromConfig(w.as(asAdmin))
	stack := func(name, template string) {
		s.changeSet(name, "make", template, cfntypes.ChangeSetTypeCreate)
		s.execute(name, "make")
		s.want(name, cfntypes.StackStatusCreateComplete)
	}
	stack("registry", registryStack)
	do := func(route string, d deed) string {
		d.Account = demoManagement
		out, err := w.doDeed(t.Context(), route, d)
		if err != nil {
			t.Fatal(err)
		}
		digest, _ := out["digest"].(string)
		return digest
	}
	ask := func(repository, digest string) (*ecr.DescribeImageScanFindingsOutput, error) {
		return api.DescribeImageScanFindings(t.Context(), &ecr.DescribeImageScanFindingsInput{RepositoryName: &repository, ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &digest}})
	}
	scanned := func(repository, digest string, want ecrtypes.ScanStatus) *ecr.DescribeImageScanFindingsOutput {
		t.Helper()
		var out *ecr.DescribeImageScanFindingsOutput
		eventually(t, "the scan to be "+string(want), func() bool {
			var err error
			if out, err = ask(repository, digest); err != nil {
				t.Fatal(err)
			}
			return out.ImageScanStatus.Status == want
		})
		return out
	}
	one := do("POST /images", deed{Name: "scanned", Key: "one"})
	if out, err := ask("scanned", one); err != nil || out.ImageScanStatus.Status != ecrtypes.ScanStatusInProgress || out.ImageScanFindings != nil {
		t.Errorf("right after the push: %s, %v", asText(out), err)
	}
	out := scanned("scanned", one, ecrtypes.ScanStatusComplete)
	if n := len(out.ImageScanFindings.Findings); n < 2 || n > 5 || out.ImageScanFindings.FindingSeverityCounts["CRITICAL"] != 0 {
		t.Errorf("a plain image: %s", asText(out))
	}
	do("PUT /images/findings", deed{Name: "scanned", Key: "one", On: true})
	if out, err := ask("scanned", one); err != nil || out.ImageScanFindings.FindingSeverityCounts["CRITICAL"] != 2 {
		t.Errorf("when a weakness becomes known: %s, %v", asText(out), err)
	}
	do("POST /images/next", deed{Name: "scanned", Value: scanCritical})
	do("POST /images/next", deed{Name: "scanned", Value: scanFails})
	two := do("POST /images", deed{Name: "scanned", Key: "two"})
	first := scanned("scanned", two, ecrtypes.ScanStatusComplete)
	paged, err := api.DescribeImageScanFindings(t.Context(), &ecr.DescribeImageScanFindingsInput{RepositoryName: aws.String("scanned"), ImageId: &ecrtypes.ImageIdentifier{ImageTag: aws.String("two")}, MaxResults: aws.Int32(1)})
	if err != nil || len(paged.ImageScanFindings.Findings) != 1 || paged.NextToken == nil || *paged.ImageId.ImageDigest != two || first.ImageScanFindings.FindingSeverityCounts["HIGH"] != 1 {
		t.Errorf("one at a time: %s, %v", asText(paged), err)
	}
	three := do("POST /images", deed{Name: "scanned"})
	scanned("scanned", three, ecrtypes.ScanStatusFailed)
	found, err := api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("scanned"), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &two}}})
	if err != nil || found.ImageDetails[0].ImageScanStatus.Status != "COMPLETE" || found.ImageDetails[0].ImageScanFindingsSummary.FindingSeverityCounts["CRITICAL"] != 2 {
		t.Errorf("the image: %s, %v", asText(found), err)
	}
	do("PUT /tags", deed{Name: "scanned", Key: "one", Value: two})
	moved, err := api.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("scanned"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("one")}}})
	if err != nil || len(moved.ImageDetails) != 1 || *moved.ImageDetails[0].ImageDigest != two {
		t.Errorf("after the tag moved: %s, %v", asText(moved), err)
	}
	_, err = ask("scanned", "sha256:"+strings.Repeat("0", 64))
	wantCode(t, "no image", err, "ImageNotFoundException")
	plain := do("POST /images", deed{Name: "plain", Key: "x"})
	_, err = ask("plain", plain)
	wantCode(t, "never scanned", err, "ScanNotFoundException")
	if _, err := api.StartImageScan(t.Context(), &ecr.StartImageScanInput{RepositoryName: aws.String("plain"), ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &plain}}); err != nil {
		t.Error(err)
	}
	scanned("plain", plain, ecrtypes.ScanStatusComplete)
	stack("inspector", inspectorStack)
	four := do("POST /images", deed{Name: "plain"})
	deep := scanned("plain", four, ecrtypes.ScanStatusActive)
	if f := deep.ImageScanFindings.EnhancedFindings; len(f) < 2 || len(deep.ImageScanFindings.Findings) > 0 || *f[0].PackageVulnerabilityDetails.VulnerablePackages[0].Name == "" {
		t.Errorf("by Inspector: %s", asText(deep))
	}
}
