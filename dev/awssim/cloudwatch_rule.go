package awssim

import (
	"strings"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarmRule reads ALARM("name"), OK(...), INSUFFICIENT_DATA(...), TRUE, FALSE with AND, OR,
// NOT and parentheses.
type alarmRule struct {
	text   string
	states map[string]alarmState
	names  []string
	depth  int
}

func (r *alarmRule) space() { r.text = strings.TrimLeft(r.text, " \t\r\n") }

func (r *alarmRule) take(word string) bool {
	r.space()
	if !strings.HasPrefix(r.text, word) {
		return false
	}
	r.text = r.text[len(word):]
	return true
}

func (r *alarmRule) either() (value, ok bool) {
	value, ok = r.both()
	for ok && r.take("OR") {
		var next bool
		next, ok = r.both()
		value = value || next
	}
	return value, ok
}

func (r *alarmRule) both() (value, ok bool) {
	value, ok = r.term()
	for ok && r.take("AND") {
		var next bool
		next, ok = r.term()
		value = value && next
	}
	return value, ok
}

func (r *alarmRule) term() (value, ok bool) {
	if r.depth++; r.depth > 500 {
		return false, false
	}
	switch {
	case r.take("NOT"):
		value, ok = r.term()
		return !value, ok
	case r.take("TRUE"):
		return true, true
	case r.take("FALSE"):
		return false, true
	case r.take("("):
		value, ok = r.either()
		return value, ok && r.take(")")
	}
	for word, state := range map[string]cwtypes.StateValue{"ALARM": cwtypes.StateValueAlarm, "OK": cwtypes.StateValueOk, "INSUFFICIENT_DATA": cwtypes.StateValueInsufficientData} {
		if !r.take(word) {
			continue
		}
		inside, rest, found := strings.Cut(r.text, ")")
		inside, opened := strings.CutPrefix(strings.TrimSpace(inside), "(")
		if !found || !opened {
			return false, false
		}
		r.text = rest
		name := strings.Trim(strings.TrimSpace(inside), `"'`)
		if strings.HasPrefix(name, "arn:") {
			_, name, _ = cutLast(name, ":")
		}
		r.names = append(r.names, name)
		s, known := r.states[name]
		return known && s.Value == state, true
	}
	return false, false
}
