package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"slipway/models"
	"slipway/provisioners"
)

// outFormer is the output in which a setting's step keeps what there was before it.
const (
	outFormer = "former"
	unset     = "unset"
)

// givenBack adds the undo of a setting to its step where the account was there before the run: its owner gets it back as it was. An
// account that the run has made stays open when the run is taken back, and then rather with its protection than without.
func (p place) givenBack(s provisioners.Step, undo func(context.Context, *provisioners.Run) (provisioners.Result, error)) provisioners.Step {
	makes := slices.ContainsFunc(p.part.Changes, func(ch models.Change) bool { return ch.Step == p.stepName(stepCreate) })
	if !makes {
		s.Undo, s.Stays = p.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
			res, err := undo(ctx, run)
			if is(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation") {
				return p.kept(s.Title, err), nil
			}
			return res, err
		}), ""
	}
	return s
}

// kept is an undo that AWS does not allow, as policies do that forbid to weaken an account.
func (p place) kept(title string, err error) provisioners.Result {
	res := present
	res.Events = []provisioners.Event{{Key: "kept", Level: "warn", At: p.clients.Clock.Now(), Text: fmt.Sprintf("%s: stays, for AWS does not let Slipway take it back: %v", title, innermost(err))}}
	return res
}

// was is an Absent that keeps what there is instead.
func was(value any) (provisioners.Result, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return absent, fmt.Errorf("keep a setting as it is: %w", err)
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{outFormer: string(raw)}}, nil
}

func wasUnset() provisioners.Result {
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{outFormer: unset}}
}

func workToUndo(run *provisioners.Run) who {
	w := workOf(run)
	w.approve = true
	return w
}

func (p place) undoEncryption(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	cfg, _, err := p.deployAs(workToUndo(run), run, p.region, setEncryption)
	if err != nil {
		return absent, err
	}
	_, err = ec2.NewFromConfig(cfg).DisableEbsEncryptionByDefault(ctx, &ec2.DisableEbsEncryptionByDefaultInput{})
	return presence(err == nil), err
}

func (p place) undoAccessBlock(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	cfg, id, err := p.deployAs(workToUndo(run), run, p.clients.Region, setAccessBlock)
	if err != nil {
		return absent, err
	}
	api := s3control.NewFromConfig(cfg)
	switch former := run.Outputs[outFormer]; former {
	case "":
	case unset:
		_, err = api.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: &id})
	default:
		var block s3types.PublicAccessBlockConfiguration
		if err := json.Unmarshal([]byte(former), &block); err != nil {
			return absent, fmt.Errorf("read how public buckets were blocked: %w", err)
		}
		_, err = api.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: &id, PublicAccessBlockConfiguration: &block})
	}
	return presence(err == nil), err
}

func (p place) undoPasswords(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	cfg, _, err := p.deployAs(workToUndo(run), run, p.clients.Region, setPasswords)
	if err != nil {
		return absent, err
	}
	api := iam.NewFromConfig(cfg)
	switch former := run.Outputs[outFormer]; former {
	case "":
	case unset:
		_, err = api.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
		err = ignore(err, "NoSuchEntity")
	default:
		var h iamtypes.PasswordPolicy
		if err := json.Unmarshal([]byte(former), &h); err != nil {
			return absent, fmt.Errorf("read which password rules there were: %w", err)
		}
		_, err = api.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: h.AllowUsersToChangePassword, HardExpiry: h.HardExpiry,
			MaxPasswordAge: h.MaxPasswordAge, MinimumPasswordLength: h.MinimumPasswordLength, PasswordReusePrevention: h.PasswordReusePrevention,
			RequireLowercaseCharacters: h.RequireLowercaseCharacters, RequireUppercaseCharacters: h.RequireUppercaseCharacters, RequireNumbers: h.RequireNumbers, RequireSymbols: h.RequireSymbols})
	}
	return presence(err == nil), err
}

// formerContacts keeps whom AWS asked before, by kind; what is nobody's is left out.
func (p place) formerContacts(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	missing, api, err := p.missingContacts(ctx, run)
	if err != nil || len(missing) == 0 {
		return presence(err == nil), err
	}
	if run.Outputs[outFormer] != "" { // kept before the first of them was set
		return absent, nil
	}
	id, err := p.account(run)
	if err != nil {
		return absent, err
	}
	former := map[accounttypes.AlternateContactType]Contact{}
	for _, kind := range missing {
		out, err := api.GetAlternateContact(ctx, &account.GetAlternateContactInput{AccountId: &id, AlternateContactType: kind})
		if is(err, "ResourceNotFoundException") {
			former[kind] = Contact{}
			continue
		}
		if err != nil {
			return absent, err
		}
		h := out.AlternateContact
		former[kind] = Contact{sdk.ToString(h.Name), sdk.ToString(h.Title), sdk.ToString(h.EmailAddress), sdk.ToString(h.PhoneNumber)}
	}
	return was(former)
}

func (p place) undoContacts(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	former := map[accounttypes.AlternateContactType]Contact{}
	if raw := run.Outputs[outFormer]; raw != "" {
		if err := json.Unmarshal([]byte(raw), &former); err != nil {
			return absent, fmt.Errorf("read whom AWS asked before: %w", err)
		}
	}
	id, err := p.account(run)
	if err != nil {
		return absent, err
	}
	api := account.NewFromConfig(p.clients.org(workOf(run), setContacts))
	for kind, c := range former {
		if c == (Contact{}) {
			_, err = api.DeleteAlternateContact(ctx, &account.DeleteAlternateContactInput{AccountId: &id, AlternateContactType: kind})
			err = ignore(err, "ResourceNotFoundException")
		} else {
			_, err = api.PutAlternateContact(ctx, &account.PutAlternateContactInput{AccountId: &id, AlternateContactType: kind, Name: &c.Name, Title: &c.Title, EmailAddress: &c.Email, PhoneNumber: &c.Phone})
		}
		if err != nil {
			return absent, err
		}
	}
	return present, nil
}
