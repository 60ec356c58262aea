package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// What the next image of a repository can be asked to be.
const (
	scanCritical    = "critical"    // its scan finds what is critical
	scanFails       = "scan-fails"  // its scan does not come to an end
	scanUnsupported = "unsupported" // nobody knows how to scan it
)

const scanTakes = 25 * time.Second

// imageScan is what is found in an image, once its time has come.
type imageScan struct {
	Started, Ends time.Time
	Enhanced      bool // by Inspector, which goes on looking
	Status        ecrtypes.ScanStatus
	Findings      []finding
}

// finding is a weakness of a package in an image.
type finding struct {
	Name, Severity, Package, Version, Fixed, Text string
	Score                                         float64
}

func (s *imageScan) status(now time.Time) *ecrtypes.ImageScanStatus {
	switch {
	case now.Before(s.Ends) && s.Enhanced:
		return &ecrtypes.ImageScanStatus{Status: ecrtypes.ScanStatusPending, Description: aws.String("The scan is pending.")}
	case now.Before(s.Ends):
		return &ecrtypes.ImageScanStatus{Status: ecrtypes.ScanStatusInProgress, Description: aws.String("The scan is in progress.")}
	case s.Status == ecrtypes.ScanStatusFailed:
		return &ecrtypes.ImageScanStatus{Status: s.Status, Description: aws.String("The scan failed: an internal error occurred.")}
	case s.Status == ecrtypes.ScanStatusUnsupportedImage:
		return &ecrtypes.ImageScanStatus{Status: s.Status, Description: aws.String("UnsupportedImageError: The operating system and/or package manager are not supported.")}
	case s.Enhanced:
		return &ecrtypes.ImageScanStatus{Status: ecrtypes.ScanStatusActive, Description: aws.String("Continuous scan is selected for image.")}
	}
	return &ecrtypes.ImageScanStatus{Status: ecrtypes.ScanStatusComplete, Description: aws.String("The scan was completed successfully.")}
}

// found says whether there is a list of findings by now.
func (s *imageScan) found(now time.Time) bool { return !now.Before(s.Ends) && s.Status == "" }

func (s *imageScan) counts() map[string]int32 {
	out := map[string]int32{}
	for _, f := range s.Findings {
		out[f.Severity]++
	}
	return out
}

// scanPushed begins the scan of a pushed image, where the registry or the repository asks for one.
func (c *Call) scanPushed(ctx context.Context, repo *thing, digest string, at time.Time) error {
	plays := takeNext(repo)
	if plays != "" {
		if err := c.know(ctx, repo); err != nil {
			return err
		}
	}
	enhanced, err := c.scansEnhanced(ctx, repo)
	if err != nil || (!enhanced && !yes(mapOf(repo.Properties["ImageScanningConfiguration"])["ScanOnPush"])) {
		return err
	}
	return c.scan(ctx, repo, digest, plays, enhanced, at)
}

// scansEnhanced says whether Inspector scans a registry.
func (c *Call) scansEnhanced(ctx context.Context, repo *thing) (bool, error) {
	all, err := c.things(ctx, `account = $1 AND region = $2 AND type = 'AWS::ECR::RegistryScanningConfiguration'`, repo.Account, repo.Region)
	return slices.ContainsFunc(all, func(t *thing) bool { return textOf(t.Properties["ScanType"]) == "ENHANCED" }), err
}

func (c *Call) scan(ctx context.Context, repo *thing, digest, plays string, enhanced bool, at time.Time) error {
	s := &imageScan{Started: at, Ends: at.Add(c.Sim.scaled(scanTakes)), Enhanced: enhanced, Findings: findingsOf(digest, plays == scanCritical)}
	switch plays {
	case scanFails:
		s.Status, s.Findings = ecrtypes.ScanStatusFailed, nil
	case scanUnsupported:
		s.Status, s.Findings = ecrtypes.ScanStatusUnsupportedImage, nil
	}
	return c.saveScan(ctx, repo, digest, s)
}

func (c *Call) saveScan(ctx context.Context, repo *thing, digest string, s *imageScan) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("scan of %s: %w", digest, err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO image_scans (account, region, repository, digest, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, region, repository, digest) DO UPDATE SET body = EXCLUDED.body`,
		repo.Account, repo.Region, repo.Physical, digest, body); err != nil {
		return fmt.Errorf("store scan of %s: %w", digest, err)
	}
	return nil
}

func (c *Call) forgetScans(ctx context.Context, repo *thing) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM image_scans WHERE account = $1 AND region = $2 AND repository = $3`, repo.Account, repo.Region, repo.Physical); err != nil {
		return fmt.Errorf("forget scans of %s: %w", repo.Physical, err)
	}
	return nil
}

