package main

import (
	"slipway/handlers"
	"slipway/models"
	"slipway/web"
)

// notificationRoutes are what people are told, and where it goes.
func (r *running) notificationRoutes(desk *handlers.Desk) []web.Route {
	n := r.config.Notify
	server, _ := n.SMTP()                             // checked when the configuration was read
	hook, _ := models.HookHost(n.WebhookURL.Reveal()) // this, too
	mine := &handlers.Notifications{Desk: desk, Store: r.store, Test: r.store, Mail: server.Host != ""}
	all := &handlers.AdminNotifications{Desk: desk, Log: r.store, Places: r.store, Hooks: r.store, Nets: r.store, Mail: server.Host, Hook: hook, Networks: n.WebhookNetworks}
	return []web.Route{
		page("/notifications", mine.Show),
		form("/notifications", mine.Choose),
		form("/notifications/test", mine.SendTest, limited(web.LimitPlan)),

		page("/admin/notifications", all.List),
		form("/admin/notifications/redeliver", all.Redeliver),
		form("/admin/notifications/webhooks/add", all.AddWebhook),
		form("/admin/notifications/webhooks/remove", all.RemoveWebhook),
		form("/admin/notifications/webhooks/test", all.TestWebhook, limited(web.LimitPlan)),
		form("/admin/notifications/networks/add", all.AllowNetwork),
		form("/admin/notifications/networks/remove", all.ForbidNetwork),
	}
}
