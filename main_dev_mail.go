//go:build dev

package main

import (
	"context"
	"log/slog"
	"net/http"

	"slipway/dev/mail"
	"slipway/web"
)

// catchMail starts what catches e-mail and webhooks and has them sent there, unless the developer named other places.
func catchMail(ctx context.Context, vars map[string]string, log *slog.Logger) (*mail.Catcher, error) {
	catcher, err := mail.Start(ctx, log.With("part", "mail"))
	if err != nil {
		return nil, err
	}
	if vars["SLIPWAY_SMTP_URL"] == "" && vars["SLIPWAY_SMTP_URL_FILE"] == "" {
		vars["SLIPWAY_SMTP_URL"] = catcher.SMTPURL()
		if vars["SLIPWAY_MAIL_FROM"] == "" {
			vars["SLIPWAY_MAIL_FROM"] = "Slipway <slipway@example.com>"
		}
	}
	if vars["SLIPWAY_WEBHOOK_URL"] == "" && vars["SLIPWAY_WEBHOOK_URL_FILE"] == "" {
		vars["SLIPWAY_WEBHOOK_URL"] = catcher.HookURL()
	}
	if vars["SLIPWAY_WEBHOOK_NETWORKS"] == "" {
		vars["SLIPWAY_WEBHOOK_NETWORKS"] = "127.0.0.1/32" // where the catcher listens
	}
	return catcher, nil
}

// mailRoutes show what was caught on /dev/mail.
func mailRoutes(catcher *mail.Catcher) []web.Route {
	return mount("/dev/mail", http.StripPrefix("/dev/mail", catcher.Handler()))
}
