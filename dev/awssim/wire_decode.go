package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// decodeForm reads Action and the members of a query-protocol form.
func decodeForm(r *http.Request, body []byte, ec2 bool) (op string, tree map[string]any, err error) {
	form := r.URL.Query()
	if len(body) > 0 {
		if form, err = url.ParseQuery(string(body)); err != nil {
			return "", nil, refuse(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error: %v", err)
		}
	}
	for name, values := range form {
		if len(values) != 1 {
			return "", nil, invalid("The parameter %s may be given only once.", name)
		}
	}
	op = form.Get("Action")
	if op == "" {
		return "", nil, refuse(http.StatusBadRequest, "MissingAction", "The request is missing an action or a required parameter.")
	}
	form.Del("Action")
	form.Del("Version")
	root := map[string]any{}
	for name, values := range form {
		if err := plant(root, strings.Split(name, "."), values[0]); err != nil {
			return op, nil, err
		}
	}
	t, err := collapse(root, ec2)
	if err != nil {
		return op, nil, err
	}
	tree, ok := t.(map[string]any)
	if !ok {
		return op, nil, invalid("The request has no named parameters.")
	}
	return op, tree, nil
}

// plant hangs one dotted form name into the tree.
func plant(root map[string]any, path []string, value string) error {
	if len(path) > 16 {
		return invalid("The parameter %s is nested too deeply.", strings.Join(path, "."))
	}
	cur := root
	for _, p := range path[:len(path)-1] {
		next, ok := cur[p].(map[string]any)
		if !ok {
			if cur[p] != nil {
				return invalid("The parameter %s is both a value and a structure.", p)
			}
			next = map[string]any{}
			cur[p] = next
		}
		cur = next
	}
	last := path[len(path)-1]
	if cur[last] != nil {
		return invalid("The parameter %s is both a value and a structure.", last)
	}
	cur[last] = value
	return nil
}

// collapse turns member.N (query) and bare N (ec2) into lists, entry.N.key/value into maps.
func collapse(t any, ec2 bool) (any, error) {
	m, ok := t.(map[string]any)
	if !ok {
		return t, nil
	}
	if ec2 {
		if idx, ok := indexes(m); ok {
			return list(m, idx, ec2)
		}
	} else if len(m) == 1 {
		if inner, ok := m["member"].(map[string]any); ok {
			if idx, ok := indexes(inner); ok {
				return list(inner, idx, ec2)
			}
		}
		if inner, ok := m["entry"].(map[string]any); ok {
			if idx, ok := indexes(inner); ok {
				return entries(inner, idx)
			}
		}
	}
	for k, v := range m {
		c, err := collapse(v, ec2)
		if err != nil {
			return nil, err
		}
		m[k] = c
	}
	return m, nil
}

func indexes(m map[string]any) ([]int, bool) {
	if len(m) == 0 {
		return nil, false
	}
	idx := make([]int, 0, len(m))
	for k := range m {
		n, err := strconv.Atoi(k)
		if err != nil || n < 1 || strconv.Itoa(n) != k {
			return nil, false
		}
		idx = append(idx, n)
	}
	sort.Ints(idx)
	return idx, true
}

func list(m map[string]any, idx []int, ec2 bool) (any, error) {
	l := make([]any, 0, len(idx))
	for _, i := range idx {
		v, err := collapse(m[strconv.Itoa(i)], ec2)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	return l, nil
}

func entries(m map[string]any, idx []int) (any, error) {
	r := map[string]any{}
	for _, i := range idx {
		e, ok := m[strconv.Itoa(i)].(map[string]any)
		if !ok {
			return nil, invalid("Map entries need a key and a value.")
		}
		k, ok := e["key"].(string)
		if !ok || len(e) != 2 {
			return nil, invalid("Map entries need a key and a value.")
		}
		v, err := collapse(e["value"], false)
		if err != nil {
			return nil, err
		}
		r[k] = v
	}
	return r, nil
}

// decodeJSON reads an object; an empty body is an empty object.
func decodeJSON(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "The request is not a JSON object: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "The request holds more than one JSON value.")
	}
	if m == nil {
		m = map[string]any{}
	}
	return m, nil
}

// decodeXML reads a document whose leaves are text. lists names the elements that may be
// repeated, each with the member their list is; a list inside an element of its own is given
// the name of that element.
func decodeXML(body []byte, lists map[string]string) (name string, tree any, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return "", nil, fmt.Errorf("read XML: %w", err)
		}
		if start, ok := t.(xml.StartElement); ok {
			tree, err := xmlTree(d, lists, 0)
			return start.Name.Local, tree, err
		}
	}
}

func xmlTree(d *xml.Decoder, lists map[string]string, depth int) (any, error) {
	if depth > 16 {
		return nil, errors.New("nested too deeply")
	}
	var text strings.Builder
	m := map[string]any{}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := xmlTree(d, lists, depth+1)
			if err != nil {
				return nil, err
			}
			name := t.Name.Local
			if list, ok := lists[name]; ok {
				have, _ := m[list].([]any)
				m[list] = append(have, v)
				continue
			}
			if _, twice := m[name]; twice {
				return nil, fmt.Errorf("element %s is repeated", name)
			}
			m[name] = v
			if inner, ok := v.(map[string]any); ok && len(inner) == 1 {
				if list, ok := inner[name].([]any); ok { // <Changes><Change/><Change/></Changes>: the wrapper is the member
					m[name] = list
				}
			}
		case xml.EndElement:
			if len(m) > 0 {
				return m, nil
			}
			return text.String(), nil
		}
	}
}
