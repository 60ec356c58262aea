package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"slipway/models/price"
	"slipway/models/rules"
)

// rulesEvery is how soon a changed rules file counts.
const rulesEvery = 2 * time.Second

// loadRules puts the platform team's file in force, or the shipped one. At start there is no last good file to keep, so
// one that does not compile stops the start.
func (r *running) loadRules() error {
	source, origin, err := r.ruleFile()
	if err != nil {
		return err
	}
	set, err := rules.Load(source)
	if err != nil {
		return fmt.Errorf("rules (%s): %w", origin, err)
	}
	r.rules, r.ruleSource = rules.NewLive(set, origin, r.clock.Now()), source
	return nil
}

func (r *running) ruleFile() (source []byte, origin string, err error) {
	file := r.config.Engine.RulesFile
	if file == "" {
		return rules.Default(), "shipped with Slipway", nil
	}
	source, err = readFile(file, rules.MaxBytes)
	if err != nil {
		return nil, file, fmt.Errorf("read the rules: %w", err)
	}
	return source, file, nil
}

// readFile reads one byte more than a file may have, for its loader to refuse.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// auditRules records which rules count, when they are others than before.
func (r *running) auditRules(ctx context.Context) error {
	s := r.rules.Status()
	return r.store.RulesInForce(ctx, s.Digest, s.Origin)
}

// watchRules takes a changed file over within seconds.
func (r *running) watchRules(ctx context.Context) {
	if r.config.Engine.RulesFile == "" {
		return
	}
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	unaudited := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if unaudited = r.lookAtRules() || unaudited; !unaudited {
			continue
		}
		if err := r.auditRules(ctx); err != nil {
			r.log.Error("rules: the change is not in the audit log yet", "err", err)
			continue
		}
		unaudited = false
	}
}

// lookAtRules leaves the last good file in force when this one cannot be read or does not compile; the rules page says why.
// It tells whether another file is in force now.
func (r *running) lookAtRules() (changed bool) {
	source, origin, err := r.ruleFile()
	switch {
	case err != nil && r.ruleSource != nil:
		r.ruleSource = nil
		r.rules.Refuse(err, r.clock.Now())
		r.log.Error("rules: the last good file stays in force", "err", err)
	case err == nil && !bytes.Equal(source, r.ruleSource):
		r.ruleSource = source
		if err := r.rules.Replace(source, origin, r.clock.Now()); err != nil {
			r.log.Error("rules: the last good file stays in force", "err", err)
			return false
		}
		r.log.Info("rules: a changed file is in force", "digest", r.rules.Status().Digest)
		return true
	}
	return false
}

// prices reads the platform team's price file, or the shipped one.
func (r *running) prices() (*price.List, error) {
	source, origin := price.Default(), "shipped with Slipway"
	if file := r.config.Engine.PricesFile; file != "" {
		var err error
		if source, err = readFile(file, price.MaxBytes); err != nil {
			return nil, fmt.Errorf("read the prices: %w", err)
		}
		origin = file
	}
	list, err := price.Load(source)
	if err != nil {
		return nil, fmt.Errorf("prices (%s): %w", origin, err)
	}
	return list, nil
}
