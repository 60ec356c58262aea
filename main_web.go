package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"slipway/handlers/stream"
	"slipway/web"
	"slipway/web/auth"
)

// face makes what this process answers with.
func (r *running) face(ctx context.Context) (face, error) {
	if !r.web {
		return r.health(), nil
	}
	keys, err := r.config.SignIn.Keys()
	if err != nil {
		return nil, err
	}
	ring, err := auth.NewKeyring(keys)
	if err != nil {
		return nil, err
	}
	s := r.config.SignIn
	signIn, err := auth.New(auth.Options{
		PublicURL: r.config.Server.PublicURL, Issuer: s.Issuer, ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(),
		Scopes: s.Scopes, GroupsClaim: s.GroupsClaim, GroupsPrefix: s.GroupsPrefix, SessionIdle: s.SessionIdle, SessionMax: s.SessionMax,
		Recheck: s.GroupsRecheck, Consent: s.Consent,
		Keys: ring, Store: r.store, Frames: r.store, Clock: r.clock, Logger: r.log,
	})
	if err != nil {
		return nil, err
	}
	streams := stream.NewHub(stream.Limits{})
	return web.New(web.Options{
		PublicURL: r.config.Server.PublicURL, TrustedProxies: r.config.Server.TrustedProxies, Auth: signIn, Routes: r.routes(ctx, streams), FrameOrigins: r.config.Backstage.Origins,
		Streams: streams, Logger: r.log, Metrics: r.metrics, Limits: r.limits, Ready: r.readiness, AccessGroups: r.store.RoleMappings, Denied: r.store.Denied,
	})
}

// workerHealth answers a worker's load balancer or orchestrator; there are no pages in it.
type workerHealth struct {
	*http.Server
	draining chan struct{}
}

func (r *running) health() face {
	h := workerHealth{draining: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		ctx, cancel := context.WithTimeout(req.Context(), 3*time.Second)
		defer cancel()
		select {
		case <-h.draining:
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		default:
		}
		if err := r.readiness(ctx); err != nil {
			r.log.WarnContext(ctx, "not ready", "err", err)
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, web.NotReady(err)) // who asked has gone: nobody is left to tell
			return
		}
		fmt.Fprintln(w, "ready")
	})
	h.Server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	return h
}

func (h workerHealth) Serve(l net.Listener) error { return h.Server.Serve(l) }
func (h workerHealth) Drain()                     { close(h.draining) }
