package handlers

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/views"
	"slipway/views/urls"
)

// EnvironmentChanges asks for changes of an environment: each is a request, and the answer is its page.
type EnvironmentChanges struct {
	*Desk
	Store interface {
		EnvironmentPage(ctx context.Context, a models.Actor, tenant, name string) (models.EnvironmentPage, error)
		ChangeEnvironment(ctx context.Context, a models.Actor, tenant, name string, kind models.RequestKind, key string, in models.EnvironmentInputs) (models.Request, error)
	}
	Blueprints interface {
		BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error)
		OfferedVersion(ctx context.Context, a models.Actor, name, version string) (blueprint.Version, error)
	}
}

type versionParams struct {
	Version string `form:"version"`
}

// Form handles GET /tenants/:tenant/environments/:env/<verb>, the form of one kind of change.
func (h *EnvironmentChanges) Form(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q, err := form.Query[versionParams](c)
		if err != nil {
			return err
		}
		x, err := h.open(c, kind, q.Version)
		if err != nil {
			return err
		}
		in := views.ChangeForm{Version: x.version}
		if kind == models.ExtendEnvironment || kind == models.WakeEnvironment && x.page.Environment.Stage != models.Production {
			in.Days = strconv.Itoa(models.DefaultLife)
		}
		return h.show(c, http.StatusOK, x, in, x.page.Environment.Stack.Inputs, nil)
	}
}

// changing is one change that is being asked for: the environment, and the version whose questions count.
type changing struct {
	kind    models.RequestKind
	page    models.EnvironmentPage
	version string // that it is upgraded to
	now     blueprint.Meta
	next    blueprint.Meta // of the newer version
	fields  []blueprint.Field
	uses    []string // keys of the amounts that its estimate rests on
}

// usagePrefix stands before the keys of amounts in the form's names.
const usagePrefix = "usage-"

// names are the fields of the form that are only known now.
func (x changing) names() []string {
	names := fieldNames(x.fields)
	for _, key := range x.uses {
		names = append(names, usagePrefix+key)
	}
	return names
}

// open reads what the form is about. Who may read the environment and not ask for changes is told so.
func (h *EnvironmentChanges) open(c *fiber.Ctx, kind models.RequestKind, version string) (changing, error) {
	x := changing{kind: kind}
	var err error
	if x.page, err = h.Store.EnvironmentPage(c.UserContext(), actor(c), c.Params("tenant"), c.Params("env")); err != nil {
		return x, err
	}
	e := x.page.Environment
	if !actor(c).MayOrderFor(e.TenantID) {
		return x, models.Errorf(models.Forbidden, "Owners and developers of %s ask for changes of its environments.", e.TenantSlug)
	}
	if kind != models.UpdateEnvironment && kind != models.UpgradeEnvironment && kind != models.DeleteEnvironment || e.Stack.Digest == "" {
		return x, nil
	}
	v, err := h.Blueprints.BlueprintByDigest(c.UserContext(), e.Stack.Digest)
	if err != nil {
		return x, err
	}
	x.now = v.Meta
	switch kind {
	case models.UpdateEnvironment:
		if e.Estimate != nil {
			x.uses = e.Estimate.Uses
		}
		x.fields, err = x.now.Fields()
	case models.UpgradeEnvironment:
		err = h.newer(c, &x, version)
	}
	return x, err
}

// newer reads the version to upgrade to, the newest unless another one was chosen, and what it asks that was not asked before.
func (h *EnvironmentChanges) newer(c *fiber.Ctx, x *changing, version string) error {
	if len(x.page.Newer) == 0 {
		return nil
	}
	x.version = x.page.Newer[len(x.page.Newer)-1]
	for _, v := range x.page.Newer {
		if v == version {
			x.version = v
		}
	}
	v, err := h.Blueprints.OfferedVersion(c.UserContext(), actor(c), x.page.Environment.Stack.Blueprint, x.version)
	if err != nil {
		return err
	}
	x.next = v.Meta
	all, err := v.Meta.Fields()
	for _, f := range all {
		if _, answered := x.page.Environment.Stack.Inputs[f.Name]; !answered {
			x.fields = append(x.fields, f)
		}
	}
	return err
}

