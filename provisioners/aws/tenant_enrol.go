package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models"
)

// The steps that only an account has which was there before. Names are stored: never rename one.
const (
	stepEnrol  = "account.enrol"  // bind the account: Slipway's row and the owner tags
	stepManual = "account.manual" // a person deploys the roles where the stack set does not reach
	stepDetach = "account.detach" // a person deletes that stack again, so that the stack set can deliver its own
)

// enrolment is an account that exists, on its way to a tenant: what it is, where it is, and which of the ways it comes by.
type enrolment struct {
	asked models.AccountInputs
	at    whereabouts
	unit  orgPath // of the class's unit

	contacts map[accounttypes.AlternateContactType]Contact // as they are
}

// inside tells that the account is under the unit of its class already: the stack set reaches it, and nothing moves.
func (e enrolment) inside() bool { return e.at.under(e.unit.units[0]) }

// byHand tells that the account stays where the stack set does not reach it.
func (e enrolment) byHand() bool { return !e.inside() && !e.asked.Move }

func (e enrolment) id() string { return sdk.ToString(e.at.account.Id) }

// owner is the tenant that an account goes to. Its id may not be a row yet.
type owner struct{ id, slug string }

// planEnrolment looks at the account and refuses what may not be enrolled, or not in the way that is asked for.
func (t *Tenants) planEnrolment(ctx context.Context, w who, org *organizations.Client, asked models.AccountInputs, tenant owner, f *findings) error {
	a, err := t.enrollable(ctx, org, asked.AWSID, tenant.id, asked.Class)
	if err == nil {
		err = unclaimed(ctx, org, asked.AWSID, tenant.slug)
	}
	if err != nil {
		return err
	}
	e := enrolment{asked: asked}
	types, err := policyTypes(ctx, org)
	if err != nil {
		return err
	}
	if e.at, err = t.whereabouts(ctx, org, a, types); err != nil {
		return err
	}
	if e.unit, err = pathFrom(ctx, org, t.clients.OUs[asked.Class], types); err != nil {
		return err
	}
	if e.contacts, err = t.clients.contactsOf(ctx, w, asked.AWSID); err != nil {
		return err
	}
	f.enrol = &e
	f.notes = e.notes()
	return t.possible(e)
}

// possible refuses to leave an account where another class's stack set instance is in the way, or where no roles could come from.
func (t *Tenants) possible(e enrolment) error {
	if !e.byHand() {
		return nil
	}
	for _, class := range models.Classes() {
		if class != e.asked.Class && e.at.under(t.clients.OUs[class]) {
			return lacking("Account %s is in the organizational unit of %s accounts.", "Enrol it as %s, or let it be moved into the unit of %s accounts.", e.id(), class, class, e.asked.Class)
		}
	}
	if len(t.clients.SetUp.Spoke) == 0 || t.clients.ArtifactsBucket == "" {
		return finalf("Account %s cannot be enrolled where it is: there is no bucket that a person could deploy the roles' template from.",
			"Set SLIPWAY_ARTIFACTS_BUCKET to the hub's bucket for templates, or let the account be moved into the unit of %s accounts.", e.id(), e.asked.Class)
	}
	return nil
}

// notes say what people have to know beside the changes.
func (e enrolment) notes() []string {
	var notes []string
	if e.byHand() {
		notes = append(notes, fmt.Sprintf("Account %s stays in %s, where the stack set does not reach it: a person deploys the stack %s there, and keeps it up to date by hand.",
			e.id(), e.at.parent(), models.ManualStack))
		if len(e.at.path.protecting()) == 0 {
			notes = append(notes, fmt.Sprintf("No service control policy of the organization is over account %s where it is.", e.id()))
		}
		return notes
	}
	governed := e.unit.governed()
	if len(governed) == 0 {
		return nil
	}
	if e.inside() {
		return []string{fmt.Sprintf("AWS Control Tower governs the unit that account %s is in (%s). Slipway changes nothing of that.", e.id(), strings.Join(governed, ", "))}
	}
	return []string{fmt.Sprintf("AWS Control Tower governs the unit that account %s moves into (%s). It takes the move for drift until the account is enrolled there too: "+
		"by Account Factory, or by itself where automatic enrolment is on.", e.id(), strings.Join(governed, ", "))}
}

