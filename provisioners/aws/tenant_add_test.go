package aws

import (
	"net/http"
	"os"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"slipway/models"
)

// served is a service of the tenant, whose repository nobody else may pull from yet.
func (k *walk) served(name string) {
	k.t.Helper()
	template, err := os.ReadFile("../blueprints/image-repository/1.0.0/template.yaml")
	if err != nil {
		k.t.Fatal(err)
	}
	c := k.tenants.clients
	api := s3.NewFromConfig(c.hub(c.Region), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := api.PutObject(k.t.Context(), &s3.PutObjectInput{Bucket: &c.ArtifactsBucket, Key: sdk.String("spoke/service.yaml"), Body: strings.NewReader(string(template))}); err != nil {
		k.t.Fatal(err)
	}
	account := k.outputs[stepCreate+".nonprod"]["account"]
	st := models.Stack{ObjectID: models.NewID(), ObjectType: models.ServiceObject, ObjectName: name, Account: account, Class: models.NonProd, Region: c.Region,
		Name: models.ServiceStack(k.req.ObjectName, name), StackID: "arn:...", Blueprint: "image-repository", Version: "1.0.0", Digest: "d", State: models.Ready,
		Parameters: map[string]string{"Tenant": k.req.ObjectName, "Service": name, peerParameter: "", "KeepTaggedImages": "1000", "UntaggedDays": "14"}}
	k.w.deed(http.MethodPut, "stacks", map[string]any{"account": account, "name": st.Name, "value": "https://" + c.ArtifactsBucket + ".s3." + c.Region + ".amazonaws.com/spoke/service.yaml", "parameters": st.Parameters})
	eventually(k.t, "the service is there", func() bool {
		at, err := stack{clients: c, account: account, region: c.Region, name: st.Name}.describe(k.t.Context())
		return err == nil && at != nil && at.StackStatus == "CREATE_COMPLETE"
	})
	k.w.exec(`UPDATE stacks SET body = jsonb_set(body, '{Definition,Tags}', '{"` + models.TagObject + `": "` + st.ObjectID + `"}') WHERE name = '` + st.Name + `'`)
	k.books.mu.Lock()
	defer k.books.mu.Unlock()
	k.books.contents = append(k.books.contents, st)
}

// TestAddAccount: a tenant gets its second account, and what it has follows: budget, and who may pull its services' images.
func TestAddAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	first := settledTenant(t, w, enrolClients(w, nil))
	first.served("orders")
	k := first.asks(models.AddAccount, models.AccountInputs{Class: models.Prod})
	k.mustPlan()
	k.wants("add | Account in Slipway | Record", "add | AWS account | Account", "change | AWS::ECR::Repository | Repository", "change | AWS::KMS::Key | ImageKey", "change | Monthly budget | slw-payments")
	died := k.diesEverywhere()
	if err := k.run(); err != nil {
		t.Fatal(err)
	}
	if !died["account.grant.nonprod.orders review/after-aws-call"] || !died["account.grant.nonprod.orders execute/after-intent-commit"] || !died["account.record.prod/after-aws-call"] {
		t.Errorf("it died at %v", died)
	}
	id := k.outputs["account.create.prod"]["account"]
	for what, query := range map[string]string{
		"account":               `SELECT count(*) FROM accounts WHERE id = $1 AND name = 'payments-prod' AND parent = 'ou-demo-prod0001'`,
		"baseline":              `SELECT count(*) FROM stacks WHERE account = $1 AND name = 'slw-payments-baseline' AND status = 'CREATE_COMPLETE'`,
		"pull from the service": `SELECT count(*) FROM stacks WHERE name = 'slw-payments-svc-orders' AND status = 'UPDATE_COMPLETE' AND body->'Definition'->'Parameters'->>'PeerAccount' = $1`,
		"place in the budget":   `SELECT count(*) FROM budgets WHERE body::text LIKE '%' || $1 || '%'`,
	} {
		if n := w.count(query, id); n != 1 {
			t.Errorf("%d: no %s for %s", n, what, id)
		}
	}
	if got := k.books.contents[0].Parameters[peerParameter]; got != id {
		t.Errorf("Slipway's row says that %q may pull", got)
	}
	for set, outcome := range k.books.sets {
		if outcome != "executed" {
			t.Errorf("change set %s is %s", set, outcome)
		}
	}
	if n := w.count(`SELECT count(*) FROM account_creations WHERE state = 'SUCCEEDED'`); n != 2 {
		t.Errorf("%d creations", n)
	}
	k.mustPlan()
	if !k.plan.Content.Empty() {
		t.Errorf("a second plan would do something:\n%s", strings.Join(k.says(), "\n"))
	}
}
