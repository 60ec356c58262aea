package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/models"
)

// maxSecrets bounds what one page asks for.
const maxSecrets = 20

// SecretsWithoutValue lists which of a stack's secrets, by logical id, have no value yet. Values are never read: a secret that was given
// one has a version. What could not be seen is an error of kind Unavailable in words, beside what could.
func (c *Clients) SecretsWithoutValue(ctx context.Context, s models.Stack, logical []string) ([]models.EmptySecret, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	arns := map[string]string{}
	for _, r := range s.Resources {
		if slices.Contains(logical, r.LogicalID) && r.Type == "AWS::SecretsManager::Secret" && strings.HasPrefix(r.PhysicalID, "arn:") && len(arns) < maxSecrets {
			arns[r.LogicalID] = r.PhysicalID
		}
	}
	if len(arns) == 0 {
		return nil, nil
	}
	api := secretsmanager.NewFromConfig(c.spoke(s.Account, s.Region, "read", policy(statement{Action: []string{"secretsmanager:DescribeSecret"},
		Resource: []string{fmt.Sprintf("arn:%s:secretsmanager:%s:%s:secret:*", c.partition, s.Region, s.Account)}}), who{job: pageJob}))
	var empty []models.EmptySecret
	var failed []error
	for _, id := range logical {
		arn := arns[id]
		if arn == "" {
			continue
		}
		out, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &arn})
		switch {
		case err != nil:
			failed = append(failed, err)
		case len(out.VersionIdsToStages) == 0 && out.DeletedDate == nil:
			empty = append(empty, models.EmptySecret{LogicalID: id, ARN: arn, ConsoleURL: c.secretURL(s.Region, sdk.ToString(out.Name)),
				Command: fmt.Sprintf("aws secretsmanager put-secret-value --region %s --secret-id %s --secret-string file://value.txt", s.Region, arn)})
		}
		delete(arns, id) // named twice: asked once
	}
	return empty, unseen("Slipway cannot see whether every secret has a value.", errors.Join(failed...))
}

// consoles are where people look at each partition.
var consoles = map[string]string{"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}

func (c *Clients) secretURL(region, name string) string {
	host := consoles[c.partition]
	if host == "" {
		return ""
	}
	return fmt.Sprintf("https://%s.%s/secretsmanager/secret?%s", region, host, url.Values{"name": {name}, "region": {region}}.Encode())
}
