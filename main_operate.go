package main

import (
	"context"
	"errors"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

const (
	retentionEvery = time.Minute     // how late the nightly sweep may begin, and how soon one that was cut short goes on
	lastWords      = 2 * time.Second // what the last figures of a process that ends may take
)

// retention is the nightly sweep, of which one process at a time does a stretch.
func (r *running) retention() provisioners.Sweep {
	me := owner()
	return provisioners.Sweep{Name: "retention", Every: retentionEvery, Do: func(ctx context.Context) error { return r.store.Sweep(ctx, me) }}
}

// tellFigures writes down this process's sign of life and its counts of AWS calls, so that every replica shows the same, until
// the answer is called: that writes the last ones.
func (r *running) tellFigures(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	me := models.Process{Owner: owner(), Role: r.role(), Version: build(), Started: r.clock.Wall()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-r.started: // the database is there, and its schema
			r.keepTelling(ctx, me)
		case <-ctx.Done():
		}
	}()
	return func() { cancel(); <-ended }
}

func (r *running) keepTelling(ctx context.Context, me models.Process) {
	tick := time.NewTicker(models.ProcessEvery)
	defer tick.Stop()
	failing := false
	for ctx.Err() == nil {
		err := errors.Join(r.store.SeenProcess(ctx, me), r.tellCalls(ctx))
		if err != nil && !failing && ctx.Err() == nil {
			r.log.WarnContext(ctx, "figures not written", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := errors.Join(r.tellCalls(last), r.store.GoneProcess(last, me.Owner)); err != nil {
		r.log.WarnContext(last, "last figures not written", "err", err)
	}
}

// tellCalls adds what was counted since the last time; what cannot be written is kept for the next.
func (r *running) tellCalls(ctx context.Context) error {
	counts := r.clients.TakeCalls()
	err := r.store.CountCalls(ctx, counts)
	if err != nil {
		r.clients.ReturnCalls(counts)
	}
	return err
}

func (r *running) role() string {
	switch {
	case r.web && r.works:
		return "all"
	case r.works:
		return "worker"
	}
	return "web"
}
