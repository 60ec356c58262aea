package awssim

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

//go:embed admin_things.html
var thingsHTML string

var thingsTemplate = template.Must(template.New("things").Parse(thingsHTML))

// thingsView is what the page of an account's services shows.
type thingsView struct {
	Problem, Done   string
	Account, Region string
	Accounts        []string
	Regions         []string
	Repositories    []repositoryView
	Buckets         []bucketView
	Secrets         []secretView
	Services        []serviceView
	Alarms          []alarmView
	Networks        []string
	Governs         bool // the management account: groups and permission sets are its
	Groups          []group
	PermissionSets  []setView
}

type repositoryView struct {
	Name   string
	Images []imageView
}
type imageView struct{ Name, Tags string }
type bucketView struct {
	Name    string
	Objects int
}
type secretView struct {
	Name, ARN string
	Filled    bool
}
type serviceView struct {
	ARN, Name, Trouble string
	Desired, Running   int
	Crash              bool
}
type alarmView struct {
	Name  string
	State cwtypes.StateValue
}

// thingsPage shows what is in one account and region, with what may be done to it.
func (s *Sim) thingsPage(w http.ResponseWriter, r *http.Request) {
	s.showThings(w, r, http.StatusOK, "")
}

func (s *Sim) showThings(w http.ResponseWriter, r *http.Request, status int, problem string) {
	q := r.URL.Query()
	v := thingsView{Problem: problem, Done: q.Get("done"), Account: q.Get("account"), Region: q.Get("region")}
	if v.Region == "" {
		v.Region = homeRegion
	}
	v.Regions, _ = regions()
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.fillThings(ctx, &v) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, thingsTemplate, v)
}

// thingsForm takes the page's forms: each names the API's method and path it stands for.
func (s *Sim) thingsForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		s.adminFail(w, r, adminError{http.StatusBadRequest, "The form could not be read."})
		return
	}
	f, q := r.PostForm, r.URL.Query()
	d := deed{Account: q.Get("account"), Region: q.Get("region"), Name: f.Get("name"), Key: f.Get("key"), Value: f.Get("value"), On: f.Get("on") == "true"}
	var err error
	if text := f.Get("count"); text != "" {
		if d.Count, err = strconv.Atoi(text); err != nil {
			s.showThings(w, r, http.StatusBadRequest, "How many subnets is a number.")
			return
		}
	}
	route := f.Get("do")
	if _, known := deeds()[route]; !known {
		s.showThings(w, r, http.StatusBadRequest, "There is nothing like that to do.")
		return
	}
	out, err := s.doDeed(r.Context(), route, d)
	var e adminError
	switch {
	case err == nil:
		to := url.Values{"account": {d.Account}, "region": {d.Region}, "done": {said(out)}}
		w.Header().Set("Location", "?"+to.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		s.showThings(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}

// said is what a deed answers, in a line to copy from.
func said(out map[string]any) string {
	var parts []string
	for _, k := range sortedKeys(out) {
		parts = append(parts, k+" "+strings.Trim(jsonProperty(out[k]), `"`))
	}
	return strings.Join(parts, ", ")
}

func (c *Call) fillThings(ctx context.Context, v *thingsView) error {
	rows, err := c.Tx.Query(ctx, `SELECT id FROM accounts WHERE state = 'ACTIVE' ORDER BY seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		v.Accounts = append(v.Accounts, id)
	}
	if err := rows.Err(); err != nil || v.Account == "" {
		return err
	}
	c.Account, c.Region = v.Account, v.Region
	if err := c.fillStores(ctx, v); err != nil {
		return err
	}
	if err := c.fillIdentities(ctx, v); err != nil {
		return err
	}
	services, err := c.own(ctx, ecsService)
	if err != nil {
		return err
	}
	for _, t := range services {
		now, err := c.runs(ctx, t, c.Now)
		if err != nil {
			return err
		}
		v.Services = append(v.Services, serviceView{t.ARN, t.StackName + ": " + textOf(t.Attributes["Name"]), now.trouble, now.desired, now.running, now.crash})
	}
	states, _, _, err := c.alarmStates(ctx)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(states) {
		v.Alarms = append(v.Alarms, alarmView{name, states[name].Value})
	}
	networks, err := c.own(ctx, "AWS::EC2::VPC")
	for _, t := range networks {
		v.Networks = append(v.Networks, t.Physical+" "+textOf(t.Properties["CidrBlock"]))
	}
	return err
}

func (c *Call) fillStores(ctx context.Context, v *thingsView) error {
	repositories, err := c.own(ctx, ecrRepository)
	if err != nil {
		return err
	}
	for _, t := range repositories {
		images, err := c.images(ctx, t)
		if err != nil {
			return err
		}
		one := repositoryView{Name: t.Physical}
		for _, i := range images {
			one.Images = append(one.Images, imageView{textOf(t.Attributes["RepositoryUri"]) + "@" + i.Digest, strings.Join(i.Tags, ", ")})
		}
		v.Repositories = append(v.Repositories, one)
	}
	rows, err := c.Tx.Query(ctx, `SELECT name, (SELECT count(*) FROM objects o WHERE o.bucket = b.name) FROM buckets b WHERE account = $1 AND region = $2 ORDER BY name`, c.Account, c.Region)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b bucketView
		if err := rows.Scan(&b.Name, &b.Objects); err != nil {
			return err
		}
		v.Buckets = append(v.Buckets, b)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	secrets, err := c.own(ctx, smSecret)
	if err != nil {
		return err
	}
	for _, t := range secrets {
		versions, err := c.secretVersions(ctx, t.ARN)
		if err != nil {
			return err
		}
		v.Secrets = append(v.Secrets, secretView{secretName(t), t.ARN, len(versions) > 0})
	}
	return nil
}
