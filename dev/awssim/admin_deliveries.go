package awssim

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

//go:embed admin_deliveries.html
var deliveriesHTML string

var deliveriesTemplate = template.Must(template.New("deliveries").Parse(deliveriesHTML))

// deliveriesView is what the page of pipelines shows, of all accounts.
type deliveriesView struct {
	Problem, Done string
	Connections   []connectionView
	Pipelines     []pipelineView
	Projects      []whereabouts
	Repositories  []scannedView
	Sources       [][2]string // repositories and branches that pipelines read
}

// whereabouts are of something in an account and region.
type whereabouts struct{ Account, Region, Name string }

type connectionView struct {
	whereabouts
	ARN, Provider, Status, By string
}

type pipelineView struct {
	whereabouts
	Repository, Branch string
	Executions         []executionView
	More               bool // there are older ones
	Waits              bool // an approval waits
}

type executionView struct{ ID, Status, Trigger, Stage, Commit, Message, Build, Started string }

type scannedView struct {
	whereabouts
	Images []scanView
}

type scanView struct{ Digest, Tags, Scan, Findings string }

const shownExecutions = 5

func (s *Sim) deliveriesPage(w http.ResponseWriter, r *http.Request) {
	s.showDeliveries(w, r, http.StatusOK, "")
}

func (s *Sim) showDeliveries(w http.ResponseWriter, r *http.Request, status int, problem string) {
	v := deliveriesView{Problem: problem, Done: r.URL.Query().Get("done")}
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.fillDeliveries(ctx, &v) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, deliveriesTemplate, v)
}

// deliveriesForm takes the page's forms: each names the API's method and path it stands for.
func (s *Sim) deliveriesForm(w http.ResponseWriter, r *http.Request) {
	if _, err := formed(w, r); err != nil {
		s.adminFail(w, r, err)
		return
	}
	f := r.PostForm
	d := deed{Account: f.Get("account"), Region: f.Get("region"), Name: strings.TrimSpace(f.Get("name")), Key: strings.TrimSpace(f.Get("key")), Value: f.Get("value"), Author: strings.TrimSpace(f.Get("author")), On: f.Get("on") == "true",
		Paths: strings.Fields(f.Get("paths"))}
	route := f.Get("do")
	if _, known := deeds()[route]; !known {
		s.showDeliveries(w, r, http.StatusBadRequest, "There is nothing like that to do.")
		return
	}
	out, err := s.doDeed(r.Context(), route, d)
	var e adminError
	switch {
	case err == nil:
		w.Header().Set("Location", "?"+url.Values{"done": {said(out)}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		s.showDeliveries(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}

func (c *Call) fillDeliveries(ctx context.Context, v *deliveriesView) error {
	all, err := c.things(ctx, `type = ANY ($1)`, []string{codeConnection, codeProject, codePipelineType, ecrRepository})
	if err != nil {
		return err
	}
	for _, t := range all {
		at := whereabouts{t.Account, t.Region, t.Physical}
		switch t.Type {
		case codeConnection:
			v.Connections = append(v.Connections, connectionView{whereabouts{t.Account, t.Region, textOf(t.Properties["ConnectionName"])}, t.ARN, textOf(t.Properties["ProviderType"]), connectionStatus(t), textOf(t.State["by"])})
		case codeProject:
			v.Projects = append(v.Projects, at)
		case codePipelineType:
			p, err := c.pipelineView(ctx, t)
			if err != nil {
				return err
			}
			v.Pipelines = append(v.Pipelines, p)
			if source := [2]string{p.Repository, p.Branch}; p.Repository != "" && !slices.Contains(v.Sources, source) {
				v.Sources = append(v.Sources, source)
			}
		case ecrRepository:
			one, err := c.scannedView(ctx, t)
			if err != nil {
				return err
			}
			v.Repositories = append(v.Repositories, one)
		}
	}
	slices.SortStableFunc(v.Pipelines, func(a, b pipelineView) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
	})
	return nil
}

func (c *Call) pipelineView(ctx context.Context, t *thing) (pipelineView, error) {
	out := pipelineView{whereabouts: whereabouts{t.Account, t.Region, t.Physical}}
	p, err := pipelineOf(t)
	if err != nil {
		return out, err
	}
	for _, a := range p.Stages[0].Actions {
		if name := a.Configuration["FullRepositoryId"]; name != "" {
			out.Repository, out.Branch = name, a.Configuration["BranchName"]
		}
	}
	all, err := c.executions(ctx, `pipeline = $1 ORDER BY seq DESC LIMIT $2`, t.ARN, shownExecutions+1)
	if err != nil {
		return out, err
	}
	out.More = len(all) > shownExecutions
	for _, e := range all[:min(len(all), shownExecutions)] {
		one := executionView{ID: e.ID, Status: string(e.Status), Trigger: string(e.Trigger), Stage: *e.stage().Name, Started: e.Started.UTC().Format("2006-01-02 15:04:05")}
		if e.active() && !e.Inside {
			one.Stage = "waits for " + one.Stage
		}
		if m := e.source(); m != nil {
			one.Commit, one.Message = m.ID[:min(8, len(m.ID))], m.Message
		}
		for _, try := range e.Tries {
			if try.External != "" {
				one.Build = try.External
			}
			out.Waits = out.Waits || try.Token != "" && try.Status == cptypes.ActionExecutionStatusInProgress
		}
		out.Executions = append(out.Executions, one)
	}
	return out, nil
}

const shownImages = 10

// scannedView is a repository with its newest images.
func (c *Call) scannedView(ctx context.Context, t *thing) (scannedView, error) {
	out := scannedView{whereabouts: whereabouts{t.Account, t.Region, t.Physical}}
	all, err := c.images(ctx, t)
	if err != nil {
		return out, err
	}
	slices.Reverse(all)
	for _, i := range all[:min(len(all), shownImages)] {
		one := scanView{Digest: i.Digest, Tags: strings.Join(i.Tags, ", "), Scan: "not scanned"}
		s, err := c.scanOf(ctx, t, i.Digest)
		if err != nil {
			return out, err
		}
		if s != nil {
			one.Scan = aws.ToString(s.status(c.Now).Description)
			one.Findings = counted(s, c.Now)
		}
		out.Images = append(out.Images, one)
	}
	return out, nil
}

// counted are the findings of a scan by their severity, in words.
func counted(s *imageScan, now time.Time) string {
	if !s.found(now) {
		return ""
	}
	var words []string
	counts := s.counts()
	for _, severity := range []string{"CRITICAL", "HIGH", "MEDIUM", "LOW"} {
		if n := counts[severity]; n > 0 {
			words = append(words, itoa(int(n))+" "+lower(severity))
		}
	}
	return strings.Join(words, ", ")
}
