package urls

// Addresses of notifications.
const (
	Notifications      = "/notifications" // what the reader is told, and what they were sent
	TestNotification   = "/notifications/test"
	AdminNotifications = "/admin/notifications"
	Redeliver          = "/admin/notifications/redeliver"
	AddWebhook         = "/admin/notifications/webhooks/add"
	RemoveWebhook      = "/admin/notifications/webhooks/remove"
	TestWebhook        = "/admin/notifications/webhooks/test"
	AllowNetwork       = "/admin/notifications/networks/add"
	ForbidNetwork      = "/admin/notifications/networks/remove"
)

func notificationLinks() []Link {
	return []Link{{"GET", Notifications}, {"POST", Notifications}, {"POST", TestNotification}, {"GET", AdminNotifications}, {"POST", Redeliver}, {"POST", AddWebhook}, {"POST", RemoveWebhook},
		{"POST", TestWebhook}, {"POST", AllowNetwork}, {"POST", ForbidNetwork}}
}