func (h *EnvironmentChanges) show(c *fiber.Ctx, status int, x changing, in views.ChangeForm, answers, errors map[string]string) error {
	in.CSRF, in.Errors = csrf(c), errors
	if in.Key == "" {
		in.Key = models.NewID()
	}
	f := changeForm(h.Clock.Now(), x, in, answers).Form()
	if isFragment(c) {
		return render(c, status, views.ObjectFormContent(f))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, status, views.ObjectFormPage(p, f))
}

// Submit handles POST /tenants/:tenant/environments/:env/<verb>.
func (h *EnvironmentChanges) Submit(kind models.RequestKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		values, err := form.Read(c)
		if err != nil {
			return err
		}
		x, err := h.open(c, kind, values.Get("version"))
		if err != nil {
			return err
		}
		in, answers, err := form.DecodeWith[views.ChangeForm](c, x.names())
		errors := models.Fields(err)
		if err != nil && errors == nil {
			return err
		}
		inputs, wrong := environmentInputs(x, in, answers)
		if errors == nil {
			errors = wrong
		}
		if errors == nil {
			var req models.Request
			e := x.page.Environment
			if req, err = h.Store.ChangeEnvironment(c.UserContext(), actor(c), e.TenantSlug, e.Name, kind, in.Key, inputs); err == nil {
				return redirect(c, urls.Request(req.ID))
			}
			errors = models.Fields(err)
		}
		if errors == nil || kind == models.HibernateEnvironment || kind == models.RevertEnvironment { // these have no form to go back to
			return err
		}
		return h.show(c, http.StatusUnprocessableEntity, x, in, answers, errors)
	}
}

// environmentInputs reads what was typed for one kind; what cannot be read is named by field.
func environmentInputs(x changing, in views.ChangeForm, answers map[string]string) (models.EnvironmentInputs, map[string]string) {
	var out models.EnvironmentInputs
	wrong := map[string]string{}
	switch x.kind {
	case models.UpdateEnvironment:
		out.Inputs, out.Usage = parted(answers)
	case models.UpgradeEnvironment:
		out.Version, out.Inputs = in.Version, answers
	case models.DeployEnvironment:
		out.Image = imageOf(strings.TrimSpace(in.Image), x.page.Environment.Repository)
	case models.ExtendEnvironment, models.WakeEnvironment:
		if days := strings.TrimSpace(in.Days); days != "" {
			n, err := strconv.Atoi(days)
			if err != nil {
				wrong["days"] = "Give the days as a whole number."
			}
			out.Days = n
		}
	case models.AcceptDrift:
		out.Until, out.Reason = strings.TrimSpace(in.Until), strings.TrimSpace(in.Reason)
	case models.RecoverEnvironment:
		out.Skip = in.Skip
	case models.DeleteEnvironment:
		out.Confirm, out.EmptyBuckets, out.Retain = strings.TrimSpace(in.Confirm), in.Empty, in.Retain
		return out, models.Fields(typedName(in.Confirm, x.page.Environment.Name))
	}
	if len(wrong) > 0 {
		return out, wrong
	}
	return out, nil
}

// parted tells a blueprint's answers from the amounts of use, which are only kept where they were given.
func parted(sent map[string]string) (inputs, usage map[string]string) {
	inputs, usage = map[string]string{}, map[string]string{}
	for name, value := range sent {
		key, isUsage := strings.CutPrefix(name, usagePrefix)
		switch {
		case !isUsage:
			inputs[name] = value
		case strings.TrimSpace(value) != "":
			usage[key] = strings.TrimSpace(value)
		}
	}
	return inputs, usage
}

// imageOf completes what docker push prints: a digest alone is one of the service's repository.
func imageOf(typed, repository string) string {
	if strings.HasPrefix(typed, "sha256:") && repository != "" {
		return repository + "@" + typed
	}
	return typed
}
