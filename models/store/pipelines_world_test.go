package store

import (
	"testing"

	"slipway/models"
)

// shop is a tenant's estate with all that a pipeline needs, and one pipeline.
type shop struct {
	service, connection, pipeline models.Request
	env                           models.Environment // runs the service
	other                         models.Environment // runs no image
}

// grown makes what a request asks for and takes it to its end.
func (e estate) grown(t testing.TB, r models.Request, err error) models.Request {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	e.ensure(t, r, models.NonProd)
	e.lead(t, r.ID, models.Succeeded)
	return r
}

// shopping makes a service with an environment that runs it, and a connection; no pipeline yet.
func (e estate) shopping(t testing.TB) (s shop) {
	t.Helper()
	r, err := e.network(t, "net")
	e.grown(t, r, err)
	r, err = e.RequestService(t.Context(), e.developer, "payments", "svc", models.ServiceInputs{Name: "shop"})
	s.service = e.grown(t, r, err)
	s.env, s.other = e.made(t, web("shop-dev")), e.made(t, site("a-site"))
	r, err = e.RequestConnection(t.Context(), e.developer, "payments", "con", models.ConnectionInputs{Name: "github", Provider: models.GitHub})
	s.connection = e.grown(t, r, err)
	return s
}

func (e estate) delivered(t testing.TB) shop {
	t.Helper()
	s := e.shopping(t)
	r, err := e.RequestPipeline(t.Context(), e.developer, "payments", "pipe", ordered("shop"), "")
	s.pipeline = e.grown(t, r, err)
	return s
}

// ordered is a pipeline of CodePipeline from a repository into one environment.
func ordered(name string) models.PipelineInputs {
	return models.PipelineInputs{Name: name, Kind: models.CodePipeline, Service: "shop", Connection: "github", Inputs: map[string]string{"Title": "shop"},
		Source: models.PipelineSource{Kind: models.SourceConnection, Repository: "acme/shop", Branch: "main"},
		Stages: []models.PipelineStage{{Environment: "shop-dev", Automatic: true, Gates: []models.Gate{models.GateScan, models.GateBuild}, Scan: models.DefaultScan(), TimeoutMinutes: 60}}}
}

// workflow is a pipeline of GitHub Actions.
func workflow(name string) models.PipelineInputs {
	in := ordered(name)
	in.Kind, in.Connection = models.GitHubActions, ""
	in.Source = models.PipelineSource{Repository: "acme/shop", RepositoryID: "81", OwnerID: "7", Branch: "main"}
	return in
}
