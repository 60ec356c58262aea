package awssim

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	kmsKey   = "AWS::KMS::Key"
	kmsAlias = "AWS::KMS::Alias"
)

func kmsOperations() []operation {
	return []operation{
		handle("kms", "DescribeKey", describeKey),
		handle("kms", "ListAliases", listAliases),
	}
}

// aliasEffect refuses a second alias of one name.
func aliasEffect(ctx context.Context, c *Call, s *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "create" {
		return nil
	}
	t, err := c.thing(ctx, s.Account, s.Region, kmsAlias, r.Physical)
	if err == nil && t != nil {
		err = refuse(http.StatusBadRequest, "AlreadyExistsException", "An alias with the name %s already exists", arn("kms", s.Region, s.Account, r.Physical))
	}
	return err
}

// keyOf is the id of the key an alias means, which may be given as an ARN.
func keyOf(alias *thing) string {
	id := textOf(alias.Properties["TargetKeyId"])
	return id[strings.LastIndexByte(id, '/')+1:]
}

func describeKey(ctx context.Context, c *Call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	given := aws.ToString(in.KeyId)
	id := given
	if _, rest, ok := strings.Cut(given, ":key/"); ok {
		id = rest
	}
	if strings.Contains(given, "alias/") {
		a, err := c.thing(ctx, c.Account, c.Region, kmsAlias, given[strings.Index(given, "alias/"):])
		if err != nil {
			return nil, err
		}
		if a != nil {
			id = keyOf(a)
		}
	}
	if err := c.may(ctx, arn("kms", c.Region, c.Account, "key/"+id), nil); err != nil {
		return nil, err
	}
	t, err := c.thing(ctx, c.Account, c.Region, kmsKey, id)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuse(http.StatusBadRequest, "NotFoundException", "Key '%s' does not exist", arn("kms", c.Region, c.Account, "key/"+id))
	}
	out := &kmstypes.KeyMetadata{KeyId: &t.Physical, Arn: &t.ARN, AWSAccountId: &t.Account, CreationDate: &t.Made, Enabled: true, KeyState: kmstypes.KeyStateEnabled, Description: aws.String(textOf(t.Properties["Description"])),
		KeyManager: kmstypes.KeyManagerTypeCustomer, KeySpec: kmstypes.KeySpecSymmetricDefault, KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt, Origin: kmstypes.OriginTypeAwsKms, MultiRegion: aws.Bool(false)}
	if t.Gone != nil {
		out.Enabled, out.KeyState, out.DeletionDate = false, kmstypes.KeyStatePendingDeletion, t.Gone
	}
	return &kms.DescribeKeyOutput{KeyMetadata: out}, nil
}

func listAliases(ctx context.Context, c *Call, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.own(ctx, kmsAlias)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *thing) bool {
		given := aws.ToString(in.KeyId)
		return in.KeyId != nil && keyOf(t) != given[strings.LastIndexByte(given, '/')+1:]
	})
	most := in.Limit
	if most == nil {
		most = aws.Int32(50)
	}
	some, next, err := page(all, in.Marker, most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidMarkerException", "The marker is not valid.")
	}
	out := &kms.ListAliasesOutput{NextMarker: next, Truncated: next != nil, Aliases: []kmstypes.AliasListEntry{}}
	for _, t := range some {
		out.Aliases = append(out.Aliases, kmstypes.AliasListEntry{AliasName: &t.Physical, AliasArn: &t.ARN, TargetKeyId: aws.String(keyOf(t)), CreationDate: &t.Made, LastUpdatedDate: &t.Made})
	}
	return out, nil
}
