package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"slipway/models"
)

// evaluationCost bounds what one expression may compute; a plan of a thousand changes stays far below it.
const evaluationCost = 1_000_000

// Set is a compiled rules file. It never changes and may be used by many goroutines.
type Set struct {
	always []compiled // come with the binary, before the file's
	rules  []compiled
	digest string
}

type compiled struct {
	Rule
	when    cel.Program
	message []fragment
}

// fragment is a piece of a message: words, or an expression when program is set.
type fragment struct {
	words   string
	program cel.Program
}

// Load compiles a rules file. Its error names every mistake with the line of its rule.
func Load(src []byte) (*Set, error) {
	rs, err := read(src)
	if err != nil {
		return nil, err
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("prepare the rules' variables: %w", err)
	}
	always, err := read(builtIn)
	if err != nil {
		return nil, fmt.Errorf("read the rules of the binary: %w", err)
	}
	sum := sha256.Sum256(src)
	s := &Set{digest: hex.EncodeToString(sum[:])}
	var theirs, ours []error
	s.rules, theirs = compile(env, rs)
	s.always, ours = compile(env, always)
	for _, r := range rs {
		if strings.HasPrefix(r.ID, builtInPrefix) {
			theirs = append(theirs, fmt.Errorf("line %d: rule %s: ids that start with %s are kept for the rules of Slipway itself", r.Line, r.ID, builtInPrefix))
		}
	}
	if wrong := append(theirs, ours...); len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return s, nil
}

func compile(env *cel.Env, rs []Rule) (list []compiled, wrong []error) {
	var err error
	for _, r := range rs {
		c := compiled{Rule: r}
		if c.when, err = program(env, r.When, cel.BoolType); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: rule %s: when: %w", r.Line, r.ID, err))
		}
		if c.message, err = message(env, r.Message); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: rule %s: message: %w", r.Line, r.ID, err))
		}
		list = append(list, c)
	}
	return list, wrong
}

func program(env *cel.Env, src string, want *cel.Type) (cel.Program, error) {
	ast, issues := env.Compile(src)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	if want != nil && !ast.OutputType().IsExactType(want) {
		return nil, fmt.Errorf("the expression gives %s, not %s", ast.OutputType(), want)
	}
	return env.Program(ast, cel.CostLimit(evaluationCost))
}

// message cuts a text at its ${...} and compiles what is in them.
func message(env *cel.Env, text string) ([]fragment, error) {
	var fs []fragment
	for text != "" {
		words, rest, open := strings.Cut(text, "${")
		if words != "" {
			fs = append(fs, fragment{words: words})
		}
		if !open {
			break
		}
		src, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("${%s has no closing brace", rest)
		}
		p, err := program(env, src, nil)
		if err != nil {
			return nil, err
		}
		fs, text = append(fs, fragment{program: p}), after
	}
	return fs, nil
}

// Digest is the SHA-256 of the file, lower case hex.
func (s *Set) Digest() string { return s.digest }

// Rules lists the file's rules in order.
func (s *Set) Rules() []Rule { return plain(s.rules) }

// Always lists the rules that come with the binary and that no file can switch off.
func (s *Set) Always() []Rule { return plain(s.always) }

func plain(list []compiled) []Rule {
	rs := make([]Rule, len(list))
	for i, c := range list {
		rs[i] = c.Rule
	}
	return rs
}

// Evaluate judges a plan by the binary's rules and the file's, and fails closed: deny beats all; then the highest number per role of all demands; a rule approves only when
// no rule asks for a person; a rule that cannot be evaluated denies; when nothing matched, one platform admin decides.
func (s *Set) Evaluate(f models.RuleFacts) models.Verdict {
	v := models.Verdict{Digest: s.digest}
	vars, err := values(f)
	approves := ""
	for i, r := range slices.Concat(s.always, s.rules) {
		o := r.outcome(vars, err)
		if i < len(s.always) && !o.Matched { // only what it decides is said, and hashed
			continue
		}
		v.Outcomes = append(v.Outcomes, o)
		switch {
		case !o.Matched:
		case o.Effect == Deny:
			v.Denied = true
		case o.Effect == Demand:
			v.Demands = demand(v.Demands, r.Rule)
		case o.Effect == Approve && approves == "":
			approves = r.ID
		}
	}
	switch {
	case v.Denied:
		v.Demands = nil
	case len(v.Demands) > 0:
	case approves != "":
		v.ApprovedBy = approves
	default:
		v.Demands = []models.Demand{{Role: string(models.PlatformAdmin), Count: 1}}
	}
	return v
}

// outcome says what one rule makes of the plan; err is why the variables could not be filled.
func (r compiled) outcome(vars map[string]any, err error) models.RuleOutcome {
	o := models.RuleOutcome{ID: r.ID, Version: r.Version, Title: r.Title, Effect: r.Effect}
	if err == nil {
		o.Matched, err = r.matches(vars)
	}
	if err == nil && o.Matched {
		o.Message, err = r.text(vars)
	}
	if err != nil {
		o.Effect, o.Matched, o.Error = Deny, true, clip(err.Error(), 300)
		o.Message = fmt.Sprintf("The rule %q could not be evaluated, so it refuses. The platform team has to mend it.", r.Title)
	}
	return o
}

func (r compiled) matches(vars map[string]any) (bool, error) {
	out, _, err := r.when.Eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("the expression gave %v, not true or false", out.Type())
	}
	return b, nil
}

func (r compiled) text(vars map[string]any) (string, error) {
	var b strings.Builder
	for _, f := range r.message {
		if f.program == nil {
			b.WriteString(f.words)
			continue
		}
		out, _, err := f.program.Eval(vars)
		if err != nil {
			return "", fmt.Errorf("message: %w", err)
		}
		switch n := out.(type) {
		case types.Double: // money, mostly
			b.WriteString(strings.TrimSuffix(strconv.FormatFloat(float64(n), 'f', 2, 64), ".00"))
		default:
			s, ok := out.ConvertToType(types.StringType).Value().(string)
			if !ok {
				return "", fmt.Errorf("message: %v is no text", out.Type())
			}
			b.WriteString(s)
		}
	}
	return clip(b.String(), 1000), nil
}

// demand adds a rule's demand: one entry per role with the highest number, naming every rule that asks.
func demand(ds []models.Demand, r Rule) []models.Demand {
	i := slices.IndexFunc(ds, func(d models.Demand) bool { return d.Role == r.Require.Role })
	if i < 0 {
		return append(ds, models.Demand{Role: r.Require.Role, Count: r.Require.Count, Rules: []string{r.ID}})
	}
	ds[i].Count = max(ds[i].Count, r.Require.Count)
	ds[i].Rules = append(ds[i].Rules, r.ID)
	return ds
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
