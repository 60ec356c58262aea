package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/models"
)

// lookAtScans is what the reader of scans may do of what slipway-read may.
var lookAtScans = policy(statement{Action: []string{"ecr:DescribeImageScanFindings"}})

// ScanImage asks ECR what it, or Inspector in its place, found in an image. Always by digest: a tag could be another image by now. What AWS
// refuses or does not answer is a scan that could not be read, in words, never an error.
func (c *Clients) ScanImage(ctx context.Context, s models.Service, digest string) (models.ImageScan, error) {
	scan := models.ImageScan{ServiceID: s.ID, Digest: digest, Counts: map[models.Severity]int{}, ReadAt: c.Clock.Wall()}
	repository := s.Stack.Outputs["RepositoryName"]
	switch {
	case !digestForm.MatchString(digest):
		scan.State, scan.Words = models.ScanAbsent, "This is no digest of an image."
		return scan, nil
	case repository == "":
		scan.State, scan.Words = models.ScanUnreadable, "The stack of service "+s.Name+" does not say which repository it has made."
		return scan, nil
	}
	api := ecr.NewFromConfig(c.spoke(s.Stack.Account, s.Stack.Region, "read", lookAtScans, who{job: pipelineJob}))
	out, err := api.DescribeImageScanFindings(ctx, &ecr.DescribeImageScanFindingsInput{RepositoryName: &repository, ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &digest}, MaxResults: sdk.Int32(1)})
	if err != nil {
		return unscanned(scan, err)
	}
	scan.Source = "basic"
	if f := out.ImageScanFindings; f != nil {
		for name, n := range f.FindingSeverityCounts {
			scan.Counts[models.Severity(oneLine(name, 40))] = int(n)
		}
		scan.ScannedAt = sdk.ToTime(f.ImageScanCompletedAt)
		if len(f.EnhancedFindings) > 0 {
			scan.Source = "inspector"
		}
	}
	scan.State = models.ScanWaiting
	if st := out.ImageScanStatus; st != nil {
		if st.Status == ecrtypes.ScanStatusActive || st.Status == ecrtypes.ScanStatusScanEligibilityExpired { // only continuous scans have these
			scan.Source = "inspector"
		}
		scan.State, scan.Words = scanState(st.Status), oneLine(sdk.ToString(st.Description), maxWords)
	}
	if scan.State == models.ScanComplete {
		scan.Words = ""
	}
	return scan, nil
}

func scanState(s ecrtypes.ScanStatus) models.ScanState {
	switch s {
	case ecrtypes.ScanStatusComplete, ecrtypes.ScanStatusActive:
		return models.ScanComplete
	case ecrtypes.ScanStatusInProgress, ecrtypes.ScanStatusPending:
		return models.ScanWaiting
	case ecrtypes.ScanStatusUnsupportedImage:
		return models.ScanUnsupported
	case ecrtypes.ScanStatusScanEligibilityExpired:
		return models.ScanExpired
	case ecrtypes.ScanStatusFindingsUnavailable:
		return models.ScanUnreadable
	}
	return models.ScanFailed
}

// unscanned says why there are no findings.
func unscanned(scan models.ImageScan, err error) (models.ImageScan, error) {
	switch {
	case is(err, "ImageNotFoundException"):
		scan.State, scan.Words = models.ScanAbsent, "The image is not in the service's repository."
		return scan, nil
	case is(err, "RepositoryNotFoundException"):
		scan.State, scan.Words = models.ScanAbsent, "The service's repository is not there any more."
		return scan, nil
	case is(err, "ScanNotFoundException"):
		scan.State, scan.Words = models.ScanWaiting, "ECR has no scan of it."
		return scan, nil
	}
	g, ok := answerGap("the scan", "ECR", err)
	if !ok {
		return scan, err
	}
	scan.State, scan.Words = models.ScanUnreadable, g.Words
	return scan, nil
}
