package awssim

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
)

//go:embed admin_stacks.html
var stacksHTML string

var stacksTemplate = template.Must(template.New("stacks").Parse(stacksHTML))

// handChange is what somebody changes behind a stack's back.
type handChange struct {
	Account  string          `json:"account,omitempty"`
	Region   string          `json:"region,omitempty"` // the home region when empty
	Stack    string          `json:"stack"`            // id, or name in account and region
	Resource string          `json:"resource"`         // logical id
	Path     string          `json:"path,omitempty"`   // JSON pointer into its properties
	Value    json.RawMessage `json:"value,omitempty"`  // null or nothing takes away what is there
	Delete   bool            `json:"delete,omitempty"` // the resource itself
}

// takeHandChange is POST /drift.
func (s *Sim) takeHandChange(w http.ResponseWriter, r *http.Request) {
	var h handChange
	if err := adminBody(w, r, "change", 64<<10, &h); err != nil {
		s.adminFail(w, r, err)
		return
	}
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.byHand(ctx, h) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// byHand does to a resource what somebody with the console would do.
func (c *Call) byHand(ctx context.Context, h handChange) error {
	where, args := `id = $1`, []any{h.Stack}
	if !strings.HasPrefix(h.Stack, "arn:") {
		if h.Region == "" {
			h.Region = homeRegion
		}
		where, args = `name = $1 AND account = $2 AND region = $3 AND status <> 'DELETE_COMPLETE'`, []any{h.Stack, h.Account, h.Region}
	}
	all, err := c.stacks(ctx, where, args...)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return adminError{http.StatusNotFound, "There is no such stack."}
	}
	s := all[0]
	r, err := c.resource(ctx, s.ID, h.Resource)
	switch {
	case err != nil:
		return err
	case r == nil || !r.live() || r.Physical == "" || r.gone:
		return adminError{http.StatusNotFound, "There is no such resource."}
	}
	admin := *s
	admin.RunAs = Principal{Account: s.Account, Admin: true, ARN: arn("iam", "", s.Account, "user/by-hand")}
	if h.Delete {
		return c.deleteByHand(ctx, &admin, r)
	}
	return c.changeByHand(ctx, &admin, r, h)
}

func (c *Call) deleteByHand(ctx context.Context, s *cfnStack, r *cfnResource) error {
	why, err := c.effect(ctx, s, r, "delete", c.Now)
	if err != nil {
		return err
	}
	if why != "" {
		return adminError{http.StatusConflict, why}
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET gone = true WHERE stack = $1 AND id = $2`, s.ID, r.ID); err != nil {
		return fmt.Errorf("delete %s of %s by hand: %w", r.ID, s.Name, err)
	}
	return nil
}

func (c *Call) changeByHand(ctx context.Context, s *cfnStack, r *cfnResource, h handChange) error {
	var value any
	if len(h.Value) > 0 {
		if err := json.Unmarshal(h.Value, &value); err != nil {
			return adminError{http.StatusBadRequest, "The value is not JSON: " + err.Error()}
		}
	}
	properties, exists, err := c.actualProperties(ctx, s, r)
	if err != nil {
		return err
	}
	if !exists {
		return adminError{http.StatusNotFound, "The resource is not there any more."}
	}
	if err := place(properties, h.Path, value); err != nil {
		return adminError{http.StatusBadRequest, "Path: " + err.Error() + "."}
	}
	changed := *r
	changed.Properties = properties
	why, err := c.effect(ctx, s, &changed, "update", c.Now)
	if err != nil {
		return err
	}
	if why != "" {
		return adminError{http.StatusConflict, why}
	}
	if r.byHand == nil {
		r.byHand = map[string]any{}
	}
	for pointer := range r.byHand { // what is inside is part of the new value
		if strings.HasPrefix(pointer, h.Path+"/") {
			delete(r.byHand, pointer)
		}
	}
	r.byHand[h.Path] = value
	if declared, there := pointed(asJSON(r.Properties), h.Path); (there && reflect.DeepEqual(declared, value)) || (!there && value == nil) {
		delete(r.byHand, h.Path)
	}
	return c.setByHand(ctx, s, r.ID, r.byHand)
}

// stacksPage lets somebody choose account, stack and resource, and change it by hand.
func (s *Sim) stacksPage(w http.ResponseWriter, r *http.Request) {
	s.showStacks(w, r, http.StatusOK, "")
}

// stacksForm takes the page's form.
func (s *Sim) stacksForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.adminFail(w, r, adminError{http.StatusBadRequest, "The form could not be read."})
		return
	}
	f := r.PostForm
	h := handChange{Stack: f.Get("stack"), Resource: f.Get("resource"), Path: f.Get("path"), Value: json.RawMessage(f.Get("value")), Delete: f.Get("do") == "delete"}
	err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.byHand(ctx, h) })
	var e adminError
	switch {
	case err == nil:
		w.Header().Set("Location", "?"+r.URL.RawQuery)
		w.WriteHeader(http.StatusSeeOther)
	case errors.As(err, &e):
		s.showStacks(w, r, e.status, e.message)
	default:
		s.adminFail(w, r, err)
	}
}

// stackChoice is one step of the page's way to a resource.
type stackChoice struct{ Account, Region, ID, Name, Status, Type, Physical, Waits string }

// stacksView is what the page shows.
type stacksView struct {
	Problem, Account, Stack, Resource string
	Accounts                          []string
	Stacks, Resources                 []stackChoice
	Declared, Actual                  string
	Gone                              bool
	Typed                             map[string]string
}

func (s *Sim) showStacks(w http.ResponseWriter, r *http.Request, status int, problem string) {
	q := r.URL.Query()
	v := stacksView{Problem: problem, Account: q.Get("account"), Stack: q.Get("stack"), Resource: q.Get("resource"), Typed: map[string]string{"path": r.PostForm.Get("path"), "value": r.PostForm.Get("value")}}
	if err := s.within(r.Context(), func(ctx context.Context, c *Call) error { return c.fillStacks(ctx, &v) }); err != nil {
		s.adminFail(w, r, err)
		return
	}
	s.page(w, status, stacksTemplate, v)
}

func (c *Call) fillStacks(ctx context.Context, v *stacksView) error {
	all, err := c.stacks(ctx, `status <> 'DELETE_COMPLETE'`)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s.Account] {
			seen[s.Account], v.Accounts = true, append(v.Accounts, s.Account)
		}
		if s.Account == v.Account {
			v.Stacks = append(v.Stacks, stackChoice{Account: s.Account, Region: s.Region, ID: s.ID, Name: s.Name, Status: s.Status})
		}
		if s.ID == v.Stack {
			if err := c.fillStack(ctx, v, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Call) fillStack(ctx context.Context, v *stacksView, s *cfnStack) error {
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	waits, err := c.waits(ctx, s)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !r.live() || r.Physical == "" {
			continue
		}
		v.Resources = append(v.Resources, stackChoice{ID: r.ID, Type: r.Type, Physical: r.Physical, Status: r.Status, Waits: waits[r.ID]})
		if r.ID != v.Resource {
			continue
		}
		properties, exists, err := c.actualProperties(ctx, s, r)
		if err != nil {
			return err
		}
		v.Gone = !exists
		for _, side := range []struct {
			from map[string]any
			to   *string
		}{{r.Properties, &v.Declared}, {properties, &v.Actual}} {
			b, err := json.MarshalIndent(side.from, "", "  ")
			if err != nil {
				return fmt.Errorf("properties of %s: %w", r.ID, err)
			}
			*side.to = string(b)
		}
	}
	return nil
}
