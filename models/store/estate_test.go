package store

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
)

// promised are the outputs that others take from these blueprints.
var promised = map[string][]string{
	models.NetworkBlueprint: {"VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds", "AvailabilityZones"},
	models.ServiceBlueprint: {"RepositoryName", "RepositoryUri", "RepositoryArn", "KeyArn"},
}

// pathFolder is a small golden path as the loader reports it.
func pathFolder(t testing.TB, name, version, kind, more string) blueprint.Folder {
	t.Helper()
	template := "Parameters:\n  Title: {Type: String}\n"
	given := ""
	if strings.Contains(more, "network") {
		template += "  Vpc: {Type: String}\n  Image: {Type: String}\n"
		given = "given: {Vpc: network.VpcId, Image: image}\n"
	}
	template += "Resources:\n  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Title, KmsMasterKeyId: alias/aws/sns"
	if given != "" {
		template += ", DisplayName: !Sub \"${Vpc}${Image}\""
	}
	template += "}}\n"
	outputs := ""
	for i, o := range promised[name] {
		if i == 0 {
			template, outputs = template+"Outputs:\n", "outputs:\n"
		}
		template += "  " + o + ": {Value: !Ref Topic}\n"
		outputs += "  " + o + ": Something\n"
	}
	meta := fmt.Sprintf("id: %s\nversion: %s\nkind: %s\ntitle: %s\ndescription: A path of the tests.\n%s%sinputs: {required: [Title], properties: {Title: {type: string, pattern: '^[a-z]+$'}}}\n",
		name, version, kind, name, given, more+outputs)
	v, problems := blueprint.Checker{}.Check(name, version, map[string][]byte{blueprint.TemplateFile: []byte(template), blueprint.MetaFile: []byte(meta)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return blueprint.Folder{Name: name, Version: version, Content: v}
}

// estate is a tenant with both accounts, blueprints and an address pool: what orders need.
type estate struct {
	*Store
	ownerURL  string
	clock     *models.ShiftedClock
	tenant    models.Tenant
	owner     models.Actor
	developer models.Actor
	viewer    models.Actor
	admin     models.Actor
	outsider  models.Actor
}

func settled(t testing.TB, pool string, change ...func(*Options)) estate {
	t.Helper()
	clock := &models.ShiftedClock{}
	s, ownerURL := open(t, append(change, func(o *Options) {
		o.Clock, o.Regions, o.BaseDomain = clock, []string{"us-east-1", "eu-central-1"}, "apps.example.test"
		o.GroupPattern = regexp.MustCompile(`^[a-z-]+$`)
	})...)
	req := running(t, s, "payments")
	tenant, err := s.Registry().EnsureTenant(t.Context(), worker, req.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range tenant.Accounts {
		err := s.Registry().SaveAccount(t.Context(), worker, a.ID, func(a *models.Account) { a.AWSID, a.State = fmt.Sprintf("%012d", 100+i), models.Ready })
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE tenants SET state = 'ready'; UPDATE requests SET state = 'succeeded', ended_at = submitted_at; UPDATE runs SET state = 'succeeded', ended_at = started_at`); err != nil {
		t.Fatal(err)
	}
	save(t, s, blueprint.Report{Origin: blueprint.Shipped, KeepHidden: true, Folders: []blueprint.Folder{
		pathFolder(t, models.NetworkBlueprint, "1.0.0", "network", ""), pathFolder(t, models.ServiceBlueprint, "1.0.0", "support", ""),
		pathFolder(t, "web", "1.0.0", "environment", "stages: [dev, prod]\nneeds: [network, service]\n"),
		pathFolder(t, "web", "1.1.0", "environment", "stages: [dev, prod]\nneeds: [network, service]\nupgradeFrom: [1.0.0]\n"),
		pathFolder(t, "site", "1.0.0", "environment", "stages: [dev]\n"),
		pathFolder(t, models.ConnectionBlueprint, "1.0.0", "support", ""), pathFolder(t, models.CodePipelineBlueprint, "1.0.0", "support", ""),
		pathFolder(t, models.GitHubActionsBlueprint, "1.0.0", "support", ""),
	}})
	e := estate{Store: s, ownerURL: ownerURL, clock: clock, tenant: tenant}
	if _, err := s.AddRoleMapping(t.Context(), models.System("test", ""), "others", models.Requester); err != nil {
		t.Fatal(err)
	}
	e.admin, _ = signIn(t, s, "admin", "platform-admins")
	e.owner, _ = signIn(t, s, "owner", "a")
	e.developer, _ = signIn(t, s, "developer", "b")
	e.viewer, _ = signIn(t, s, "viewer", "c")
	e.outsider, _ = signIn(t, s, "outsider", "others")
	if err := s.AddPool(t.Context(), e.admin, models.CIDRPool{Region: "us-east-1", Block: pool, Size: 24}); err != nil {
		t.Fatal(err)
	}
	return e
}

func web(name string) models.EnvironmentInputs {
	return models.EnvironmentInputs{Name: name, Stage: models.Dev, Region: "us-east-1", Blueprint: "web", Version: "1.0.0", Service: "shop", Days: 30, Inputs: map[string]string{"Title": "shop"}}
}

func site(name string) models.EnvironmentInputs {
	return models.EnvironmentInputs{Name: name, Stage: models.Dev, Region: "us-east-1", Blueprint: "site", Days: 30, Inputs: map[string]string{"Title": "shop"}}
}

func (e estate) network(t testing.TB, key string) (models.Request, error) {
	t.Helper()
	return e.RequestNetwork(t.Context(), e.developer, "payments", key, models.CreateNetwork,
		models.NetworkInputs{Class: models.NonProd, Region: "us-east-1", Inputs: map[string]string{"Title": "net"}})
}

// wake has the planner look at a request once, as a worker does.
func (e estate) wake(t testing.TB, id string) (models.Request, bool) {
	t.Helper()
	w := enqueued(t, e.Store, models.PlanWork, id, 0)
	job := take(t, e.Store, w, "w")
	if job == nil {
		t.Fatalf("no work for %s", id)
	}
	r, ok, err := e.Journal().LockForPlan(t.Context(), *job, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return r, ok
}

// lead takes a request to its end, as planner and engine do; the object's row is made on the way.
func (e estate) lead(t testing.TB, id string, to models.RequestState) {
	t.Helper()
	err := e.tx(t.Context(), func(w *tx) error {
		r, err := w.loadRequest(id)
		if err != nil {
			return err
		}
		for _, step := range []models.RequestState{models.AwaitingApproval, models.Approved, models.Running, to} {
			by := map[models.RequestState]models.Mover{models.AwaitingApproval: models.ByPlanner, models.Approved: models.ByApprover}[step]
			if by == "" {
				by = models.ByEngine
			}
			if to == models.Rejected && step == models.Approved {
				return w.move(worker, &r, models.Rejected, models.ByApprover, "not now")
			}
			if step == models.Running {
				if err := w.makeRunRow(&r); err != nil {
					return err
				}
			}
			if err := w.move(worker, &r, step, by, ""); err != nil {
				return err
			}
			if step == to {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// makeRunRow gives a request the run that the engine would begin.
func (t *tx) makeRunRow(r *models.Request) error {
	r.RunID, r.PlanID = models.NewID(), models.NewID()
	for _, q := range []string{
		`INSERT INTO plans (id, request_id, number, hash, content, canonical, notes, monthly_now, monthly_planned, tally, computed_at)
			VALUES ('` + r.PlanID + `', '` + r.ID + `', 99, '` + strings.Repeat("0", 64) + `', '{}', '', '{}', 0, 0, '{}', now())`,
		`INSERT INTO runs (id, request_id, plan_id, state, started_by, started_at) VALUES ('` + r.RunID + `', '` + r.ID + `', '` + r.PlanID + `', 'running', '` + r.RequesterID + `', now())`,
		`UPDATE requests SET plan_id = '` + r.PlanID + `', run_id = '` + r.RunID + `' WHERE id = '` + r.ID + `'`,
	} {
		if err := t.db.Exec(q).Error; err != nil {
			return err
		}
	}
	return nil
}

func (e estate) ensure(t testing.TB, r models.Request, class models.Class) {
	t.Helper()
	for _, a := range e.tenant.Accounts {
		if a.Class == class {
			st := models.Stack{AccountID: a.ID, Region: "us-east-1", Name: "slw-" + r.ObjectName, StackID: "arn:" + r.ObjectName, Status: "CREATE_COMPLETE", Blueprint: "web", Version: "1.0.0"}
			if r.ObjectType == models.EnvironmentObject {
				in, err := inputsOf[models.EnvironmentInputs](r)
				if err != nil {
					t.Fatal(err)
				}
				st.Blueprint, st.Version, st.Digest = in.Blueprint, in.Version, in.Digest
			}
			for range 2 { // a step repeats it after a crash
				if err := e.Registry().EnsureObject(t.Context(), worker, r.ID, st); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// made orders a site and takes it to its end.
func (e estate) made(t testing.TB, in models.EnvironmentInputs) models.Environment {
	t.Helper()
	r, err := e.RequestEnvironment(t.Context(), e.developer, "payments", models.NewID(), in, "")
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, r, models.NonProd)
	e.lead(t, r.ID, models.Succeeded)
	env, err := e.livingEnvironment(t.Context(), e.developer, "payments", in.Name)
	if err != nil || env.State != models.Ready {
		t.Fatalf("environment %s is %s: %v", in.Name, env.State, err)
	}
	return env
}
