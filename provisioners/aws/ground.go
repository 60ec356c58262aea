package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/models/blueprint"
)

// ground is what an object stands on and what is known of itself: where the parameters come from that Slipway gives to a template.
type ground struct {
	*Stacks
	tenant  models.Tenant
	account models.Account
	name    string // of the object
	stage   models.Stage
	host    string
	image   string
	asleep  bool   // hibernated
	cidr    string // of the network that is made
	zone    string // name of the zone that is made
	network string // id; empty: it stands on none
	service string // id; empty: it runs no image of a service

	own      models.Service    // the service that is made; its name is all that is known
	pipeline models.Pipeline   // the pipeline as the request wants it
	provider models.SourceHost // of the connection that is made
	who      who               // on whose behalf the account is asked
}

// lacking is something that the requester has to bring first, in words.
func lacking(what, next string, args ...any) error { return asRequester(finalf(what, next, args...)) }

// value reads one source. What is not there is said in words: nothing is ever given as empty because it was not found.
func (g *ground) value(ctx context.Context, source string) (string, error) {
	switch source {
	case "tenant.slug":
		return g.tenant.Slug, nil
	case "tenant.cost_centre":
		return g.tenant.CostCentre, nil
	case "class":
		return string(g.account.Class), nil
	case "environment.name", "object.name":
		return g.name, nil
	case "environment.stage":
		return string(g.stage), nil
	case "image":
		return g.image, nil
	case "hibernated":
		return fmt.Sprint(g.asleep), nil
	case "peer.account":
		return g.peer(), nil
	case "network.cidr":
		return given(g.cidr, "The network has no address block of its own yet.")
	case "zone.name":
		return given(g.zone, "No base domain is configured, so there is no name for a zone.")
	case "connection.provider":
		return string(g.provider), nil
	case "environment.host":
		return given(g.host, "No base domain is configured, so the environment has no name of its own.")
	}
	object, output, _ := strings.Cut(source, ".")
	if object == "pipeline" || object == "workflows" {
		return g.delivery(ctx, source)
	}
	outputs, of, err := g.outputs(ctx, object)
	if err != nil {
		return "", err
	}
	if v, ok := outputs[output]; ok {
		return v, nil
	}
	return "", lacking("The %s has no output %s, which the template needs.", "Update it, so that it is made of a version that has it, then plan again.", of, output)
}

func given(value, otherwise string) (string, error) {
	if value == "" {
		return "", lacking("%s", "Ask the platform team, then plan again.", otherwise)
	}
	return value, nil
}

// peer is the tenant's other account; empty when it has none.
func (g *ground) peer() string {
	for _, a := range g.tenant.Accounts {
		if a.ID != g.account.ID && a.AWSID != "" && a.State != models.Deleted {
			return a.AWSID
		}
	}
	return ""
}

// outputs are those of the stack that a source names, with words for what it belongs to.
func (g *ground) outputs(ctx context.Context, object string) (map[string]string, string, error) {
	switch object {
	case "network":
		if g.network == "" {
			return nil, "", lacking("%s stands on no network.", "Order a network for the account and region first.", g.name)
		}
		n, err := g.books.Network(ctx, g.network)
		if err != nil {
			return nil, "", g.gone(err, "network")
		}
		if err := ready(n.State, "network "+n.Name); err != nil {
			return nil, "", err
		}
		outputs, err := g.clients.standing(ctx, n, g.who)
		return outputs, "network " + n.Name, err
	case "service":
		return g.serviceOutputs(ctx)
	case "zone":
		z, err := g.books.ZoneOf(ctx, g.account.ID)
		if err != nil {
			return nil, "", g.gone(err, "hosted zone")
		}
		return z.Stack.Outputs, "hosted zone " + z.Name, ready(z.State, "hosted zone "+z.Name)
	case "baseline":
		return g.baseline(ctx)
	}
	return nil, "", lacking("The template wants %s, which Slipway does not know.", "Correct the blueprint.", object)
}

