package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// AdminNotifications is the delivery log, and where notifications go besides people's e-mail.
type AdminNotifications struct {
	*Desk
	Log interface {
		Notifications(context.Context, models.Actor, models.ListQuery) (models.List[models.Notification], error)
		EachNotification(context.Context, models.Actor, models.ListQuery, func(models.Notification) error) error
		Redeliver(ctx context.Context, a models.Actor, id string) error
	}
	Places interface {
		Destinations(context.Context, models.Actor) ([]models.Destination, error)
		Webhooks(context.Context, models.Actor) ([]models.Webhook, error)
		AllowedNetworks(context.Context, models.Actor) ([]models.AllowedNetwork, error)
	}
	Hooks interface {
		AddWebhook(context.Context, models.Actor, models.Webhook) (models.Webhook, error)
		RemoveWebhook(ctx context.Context, a models.Actor, id string) error
		TestWebhook(ctx context.Context, a models.Actor, destination string) error
	}
	Nets interface {
		AllowNetwork(ctx context.Context, a models.Actor, block, note string) error
		ForbidNetwork(ctx context.Context, a models.Actor, id string) error
	}
	Mail     string   // host of the mail server; empty: not configured
	Hook     string   // host of SLIPWAY_WEBHOOK_URL; empty: not configured
	Networks []string // allowed by configuration
}

type noticeParams struct {
	listParams
	State       string `form:"state"`
	Channel     string `form:"channel"`
	Kind        string `form:"kind"`
	Destination string `form:"destination"`
	From        string `form:"from"`
	To          string `form:"to"`
}

func (in noticeParams) asked() models.ListQuery {
	return in.query("state", in.State, "channel", in.Channel, "kind", in.Kind, "destination", in.Destination, "from", in.From, "to", in.To)
}

// List handles GET /admin/notifications.
func (h *AdminNotifications) List(c *fiber.Ctx) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	in, err := form.Query[noticeParams](c)
	if err != nil {
		return err
	}
	file, err := in.wantsCSV(c)
	if err != nil {
		return err
	}
	if file {
		return h.csv(c, in.asked())
	}
	return h.show(c, http.StatusOK, in, views.AdminNotifications{})
}

// show answers with the page; d holds a form that was refused, or what is shown once.
func (h *AdminNotifications) show(c *fiber.Ctx, status int, in noticeParams, d views.AdminNotifications) error {
	a, now := actor(c), h.Clock.Now()
	rows, err := h.Log.Notifications(c.UserContext(), a, in.asked())
	if err != nil {
		return err
	}
	if err := h.places(c, &d); err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d.CSRF, d.MayEdit = csrf(c), a.Has(models.PlatformAdmin)
	d.Hook.CSRF, d.Hook.Key, d.Network.CSRF, d.Network.Key = d.CSRF, models.NewID(), d.CSRF, models.NewID()
	for _, n := range rows.Rows {
		row := noticeRow(now, n)
		row.Kind, row.To, row.Again = views.EventWords(n.Kind), recipientOf(n), d.MayEdit && n.Redeliverable()
		d.Rows = append(d.Rows, row)
	}
	d.Facts = []ui.Fact{{Value: total(rows.Total, "message", "messages")}}
	d.Filters = noticeFilters(in)
	if c.Method() == http.MethodGet { // the page after a form is the log's first
		d.Pager = pager(c, rows, "message", "messages", true)
	}
	d.CSV = urls.With(urls.AdminNotifications, "q", in.Q, "state", in.State, "channel", in.Channel, "kind", in.Kind, "destination", in.Destination, "from", in.From, "to", in.To, "format", "csv")
	if isFragment(c) {
		return render(c, status, views.AdminNotificationsContent(d))
	}
	return render(c, status, views.AdminNotificationsPage(p, d))
}

func recipientOf(n models.Notification) string {
	if n.Destination == models.ConfigDestination {
		return "SLIPWAY_WEBHOOK_URL"
	}
	if n.Address == "" {
		return n.Recipient
	}
	return fmt.Sprintf("%s (%s)", n.Recipient, n.Address)
}

