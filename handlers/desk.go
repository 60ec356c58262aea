package handlers

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Desk is what every page has in common: the counts beside the navigation, the clock, the banner of a simulated AWS.
type Desk struct {
	Counts interface {
		NavCounts(context.Context, models.Actor) (models.NavCounts, error)
	}
	Clock     models.Clock
	Simulated bool // AWS is the simulator
}

// page fills what surrounds the content of every signed-in page.
func (d *Desk) page(c *fiber.Ctx) (ui.Page, error) {
	return d.pageAbout(c, func(models.Freeze) bool { return false })
}

// pageAbout is page with a banner for each freeze of the moment that matters to what it shows.
func (d *Desk) pageAbout(c *fiber.Ctx, matters func(models.Freeze) bool) (ui.Page, error) {
	a := actor(c)
	n, err := d.Counts.NavCounts(c.UserContext(), a)
	if err != nil {
		return ui.Page{}, err
	}
	p := ui.Page{
		Name: a.Person.Name, Role: roleWords(a), CSRF: csrf(c), Path: c.OriginalURL(), Theme: visit.Theme(c), Approvals: n.Approvals, Runs: n.Runs, Failing: n.Failing,
		SeesAudit: a.SeesAll(), SeesAdmin: a.Has(models.PlatformAdmin) || a.Has(models.Auditor), MayRequest: a.MayRequestTenant(), Simulated: d.Simulated,
	}
	if v := visit.Of(c); !v.ConfirmBy.IsZero() {
		p.Flash = append(p.Flash, ui.Flash{Tone: ui.Wait, Text: fmt.Sprintf("The identity provider could not confirm your groups again; they are as of %s. You stay signed in until %s unless it answers before.",
			v.ConfirmedAt.UTC().Format("15:04"), v.ConfirmBy.UTC().Format("15:04 MST"))})
	}
	for _, f := range n.Freezes {
		if !matters(f) {
			continue
		}
		banner := ui.Flash{Tone: ui.Wait, Text: f.Words()}
		if p.SeesAdmin {
			banner.Link, banner.Word = urls.Freezes, "All freezes"
		}
		p.Flash = append(p.Flash, banner)
	}
	return p, nil
}

// roleWords is the strongest right of a person in one word, or with the tenant it is for.
func roleWords(a models.Actor) string {
	for _, r := range []models.PlatformRole{models.PlatformAdmin, models.Auditor} {
		if a.Has(r) {
			return string(r)
		}
	}
	for _, r := range []models.TenantRole{models.Owner, models.Developer, models.Viewer} {
		for _, m := range a.Memberships {
			if m.Role == r {
				return fmt.Sprintf("%s of %s", r, m.Slug)
			}
		}
	}
	return string(models.Requester)
}

type themeForm struct {
	Theme string `form:"theme"`
	Back  string `form:"back"`
}

// SetTheme handles POST /theme.
func (d *Desk) SetTheme(c *fiber.Ctx) error {
	in, err := form.Decode[themeForm](c)
	if err != nil {
		return err
	}
	c.Cookie(&fiber.Cookie{Name: visit.ThemeCookie, Value: string(ui.ParseTheme(in.Theme)), Path: "/", MaxAge: 365 * 24 * 3600, HTTPOnly: true,
		SameSite: fiber.CookieSameSiteLaxMode, Secure: c.Protocol() == "https"})
	return redirect(c, visit.Local(in.Back))
}

// listParams are the parameters that every list takes from its address.
type listParams struct {
	Q      string `form:"q"`
	Sort   string `form:"sort"`
	After  string `form:"after"`
	Before string `form:"before"`
	Format string `form:"format"`
}

// query is what the store is asked for; filters are name and value in turn, empty values left out.
func (p listParams) query(filters ...string) models.ListQuery {
	q := models.ListQuery{Search: p.Q, Sort: p.Sort, After: p.After, Before: p.Before, Filters: map[string]string{}}
	for i := 0; i+1 < len(filters); i += 2 {
		if filters[i+1] != "" {
			q.Filters[filters[i]] = filters[i+1]
		}
	}
	return q
}

// wantsCSV tells whether the rows are asked for as a file, by address or by Accept.
func (p listParams) wantsCSV(c *fiber.Ctx) (bool, error) {
	switch p.Format {
	case "csv":
		return true, nil
	case "":
		return c.Accepts(fiber.MIMETextHTML, "text/csv") == "text/csv", nil
	}
	return false, models.InvalidFields(map[string]string{"format": "Lists come as pages or as csv."})
}

// here is the list's own query as the address has it.
func here(c *fiber.Ctx) url.Values {
	q, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return url.Values{}
	}
	return q
}

// with is the list's address with one parameter changed and the page left.
func with(c *fiber.Ctx, name, value string) string {
	q := here(c)
	for _, p := range []string{"after", "before", "format"} {
		q.Del(p)
	}
	q.Set(name, value)
	return c.Path() + "?" + q.Encode()
}

// pager leads to the neighbours of a page of rows. byTime says that the newest stand first, so that they are newer and older.
func pager[T any](c *fiber.Ctx, l models.List[T], one, many string, byTime bool) ui.Pager {
	p := ui.Pager{ByTime: byTime, Label: fmt.Sprintf("%d of %s", len(l.Rows), total(l.Total, one, many))}
	if l.Total == 0 {
		p.Label = "" // the empty state says it
	}
	if l.Prev != "" {
		p.Prev = with(c, "before", l.Prev)
	}
	if l.Next != "" {
		p.Next = with(c, "after", l.Next)
	}
	return p
}

// countedTo is how far lists count exactly.
const countedTo = 10_000

func total(n int, one, many string) string {
	if n > countedTo {
		return "over " + ui.Plural(countedTo, one, many)
	}
	return ui.Plural(n, one, many)
}

// number is a request's name for people.
func number(n int64) string { return fmt.Sprintf("REQ-%d", n) }

// usual says how long similar work takes; empty when too little is known.
func usual(prefix string, d models.Duration) string {
	if d <= 0 {
		return ""
	}
	return prefix + ui.Span(d.Std())
}

// took is the time between two moments, up to now while the second is not there.
func took(from, to, now time.Time) string {
	switch {
	case from.IsZero():
		return ""
	case to.IsZero():
		to = now
	}
	return ui.Span(to.Sub(from))
}
