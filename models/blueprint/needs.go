package blueprint

import "fmt"

// Needs are what CloudFormation must be allowed to do for all blueprints of a report together: each permission once, with the first
// resource that needs it. What cannot be read is refused elsewhere and needs nothing.
func (r Report) Needs() ([]Need, error) {
	seen := map[string]bool{}
	var out []Need
	for _, f := range r.Folders {
		if f.Content.Digest == "" {
			continue
		}
		t, err := Parse(f.Content.Template)
		if err != nil {
			return nil, fmt.Errorf("read the template of %s: %w", f.Content.Ref(), err)
		}
		for _, n := range IAMActions(t) {
			if key := n.Action + " " + n.PassedTo; !seen[key] {
				seen[key] = true
				n.Resource = n.Resource + " of " + f.Content.Name
				out = append(out, n)
			}
		}
	}
	return out, nil
}
