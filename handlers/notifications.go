package handlers

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// newestNotices is how many of their own messages a person sees.
const newestNotices = 20

// Notifications is where a person chooses what they are told, and sees what they were sent.
type Notifications struct {
	*Desk
	Store interface {
		EventsOff(context.Context, models.Actor) ([]models.EventKind, error)
		ChooseEvents(ctx context.Context, a models.Actor, wanted []models.EventKind) error
		MyNotifications(ctx context.Context, a models.Actor, limit int) ([]models.Notification, error)
	}
	Test interface {
		TestNotification(context.Context, models.Actor) error
	}
	Mail bool // a mail server is configured
}

type notificationParams struct {
	Done string `form:"done"`
}

// Show handles GET /notifications.
func (h *Notifications) Show(c *fiber.Ctx) error {
	in, err := form.Query[notificationParams](c)
	if err != nil {
		return err
	}
	a := actor(c)
	off, err := h.Store.EventsOff(c.UserContext(), a)
	if err != nil {
		return err
	}
	rows, err := h.Store.MyNotifications(c.UserContext(), a, newestNotices)
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	d := views.Notifications{CSRF: csrf(c), Key: models.NewID(), Email: a.Person.Email, MailOff: !h.Mail, Choices: models.EventChoices(), Off: map[models.EventKind]bool{}, SeesMore: a.SeesAll(),
		Saved: in.Done == "saved", Sent: in.Done == "test", Rows: rowsOf(h.Clock.Now(), rows, noticeRow)}
	for _, k := range off {
		d.Off[k] = true
	}
	return pageOr(c, views.NotificationsPage(p, d), views.NotificationsContent(d))
}

type chooseForm struct {
	Kinds []string `form:"kinds"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// Choose handles POST /notifications.
func (h *Notifications) Choose(c *fiber.Ctx) error {
	in, err := form.Decode[chooseForm](c)
	if err != nil {
		return err
	}
	if err := h.Store.ChooseEvents(c.UserContext(), actor(c), eventKinds(in.Kinds)); err != nil {
		return err
	}
	return redirect(c, urls.With(urls.Notifications, "done", "saved"))
}

// SendTest handles POST /notifications/test.
func (h *Notifications) SendTest(c *fiber.Ctx) error {
	if _, err := form.Decode[onlyToken](c); err != nil {
		return err
	}
	if err := h.Test.TestNotification(c.UserContext(), actor(c)); err != nil {
		return err
	}
	return redirect(c, urls.With(urls.Notifications, "done", "test"))
}

type onlyToken struct {
	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

func eventKinds(texts []string) []models.EventKind {
	var kinds []models.EventKind
	for _, t := range texts {
		kinds = append(kinds, models.EventKind(t))
	}
	return kinds
}

func noticeRow(now time.Time, n models.Notification) views.NoticeRow {
	row := views.NoticeRow{ID: n.ID, State: views.NoticeState(n.State, n.Attempts), Subject: n.Subject, Kind: views.EventTitle(n.Kind), RequestID: n.RequestID, Channel: string(n.Channel),
		Attempts: n.Attempts, Error: n.Error, At: ui.Ago(now, n.CreatedAt)}
	if n.State == models.NotePending && n.Attempts > 0 && n.NextAt.After(now) {
		row.Next = ui.In(now, n.NextAt)
	}
	return row
}
