package views

import (
	"time"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

func notificationStories() []story {
	rows := noticeRows()
	mine := Notifications{CSRF: "token", Key: id1, Email: "mara@example.com", Choices: models.EventChoices(), Off: map[models.EventKind]bool{models.TellDone: true}, SeesMore: true, Rows: rows[:3]}
	off := Notifications{CSRF: "token", Key: id1, MailOff: true, Choices: models.EventChoices(), Off: map[models.EventKind]bool{}}
	saved := mine
	saved.Saved, saved.Sent = true, true
	all := AdminNotifications{CSRF: "token", MayEdit: true, Facts: []ui.Fact{{Value: "6 messages"}}, CSV: urls.AdminNotifications, Rows: rows, Filters: ui.Filters{URL: urls.AdminNotifications, Label: "Filter the delivery log"},
		Pager: ui.Pager{Label: "6 of 6 messages", ByTime: true}, Hook: HookForm{CSRF: "token", Key: id1}, Network: AllowForm{CSRF: "token", Key: id2},
		Destinations: []DestinationRow{
			{Name: "smtp", Title: "E-mail", Note: "mail.example.com", State: ui.State{Label: "Works", Tone: ui.OK}, OK: ago(time.Minute)},
			{Name: "webhook:config", Title: "Webhook by configuration", State: ui.State{Label: "Not configured", Tone: ui.Idle}},
			{Name: "webhook:" + id1, Title: "On call", Note: "hooks.slack.com, slack, all events", State: ui.State{Label: "Fails", Tone: ui.Fail}, Error: "It answered 500.", Until: ui.At(now.Add(4 * time.Minute)), Pending: 12,
				PendingURL: urls.AdminNotifications, RemoveID: id1, Testable: true}},
		Networks: []AllowedRow{{Block: "10.9.0.0/16", FromConfig: true}, {ID: id2, Block: "10.20.0.0/16", Note: "Chat relay", By: "Mara Lindqvist", At: ago(48 * time.Hour)}}}
	reads := all
	reads.MayEdit = false
	bad := all
	bad.Hook = HookForm{Name: hostile, URL: "ftp://" + long, Form: "slack", Kinds: []string{"failed"}, CSRF: "token", Key: id1, Errors: map[string]string{"url": "Give an address that begins with https:// or http://."}}
	bad.Network = AllowForm{Block: "10.20.0.1/16", CSRF: "token", Key: id2, Errors: map[string]string{"block": "Its last digits must be zero: 10.20.0.0/16."}}
	secret := all
	secret.Secret, secret.SecretOf = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=", "On call"
	return []story{
		{"notifications", NotificationsPage(admin(), mine)}, {"notifications-off", NotificationsPage(developer(), off)}, {"notifications-saved", NotificationsPage(admin(), saved)},
		{"admin-notifications", AdminNotificationsPage(admin(), all)}, {"admin-notifications-auditor", AdminNotificationsPage(admin(), reads)}, {"admin-notifications-error", AdminNotificationsPage(admin(), bad)},
		{"admin-notifications-secret", AdminNotificationsPage(admin(), secret)}, {"admin-notifications-empty", AdminNotificationsPage(admin(), AdminNotifications{MayEdit: true, CSRF: "token"})},
	}
}

func noticeRows() []NoticeRow {
	row := func(s models.NotificationState, attempts int, subject string) NoticeRow {
		return NoticeRow{ID: id1, State: NoticeState(s, attempts), Subject: subject, Kind: EventWords(models.TellFailed), RequestID: id2, To: "Tomasz Reiter (tomasz@example.com)", Channel: "email",
			Attempts: attempts, At: ago(5 * time.Minute), Again: s != models.NotePending}
	}
	rows := []NoticeRow{row(models.NoteSent, 1, "REQ-1844 Create tenant ledger has failed"), row(models.NotePending, 3, "REQ-1844 Create tenant ledger waits for your approval"),
		row(models.NoteFailed, 40, hostile+" "+long), row(models.NoteSuperseded, 0, "REQ-1840 is done"), row(models.NoteNotConfigured, 0, "REQ-1839 is done"), row(models.NotePending, 0, "Slipway sends a test")}
	rows[1].Next, rows[1].Error, rows[2].Error, rows[3].Error = ui.In(now, now.Add(8*time.Minute)), "The mail server could not be reached: it did not answer in time.", "It answered 500.", "The request is done now."
	rows[5].RequestID = ""
	return rows
}
