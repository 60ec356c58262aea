package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
)

const acmCertificate = "AWS::CertificateManager::Certificate"

func acmOperations() []operation {
	return []operation{
		handle("acm", "DescribeCertificate", describeCertificate),
		handle("acm", "ListCertificates", listCertificates),
	}
}

func certificateNames(p map[string]any) []string {
	names := []string{textOf(p["DomainName"])}
	for _, n := range texts(p["SubjectAlternativeNames"]) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// certificateEffect asks for a certificate. Where the template names the zone of a domain,
// CloudFormation writes the record that validates it; it leaves it there ever after.
func certificateEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	switch verb {
	case "update":
		return nil
	case "delete":
		return c.unusedCertificate(ctx, s, r)
	}
	t := &thing{Account: s.Account, Region: s.Region, Type: r.Type, Physical: r.Physical, Made: at, State: map[string]any{"status": "PENDING_VALIDATION"}}
	if textOf(r.Properties["ValidationMethod"]) == "DNS" {
		for _, option := range listOf(r.Properties["DomainValidationOptions"]) {
			id := textOf(option["HostedZoneId"])
			if id == "" {
				continue
			}
			zone, err := c.stackZone(ctx, s, id, "")
			if err != nil {
				return err
			}
			if err := c.change(ctx, zone, "UPSERT", validation(s.Account, textOf(option["DomainName"])), at); err != nil {
				return err
			}
		}
	}
	return c.putThing(ctx, t)
}

func (c *Call) unusedCertificate(ctx context.Context, s *cfnStack, r *cfnResource) error {
	users, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3`, s.Account, s.Region, elbListener)
	if err != nil {
		return err
	}
	for _, t := range users {
		for _, given := range listOf(t.Properties["Certificates"]) {
			if textOf(given["CertificateArn"]) == r.Physical {
				return refuse(http.StatusBadRequest, "ResourceInUseException", "Certificate %s in account %s is in use.", r.Physical, s.Account)
			}
		}
	}
	return nil
}

// issued holds a stack back until every domain of its certificate is validated.
func issued(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _, at time.Time) (string, error) {
	if verb != "create" {
		return "", nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, r.Type, r.Physical)
	if err != nil || t == nil || textOf(t.State["status"]) == "ISSUED" {
		return "", err
	}
	if textOf(r.Properties["ValidationMethod"]) != "DNS" {
		return "Somebody has to answer the e-mail that validates " + textOf(r.Properties["DomainName"]), nil
	}
	for _, name := range certificateNames(r.Properties) {
		want := validation(s.Account, name)
		have, err := c.resolve(ctx, want.Name, want.Type, at)
		if err != nil {
			return "", err
		}
		if !slices.Equal(have, want.Values) {
			return "Content of DNS Record is: {Name: " + want.Name + ",Type: CNAME,Value: " + want.Values[0] + "}", nil
		}
	}
	t.State["status"], t.State["issued"] = "ISSUED", at.Format(time.RFC3339Nano)
	return "", c.know(ctx, t)
}

func (c *Call) certificateOut(ctx context.Context, t *thing) (*acmtypes.CertificateDetail, error) {
	names := certificateNames(t.Properties)
	out := &acmtypes.CertificateDetail{CertificateArn: &t.ARN, DomainName: &names[0], SubjectAlternativeNames: names, Status: acmtypes.CertificateStatus(textOf(t.State["status"])), Type: acmtypes.CertificateTypeAmazonIssued,
		CreatedAt: &t.Made, KeyAlgorithm: acmtypes.KeyAlgorithmRsa2048, RenewalEligibility: acmtypes.RenewalEligibilityIneligible}
	if at, err := time.Parse(time.RFC3339Nano, textOf(t.State["issued"])); err == nil {
		until := at.AddDate(0, 13, 0)
		out.IssuedAt, out.NotBefore, out.NotAfter = &at, &at, &until
	}
	for _, name := range names {
		r := validation(t.Account, name)
		v := acmtypes.DomainValidation{DomainName: aws.String(name), ValidationDomain: aws.String(strings.TrimPrefix(name, "*.")), ValidationMethod: acmtypes.ValidationMethod(textOf(t.Properties["ValidationMethod"])), ValidationStatus: acmtypes.DomainStatusPendingValidation}
		if v.ValidationMethod == acmtypes.ValidationMethodDns {
			v.ResourceRecord = &acmtypes.ResourceRecord{Name: &r.Name, Type: acmtypes.RecordTypeCname, Value: &r.Values[0]}
		}
		have, err := c.resolve(ctx, r.Name, r.Type, c.Now)
		if err != nil {
			return nil, err
		}
		if out.Status == acmtypes.CertificateStatusIssued || slices.Equal(have, r.Values) {
			v.ValidationStatus = acmtypes.DomainStatusSuccess
		}
		out.DomainValidationOptions = append(out.DomainValidationOptions, v)
	}
	listeners, err := c.things(ctx, `account = $1 AND region = $2 AND type = $3`, t.Account, t.Region, elbListener)
	if err != nil {
		return nil, err
	}
	out.InUseBy = []string{}
	for _, l := range listeners {
		for _, given := range listOf(l.Properties["Certificates"]) {
			if b := balancerOf(l.ARN); textOf(given["CertificateArn"]) == t.ARN && !slices.Contains(out.InUseBy, b) {
				out.InUseBy = append(out.InUseBy, b)
			}
		}
	}
	return out, nil
}

func describeCertificate(ctx context.Context, c *Call, in *acm.DescribeCertificateInput) (*acm.DescribeCertificateOutput, error) {
	a := aws.ToString(in.CertificateArn)
	if err := c.may(ctx, a, nil); err != nil {
		return nil, err
	}
	t, err := c.thing(ctx, c.Account, c.Region, acmCertificate, a)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Could not find certificate %s.", a)
	}
	out, err := c.certificateOut(ctx, t)
	return &acm.DescribeCertificateOutput{Certificate: out}, err
}

func listCertificates(ctx context.Context, c *Call, in *acm.ListCertificatesInput) (*acm.ListCertificatesOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, acmCertificate)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		return len(in.CertificateStatuses) > 0 && !slices.Contains(in.CertificateStatuses, acmtypes.CertificateStatus(textOf(t.State["status"])))
	})
	some, next, err := page(all, in.NextToken, in.MaxItems, 1000)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "ValidationException", "The token is not valid.")
	}
	out := &acm.ListCertificatesOutput{NextToken: next, CertificateSummaryList: []acmtypes.CertificateSummary{}}
	for _, t := range some {
		d, err := c.certificateOut(ctx, t)
		if err != nil {
			return nil, err
		}
		out.CertificateSummaryList = append(out.CertificateSummaryList, acmtypes.CertificateSummary{CertificateArn: d.CertificateArn, DomainName: d.DomainName, SubjectAlternativeNameSummaries: d.SubjectAlternativeNames, Status: d.Status, Type: d.Type,
			KeyAlgorithm: d.KeyAlgorithm, InUse: aws.Bool(len(d.InUseBy) > 0), CreatedAt: d.CreatedAt, IssuedAt: d.IssuedAt, NotBefore: d.NotBefore, NotAfter: d.NotAfter})
	}
	return out, nil
}
