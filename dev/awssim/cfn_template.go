package awssim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"slipway/models/blueprint"
)

// templateText is the template a call brings: inline, by its place in S3, or the one before.
func (c *Call) templateText(ctx context.Context, body, link *string, previous string, usePrevious bool) (string, error) {
	switch {
	case usePrevious:
		if previous == "" {
			return "", invalid("No template is associated with this stack")
		}
		return previous, nil
	case body != nil && link != nil:
		return "", invalid("You may specify only one of TemplateBody or TemplateURL")
	case body != nil:
		if len(*body) > 51200 {
			return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200")
		}
		return *body, nil
	case link != nil:
		return c.templateAt(ctx, *link)
	}
	return "", invalid("Either Template URL or Template Body must be specified.")
}

// s3Host is a name S3 has in a region, alone or below a bucket's name.
var s3Host = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$`)

// inS3 reads bucket and key out of an address: BUCKET.s3.REGION.amazonaws.com/KEY, or
// s3.REGION.amazonaws.com/BUCKET/KEY and the same at the simulator's own address.
func inS3(link string) (bucket, key string, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Fragment != "" {
		return "", "", false
	}
	key = strings.TrimPrefix(u.Path, "/")
	switch host := s3Host.FindStringSubmatch(u.Hostname()); {
	case host == nil && !(loopback(u.Host) && (u.Scheme == "http" || u.Scheme == "https")):
		return "", "", false
	case host != nil && u.Scheme != "https":
		return "", "", false
	case host != nil && host[1] != "":
		bucket = host[1]
	default:
		bucket, key, _ = strings.Cut(key, "/")
	}
	return bucket, key, bucketForm.MatchString(bucket) && key != ""
}

// templateAt fetches a template from S3 as the caller, whom its own policies and the bucket's
// must let in.
func (c *Call) templateAt(ctx context.Context, link string) (string, error) {
	bucket, key, ok := inS3(link)
	if !ok {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	text := []byte(nil)
	_, err := c.inBucket(ctx, bucket, "s3:GetObject", key)
	if err == nil {
		text, ok, err = c.object(ctx, bucket, key)
	}
	var refused *APIError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		return "", noTemplate(refused.Message)
	case errors.As(err, &refused):
		return "", noTemplate("Access Denied")
	case err != nil:
		return "", err
	case !ok:
		return "", noTemplate("The specified key does not exist.")
	case len(text) > blueprint.MaxBytes:
		return "", invalid("Template may not exceed %d bytes in size.", blueprint.MaxBytes)
	}
	return string(text), nil
}

// noTemplate is how CloudFormation passes on what S3 says.
func noTemplate(why string) error {
	return invalid("S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", why)
}

// parsed reads a template and refuses what AWS refuses at once.
func parsed(text string) (*blueprint.Template, error) {
	read, err := readText(text)
	if err != nil {
		return nil, invalid("Template format error: %v", err)
	}
	t := read.t
	var unknown []string
	for _, r := range t.Resources {
		if _, ok := blueprint.Schema(r.Type); !ok {
			unknown = append(unknown, r.Type)
		}
	}
	if len(unknown) > 0 {
		return nil, invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
	}
	for _, p := range read.problems() {
		switch p.Rule {
		case "circle":
			return nil, invalid("Circular dependency between resources: [%s]", strings.TrimPrefix(p.Message, "circular dependency between "))
		case "ref", "attribute", "depends-on", "condition", "mapping", "function", "condition-circle":
			return nil, invalid("Template error: %s: %s", p.Path, p.Message)
		}
	}
	return t, nil
}
