package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/jackc/pgx/v5"
)

const (
	smSecret  = "AWS::SecretsManager::Secret"
	smCurrent = "AWSCURRENT"
)

func secretsmanagerOperations() []operation {
	return []operation{
		handle("secretsmanager", "ListSecrets", listSecrets),
		handle("secretsmanager", "DescribeSecret", describeSecret),
		handle("secretsmanager", "GetSecretValue", getSecretValue),
		handle("secretsmanager", "PutSecretValue", putSecretValue),
	}
}

// secretVersion is a value a secret has or had.
type secretVersion struct {
	ID     string
	Stages []string
	Value  string
	Made   time.Time
}

func (c *Call) secretVersions(ctx context.Context, secret string) ([]secretVersion, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, stages, value, made_at FROM secret_versions WHERE secret = $1 ORDER BY made_at DESC, id`, secret)
	if err != nil {
		return nil, fmt.Errorf("read versions of a secret: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[secretVersion])
	if err != nil {
		return nil, fmt.Errorf("read versions of a secret: %w", err)
	}
	return all, nil
}

// giveSecret makes a value the current one; the one before it becomes the previous one.
func (c *Call) giveSecret(ctx context.Context, secret, id, value string, at time.Time) error {
	_, err := c.Tx.Exec(ctx, `UPDATE secret_versions SET stages = CASE WHEN 'AWSCURRENT' = ANY(stages) THEN ARRAY['AWSPREVIOUS'] ELSE ARRAY[]::text[] END WHERE secret = $1`, secret)
	if err != nil {
		return fmt.Errorf("put the secret's value behind: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM secret_versions WHERE secret = $1 AND stages = ARRAY[]::text[]`, secret); err != nil {
		return fmt.Errorf("drop the secret's old values: %w", err)
	}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO secret_versions (secret, id, stages, value, made_at) VALUES ($1, $2, ARRAY['AWSCURRENT'], $3, $4)`, secret, id, value, at); err != nil {
		return fmt.Errorf("store the secret's value: %w", err)
	}
	return nil
}

// secretEffect gives a new secret the value its template asks for; without one it is empty.
// CloudFormation removes a secret without a time to recover it.
func secretEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, at time.Time) error {
	switch verb {
	case "delete":
		if _, err := c.Tx.Exec(ctx, `DELETE FROM secret_versions WHERE secret = $1`, r.Physical); err != nil {
			return fmt.Errorf("remove a secret: %w", err)
		}
	case "create":
		if text := textOf(r.Properties["SecretString"]); text != "" {
			return c.giveSecret(ctx, r.Physical, newRequestID(), text, at)
		}
		if generate := mapOf(r.Properties["GenerateSecretString"]); generate != nil {
			return c.giveSecret(ctx, r.Physical, newRequestID(), generated(generate), at)
		}
	}
	return nil
}

// generated draws a secret. Its length is kept; which characters AWS would leave out is not.
func generated(p map[string]any) string {
	value := letters(int(min(max(numberOf(p["PasswordLength"], 32), 1), 4096)))
	key := textOf(p["GenerateStringKey"])
	if key == "" {
		return value
	}
	around := strings.TrimSuffix(strings.TrimSpace(textOf(p["SecretStringTemplate"])), "}")
	if strings.TrimSpace(around) != "{" && around != "" {
		around += ","
	}
	return fmt.Sprintf(`%s%q:%q}`, around, key, value)
}

// secret finds a secret of the caller's by name or ARN.
func (c *Call) secret(ctx context.Context, given *string) (*thing, error) {
	id := aws.ToString(given)
	all, err := c.own(ctx, smSecret)
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(all, func(t *thing) bool { return t.ARN == id || secretName(t) == id || t.ARN[:len(t.ARN)-7] == id })
	resource := arn("secretsmanager", c.Region, c.Account, "secret:"+id)
	k := keys{}
	if n >= 0 {
		resource = all[n].ARN
		for name, value := range all[n].Tags {
			k["aws:ResourceTag/"+name] = []string{value}
		}
	}
	if err := c.may(ctx, resource, k); err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return all[n], nil
}

func secretName(t *thing) string {
	_, name, _ := cutLast(t.ARN, ":secret:")
	return name[:max(len(name)-7, 0)]
}

func (t *thing) smTags() []smtypes.Tag {
	var out []smtypes.Tag
	for _, k := range sortedKeys(t.Tags) {
		out = append(out, smtypes.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
	}
	return out
}

func stages(all []secretVersion) map[string][]string {
	if len(all) == 0 {
		return nil // a secret without a value has no version
	}
	out := map[string][]string{}
	for _, v := range all {
		out[v.ID] = v.Stages
	}
	return out
}

func describeSecret(ctx context.Context, c *Call, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	t, err := c.secret(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	all, err := c.secretVersions(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.DescribeSecretOutput{ARN: &t.ARN, Name: aws.String(secretName(t)), Description: optional(textOf(t.Properties["Description"])), KmsKeyId: optional(textOf(t.Properties["KmsKeyId"])), CreatedDate: &t.Made,
		LastChangedDate: &t.Made, Tags: t.smTags(), VersionIdsToStages: stages(all)}
	if len(all) > 0 {
		out.LastChangedDate = &all[0].Made
	}
	return out, nil
}

func listSecrets(ctx context.Context, c *Call, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, smSecret)
	if err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		all = slices.DeleteFunc(all, func(t *thing) bool { return !secretFits(t, f) })
	}
	slices.Reverse(all) // newest first
	some, next, err := page(all, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidNextTokenException", "The NextToken value is invalid.")
	}
	out := &secretsmanager.ListSecretsOutput{NextToken: next, SecretList: []smtypes.SecretListEntry{}}
	for _, t := range some {
		versions, err := c.secretVersions(ctx, t.ARN)
		if err != nil {
			return nil, err
		}
		out.SecretList = append(out.SecretList, smtypes.SecretListEntry{ARN: &t.ARN, Name: aws.String(secretName(t)), Description: optional(textOf(t.Properties["Description"])), CreatedDate: &t.Made, LastChangedDate: &t.Made, Tags: t.smTags(), SecretVersionsToStages: stages(versions)})
	}
	return out, nil
}

// secretFits matches the beginning of words, as Secrets Manager does; a value with ! must not be there.
func secretFits(t *thing, f smtypes.Filter) bool {
	var have []string
	switch f.Key {
	case smtypes.FilterNameStringTypeName:
		have = []string{secretName(t)}
	case smtypes.FilterNameStringTypeDescription:
		have = []string{textOf(t.Properties["Description"])}
	case smtypes.FilterNameStringTypeTagKey:
		have = sortedKeys(t.Tags)
	case smtypes.FilterNameStringTypeTagValue:
		for _, v := range t.Tags {
			have = append(have, v)
		}
	default:
		return false
	}
	return slices.ContainsFunc(f.Values, func(want string) bool {
		want, not := strings.CutPrefix(want, "!")
		return not != slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, want) })
	})
}

func getSecretValue(ctx context.Context, c *Call, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	t, err := c.secret(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	all, err := c.secretVersions(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	stage := aws.ToString(in.VersionStage)
	if stage == "" && in.VersionId == nil {
		stage = smCurrent
	}
	for _, v := range all {
		if (in.VersionId == nil || *in.VersionId == v.ID) && (stage == "" || slices.Contains(v.Stages, stage)) {
			return &secretsmanager.GetSecretValueOutput{ARN: &t.ARN, Name: aws.String(secretName(t)), VersionId: &v.ID, VersionStages: v.Stages, SecretString: &v.Value, CreatedDate: &v.Made}, nil
		}
	}
	if in.VersionId != nil {
		return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", *in.VersionId)
	}
	return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
}

func putSecretValue(ctx context.Context, c *Call, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	t, err := c.secret(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.SecretString == nil || len(in.SecretBinary) > 0 || len(in.VersionStages) > 0 {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "The simulator takes a SecretString as the current value.")
	}
	id := aws.ToString(in.ClientRequestToken)
	if id == "" {
		id = newRequestID()
	}
	all, err := c.secretVersions(ctx, t.ARN)
	if err != nil {
		return nil, err
	}
	if n := slices.IndexFunc(all, func(v secretVersion) bool { return v.ID == id }); n >= 0 { // the same call again
		if all[n].Value != *in.SecretString {
			return nil, refuse(http.StatusBadRequest, "ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, t.ARN)
		}
	} else if err := c.giveSecret(ctx, t.ARN, id, *in.SecretString, c.Now); err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{ARN: &t.ARN, Name: aws.String(secretName(t)), VersionId: &id, VersionStages: []string{smCurrent}}, nil
}