// scanOf is an image's scan; nil when it was never scanned.
func (c *Call) scanOf(ctx context.Context, repo *thing, digest string) (*imageScan, error) {
	s := &imageScan{}
	err := c.Tx.QueryRow(ctx, `SELECT body FROM image_scans WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4`, repo.Account, repo.Region, repo.Physical, digest).Scan(s)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read scan of %s: %w", digest, err)
	}
	return s, nil
}

// findingsOf draws what a scan finds: a few small things in every image, the same in the same one.
func findingsOf(digest string, critical bool) []finding {
	rnd := random(digest, "findings")
	small := []finding{
		{"CVE-2025-31498", "MEDIUM", "c-ares", "1.34.3", "1.34.5", "A use after free when a server's answers come out of order.", 5.9},
		{"CVE-2025-0167", "LOW", "curl", "8.11.0", "8.12.0", "A password of a netrc file can be sent to the host that a redirect leads to.", 3.4},
		{"CVE-2024-13176", "LOW", "openssl", "3.3.2", "3.3.3", "The time a signature takes can tell about its private key.", 3.1},
		{"CVE-2025-4802", "MEDIUM", "glibc", "2.36-9", "2.36-10", "Libraries are searched for in a path from the environment.", 6.2},
		{"CVE-2024-56406", "MEDIUM", "perl", "5.36.0-7", "", "A heap overflow when characters are translated.", 5.5},
		{"CVE-2023-45918", "LOW", "ncurses", "6.4-4", "", "A null pointer is followed when a terminal's description is broken.", 2.5},
		{"CVE-2025-29087", "MEDIUM", "sqlite3", "3.40.1-2", "3.40.1-3", "A very long separator overflows an integer.", 5.1},
	}
	rnd.Shuffle(len(small), func(i, j int) { small[i], small[j] = small[j], small[i] })
	out := small[:2+rnd.IntN(4)]
	if critical {
		out = append([]finding{
			{"CVE-2024-3094", "CRITICAL", "xz-utils", "5.6.1", "5.6.1+really5.4.5", "The released archive holds code that lets a stranger in.", 10},
			{"CVE-2025-49796", "CRITICAL", "libxml2", "2.9.14", "2.9.14+dfsg-1.3", "Memory is corrupted by a document with a crafted schematron.", 9.1},
			{"CVE-2024-45491", "HIGH", "expat", "2.5.0-1", "2.5.0-1+deb12u1", "An integer overflows on machines of 32 bits.", 7.3},
		}, out...)
	}
	return out
}

func (f finding) basic() ecrtypes.ImageScanFinding {
	out := ecrtypes.ImageScanFinding{Name: aws.String(f.Name), Severity: ecrtypes.FindingSeverity(f.Severity), Description: aws.String(f.Text), Uri: aws.String("https://security-tracker.debian.org/tracker/" + f.Name),
		Attributes: []ecrtypes.Attribute{{Key: aws.String("package_name"), Value: aws.String(f.Package)}, {Key: aws.String("package_version"), Value: aws.String(f.Version)}}}
	if f.Fixed != "" {
		out.Attributes = append(out.Attributes, ecrtypes.Attribute{Key: aws.String("fixed_in_versions"), Value: aws.String(f.Fixed)})
	}
	return out
}

func (f finding) enhanced(repo *thing, digest string, s *imageScan) ecrtypes.EnhancedImageScanFinding {
	fix := "NO"
	if f.Fixed != "" {
		fix = "YES"
	}
	return ecrtypes.EnhancedImageScanFinding{AwsAccountId: &repo.Account, Description: aws.String(f.Text), FindingArn: aws.String(arn("inspector2", repo.Region, repo.Account, "finding/"+commitID(digest, f.Name)[:32])), FixAvailable: &fix, ExploitAvailable: aws.String("NO"),
		FirstObservedAt: &s.Ends, LastObservedAt: &s.Ends, UpdatedAt: &s.Ends, Score: f.Score, Severity: aws.String(f.Severity), Status: aws.String("ACTIVE"), Title: aws.String(f.Name + " - " + f.Package), Type: aws.String("PACKAGE_VULNERABILITY"),
		PackageVulnerabilityDetails: &ecrtypes.PackageVulnerabilityDetails{VulnerabilityId: aws.String(f.Name), Source: aws.String("NVD"), SourceUrl: aws.String("https://nvd.nist.gov/vuln/detail/" + f.Name), VendorSeverity: aws.String(f.Severity),
			VulnerablePackages: []ecrtypes.VulnerablePackage{{Name: aws.String(f.Package), Version: aws.String(f.Version), FixedInVersion: optional(f.Fixed), PackageManager: aws.String("OS")}}},
		Resources: []ecrtypes.Resource{{Id: aws.String(repo.ARN + "/" + digest), Type: aws.String("AWS_ECR_CONTAINER_IMAGE")}}}
}

