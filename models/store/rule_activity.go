package store

import (
	"context"
	"fmt"
	"time"

	"slipway/models"
)

// ruleWindow is how far back the rules page looks, in product time.
const ruleWindow = 30 * 24 * time.Hour

// RuleActivity says what each rule decided lately, for the rules page. Admins and auditors only.
func (s *Store) RuleActivity(ctx context.Context, actor models.Actor) ([]models.RuleActivity, error) {
	if !actor.SeesAll() {
		return nil, models.Errorf(models.Forbidden, "Only platform admins and auditors see what rules decided.")
	}
	type tally struct {
		RuleID  string
		Plans   int
		Matched int
		Last    *time.Time
	}
	since := s.clock.Now().Add(-ruleWindow)
	rows, err := many[tally](s.read(ctx), `SELECT rule_id, count(*) AS plans, count(*) FILTER (WHERE matched) AS matched, max(at) FILTER (WHERE matched) AS last
		FROM rule_results WHERE at >= ? GROUP BY rule_id ORDER BY rule_id`, since)
	if err != nil {
		return nil, translate(fmt.Errorf("count what rules decided: %w", err))
	}
	type hit struct {
		RuleID    string
		RequestID string
		Number    int64
		Title     string
		Effect    string
		Message   string
		At        time.Time
	}
	hits, err := many[hit](s.read(ctx), `SELECT h.rule_id, h.request_id, r.number, r.title, h.effect, h.message, h.at FROM (
		SELECT rule_id, request_id, effect, message, at, row_number() OVER (PARTITION BY rule_id ORDER BY at DESC, plan_id) AS place FROM rule_results WHERE matched AND at >= ?) h
		JOIN requests r ON r.id = h.request_id WHERE h.place <= 5 ORDER BY h.rule_id, h.place`, since)
	if err != nil {
		return nil, translate(fmt.Errorf("read what rules decided: %w", err))
	}
	recent := map[string][]models.RuleHit{}
	for _, h := range hits {
		recent[h.RuleID] = append(recent[h.RuleID], models.RuleHit{RequestID: h.RequestID, Number: h.Number, Title: h.Title, Effect: h.Effect, Message: h.Message, At: h.At})
	}
	list := make([]models.RuleActivity, 0, len(rows))
	for _, r := range rows {
		list = append(list, models.RuleActivity{RuleID: r.RuleID, Plans: r.Plans, Matched: r.Matched, Last: value(r.Last), Recent: recent[r.RuleID]})
	}
	return list, nil
}
