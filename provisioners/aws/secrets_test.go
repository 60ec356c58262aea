package aws

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/models"
)

const secretive = `
Resources:
  Empty: {Type: AWS::SecretsManager::Secret, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {Name: slw-payments/orders/empty}}
  Made: {Type: AWS::SecretsManager::Secret, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {GenerateSecretString: {PasswordLength: 32}}}
`

// TestSecretsWithoutValue is asked by the web process, whose role can change nothing and read no value.
func TestSecretsWithoutValue(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	st := e.own(models.EnvironmentObject, "orders", secretive, nil)
	web := e.w.clients(asWeb, nil)
	empty, err := web.SecretsWithoutValue(t.Context(), st, []string{"Empty", "Made", "Empty", "Nothing"})
	if err != nil || len(empty) != 1 {
		t.Fatalf("empty: %+v, %v", empty, err)
	}
	want := models.EmptySecret{LogicalID: "Empty", ARN: physical(st, "Empty"), ConsoleURL: "https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=slw-payments%2Forders%2Fempty&region=eu-west-1",
		Command: "aws secretsmanager put-secret-value --region eu-west-1 --secret-id " + physical(st, "Empty") + " --secret-string file://value.txt"}
	if empty[0] != want {
		t.Errorf("got %+v, want %+v", empty[0], want)
	}
	if _, err := secretsmanager.NewFromConfig(e.administrator()).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &want.ARN, SecretString: sdk.String("x")}); err != nil {
		t.Fatal(err)
	}
	if empty, err = web.SecretsWithoutValue(t.Context(), st, []string{"Empty", "Made"}); err != nil || len(empty) != 0 {
		t.Errorf("all have a value: %+v, %v", empty, err)
	}
	e.w.fault(map[string]any{"op": "DescribeSecret", "action": "access_denied"})
	_, err = web.SecretsWithoutValue(t.Context(), st, []string{"Empty"})
	if models.KindOf(err) != models.Unavailable || !strings.Contains(models.Message(err), "secretsmanager:DescribeSecret") {
		t.Errorf("what cannot be seen: %v", err)
	}
	if status, _, err := web.StackNow(t.Context(), st); err != nil || status != "CREATE_COMPLETE" {
		t.Errorf("stack is %s, %v", status, err)
	}
}
