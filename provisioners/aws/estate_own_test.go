package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// insert writes a request as the store's own transactions do; one in planning has its journal row.
func (e *estate) insert(kind models.RequestKind, typ models.ObjectType, object, name string, inputs any, state models.RequestState) string {
	e.t.Helper()
	raw, err := json.Marshal(inputs)
	if err != nil {
		e.t.Fatal(err)
	}
	id := models.NewID()
	e.exec(`INSERT INTO requests (id, kind, object_type, object_id, object_name, tenant_id, title, state, inputs, inputs_by, requester_id, idempotency_key, state_since, created_at, submitted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ARRAY[$10]::uuid[], $10, $11, now(), now(), now())`, id, kind, typ, object, name, tenantID, kind.Title(name), state, raw, askerID, e.key())
	if state == models.Planning {
		e.exec(`INSERT INTO journal (id, kind, object_id, next_at, created_at) VALUES ($1, 'plan', $2, clock_timestamp(), now())`, models.NewID(), id)
	} else {
		e.exec(`UPDATE requests SET ended_at = now() WHERE id = $1`, id)
	}
	return id
}

// refused drives a request to a plan that cannot be made, and says why.
func (e *estate) refused(request string) string {
	e.t.Helper()
	e.driveTo("a refusal of "+request, func() bool { return e.state(request) == models.PlanFailed })
	return one[string](e, `SELECT reason FROM requests WHERE id = $1`, request)
}

// driveTo works what is due until something has come about.
func (e *estate) driveTo(what string, there func() bool) {
	e.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for !there() {
		e.round(e.engine)
		if time.Now().After(deadline) {
			e.t.Fatalf("waited in vain for %s: %s %s", what, one[string](e, `SELECT COALESCE(jsonb_agg(j)::text, '') FROM journal j WHERE NOT done`),
				one[string](e, `SELECT COALESCE(jsonb_agg(waiting)::text, '') FROM steps WHERE waiting IS NOT NULL`))
		}
		if err := pause(e.t.Context()); err != nil {
			e.t.Fatal(err)
		}
	}
}

// diesOnce ends the process once at every point of every step: nothing more is written, the lease lapses.
func (e *estate) diesOnce() map[string]bool {
	died := map[string]bool{}
	at := func(kind, step, point string) {
		if key := kind + "/" + step + "/" + point; !died[key] {
			died[key] = true
			runtime.Goexit()
		}
	}
	e.crash.Store(&at)
	return died
}

// administrator is the account as its administrator sees it, without Slipway: the role that AWS makes with every account.
func (e *estate) administrator() sdk.Config {
	e.t.Helper()
	e.w.exec(`INSERT INTO roles (account, name, path, id, trust, managed, max_session, created_at, usable_after) VALUES ('` + accountID + `', 'OrganizationAccountAccessRole', '/', 'AROAADMINISTRATOR',
		'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}]}',
		'{arn:aws:iam::aws:policy/AdministratorAccess}', 3600, now(), now()) ON CONFLICT DO NOTHING`)
	root := e.clients.config("111111111111", "eu-west-1", credentials.NewStaticCredentialsProvider("AKIASIMMGMTADMIN0001", "s", ""))
	role := fmt.Sprintf("arn:aws:iam::%s:role/OrganizationAccountAccessRole", accountID)
	out, err := sts.NewFromConfig(root).AssumeRole(e.t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: sdk.String("somebody")})
	if err != nil {
		e.t.Fatal(err)
	}
	return e.clients.config(accountID, "eu-west-1", credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
}

// post asks the simulator for something that no AWS call does.
func (w *world) post(path string, body any) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/_slipway/"+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		w.t.Fatalf("%s %s: %s %s", path, raw, res.Status, said)
	}
}

