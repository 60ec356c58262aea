package main

import (
	"context"
	"net/netip"

	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners/notify"
	"slipway/views/urls"
	"slipway/web/auth"
)

// sealer is what the store seals secrets with; nil without SLIPWAY_SECRET_KEYS.
func (r *running) sealer() (store.Sealer, error) {
	keys, err := r.config.SignIn.Keys()
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return auth.NewKeyring(keys)
}

// courier brings notifications to people; it works as long as its context.
func (r *running) courier() (func(context.Context), error) {
	n := r.config.Notify
	o := notify.Options{Book: r.store.Outbox(), Owner: owner(), Clock: r.clock, Logger: r.log, Metrics: notify.NewMetrics(r.metrics), PublicURL: r.config.Server.PublicURL, Link: linkOf,
		Hook: models.Webhook{URL: n.WebhookURL.Reveal(), Form: models.SlackHook, Secret: n.WebhookSecret.Reveal()}}
	if o.Hook.Secret != "" {
		o.Hook.Form = models.SignedHook
	}
	o.Hook.Host, _ = models.HookHost(o.Hook.URL) // checked when the configuration was read
	for _, text := range n.WebhookNetworks {
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		o.Networks = append(o.Networks, block)
	}
	server, err := n.SMTP()
	if err != nil {
		return nil, err
	}
	if server.Host != "" {
		o.Mail = &notify.MailServer{Host: server.Host, Port: server.Port, SSL: server.SSL, StartTLS: server.StartTLS, User: server.User, Password: server.Password, From: n.MailFrom}
	}
	return func(ctx context.Context) {
		wake, end := r.changes.Subscribe(store.OutboxTopic)
		defer end()
		o.Wake = wake
		notify.New(o).Run(ctx)
	}, nil
}

// linkOf is the page that a message is about.
func linkOf(d models.Delivery) string {
	switch e := d.Event; {
	case e.Kind == models.TellTest:
		return urls.Notifications
	case e.Kind == models.TellRoleLost && d.Slug != "":
		return urls.Account(d.Slug, e.State)
	case e.Kind == models.TellRoleLost:
		return urls.Platform
	case e.Object == models.EnvironmentObject && e.Kind == models.TellExpiry:
		return urls.Environment(d.Slug, e.ObjectName)
	case e.Kind == models.TellGate:
		return urls.Promotion(d.Slug, e.ObjectID)
	case e.Kind == models.TellBudget:
		return urls.TenantCosts(d.Slug)
	case e.RequestID != "":
		return urls.Request(e.RequestID)
	case d.Slug != "":
		return urls.Tenant(d.Slug)
	}
	return urls.Home
}
