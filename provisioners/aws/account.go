package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"slipway/models"
	"slipway/provisioners"
)

// create waits for the account that the creation slot's own work makes; the run only asks for the slot.
func (p place) create() provisioners.Step {
	return provisioners.Step{Title: "Create account " + p.name(), Find: p.look(p.findAccount), Poll: p.look(p.pollAccount),
		Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
			return p.registry.AskSlot(ctx, actorOf(run), run.ID, p.row(run))
		}),
		Stays: fmt.Sprintf("account %s stays open: an AWS account can only be closed, and that is the platform team's to do", p.name())}
}

// row is the id of Slipway's own row of the account; empty while there is none.
func (p place) row(run *provisioners.Run) string {
	for _, step := range []string{stepEnrol, stepAccountRecord, stepManual, stepAccess, stepDetach} {
		if id := run.Output(p.stepName(step), "row"); id != "" {
			return id
		}
	}
	if id := run.Outputs["row"]; id != "" {
		return id
	}
	return run.Output(stepRecord, "account."+string(p.class))
}

// findAccount counts a slot that was freed without an account as nothing: a retry asks anew.
func (p place) findAccount(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	res, _, err := p.seeAccount(ctx, run)
	return res, err
}

func (p place) pollAccount(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	res, slot, err := p.seeAccount(ctx, run)
	if err == nil && res.Found == provisioners.Absent && slot.Failure != nil {
		return res, provisioners.Final{Failure: *slot.Failure}
	}
	return res, err
}

func (p place) seeAccount(ctx context.Context, run *provisioners.Run) (provisioners.Result, models.CreationSlot, error) {
	a, err := p.registry.Account(ctx, p.row(run))
	if err != nil {
		return absent, models.CreationSlot{}, err
	}
	if a.AWSID != "" {
		return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"account": a.AWSID, "email": a.Email,
			"born": p.clients.Clock.Wall().Format(time.RFC3339)}}, models.CreationSlot{}, nil
	}
	slot, err := p.registry.Slot(ctx, a.ID)
	if err != nil || !slot.Open() {
		return absent, slot, err
	}
	res := provisioners.Result{Found: provisioners.Working, Waiting: &models.WaitingOn{For: "AWS", Words: "AWS to create the account; that takes a few minutes"}}
	if slot.TakenAt.IsZero() {
		q, err := p.registry.SlotPlace(ctx, a.ID)
		if err != nil {
			return absent, slot, err
		}
		res.Waiting = &models.WaitingOn{For: "a creation slot", Words: queueWords(q)}
	}
	return res, slot, nil
}

func queueWords(q models.QueuePlace) string {
	front := fmt.Sprintf("%d accounts wait in front", q.Ahead)
	switch q.Ahead {
	case 0:
		front = "the next account to be created is this one"
	case 1:
		front = "1 account waits in front"
	}
	at := "one account is created at a time"
	if q.Slots > 1 {
		at = fmt.Sprintf("%d accounts are created at a time", q.Slots)
	}
	return front + "; " + at
}

// move puts the account under its policies. Until then nothing protects it, so it comes first.
func (p place) move() provisioners.Step {
	if from := p.from(); from != "" {
		return p.moveFrom(from)
	}
	return provisioners.Step{Title: fmt.Sprintf("Move %s into its organizational unit", p.name()), Find: p.look(p.findParent),
		Start: p.act(func(ctx context.Context, run *provisioners.Run) error {
			id, err := p.account(run)
			if err != nil {
				return err
			}
			unit, root := p.unit(), run.Outputs["parent"]
			_, err = organizationsClient(p.clients.org(workOf(run), moveAccounts)).MoveAccount(ctx,
				&organizations.MoveAccountInput{AccountId: &id, SourceParentId: &root, DestinationParentId: &unit})
			if is(err, "DuplicateAccountException", "SourceParentNotFoundException") || is(err, "AccountNotFoundException") {
				return nil // moved already, or not where it was: the next look says
			}
			return err
		}),
		Stays: fmt.Sprintf("account %s stays in its organizational unit, under its policies", p.name())}
}

// unit is the organizational unit that was approved.
func (p place) unit() string {
	for _, ch := range p.changes() {
		for _, prop := range ch.Properties {
			if prop.Path == "/OrganizationalUnit" && prop.After != nil {
				return *prop.After
			}
		}
	}
	return p.clients.OUs[p.class]
}

func (p place) findParent(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	id, err := p.account(run)
	if err != nil {
		return absent, err
	}
	parent, err := parentOf(ctx, organizationsClient(p.clients.org(workOf(run), lookAtOrganization)), id)
	if err != nil {
		return absent, err
	}
	at := sdk.ToString(parent.Id)
	if at == p.unit() {
		return present, p.note(ctx, run, func(a *models.Account) { a.OU = at })
	}
	if !strings.HasPrefix(at, "r-") {
		return absent, finalf("Account %s is in organizational unit %s, where nobody asked Slipway to put it.",
			"Find out who moved it. Move it to the root or to "+p.unit()+", then retry: the run goes on from this step.", p.name(), at)
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"parent": at}}, nil
}

// policies proves that the account inherits what the plan showed. Slipway never writes one.
func (p place) policies() provisioners.Step {
	return provisioners.Step{Title: "Verify the policies over " + p.name(), Find: p.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		have, err := policiesOver(ctx, organizationsClient(p.clients.org(workOf(run), lookAtOrganization)), p.unitOfMove())
		if err != nil {
			return absent, err
		}
		var missing []string
		for _, want := range p.expected() {
			if !contains(have, want) {
				missing = append(missing, want)
			}
		}
		if len(have) == 0 || len(missing) > 0 {
			return absent, finalf("Account %s does not inherit the policies of the plan: %s.", "Attach what is missing to the organizational unit, or plan again without it, then retry.",
				p.name(), strings.Join(append(missing, noneOf(have)...), ", "))
		}
		return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"policies": strings.Join(have, ", ")}}, nil
	})}
}

func noneOf(have []string) []string {
	if len(have) == 0 {
		return []string{"its organizational unit has none"}
	}
	return nil
}

// unitOfMove is the unit of the part's move: the one the plan names.
func (p place) unitOfMove() string {
	p.step = p.stepName(stepMove)
	return p.unit()
}

func (p place) expected() []string {
	var names []string
	for _, ch := range p.changes() {
		names = append(names, ch.LogicalID)
	}
	return names
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
