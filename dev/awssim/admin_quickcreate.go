package awssim

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/models/blueprint"
)

//go:embed admin_quickcreate.html
var quickCreateHTML string

var quickCreateTemplate = template.Must(template.New("quickcreate").Parse(quickCreateHTML))

// quickCreateView is the form that a link of the console's kind fills in.
type quickCreateView struct {
	Problem, Done           string
	Account, Name, Template string
	Accounts                []Account
	Parameters              []parameterView
}

type parameterView struct{ Name, Value, Help string }

// quickCreatePage is where a quick-create link leads: templateURL, stackName and param_NAME as the AWS console has them.
func (s *Sim) quickCreatePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.showQuickCreate(w, r, http.StatusOK, quickCreateView{Done: q.Get("done"), Account: q.Get("account"), Name: q.Get("stackName"), Template: q.Get("templateURL")}, q)
}

// showQuickCreate fills in accounts and parameters. A template that the hub cannot read is said, as the console says it.
func (s *Sim) showQuickCreate(w http.ResponseWriter, r *http.Request, status int, v quickCreateView, given url.Values) {
	err := s.within(r.Context(), func(ctx context.Context, c *Call) error {
		var err error
		if v.Accounts, err = c.accounts(ctx, `state = 'ACTIVE'`); err != nil || v.Template == "" {
			return err
		}
		c.Account, c.Principal = demoHub, personIn(demoHub)
		text, err := c.templateAt(ctx, v.Template)
		var refused *APIError
		if errors.As(err, &refused) {
			v.Problem = strings.TrimSpace(v.Problem + " " + refused.Message)
			return nil
		}
		if err != nil {
			return err
		}
		t, err := blueprint.Parse([]byte(text))
		if err != nil {
			v.Problem = strings.TrimSpace(v.Problem + " " + err.Error())
			return nil
		}
		for _, p := range t.Parameters {
			value := given.Get("param_" + p.Name)
			if value == "" && p.Default != nil {
				value = *p.Default
			}
			v.Parameters = append(v.Parameters, parameterView{p.Name, value, p.Description})
		}
		return nil
	})
	if err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, quickCreateTemplate, v)
}

// quickCreateForm takes the page's form.
func (s *Sim) quickCreateForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.adminFail(w, r, adminError{http.StatusBadRequest, "The form could not be read."})
		return
	}
	f := r.PostForm
	d := deed{Account: f.Get("account"), Name: f.Get("name"), Value: f.Get("value"), Parameters: map[string]string{}}
	for name := range f {
		if parameter, ok := strings.CutPrefix(name, "param_"); ok {
			d.Parameters[parameter] = f.Get(name)
		}
	}
	v := quickCreateView{Account: d.Account, Name: d.Name, Template: d.Value}
	route := f.Get("do")
	if route != "PUT /stacks" && route != "DELETE /stacks" {
		v.Problem = "There is nothing like that to do."
		s.showQuickCreate(w, r, http.StatusBadRequest, v, f)
		return
	}
	out, err := s.doDeed(r.Context(), route, d)
	var e adminError
	switch {
	case err == nil:
		to := r.URL.Query()
		to.Set("account", d.Account)
		to.Set("done", said(out))
		w.Header().Set("Location", "?"+to.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		v.Problem = e.message
		s.showQuickCreate(w, r, e.status, v, f)
	default:
		s.adminFail(w, r, err)
	}
}

// personIn is the administrator of an account, at the console.
func personIn(account string) Principal {
	return Principal{Account: account, Admin: true, ARN: arn("iam", "", account, "user/by-hand")}
}

// stackByHand makes a stack as a person with the console does, from a template in S3.
func stackByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !stackNameForm.MatchString(d.Name) {
		return nil, adminError{http.StatusBadRequest, "A stack's name has letters, digits and dashes only."}
	}
	there, err := c.stacks(ctx, `name = $1 AND account = $2 AND region = $3 AND status <> 'DELETE_COMPLETE'`, d.Name, d.Account, d.Region)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, adminError{http.StatusConflict, "Stack [" + d.Name + "] already exists"}
	}
	c.Principal = personIn(d.Account)
	text, err := c.templateAt(ctx, d.Value)
	if err != nil {
		return nil, err
	}
	if _, err := parsed(text); err != nil {
		return nil, err
	}
	s := &cfnStack{ID: stackARN(d.Region, d.Account, d.Name+"/"+newRequestID()), Account: d.Account, Region: d.Region, Name: d.Name, Created: c.Now.Truncate(time.Second), RunAs: c.Principal}
	if err := c.saveStack(ctx, s); err != nil {
		return nil, err
	}
	definition := cfnDefinition{Template: text, Parameters: d.Parameters, Tags: map[string]string{}, Capabilities: []string{"CAPABILITY_NAMED_IAM"}}
	return map[string]any{"stack": s.ID}, c.launch(ctx, s, definition, "CREATE", "", false)
}

// endStackByHand deletes a stack as a person with the console does.
func endStackByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	there, err := c.stacks(ctx, `name = $1 AND account = $2 AND region = $3 AND status <> 'DELETE_COMPLETE'`, d.Name, d.Account, d.Region)
	if err != nil {
		return nil, err
	}
	if len(there) == 0 {
		return nil, absent("stack", d.Name)
	}
	return map[string]any{"stack": there[0].ID}, c.destroy(ctx, there[0], "")
}