// until waits for something of the simulated world.
func (w *world) until(what string, there func() bool) {
	w.t.Helper()
	for range 1000 {
		if there() {
			return
		}
		if err := pause(w.t.Context()); err != nil {
			break
		}
	}
	w.t.Fatalf("waited in vain for %s", what)
}

// own is an object that is ready, with its stack made from a template, as a create request would have left it.
func (e *estate) own(typ models.ObjectType, name, template string, parameters map[string]string) models.Stack {
	e.t.Helper()
	st := models.Stack{ObjectID: models.NewID(), ObjectType: typ, ObjectName: name, TenantID: tenantID, TenantSlug: "payments", AccountID: accountRow, Account: accountID, Class: models.NonProd, Region: "eu-west-1"}
	var kind models.RequestKind
	var inputs any
	switch typ {
	case models.EnvironmentObject:
		kind, inputs, st.Name = models.CreateEnvironment, models.EnvironmentInputs{Name: name, Stage: models.Dev, Region: st.Region, AccountID: accountRow, Days: 30}, models.EnvironmentStack("payments", name)
	case models.ServiceObject:
		kind, inputs, st.Name = models.CreateService, models.ServiceInputs{Name: name}, models.ServiceStack("payments", name)
	case models.NetworkObject:
		kind, inputs, st.Name = models.CreateNetwork, models.NetworkInputs{Class: models.NonProd, Region: st.Region}, models.NetworkStack("payments")
	}
	request := e.insert(kind, typ, st.ObjectID, name, inputs, models.Succeeded)
	st.Blueprint, st.Version, st.Parameters = "test-path", "1.0.0", parameters
	if err := e.store.Registry().EnsureObject(e.t.Context(), models.System("test", ""), request, st); err != nil {
		e.t.Fatal(err)
	}
	e.exec(fmt.Sprintf(`UPDATE %ss SET state = 'ready' WHERE id = $1`, typ), st.ObjectID)
	e.stackUp(&st, template, parameters)
	err := e.store.Registry().SaveStack(e.t.Context(), models.System("test", ""), st.ObjectID, func(row *models.Stack) {
		row.StackID, row.Status, row.Outputs, row.Resources = st.StackID, st.Status, st.Outputs, st.Resources
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return st
}

// deployer opens the stack in a session of the deploy role.
func (e *estate) deployer(st models.Stack) stack {
	return stack{clients: e.clients, account: st.Account, region: st.Region, name: st.Name, who: who{person: askerID, job: "test"}}
}

// stackUp makes the stack as a run of the platform would, and reads it into st.
func (e *estate) stackUp(st *models.Stack, template string, parameters map[string]string) {
	e.t.Helper()
	ctx, s := e.t.Context(), e.deployer(*st)
	in := &cloudformation.CreateChangeSetInput{StackName: &st.Name, ChangeSetName: sdk.String("slw-up"), ChangeSetType: cfn.ChangeSetTypeCreate, TemplateBody: &template,
		RoleARN: sdk.String(e.clients.roleARN(st.Account, "cfn-exec")), Capabilities: []cfn.Capability{cfn.CapabilityCapabilityNamedIam},
		Tags: tagList(map[string]string{models.TagTenant: "payments", models.TagObject: st.ObjectID, "slipway:" + string(st.ObjectType): st.ObjectName})}
	for k, v := range parameters {
		in.Parameters = append(in.Parameters, cfn.Parameter{ParameterKey: &k, ParameterValue: &v})
	}
	if _, err := s.client().CreateChangeSet(ctx, in); err != nil {
		e.t.Fatalf("make %s: %v", st.Name, err)
	}
	e.w.until("the change set of "+st.Name, func() bool {
		set, err := s.changeSet(ctx, "slw-up")
		if err != nil || set.Status == cfn.ChangeSetStatusFailed {
			e.t.Fatalf("change set of %s: %+v, %v", st.Name, set, err)
		}
		return set.Status == cfn.ChangeSetStatusCreateComplete
	})
	if _, err := s.client().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &st.Name, ChangeSetName: sdk.String("slw-up")}); err != nil {
		e.t.Fatal(err)
	}
	e.w.until("stack "+st.Name, func() bool {
		got, err := s.describe(ctx)
		if err != nil || got == nil || strings.Contains(string(got.StackStatus), "ROLLBACK") {
			e.t.Fatalf("stack %s: %+v, %v", st.Name, got, err)
		}
		if got.StackStatus != cfn.StackStatusCreateComplete {
			return false
		}
		st.StackID, st.Status, st.Outputs = sdk.ToString(got.StackId), string(got.StackStatus), map[string]string{}
		for _, o := range got.Outputs {
			st.Outputs[sdk.ToString(o.OutputKey)] = sdk.ToString(o.OutputValue)
		}
		return true
	})
	live, err := (&object{Stacks: NewStacks(e.clients, e.store.Registry(), nil), part: models.PlanPart{Account: st.Account, Region: st.Region, StackName: st.Name}}).liveResources(ctx, s.who)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, r := range live {
		st.Resources = append(st.Resources, models.StackResource{LogicalID: r.id, PhysicalID: r.physical, Type: r.typ, Status: r.status})
	}
}

