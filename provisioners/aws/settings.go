package aws

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"slipway/provisioners"
)

// Settings of an account that have no CloudFormation type: each is read, and set when it is not as wanted. Setting one twice is harmless.

// deploy is the configuration of a session in the place's account, for one narrow job.
func (p place) deploy(run *provisioners.Run, region, policy string) (sdk.Config, string, error) {
	return p.deployAs(workOf(run), run, region, policy)
}

func (p place) deployAs(w who, run *provisioners.Run, region, policy string) (sdk.Config, string, error) {
	id, err := p.account(run)
	if err != nil {
		return sdk.Config{}, "", err
	}
	return p.clients.spoke(id, region, "deploy", policy, w), id, nil
}

// encryption switches on default encryption of new EBS volumes in one region.
func (p place) encryption() provisioners.Step {
	return p.givenBack(provisioners.Step{Title: fmt.Sprintf("Encrypt new volumes of %s in %s", p.name(), p.region), Find: p.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		cfg, _, err := p.deploy(run, p.region, setEncryption)
		if err != nil {
			return absent, err
		}
		out, err := ec2.NewFromConfig(cfg).GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
		return presence(err == nil && sdk.ToBool(out.EbsEncryptionByDefault)), err
	}), Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
		cfg, _, err := p.deploy(run, p.region, setEncryption)
		if err != nil {
			return err
		}
		_, err = ec2.NewFromConfig(cfg).EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{})
		return err
	}), Stays: fmt.Sprintf("new volumes of %s stay encrypted in %s", p.name(), p.region)}, p.undoEncryption)
}

// accessBlock keeps every bucket of the account from being public.
func (p place) accessBlock() provisioners.Step {
	return p.givenBack(provisioners.Step{Title: "Block public buckets in " + p.name(), Find: p.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		cfg, id, err := p.deploy(run, p.clients.Region, setAccessBlock)
		if err != nil {
			return absent, err
		}
		out, err := s3control.NewFromConfig(cfg).GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &id})
		if is(err, "NoSuchPublicAccessBlockConfiguration") {
			return wasUnset(), nil
		}
		if err != nil {
			return absent, err
		}
		b := out.PublicAccessBlockConfiguration
		if b != nil && sdk.ToBool(b.BlockPublicAcls) && sdk.ToBool(b.BlockPublicPolicy) && sdk.ToBool(b.IgnorePublicAcls) && sdk.ToBool(b.RestrictPublicBuckets) {
			return present, nil
		}
		return was(b)
	}), Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
		cfg, id, err := p.deploy(run, p.clients.Region, setAccessBlock)
		if err != nil {
			return err
		}
		yes := sdk.Bool(true)
		_, err = s3control.NewFromConfig(cfg).PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: &id,
			PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes}})
		return err
	}), Stays: "public buckets stay blocked in " + p.name()}, p.undoAccessBlock)
}

// passwordPolicy is what the Foundational Security Best Practices ask for (IAM.7).
var passwordPolicy = iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: sdk.Int32(14), RequireLowercaseCharacters: true, RequireUppercaseCharacters: true,
	RequireNumbers: true, RequireSymbols: true, PasswordReusePrevention: sdk.Int32(24), MaxPasswordAge: sdk.Int32(90), AllowUsersToChangePassword: true}

// passwords sets the rules for passwords of IAM users. Nobody should be one, but nothing weaker is possible either.
func (p place) passwords() provisioners.Step {
	return p.givenBack(provisioners.Step{Title: "Set the password rules of " + p.name(), Find: p.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		cfg, _, err := p.deploy(run, p.clients.Region, setPasswords)
		if err != nil {
			return absent, err
		}
		out, err := iam.NewFromConfig(cfg).GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
		if is(err, "NoSuchEntity") {
			return wasUnset(), nil
		}
		if err != nil || strongEnough(out.PasswordPolicy) {
			return presence(err == nil), err
		}
		return was(out.PasswordPolicy)
	}), Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
		cfg, _, err := p.deploy(run, p.clients.Region, setPasswords)
		if err != nil {
			return err
		}
		in := passwordPolicy
		_, err = iam.NewFromConfig(cfg).UpdateAccountPasswordPolicy(ctx, &in)
		return err
	}), Stays: "the password rules of " + p.name() + " stay"}, p.undoPasswords)
}

func strongEnough(h *iamtypes.PasswordPolicy) bool {
	w := passwordPolicy
	return h != nil && sdk.ToInt32(h.MinimumPasswordLength) >= *w.MinimumPasswordLength && sdk.ToInt32(h.PasswordReusePrevention) >= *w.PasswordReusePrevention &&
		sdk.ToInt32(h.MaxPasswordAge) > 0 && sdk.ToInt32(h.MaxPasswordAge) <= *w.MaxPasswordAge && h.AllowUsersToChangePassword &&
		h.RequireLowercaseCharacters && h.RequireUppercaseCharacters && h.RequireNumbers && h.RequireSymbols
}
