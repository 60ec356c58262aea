package awssim

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed admin_setup.html
var setupHTML string

var setupTemplate = template.Must(template.New("setup").Parse(setupHTML))

// setupView is what the page of the platform's set-up shows.
type setupView struct {
	Problem, Done, Management string
	Requirements              []requirementView
	Roles                     []platformRole
	Instances                 []*stackInstance
}

type requirementView struct {
	Name, Title string
	On          bool
}

type platformRole struct {
	Account, Name string
	Changed       bool
}

func (s *Sim) setupPage(w http.ResponseWriter, r *http.Request) {
	s.showSetup(w, r, http.StatusOK, "")
}

func (s *Sim) showSetup(w http.ResponseWriter, r *http.Request, status int, problem string) {
	v := setupView{Problem: problem, Done: r.URL.Query().Get("done"), Management: demoManagement}
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.fillSetup(ctx, &v) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, setupTemplate, v)
}

func (c *Call) fillSetup(ctx context.Context, v *setupView) error {
	for _, r := range requirements() {
		on, err := r.is(ctx, c)
		if err != nil {
			return err
		}
		v.Requirements = append(v.Requirements, requirementView{r.Name, r.Title, on})
	}
	roles, err := c.roles(ctx, `path = '/slipway/platform/'`)
	if err != nil {
		return err
	}
	for _, r := range roles {
		var before Role
		changed, err := c.setting(ctx, r.Account, "", keptRole+r.Name, &before)
		if err != nil {
			return err
		}
		v.Roles = append(v.Roles, platformRole{r.Account, r.Name, changed})
	}
	set, err := c.spokes(ctx)
	if err != nil {
		return err
	}
	v.Instances, err = c.instances(ctx, `stack_set = $1`, set.ID)
	return err
}

// setupForm takes the page's forms: each names the API's method and path it stands for.
func (s *Sim) setupForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.adminFail(w, r, adminError{http.StatusBadRequest, "The form could not be read."})
		return
	}
	f := r.PostForm
	route := f.Get("do")
	if _, known := deeds()[route]; !known {
		s.showSetup(w, r, http.StatusBadRequest, "There is nothing like that to do.")
		return
	}
	out, err := s.doDeed(r.Context(), route, deed{Account: f.Get("account"), Name: f.Get("name"), Key: f.Get("key"), Value: f.Get("value"), On: f.Get("on") == "true"})
	var e adminError
	switch {
	case err == nil:
		w.Header().Set("Location", "?"+url.Values{"done": {said(out)}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		s.showSetup(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}