// changeOutside changes a stack as somebody in the account would, past Slipway.
func (e *estate) changeOutside(st models.Stack, template string, parameters map[string]string) {
	e.t.Helper()
	in := &cloudformation.CreateChangeSetInput{StackName: &st.Name, ChangeSetName: sdk.String("outside"), ChangeSetType: cfn.ChangeSetTypeUpdate, TemplateBody: &template, Parameters: parameterList(parameters),
		RoleARN: sdk.String(e.clients.roleARN(accountID, "cfn-exec")), Tags: tagList(map[string]string{models.TagTenant: "payments", models.TagObject: st.ObjectID, "slipway:" + string(st.ObjectType): st.ObjectName})}
	api, s := cloudformation.NewFromConfig(e.administrator()), e.deployer(st)
	if _, err := api.CreateChangeSet(e.t.Context(), in); err != nil {
		e.t.Fatal(err)
	}
	e.w.until("the change set from outside", func() bool {
		_, err := api.ExecuteChangeSet(e.t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: &st.Name, ChangeSetName: in.ChangeSetName})
		return err == nil
	})
	e.w.until("the change from outside", func() bool {
		got, err := s.describe(e.t.Context())
		return err == nil && got.StackStatus == cfn.StackStatusUpdateComplete
	})
}

// physical is AWS's own id of one of the stack's resources.
func physical(st models.Stack, id string) string {
	for _, r := range st.Resources {
		if r.LogicalID == id {
			return r.PhysicalID
		}
	}
	return ""
}

// standing tells whether the object's stack is there.
func (e *estate) standing(st models.Stack) bool {
	e.t.Helper()
	got, err := e.deployer(st).describe(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	return got != nil
}

// receiptOf reads the receipt that a request wrote.
func (e *estate) receiptOf(request string) models.Receipt {
	e.t.Helper()
	var r models.Receipt
	raw := one[string](e, `SELECT content::text FROM receipts WHERE request_id = $1`, request)
	var doc struct {
		Gone      []models.ReceiptLine `json:"gone"`
		Left      []models.ReceiptLine `json:"left"`
		ScannedIn []string             `json:"scanned_in"`
		CannotSee []string             `json:"cannot_see"`
		Emptied   []string             `json:"emptied"`
	}
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		e.t.Fatal(err)
	}
	r.Gone, r.Left, r.ScannedIn, r.CannotSee, r.Emptied = doc.Gone, doc.Left, doc.ScannedIn, doc.CannotSee, doc.Emptied
	return r
}

func line(lines []models.ReceiptLine, id string) *models.ReceiptLine {
	for i, l := range lines {
		if l.LogicalID == id {
			return &lines[i]
		}
	}
	return nil
}