func noticeFilters(in noticeParams) ui.Filters {
	states, channels, kinds := []ui.Option{{Label: "Any"}}, []ui.Option{{Label: "Any"}}, []ui.Option{{Label: "Any"}}
	for _, s := range models.NotificationStates() {
		states = append(states, ui.Option{Value: string(s), Label: views.NoticeState(s, 0).Label})
	}
	for _, x := range models.Channels() {
		channels = append(channels, ui.Option{Value: string(x), Label: string(x)})
	}
	for _, k := range append(models.EventKinds(), models.TellTest) {
		kinds = append(kinds, ui.Option{Value: string(k), Label: views.EventWords(k)})
	}
	return ui.Filters{URL: urls.AdminNotifications, Label: "Filter the delivery log", Keep: keep("destination", in.Destination),
		Set: in.Q+in.State+in.Channel+in.Kind+in.Destination+in.From+in.To != "", Fields: []ui.Filter{
			{Name: "q", Label: "Subject, address or error", Kind: "search", Value: in.Q}, {Name: "state", Label: "State", Kind: "select", Value: in.State, Options: states},
			{Name: "channel", Label: "Channel", Kind: "select", Value: in.Channel, Options: channels}, {Name: "kind", Label: "Event", Kind: "select", Value: in.Kind, Options: kinds},
			{Name: "from", Label: "From", Kind: "date", Value: in.From}, {Name: "to", Label: "To", Kind: "date", Value: in.To}}}
}

func (h *AdminNotifications) csv(c *fiber.Ctx, q models.ListQuery) error {
	a := actor(c)
	header := []string{"id", "created_at", "event", "channel", "destination", "recipient", "address", "subject", "request", "state", "attempts", "ended_at", "error"}
	return export(c, "notifications.csv", header, func(ctx context.Context, row func(...string) error) error {
		return h.Log.EachNotification(ctx, a, q, func(n models.Notification) error {
			request := ""
			if n.Request > 0 {
				request = number(n.Request)
			}
			return row(n.ID, n.CreatedAt.UTC().Format(time.RFC3339), string(n.Kind), string(n.Channel), n.Destination, n.Recipient, n.Address, n.Subject, request, string(n.State),
				strconv.Itoa(n.Attempts), stamp(n.EndedAt), n.Error)
		})
	})
}

// places fills in where messages go.
func (h *AdminNotifications) places(c *fiber.Ctx, d *views.AdminNotifications) error {
	a, now := actor(c), h.Clock.Now()
	hooks, err := h.Places.Webhooks(c.UserContext(), a)
	if err != nil {
		return err
	}
	places, err := h.Places.Destinations(c.UserContext(), a)
	if err != nil {
		return err
	}
	nets, err := h.Places.AllowedNetworks(c.UserContext(), a)
	if err != nil {
		return err
	}
	byName := map[string]models.Webhook{}
	for _, w := range hooks {
		byName[models.DestinationOf(w.ID)] = w
	}
	for _, x := range places {
		d.Destinations = append(d.Destinations, h.destination(now, x, byName[x.Name]))
	}
	for _, block := range h.Networks {
		d.Networks = append(d.Networks, views.AllowedRow{Block: block, FromConfig: true})
	}
	for _, n := range nets {
		d.Networks = append(d.Networks, views.AllowedRow{ID: n.ID, Block: n.Block, Note: n.Note, By: n.CreatedBy, At: ui.Ago(now, n.CreatedAt)})
	}
	return nil
}

func (h *AdminNotifications) destination(now time.Time, x models.Destination, w models.Webhook) views.DestinationRow {
	row := views.DestinationRow{Name: x.Name, Error: x.Error, Pending: x.Pending, PendingURL: urls.With(urls.AdminNotifications, "destination", x.Name, "state", string(models.NotePending)),
		State: ui.State{Label: "Works", Tone: ui.OK}}
	if !x.OKAt.IsZero() {
		row.OK = ui.Ago(now, x.OKAt)
	}
	if x.ClosedUntil.After(now) {
		row.Until = ui.At(x.ClosedUntil)
	}
	host := h.Mail
	switch x.Name {
	case models.MailDestination:
		row.Title, row.Note = "E-mail", h.Mail
	case models.ConfigDestination:
		row.Title, row.Note, host = "Webhook by configuration", h.Hook, h.Hook
		row.Testable = host != ""
	default:
		row.Title, host, row.RemoveID, row.Testable = w.Name, w.Host, w.ID, true
		row.Note = strings.Join([]string{w.Host, string(w.Form), kindWords(w.Kinds)}, ", ")
	}
	switch {
	case host == "":
		row.State = ui.State{Label: "Not configured", Tone: ui.Idle}
	case x.Failures > 0:
		row.State = ui.State{Label: "Fails", Tone: ui.Fail}
	case x.OKAt.IsZero():
		row.State = ui.State{Label: "Not used yet", Tone: ui.Idle}
	}
	return row
}

func kindWords(kinds []models.EventKind) string {
	if len(kinds) == 0 {
		return "all events"
	}
	return ui.Plural(len(kinds), "kind of event", "kinds of event")
}
