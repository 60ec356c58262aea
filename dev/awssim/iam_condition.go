package awssim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// compare says whether one value of the request fits one value of the policy. negated
// operators hold when no policy value fits.
type compare struct {
	fits    func(policy, value string) bool
	negated bool
	literal bool // the policy value may not hold wildcards
}

func comparison(operator string) (compare, bool) {
	equal := func(p, v string) bool { return unmark(p) == v }
	fold := func(p, v string) bool { return strings.EqualFold(unmark(p), v) }
	switch operator {
	case "StringEquals":
		return compare{fits: equal, literal: true}, true
	case "StringNotEquals":
		return compare{fits: equal, negated: true, literal: true}, true
	case "StringEqualsIgnoreCase":
		return compare{fits: fold, literal: true}, true
	case "StringNotEqualsIgnoreCase":
		return compare{fits: fold, negated: true, literal: true}, true
	case "StringLike":
		return compare{fits: wildcard}, true
	case "StringNotLike":
		return compare{fits: wildcard, negated: true}, true
	case "ArnEquals", "ArnLike":
		return compare{fits: arnLike}, true
	case "ArnNotEquals", "ArnNotLike":
		return compare{fits: arnLike, negated: true}, true
	case "Bool":
		return compare{fits: fold, literal: true}, true
	}
	fits, negated := numeric(operator)
	return compare{fits: fits, negated: negated, literal: true}, fits != nil
}

func numeric(operator string) (fits func(p, v string) bool, negated bool) {
	var test func(p, v float64) bool
	switch operator {
	case "NumericEquals":
		test = func(p, v float64) bool { return v == p }
	case "NumericNotEquals":
		test, negated = func(p, v float64) bool { return v == p }, true
	case "NumericLessThan":
		test = func(p, v float64) bool { return v < p }
	case "NumericLessThanEquals":
		test = func(p, v float64) bool { return v <= p }
	case "NumericGreaterThan":
		test = func(p, v float64) bool { return v > p }
	case "NumericGreaterThanEquals":
		test = func(p, v float64) bool { return v >= p }
	default:
		return nil, false
	}
	return func(p, v string) bool {
		pn, perr := strconv.ParseFloat(p, 64)
		vn, verr := strconv.ParseFloat(v, 64)
		return perr == nil && verr == nil && test(pn, vn)
	}, negated
}

// holds evaluates a condition against the request's context.
func (c condition) holds(ctx keys) bool {
	have, present := ctx[c.key]
	if c.operator == "Null" {
		return slices.ContainsFunc(c.values, func(v string) bool { return strings.EqualFold(v, "true") != present })
	}
	cmp, _ := comparison(c.operator) // parsing refused the unknown ones
	if !present {
		return c.ifExists || c.set == "ForAllValues" || (cmp.negated && c.set == "")
	}
	one := func(value string) bool {
		fits := slices.ContainsFunc(c.values, func(p string) bool {
			pattern, ok := substitute(p, ctx, cmp.literal)
			return ok && cmp.fits(pattern, value)
		})
		return fits != cmp.negated
	}
	switch {
	case c.set == "ForAllValues" || (c.set == "" && cmp.negated):
		return !slices.ContainsFunc(have, func(v string) bool { return !one(v) })
	default:
		return slices.ContainsFunc(have, one)
	}
}

// A wildcard that is meant literally (in a variable's value, or a pattern of an operator
// without wildcards) is marked, so that the matcher does not take it for one.
var (
	marks   = strings.NewReplacer("*", "\x01", "?", "\x02")
	unmarks = strings.NewReplacer("\x01", "*", "\x02", "?")
)

func unmark(s string) string { return unmarks.Replace(s) }

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// substitute puts policy variables in; false when one has no value, which makes the
// pattern fit nothing.
func substitute(pattern string, ctx keys, literal bool) (string, bool) {
	ok := true
	if literal && !strings.Contains(pattern, "${") {
		return marks.Replace(pattern), true
	}
	out := variable.ReplaceAllStringFunc(pattern, func(v string) string {
		name := v[2 : len(v)-1]
		switch name {
		case "*", "?", "$":
			return marks.Replace(name)
		}
		name, fallback, hasFallback := strings.Cut(name, ",")
		values := ctx[strings.ToLower(strings.TrimSpace(name))]
		if len(values) == 1 {
			return marks.Replace(values[0])
		}
		if hasFallback {
			return marks.Replace(strings.Trim(strings.TrimSpace(fallback), "'"))
		}
		ok = false
		return v
	})
	if literal {
		out = marks.Replace(out)
	}
	return out, ok
}

// wildcard matches * (any run) and ? (one character), in linear space and without
// backtracking further than the last star.
func wildcard(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i] || (pattern[p] < 3 && unmark(pattern[p:p+1]) == s[i:i+1])):
			p++
			i++
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// arnLike matches part by part: a star never reaches over a colon, but in the last part.
func arnLike(pattern, s string) bool {
	pp, ss := strings.SplitN(pattern, ":", 6), strings.SplitN(s, ":", 6)
	if len(pp) != 6 || len(ss) != 6 {
		return pattern == "*"
	}
	for i := range pp {
		if !wildcard(pp[i], ss[i]) {
			return false
		}
	}
	return true
}