// baseline reads the outputs where they are: the baseline belongs to its account, and Slipway keeps no row of its stack.
func (g *ground) baseline(ctx context.Context) (map[string]string, string, error) {
	of := "baseline of account " + g.account.Name
	st, err := stack{clients: g.clients, account: g.account.AWSID, region: g.clients.Region, name: baselineStackName(g.tenant.Slug), who: g.who}.describe(ctx)
	if err != nil {
		return nil, of, err
	}
	if st == nil {
		return nil, of, lacking("Account %s has no baseline.", "Ask the platform team to make it, then plan again.", g.account.Name)
	}
	return outputsOf(st), of, nil
}

func (g *ground) serviceOutputs(ctx context.Context) (map[string]string, string, error) {
	if g.own.Name != "" {
		return map[string]string{"name": g.own.Name}, "service " + g.own.Name, nil
	}
	if g.service == "" {
		return nil, "", lacking("%s runs no service.", "Name the service that it runs, then plan again.", g.name)
	}
	s, err := g.books.Service(ctx, g.service)
	if err != nil {
		return nil, "", g.gone(err, "service")
	}
	outputs := map[string]string{"name": s.Name}
	for k, v := range s.Stack.Outputs {
		outputs[k] = v
	}
	return outputs, "service " + s.Name, ready(s.State, "service "+s.Name)
}

// gone turns a row that is not there into words.
func (g *ground) gone(err error, what string) error {
	if models.KindOf(err) == models.NotFound {
		return lacking("Account %s has no %s.", "Order it first, then plan again.", g.account.Name, what)
	}
	return err
}

// ready refuses to build on what is not whole.
func ready(state models.ObjectState, what string) error {
	if state == models.Ready {
		return nil
	}
	return lacking("The %s is %s, so nothing can be built on it.", "Bring it in order first, then plan again.", what, state)
}

// parameters are all of a template's parameters with their values: what people chose, what Slipway gives, and the template's own
// defaults, each said explicitly.
func (g *ground) parameters(ctx context.Context, v blueprint.Version, t *blueprint.Template, inputs map[string]string) (map[string]string, error) {
	all := map[string]string{}
	for _, p := range t.Parameters {
		source, ok := v.Meta.Given[p.Name]
		switch chosen, asked := inputs[p.Name]; {
		case ok:
			value, err := g.value(ctx, source)
			if err != nil {
				return nil, err
			}
			all[p.Name] = value
		case p.NoEcho:
			return nil, finalf("The parameter %s of %s is a secret, and plans never hold one.", "Let the blueprint make the secret itself, with GenerateSecretString or empty.", p.Name, v.Ref())
		case asked:
			all[p.Name] = chosen
		case p.Default != nil:
			all[p.Name] = *p.Default
		default:
			return nil, finalf("Nothing gives the parameter %s of %s a value.", "Correct the blueprint, then plan again.", p.Name, v.Ref())
		}
	}
	return all, nil
}

// chosen holds what people chose against the blueprint's form.
func chosen(v blueprint.Version, inputs map[string]string) (map[string]string, error) {
	clean, problems := v.Meta.Validate(inputs)
	if len(problems) == 0 {
		return clean, nil
	}
	var said []string
	for name, why := range problems {
		said = append(said, strings.TrimSpace(name+": "+why))
	}
	slices.Sort(said)
	return nil, lacking("What was chosen does not fit %s: %s", "Correct the request, then plan again.", v.Ref(), strings.Join(said, " "))
}

// asRequester says that the requester is the one who acts.
func asRequester(err error) error {
	if f, ok := isFinal(err); ok {
		f.Failure.Owner = requester
		return f
	}
	return err
}

// parameterOf is the parameter that a version is given from a source; empty when it has none.
func parameterOf(v blueprint.Version, source string) string {
	for name, s := range v.Meta.Given {
		if s == source {
			return name
		}
	}
	return ""
}
