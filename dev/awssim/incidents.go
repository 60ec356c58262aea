package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What can be wrong with an account, until somebody ends it.
const (
	latencyIncident  = "latency"        // answers take so many times as long
	errorsIncident   = "errors"         // so large a share of answers are errors
	crashIncident    = "crash"          // a service's tasks start and end again
	deniedIncident   = "denied"         // what is read for costs and health is refused
	throttleIncident = "throttled"      // and answered with: too fast
	regionIncident   = "region_down"    // a region answers nothing but that it cannot
	clockIncident    = "clock_off"      // an account's clock is so many seconds ahead
	missingIncident  = "missing_metric" // a metric, or all, are not known
	gapIncident      = "gap"            // nothing was reported meanwhile
)

func incidentKinds() []string {
	return []string{latencyIncident, errorsIncident, crashIncident, deniedIncident, throttleIncident, regionIncident, clockIncident, missingIncident, gapIncident}
}

// readServices are those that only readers ask: denying them stops no change.
func readServices() []string {
	return []string{"cloudwatch", "ecs", "elasticloadbalancing", "acm", "ce", "budgets"}
}

// incident is something that is wrong, or was. An empty account or region is every one.
type incident struct {
	ID      int64      `json:"id,string"`
	Kind    string     `json:"kind"`
	Account string     `json:"account,omitempty"`
	Region  string     `json:"region,omitempty"`
	Target  string     `json:"target,omitempty"` // environment, stack, service; a metric's name; a service to be denied
	Amount  float64    `json:"amount,omitempty"`
	From    time.Time  `json:"from"`
	To      *time.Time `json:"to,omitempty"`
}

const incidentColumns = `id, kind, account, region, target, amount, started_at, ended_at`

// until is when it ended; one that goes on ends at the time that is given.
func (i incident) until(now time.Time) time.Time {
	if i.To != nil {
		return i.To.UTC()
	}
	return now
}

func (i incident) about(t *thing) bool {
	return (i.Account == "" || i.Account == t.Account) && (i.Region == "" || i.Region == t.Region) && tagged(t, i.Target)
}

// incidentsOf are those of an account and region, ended ones too, oldest first.
func (c *Call) incidentsOf(ctx context.Context, account, region string) ([]incident, error) {
	return c.incidents(ctx, `(account = '' OR $1 = '' OR account = $1) AND (region = '' OR $2 = '' OR region = $2)`, account, region)
}

