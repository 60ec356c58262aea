package awssim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// metricMath evaluates an expression over metrics at one moment: numbers and ids with + - * /,
// comparisons, parentheses, IF and FILL. Not a number stands for a moment without data.
type metricMath struct {
	text   string
	values map[string]float64
	depth  int
	err    error
}

func evaluate(expression string, values map[string]float64) (float64, error) {
	m := &metricMath{text: expression, values: values}
	v := m.compare()
	if m.space(); m.err == nil && m.text != "" {
		m.err = fmt.Errorf("%q is left over", m.text)
	}
	return v, m.err
}

func (m *metricMath) space() { m.text = strings.TrimLeft(m.text, " \t\r\n") }

func (m *metricMath) take(word string) bool {
	m.space()
	if m.err != nil || !strings.HasPrefix(m.text, word) {
		return false
	}
	m.text = m.text[len(word):]
	return true
}

func (m *metricMath) need(word string) {
	if !m.take(word) && m.err == nil {
		m.err = fmt.Errorf("%s is expected before %q", word, m.text)
	}
}

func (m *metricMath) compare() float64 {
	if m.depth++; m.depth > 200 {
		m.err = fmt.Errorf("the expression is too deep")
		return math.NaN()
	}
	defer func() { m.depth-- }()
	left := m.sum()
	for _, op := range []string{">=", "<=", "==", "!=", ">", "<"} {
		if !m.take(op) {
			continue
		}
		right := m.sum()
		if math.IsNaN(left) || math.IsNaN(right) {
			return math.NaN()
		}
		holds := map[string]bool{">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right, ">": left > right, "<": left < right}[op]
		if holds {
			return 1
		}
		return 0
	}
	return left
}

func (m *metricMath) sum() float64 {
	v := m.product()
	for {
		switch {
		case m.take("+"):
			v += m.product()
		case m.take("-"):
			v -= m.product()
		default:
			return v
		}
	}
}

func (m *metricMath) product() float64 {
	v := m.term()
	for {
		switch {
		case m.take("*"):
			v *= m.term()
		case m.take("/"):
			if by := m.term(); by == 0 {
				v = math.NaN() // CloudWatch gives no point there
			} else {
				v /= by
			}
		default:
			return v
		}
	}
}

func (m *metricMath) term() float64 {
	switch {
	case m.take("("):
		v := m.compare()
		m.need(")")
		return v
	case m.take("-"):
		return -m.term()
	}
	m.space()
	n := strings.IndexFunc(m.text, func(r rune) bool {
		return !(r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
	if n < 0 {
		n = len(m.text)
	}
	word := m.text[:n]
	m.text = m.text[n:]
	if v, err := strconv.ParseFloat(word, 64); err == nil {
		return v
	}
	if strings.HasPrefix(m.text, "(") {
		return m.call(word)
	}
	v, known := m.values[word]
	if !known && m.err == nil {
		m.err = fmt.Errorf("there is no %q", word)
	}
	return v
}

// call is a function; all its arguments are evaluated.
func (m *metricMath) call(name string) float64 {
	m.need("(")
	args := []float64{m.compare()}
	for m.take(",") {
		args = append(args, m.compare())
	}
	m.need(")")
	switch {
	case name == "IF" && len(args) == 3:
		switch {
		case math.IsNaN(args[0]):
			return math.NaN()
		case args[0] != 0:
			return args[1]
		}
		return args[2]
	case name == "FILL" && len(args) == 2:
		if math.IsNaN(args[0]) {
			return args[1]
		}
		return args[0]
	case name == "MAX" && len(args) > 1:
		for _, a := range args[1:] {
			args[0] = math.Max(args[0], a)
		}
		return args[0]
	}
	if m.err == nil {
		m.err = fmt.Errorf("the simulator plays no %s", name)
	}
	return math.NaN()
}
