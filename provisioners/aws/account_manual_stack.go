package aws

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// spokePrefix is where the template of the roles lies for people: any identity of the organization may read what is under it (hub.yaml),
// so that its address needs no signature, which would end and would be a secret in the journal.
const spokePrefix = "spoke/"

// externalParameter is never written down with a value: the one who deploys the stack gives it.
const externalParameter = "ExternalId"

// manualStack is the stack that a person is asked to deploy.
type manualStack struct {
	account, region, address string
	names                    []string // of the parameters, as the template has them
	parameters               map[string]string
}

// manualStack works out what the stack is given.
func (p place) manualStack(ctx context.Context, run *provisioners.Run) (manualStack, error) {
	m := manualStack{account: p.part.Account, region: p.clients.Region, parameters: map[string]string{}}
	t, err := blueprint.Parse(p.clients.SetUp.Spoke)
	if err != nil {
		return m, fmt.Errorf("read the template of the spoke roles: %w", err)
	}
	known, err := p.spokeParameters(ctx, run)
	if err != nil {
		return m, err
	}
	for _, param := range t.Parameters {
		m.names = append(m.names, param.Name)
		if param.Name == externalParameter {
			continue
		}
		value, ok := known[param.Name]
		if !ok {
			return m, finalf("The template of Slipway's roles has a parameter %s that the stack set %s does not give.", "Update the stack set with deploy/aws/hub.yaml, then retry: the run goes on from this step.", param.Name, p.clients.StackSet)
		}
		m.parameters[param.Name] = value
	}
	m.address = p.clients.spokeAddress()
	return m, nil
}

// spokeParameters are what the stack set gives to all other accounts: by hand it must be the same.
func (p place) spokeParameters(ctx context.Context, run *provisioners.Run) (map[string]string, error) {
	out, err := cloudformation.NewFromConfig(p.clients.hub(p.clients.Region)).DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{
		StackSetName: &p.clients.StackSet, CallAs: cfn.CallAsDelegatedAdmin})
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, param := range out.StackSet.Parameters {
		known[sdk.ToString(param.ParameterKey)] = sdk.ToString(param.ParameterValue)
	}
	if known["OrganizationId"] == "" {
		org, err := organizationsClient(p.clients.org(workOf(run), lookAtOrganization)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		if err != nil {
			return nil, err
		}
		known["OrganizationId"] = sdk.ToString(org.Organization.Id)
	}
	delete(known, externalParameter)
	return known, nil
}

// keepSpoke makes sure of the copy that people deploy. It holds nothing secret, and is encrypted with S3's own key so that nobody needs a
// permission for the bucket's.
func (c *Clients) keepSpoke(ctx context.Context) error {
	key := c.spokeKey()
	api := s3.NewFromConfig(c.hub(c.Region), func(o *s3.Options) { o.UsePathStyle = c.Endpoint != "" })
	_, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &c.ArtifactsBucket, Key: &key, Body: bytes.NewReader(c.SetUp.Spoke), ContentType: sdk.String("application/yaml"),
		ServerSideEncryption: s3types.ServerSideEncryptionAes256, ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256, IfNoneMatch: sdk.String("*")})
	if err != nil && !is(err, "PreconditionFailed") {
		return fmt.Errorf("keep template %s in %s: %w", key, c.ArtifactsBucket, err)
	}
	return nil
}

func (c *Clients) spokeKey() string { return spokePrefix + templateHash(c.SetUp.Spoke) + ".yaml" }

func (c *Clients) spokeAddress() string {
	return fmt.Sprintf("https://%s.s3.%s.amazonaws.com/%s", c.ArtifactsBucket, c.Region, c.spokeKey())
}

// differs names the first parameter that the stack was given another value for.
func (m manualStack) differs(have []cfn.Parameter, external string) string {
	got := map[string]string{}
	for _, p := range have {
		got[sdk.ToString(p.ParameterKey)] = sdk.ToString(p.ParameterValue)
	}
	for _, name := range m.names {
		want := m.parameters[name]
		if name == externalParameter {
			want = external
		}
		if got[name] != want {
			return name
		}
	}
	return ""
}

// link opens the form with which a person who is signed in to the account makes the stack. The external id is left for them to give.
func (m manualStack) link(c *Clients) string {
	q := url.Values{"templateURL": {m.address}, "stackName": {models.ManualStack}}
	for name, value := range m.parameters {
		q.Set("param_"+name, value)
	}
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	if c.Console != "" {
		return c.Console + "?" + query
	}
	return fmt.Sprintf("https://%s.%s/cloudformation/home?region=%s#/stacks/quickcreate?%s", m.region, consoles[c.partition], m.region, query)
}

// command makes the same stack from the command line, with the account's credentials.
func (m manualStack) command() []string {
	lines := []string{fmt.Sprintf("aws cloudformation create-stack --region %s --stack-name %s --capabilities CAPABILITY_NAMED_IAM \\", m.region, models.ManualStack),
		fmt.Sprintf("  --template-url %s --parameters \\", m.address)}
	for i, name := range m.names {
		value := `"$SLIPWAY_EXTERNAL_ID"`
		if name != externalParameter {
			value = "'" + strings.ReplaceAll(m.parameters[name], ",", `\,`) + "'"
		}
		line := fmt.Sprintf("  ParameterKey=%s,ParameterValue=%s", name, value)
		if i < len(m.names)-1 {
			line += ` \`
		}
		lines = append(lines, line)
	}
	return lines
}