func (c *Call) incidents(ctx context.Context, where string, args ...any) ([]incident, error) {
	rows, err := c.Tx.Query(ctx, `SELECT `+incidentColumns+` FROM incidents WHERE `+where+` ORDER BY started_at, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[incident])
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	return all, nil
}

// check fills in what an incident of a kind usually has, and refuses what means nothing.
func (i *incident) check() error {
	bad := func(text string) error { return adminError{http.StatusBadRequest, text} }
	if usual := map[string]float64{latencyIncident: 10, errorsIncident: 0.3, clockIncident: 1200}[i.Kind]; i.Amount == 0 {
		i.Amount = usual
	}
	enabled, _ := regions()
	switch {
	case !slices.Contains(incidentKinds(), i.Kind):
		return bad(fmt.Sprintf("kind %q is none of %v", i.Kind, incidentKinds()))
	case i.Region != "" && !slices.Contains(enabled, i.Region):
		return adminError{http.StatusNotFound, "There is no such region."}
	case i.Kind == regionIncident && i.Region == "":
		return bad("region_down needs a region")
	case i.Kind == crashIncident && !strings.HasPrefix(i.Target, "arn:aws:ecs:"):
		return bad("crash needs the ARN of a service as its target")
	case slices.Contains([]string{deniedIncident, throttleIncident, clockIncident}, i.Kind) && i.Account == "":
		return bad(i.Kind + " needs an account")
	case (i.Kind == deniedIncident || i.Kind == throttleIncident) && i.Target != "" && i.Target != "*" && !slices.Contains(readServices(), i.Target):
		return bad(fmt.Sprintf("the target is one of %v, or * for all that the account answers", readServices()))
	case i.Kind == latencyIncident && (i.Amount < 1 || i.Amount > 1000), i.Kind == errorsIncident && (i.Amount < 0 || i.Amount > 1), i.Kind == clockIncident && (i.Amount < -86400 || i.Amount > 86400):
		return bad("latency takes a factor from 1 to 1000, errors a share from 0 to 1, clock_off seconds within a day")
	}
	return nil
}

// startIncident starts an incident: what it does to calls is a failure rule of its own.
func (c *Call) startIncident(ctx context.Context, i *incident) error {
	if err := i.check(); err != nil {
		return err
	}
	if i.Account != "" {
		if _, ok, err := c.account(ctx, i.Account); err != nil || !ok {
			return orElse(err, adminError{http.StatusNotFound, "There is no such account."})
		}
	}
	if i.From.IsZero() || i.From.After(c.Now) {
		i.From = c.Now
	}
	if i.Kind == crashIncident {
		if err := crashing(i.Target, true)(ctx, c); err != nil {
			return err
		}
		return c.Tx.QueryRow(ctx, `UPDATE incidents SET started_at = least(started_at, $2) WHERE kind = 'crash' AND target = $1 AND ended_at IS NULL RETURNING `+incidentColumns, i.Target, i.From).
			Scan(&i.ID, &i.Kind, &i.Account, &i.Region, &i.Target, &i.Amount, &i.From, &i.To)
	}
	if err := c.keepIncident(ctx, i); err != nil {
		return err
	}
	return c.incidentRules(ctx, *i)
}

func (c *Call) keepIncident(ctx context.Context, i *incident) error {
	err := c.Tx.QueryRow(ctx, `INSERT INTO incidents (kind, account, region, target, amount, started_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		i.Kind, i.Account, i.Region, i.Target, i.Amount, i.From, i.To).Scan(&i.ID)
	if err != nil {
		return fmt.Errorf("store incident: %w", err)
	}
	return nil
}

// crashBegins keeps that a service's tasks do not stay, once.
func (c *Call) crashBegins(ctx context.Context, t *thing) error {
	open, err := c.incidents(ctx, `kind = $1 AND target = $2 AND ended_at IS NULL`, crashIncident, t.ARN)
	if err != nil || len(open) > 0 {
		return err
	}
	return c.keepIncident(ctx, &incident{Kind: crashIncident, Account: t.Account, Region: t.Region, Target: t.ARN, From: c.Now})
}

func (c *Call) incidentRules(ctx context.Context, i incident) error {
	action := map[string]string{deniedIncident: accessDenied, throttleIncident: throttle, regionIncident: unavailable, clockIncident: clockOff}[i.Kind]
	if action == "" {
		return nil
	}
	services := []string{""}
	if i.Kind == deniedIncident || i.Kind == throttleIncident {
		if services = readServices(); i.Target == "*" {
			services = []string{""}
		} else if i.Target != "" {
			services = []string{i.Target}
		}
	}
	for _, service := range services {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO rules (service, account, region, action, skew, incident, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			service, i.Account, i.Region, action, int(i.Amount), i.ID, c.Now); err != nil {
			return fmt.Errorf("store the rules of an incident: %w", err)
		}
	}
	return nil
}

// endIncident ends an incident; what it was stays in the series.
func (c *Call) endIncident(ctx context.Context, id int64) error {
	all, err := c.incidents(ctx, `id = $1`, id)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return adminError{http.StatusNotFound, fmt.Sprintf("There is no incident %d.", id)}
	}
	i := all[0]
	switch {
	case i.To != nil:
		return adminError{http.StatusConflict, fmt.Sprintf("Incident %d has ended.", id)}
	case i.Kind == crashIncident:
		err := crashing(i.Target, false)(ctx, c)
		if e, gone := err.(adminError); !gone || e.status != http.StatusNotFound {
			return err
		} // its service is gone, so only the incident is left to end
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE incidents SET ended_at = $2 WHERE id = $1`, id, c.Now); err != nil {
		return fmt.Errorf("end incident %d: %w", id, err)
	}
	if _, err := c.Tx.Exec(ctx, `DELETE FROM rules WHERE incident = $1`, id); err != nil {
		return fmt.Errorf("end the rules of incident %d: %w", id, err)
	}
	return nil
}

// skew is how far the account's clock is ahead.
func (sc *scene) skew() time.Duration {
	for _, i := range sc.incidents {
		if i.Kind == clockIncident && i.To == nil {
			return time.Duration(i.Amount) * time.Second
		}
	}
	return 0
}
