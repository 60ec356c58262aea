package awssim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"

	"slipway/models"
)

func badCosts(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationException", format, args...)
}

// dimension is the value of a dimension of Cost Explorer; ok is false for those that the
// simulator does not tell apart.
func (k costKey) dimension(name string) (value string, ok bool) {
	switch name {
	case "LINKED_ACCOUNT":
		return k.account, true
	case "SERVICE":
		return k.service, true
	case "RECORD_TYPE":
		return k.record, true
	case "REGION":
		return k.region, true
	}
	return "", false
}

// tag is the value of a tag, empty without one. Of a key that is not activated billing knows nothing.
func (k costKey) tag(name string, active map[string]bool) string {
	if !active[name] {
		return ""
	}
	switch name {
	case models.TagTenant:
		return k.tenant
	case models.TagEnvironment:
		return k.environment
	case models.TagCostCentre:
		return k.centre
	}
	return ""
}

// costFilter tells which costs an expression is about.
type costFilter func(costKey) bool

func everyCost(costKey) bool { return true }

// filterOf reads an expression, which has exactly one member.
func filterOf(e *cetypes.Expression, active map[string]bool) (costFilter, error) {
	if e == nil {
		return everyCost, nil
	}
	var members int
	for _, given := range []bool{len(e.And) > 0, len(e.Or) > 0, e.Not != nil, e.Dimensions != nil, e.Tags != nil, e.CostCategories != nil} {
		if given {
			members++
		}
	}
	switch {
	case members != 1:
		return nil, badCosts("Expression must have exactly one root operator of And, Or, Not, Dimensions, Tags or CostCategories.")
	case e.CostCategories != nil:
		return nil, badCosts("The simulator has no cost categories.")
	case e.Not != nil:
		inner, err := filterOf(e.Not, active)
		return func(k costKey) bool { return !inner(k) }, err
	case e.Dimensions != nil:
		return dimensionFilter(*e.Dimensions)
	case e.Tags != nil:
		return tagFilter(*e.Tags, active)
	}
	list := append(slices.Clone(e.And), e.Or...)
	if len(list) < 2 {
		return nil, badCosts("And and Or need at least two expressions.")
	}
	inner := make([]costFilter, len(list))
	for i := range list {
		var err error
		if inner[i], err = filterOf(&list[i], active); err != nil {
			return nil, err
		}
	}
	if len(e.And) > 0 {
		return func(k costKey) bool {
			return !slices.ContainsFunc(inner, func(f costFilter) bool { return !f(k) })
		}, nil
	}
	return func(k costKey) bool { return slices.ContainsFunc(inner, func(f costFilter) bool { return f(k) }) }, nil
}

func dimensionFilter(d cetypes.DimensionValues) (costFilter, error) {
	name := string(d.Key)
	if _, known := (costKey{}).dimension(name); !known {
		return nil, badCosts("The simulator does not tell costs apart by %s.", name)
	}
	same, err := matcher(d.MatchOptions)
	if err != nil {
		return nil, err
	}
	return func(k costKey) bool {
		value, _ := k.dimension(name)
		return slices.ContainsFunc(d.Values, func(v string) bool { return same(v, value) })
	}, nil
}

func tagFilter(t cetypes.TagValues, active map[string]bool) (costFilter, error) {
	name := aws.ToString(t.Key)
	if name == "" {
		return nil, badCosts("Tags need a key.")
	}
	if slices.Contains(t.MatchOptions, cetypes.MatchOptionAbsent) {
		if len(t.Values) > 0 || len(t.MatchOptions) > 1 {
			return nil, badCosts("ABSENT takes no values and no other match option.")
		}
		return func(k costKey) bool { return k.tag(name, active) == "" }, nil
	}
	same, err := matcher(t.MatchOptions)
	if err != nil {
		return nil, err
	}
	return func(k costKey) bool {
		value := k.tag(name, active)
		return slices.ContainsFunc(t.Values, func(v string) bool { return same(v, value) })
	}, nil
}

func matcher(options []cetypes.MatchOption) (func(a, b string) bool, error) {
	for _, o := range options {
		switch o {
		case cetypes.MatchOptionEquals, cetypes.MatchOptionCaseSensitive:
		case cetypes.MatchOptionCaseInsensitive:
			return strings.EqualFold, nil
		default:
			return nil, badCosts("The simulator plays no match option %s.", o)
		}
	}
	return func(a, b string) bool { return a == b }, nil
}

// costDays reads a period; its end is not in it.
func costDays(p *cetypes.DateInterval) (start, end time.Time, err error) {
	if p == nil {
		return start, end, badCosts("TimePeriod is required.")
	}
	if start, err = time.Parse(time.DateOnly, aws.ToString(p.Start)); err != nil {
		return start, end, badCosts("Start time %s is invalid. Valid format is: yyyy-MM-dd.", aws.ToString(p.Start))
	}
	if end, err = time.Parse(time.DateOnly, aws.ToString(p.End)); err != nil {
		return start, end, badCosts("End time %s is invalid. Valid format is: yyyy-MM-dd.", aws.ToString(p.End))
	}
	if !start.Before(end) {
		return start, end, badCosts("Start date (and hour) should be before end date (and hour)")
	}
	return start, end, nil
}

// costPeriods cuts a time into days or months, the first and the last of which may be parts.
func costPeriods(start, end time.Time, g cetypes.Granularity) ([][2]time.Time, error) {
	var out [][2]time.Time
	for at := start; at.Before(end); {
		next := at.AddDate(0, 0, 1)
		switch g {
		case cetypes.GranularityDaily:
		case cetypes.GranularityMonthly:
			next = earlier(monthOf(at).AddDate(0, 1, 0), end)
		default:
			return nil, badCosts("Hourly data granularity is only available for the past 14 days, and is not enabled for this organization.")
		}
		out = append(out, [2]time.Time{at, next})
		at = next
	}
	return out, nil
}

func interval(p [2]time.Time) *cetypes.DateInterval {
	return &cetypes.DateInterval{Start: aws.String(p[0].Format(time.DateOnly)), End: aws.String(p[1].Format(time.DateOnly))}
}
