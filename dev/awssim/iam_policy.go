package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
)

// document is a parsed IAM policy, in the one form that evaluation needs.
type document struct{ statements []statement }

type statement struct {
	sid                     string
	deny                    bool
	principals              []principalMatch // of a trust policy; empty in an identity policy
	anyPrincipal            bool
	notPrincipal            bool
	actions, notActions     []string
	resources, notResources []string
	conditions              []condition
}

type principalMatch struct{ kind, value string } // AWS, Service or Federated

type condition struct {
	operator string // without qualifier and IfExists
	set      string // "", ForAnyValue, ForAllValues
	ifExists bool
	key      string // lower case
	values   []string
}

// parsedPolicies remembers what policies say, by their text: every call reads those of its role, its boundary and the
// organization again. Documents never change once they are read.
var parsedPolicies = struct {
	sync.Mutex
	byText map[string]document
}{byText: map[string]document{}}

// mostParsed bounds what is remembered: sessions can bring a policy of their own with every call.
const mostParsed = 500

// parsePolicy reads a policy and refuses every element and operator the evaluator does
// not know: a statement that is half understood would allow what AWS denies.
func parsePolicy(text string) (document, error) {
	parsedPolicies.Lock()
	d, known := parsedPolicies.byText[text]
	parsedPolicies.Unlock()
	if known {
		return d, nil
	}
	d, err := readPolicy(text)
	if err != nil {
		return document{}, err
	}
	parsedPolicies.Lock()
	defer parsedPolicies.Unlock()
	if len(parsedPolicies.byText) >= mostParsed {
		clear(parsedPolicies.byText)
	}
	parsedPolicies.byText[text] = d
	return d, nil
}

func readPolicy(text string) (document, error) {
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := strict([]byte(text), &raw); err != nil {
		return document{}, fmt.Errorf("policy: %w", err)
	}
	if raw.Version != "2012-10-17" {
		return document{}, fmt.Errorf("policy version %q: only 2012-10-17 has the language as written here", raw.Version)
	}
	list, err := oneOrMany[json.RawMessage](raw.Statement)
	if err != nil || len(list) == 0 {
		return document{}, fmt.Errorf("policy: Statement must be a statement or a list of them")
	}
	var d document
	for i, s := range list {
		st, err := parseStatement(s)
		if err != nil {
			return document{}, fmt.Errorf("statement %d: %w", i+1, err)
		}
		d.statements = append(d.statements, st)
	}
	return d, nil
}

func parseStatement(text json.RawMessage) (statement, error) {
	var raw struct {
		Sid                     string
		Effect                  string
		Principal, NotPrincipal json.RawMessage
		Action, NotAction       json.RawMessage
		Resource, NotResource   json.RawMessage
		Condition               map[string]map[string]json.RawMessage
	}
	if err := strict(text, &raw); err != nil {
		return statement{}, err
	}
	st := statement{sid: raw.Sid, deny: raw.Effect == "Deny"}
	if raw.Effect != "Allow" && raw.Effect != "Deny" {
		return st, fmt.Errorf("effect %q is neither Allow nor Deny", raw.Effect)
	}
	for _, f := range []struct {
		text json.RawMessage
		into *[]string
	}{{raw.Action, &st.actions}, {raw.NotAction, &st.notActions}, {raw.Resource, &st.resources}, {raw.NotResource, &st.notResources}} {
		var err error
		if *f.into, err = oneOrMany[string](f.text); err != nil {
			return st, err
		}
	}
	if (len(st.actions) == 0) == (len(st.notActions) == 0) {
		return st, fmt.Errorf("exactly one of Action and NotAction is needed")
	}
	if len(st.resources) > 0 && len(st.notResources) > 0 {
		return st, fmt.Errorf("the elements Resource and NotResource exclude one another")
	}
	who := raw.Principal
	if raw.NotPrincipal != nil {
		who, st.notPrincipal = raw.NotPrincipal, true
	}
	if err := st.parsePrincipal(who); err != nil {
		return st, err
	}
	for name, keys := range raw.Condition {
		for key, text := range keys {
			c, err := parseCondition(name, key, text)
			if err != nil {
				return st, err
			}
			st.conditions = append(st.conditions, c)
		}
	}
	sort.Slice(st.conditions, func(i, j int) bool { return st.conditions[i].key < st.conditions[j].key })
	return st, nil
}

func (st *statement) parsePrincipal(text json.RawMessage) error {
	if text == nil {
		return nil
	}
	if string(bytes.TrimSpace(text)) == `"*"` {
		st.anyPrincipal = true
		return nil
	}
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(text, &kinds); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	for kind, raw := range kinds {
		if kind != "AWS" && kind != "Service" && kind != "Federated" {
			return fmt.Errorf("principal kind %q is unknown", kind)
		}
		values, err := oneOrMany[string](raw)
		if err != nil {
			return err
		}
		for _, v := range values {
			if kind == "AWS" && v == "*" {
				st.anyPrincipal = true
			}
			st.principals = append(st.principals, principalMatch{kind, v})
		}
	}
	return nil
}

func parseCondition(name, key string, text json.RawMessage) (condition, error) {
	c := condition{operator: name, key: strings.ToLower(key)}
	if set, rest, ok := strings.Cut(name, ":"); ok {
		if set != "ForAnyValue" && set != "ForAllValues" {
			return c, fmt.Errorf("condition operator %q is unknown", name)
		}
		c.set, c.operator = set, rest
	}
	c.operator, c.ifExists = strings.CutSuffix(c.operator, "IfExists")
	if _, ok := comparison(c.operator); !ok && c.operator != "Null" {
		return c, fmt.Errorf("condition operator %q is unknown to the simulator", name)
	}
	values, err := oneOrMany[any](text)
	if err != nil || len(values) == 0 {
		return c, fmt.Errorf("condition %s on %s has no values", name, key)
	}
	for _, v := range values {
		switch v := v.(type) {
		case string:
			c.values = append(c.values, v)
		case bool, float64:
			c.values = append(c.values, fmt.Sprint(v))
		default:
			return c, fmt.Errorf("condition %s on %s: a value is neither text, number nor bool", name, key)
		}
	}
	return c, nil
}

// oneOrMany reads a value or a list of values; nothing gives an empty list.
func oneOrMany[T any](text json.RawMessage) ([]T, error) {
	if text == nil {
		return nil, nil
	}
	var many []T
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(text, &many); err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		return many, nil
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return []T{one}, nil
}

// strict decodes one JSON object and refuses unknown members and what follows it.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("syntax error: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("syntax error: text after the document")
	}
	return nil
}