// scannedImage finds the image that a call about a scan names.
func (c *Call) scannedImage(ctx context.Context, registryID, name *string, id *ecrtypes.ImageIdentifier) (*thing, *image, error) {
	repo, err := c.repository(ctx, registryID, name)
	if err != nil {
		return nil, nil, err
	}
	if id == nil || (id.ImageDigest == nil && id.ImageTag == nil) {
		return nil, nil, ecrParameter("Invalid parameter at 'imageId' failed to satisfy constraint: 'both tag and digest cannot be null'")
	}
	all, err := c.images(ctx, repo)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(all, func(i image) bool { return i.is(*id) })
	if i < 0 {
		return nil, nil, refuse(http.StatusBadRequest, "ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
			aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag), repo.Physical, repo.Account)
	}
	return repo, &all[i], nil
}

func describeScanFindings(ctx context.Context, c *Call, in *ecr.DescribeImageScanFindingsInput) (*ecr.DescribeImageScanFindingsOutput, error) {
	repo, i, err := c.scannedImage(ctx, in.RegistryId, in.RepositoryName, in.ImageId)
	if err != nil {
		return nil, err
	}
	s, err := c.scanOf(ctx, repo, i.Digest)
	if err == nil && s == nil {
		err = refuse(http.StatusBadRequest, "ScanNotFoundException", "Image scan does not exist for the image with '{imageDigest:'%s', imageTag:'%s'}' in the repository with name '%s' in the registry with id '%s'", i.Digest, aws.ToString(in.ImageId.ImageTag), repo.Physical, repo.Account)
	}
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImageScanFindingsOutput{RegistryId: &repo.Account, RepositoryName: &repo.Physical, ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageId.ImageTag}, ImageScanStatus: s.status(c.Now)}
	if !s.found(c.Now) {
		return out, nil
	}
	some, next, err := page(s.Findings, in.NextToken, in.MaxResults, 1000)
	if err != nil {
		return nil, ecrParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'invalid token'")
	}
	out.NextToken, out.ImageScanFindings = next, &ecrtypes.ImageScanFindings{ImageScanCompletedAt: &s.Ends, VulnerabilitySourceUpdatedAt: aws.Time(s.Ends.Truncate(24 * time.Hour)), FindingSeverityCounts: s.counts()}
	for _, f := range some {
		if s.Enhanced {
			out.ImageScanFindings.EnhancedFindings = append(out.ImageScanFindings.EnhancedFindings, f.enhanced(repo, i.Digest, s))
		} else {
			out.ImageScanFindings.Findings = append(out.ImageScanFindings.Findings, f.basic())
		}
	}
	return out, nil
}

// startImageScan scans an image by hand, as basic scanning lets one do.
func startImageScan(ctx context.Context, c *Call, in *ecr.StartImageScanInput) (*ecr.StartImageScanOutput, error) {
	repo, i, err := c.scannedImage(ctx, in.RegistryId, in.RepositoryName, in.ImageId)
	if err != nil {
		return nil, err
	}
	enhanced, err := c.scansEnhanced(ctx, repo)
	if err == nil && enhanced {
		err = refuse(http.StatusBadRequest, "ValidationException", "This feature is disabled: the registry is scanned by Inspector.")
	}
	if err != nil {
		return nil, err
	}
	if err := c.scan(ctx, repo, i.Digest, "", false, c.Now); err != nil {
		return nil, err
	}
	s, err := c.scanOf(ctx, repo, i.Digest)
	if err != nil {
		return nil, err
	}
	return &ecr.StartImageScanOutput{RegistryId: &repo.Account, RepositoryName: &repo.Physical, ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &i.Digest, ImageTag: in.ImageId.ImageTag}, ImageScanStatus: s.status(c.Now)}, nil
}

// tellScan adds the scan to what DescribeImages says of an image.
func (c *Call) tellScan(ctx context.Context, repo *thing, d *ecrtypes.ImageDetail) error {
	s, err := c.scanOf(ctx, repo, *d.ImageDigest)
	if err != nil || s == nil {
		return err
	}
	d.ImageScanStatus = s.status(c.Now)
	if s.found(c.Now) {
		d.ImageScanFindingsSummary = &ecrtypes.ImageScanFindingsSummary{FindingSeverityCounts: s.counts(), ImageScanCompletedAt: &s.Ends, VulnerabilitySourceUpdatedAt: aws.Time(s.Ends.Truncate(24 * time.Hour))}
	}
	return nil
}
