package aws

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"sort"
	"strings"

	"slipway/models"
)

// policyDoc is a policy in the one form in which two of them can be compared: lists where IAM also takes one text, sorted, without
// repetitions.
type policyDoc []policyStatement

type policyStatement struct {
	Sid          string                         `json:"Sid,omitempty"`
	Effect       string                         `json:"Effect"`
	Principal    map[string][]string            `json:"Principal,omitempty"`
	NotPrincipal map[string][]string            `json:"NotPrincipal,omitempty"`
	Action       []string                       `json:"Action,omitempty"`
	NotAction    []string                       `json:"NotAction,omitempty"`
	Resource     []string                       `json:"Resource,omitempty"`
	NotResource  []string                       `json:"NotResource,omitempty"`
	Condition    map[string]map[string][]string `json:"Condition,omitempty"`
}

// readPolicyText reads a policy as IAM returns it: URL-encoded JSON.
func readPolicyText(text string) (policyDoc, error) {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return nil, fmt.Errorf("decode a policy: %w", err)
	}
	var doc any
	if err := json.Unmarshal([]byte(plain), &doc); err != nil {
		return nil, fmt.Errorf("read a policy: %w", err)
	}
	return readPolicyDoc(doc)
}

// readPolicyDoc reads a policy out of JSON or of a resolved template.
func readPolicyDoc(doc any) (policyDoc, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read a policy: it is a %T", doc)
	}
	list, many := m["Statement"].([]any)
	if !many {
		list = []any{m["Statement"]}
	}
	var out policyDoc
	for i, item := range list {
		s, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read a policy: statement %d is a %T", i+1, item)
		}
		sid, _ := s["Sid"].(string)
		effect, _ := s["Effect"].(string)
		st := policyStatement{Sid: sid, Effect: effect, Principal: principals(s["Principal"]), NotPrincipal: principals(s["NotPrincipal"]), Action: textList(s["Action"]),
			NotAction: textList(s["NotAction"]), Resource: textList(s["Resource"]), NotResource: textList(s["NotResource"])}
		conditions, _ := s["Condition"].(map[string]any)
		for operator, keys := range conditions {
			if st.Condition == nil {
				st.Condition = map[string]map[string][]string{}
			}
			st.Condition[operator] = map[string][]string{}
			byKey, _ := keys.(map[string]any)
			for key, v := range byKey {
				st.Condition[operator][key] = textList(v)
			}
		}
		out = append(out, st)
	}
	return out, nil
}

// principals are by kind; "*" alone is everybody.
func principals(v any) map[string][]string {
	switch x := v.(type) {
	case string:
		return map[string][]string{"AWS": {x}}
	case map[string]any:
		out := map[string][]string{}
		for kind, who := range x {
			out[kind] = textList(who)
		}
		return out
	}
	return nil
}

func textList(v any) []string {
	var out []string
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		for _, item := range x {
			out = append(out, fmt.Sprint(item))
		}
	case []string:
		out = append(out, x...)
	default:
		out = append(out, fmt.Sprint(x))
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// json is the statement for people to read and copy.
func (s policyStatement) json() string {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "" // texts always marshal
	}
	return string(b)
}

// meaning is what two statements that do the same have in common.
func (s policyStatement) meaningOf() string {
	s.Sid = ""
	return s.json()
}

// compare says which statements of a policy are not as they should be, by their sid.
func (want policyDoc) compare(place string, have policyDoc) []models.RoleDifference {
	left := slices.Clone(have)
	var missing policyDoc
	for _, w := range want {
		if i := slices.IndexFunc(left, func(h policyStatement) bool { return h.meaningOf() == w.meaningOf() }); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			missing = append(missing, w)
		}
	}
	var out []models.RoleDifference
	for _, w := range missing {
		d := models.RoleDifference{Place: place, Sid: w.Sid, Want: w.json()}
		if i := slices.IndexFunc(left, func(h policyStatement) bool { return h.Sid == w.Sid && w.Sid != "" }); i >= 0 {
			d.Have = left[i].json()
			left = slices.Delete(left, i, i+1)
		}
		out = append(out, d)
	}
	for _, h := range left {
		out = append(out, models.RoleDifference{Place: place, Sid: h.Sid, Have: h.json()})
	}
	return out
}

// granting finds the statement that grants a row: what is added back when the action was lost, cut down to that action.
func (want policyDoc) granting(action, resource string, with facts) (policyStatement, bool) {
	for _, s := range want {
		if s.Effect != "Allow" || !slices.ContainsFunc(s.Action, func(p string) bool { return likePolicy(strings.ToLower(p), strings.ToLower(action)) }) ||
			!slices.ContainsFunc(s.Resource, func(p string) bool { return likePolicy(p, resource) }) || !s.asks(with) {
			continue
		}
		s.Sid, s.Action = "", []string{action} // a policy refuses a sid that it has already
		return s, true
	}
	return policyStatement{}, false
}

// asks tells whether the call brings all keys along that the statement's conditions need.
func (s policyStatement) asks(with facts) bool {
	for operator, keys := range s.Condition {
		if strings.HasSuffix(operator, "IfExists") || operator == "Null" {
			continue
		}
		for key := range keys {
			if _, ok := with[key]; !ok && key != regionKey {
				return false
			}
		}
	}
	return true
}

// regionKey is brought along by every call.
const regionKey = "aws:RequestedRegion"

// likePolicy matches as IAM does: * for any run, ? for one character. Slashes and brackets are characters like any other.
func likePolicy(pattern, text string) bool {
	plain := strings.NewReplacer("/", "\x00", "[", "\x01", "]", "\x02", `\`, "\x03")
	ok, err := path.Match(plain.Replace(pattern), plain.Replace(text))
	return err == nil && ok
}
