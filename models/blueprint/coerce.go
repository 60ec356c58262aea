package blueprint

import "strconv"

// coerce gives scalars the type the schema asks for, as CloudFormation does: a parameter is
// text, also where a number is meant. What does not fit stays as it is, for Check to tell.
func (s TypeSchema) coerce(sh *shape, v any) any {
	if sh == nil || IsUnknown(v) && sh.Kind != "array" && sh.Kind != "map" && sh.Kind != "ref" {
		return v
	}
	switch sh.Kind {
	case "string", "date-time":
		if text, ok := scalarText(v); ok {
			return text
		}
	case "integer":
		if text, ok := v.(string); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n
			}
		}
	case "number":
		if text, ok := v.(string); ok {
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				return n
			}
		}
	case "boolean":
		switch v {
		case "true":
			return true
		case "false":
			return false
		}
	case "array", "map", "ref", "tag":
		return s.coerceParts(sh, v)
	}
	return v
}

func (s TypeSchema) coerceParts(sh *shape, v any) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = s.coerce(sh.Elem, x[i])
		}
	case map[string]any:
		for k := range x {
			switch sh.Kind {
			case "ref":
				x[k] = s.coerce(s.svc.Types[sh.Ref].Properties[k].Shape, x[k])
			case "map":
				x[k] = s.coerce(sh.Elem, x[k])
			case "tag":
				x[k] = s.coerce(&shape{Kind: "string"}, x[k])
			}
		}
	}
	return v
}