// protecting are the service control policies of the path that are not AWS's own.
func (p orgPath) protecting() []orgPolicy {
	var all []orgPolicy
	for policy := range p.inForce() {
		if policy.kind == controlPolicy && !policy.awsOwned {
			all = append(all, policy)
		}
	}
	return all
}

// addEnrolment lists what binds the account and how Slipway reaches it.
func (t *Tenants) addEnrolment(in models.TenantInputs, part *models.PlanPart, f findings) {
	e, suffix := *f.enrol, "."+string(part.Class)
	part.Account = e.id()
	adding(part, stepEnrol+suffix, "Account", models.EnrolledAccount, "It keeps its name, its address and everything that is in it. Undoing the request releases it; nothing ever closes it by that.",
		after("/Id", e.id()), after("/Name", sdk.ToString(e.at.account.Name)), after("/Email", sdk.ToString(e.at.account.Email)), after("/OrganizationalUnit", e.at.parent()),
		after("/Tags", tagTenant+"="+in.Slug))
	switch {
	case e.byHand():
		t.addManual(part, e)
	case e.inside():
		inherits(part, f.policies)
		t.addAccess(part)
	default:
		part.Changes = append(part.Changes, moving(stepMove+suffix, e.at.parent(), e.unit.units[0]))
		part.Changes = append(part.Changes, moved(stepMove+suffix, e.at.path, e.unit)...)
		inherits(part, f.policies)
		t.addAccess(part)
	}
}

// moving is the change of an account's unit.
func moving(step, from, to string) models.Change {
	return models.Change{Step: step, LogicalID: "OrganizationalUnit", Type: "Organizational unit", Action: models.Modify, Note: "What it gains and loses by that is listed below.",
		Properties: []models.PropertyChange{{Path: "/OrganizationalUnit", Before: &from, After: &to}}}
}

// addManual lists the stack that a person deploys: the template by its hash, and what it is given.
func (t *Tenants) addManual(part *models.PlanPart, e enrolment) {
	step := stepManual + "." + string(part.Class)
	for _, p := range e.at.path.protecting() {
		part.Changes = append(part.Changes, models.Change{Step: step, LogicalID: p.name, Type: p.words(), Action: models.Exists, Note: "It applies where the account is, and stays."})
	}
	adding(part, step, models.ManualStack, "CloudFormation stack", "A person deploys it, with the link and the template that the run shows; Slipway waits and goes on by itself. It holds Slipway's roles.",
		after("/TemplateHash", templateHash(t.clients.SetUp.Spoke)), after("/Region", part.Region))
}

// contactsOf reads whom AWS may ask about an account today.
func (c *Clients) contactsOf(ctx context.Context, w who, id string) (map[accounttypes.AlternateContactType]Contact, error) {
	have := map[accounttypes.AlternateContactType]Contact{}
	if c.Contact == (Contact{}) {
		return have, nil // Slipway sets none, so it is no business of the plan
	}
	api := account.NewFromConfig(c.org(w, setContacts))
	for _, kind := range contactKinds {
		out, err := api.GetAlternateContact(ctx, &account.GetAlternateContactInput{AccountId: &id, AlternateContactType: kind})
		if is(err, "ResourceNotFoundException") {
			continue
		}
		if err != nil {
			return nil, err
		}
		h := out.AlternateContact
		have[kind] = Contact{sdk.ToString(h.Name), sdk.ToString(h.Title), sdk.ToString(h.EmailAddress), sdk.ToString(h.PhoneNumber)}
	}
	return have, nil
}

// overwrites says what the account's contacts are before they are set.
func (e enrolment) overwrites(part *models.PlanPart) {
	for i := range part.Changes {
		ch := &part.Changes[i]
		have, there := e.contacts[accounttypes.AlternateContactType(ch.LogicalID)]
		if ch.Step != stepContacts+"."+string(part.Class) || !there {
			continue
		}
		ch.Action = models.Modify
		was := map[string]string{"/Name": have.Name, "/Title": have.Title, "/EmailAddress": have.Email, "/PhoneNumber": have.Phone}
		same := true
		for j := range ch.Properties {
			value := was[ch.Properties[j].Path]
			ch.Properties[j].Before = &value
			same = same && value == *ch.Properties[j].After
		}
		if same {
			ch.Action = models.Exists
		}
	}
}
