package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Root is the document that Backstage is pointed to: a Location for each of the others, by addresses that are relative to its own, so that
// no token is written into it.
func (a Addresses) Root(index Index) []Entity {
	all := []Entity{location("slipway-groups", "Groups of Slipway's tenants", "./groups.yaml")}
	for _, b := range index.People {
		all = append(all, location("slipway-people-"+b, "People of Slipway, part "+b, "./people/"+b+".yaml"))
	}
	for _, slug := range index.Tenants {
		all = append(all, location(Name("location/"+slug, "slipway-tenant-"+slug), "Slipway's tenant "+slug, "./tenants/"+slug+".yaml"))
	}
	return all
}

func location(name, title, target string) Entity {
	return Entity{apiVersion, "Location", Metadata{Name: name, Title: title}, locationSpec{Targets: []string{target}}}
}

// GroupsFile is the document of all groups; the platform's is always in it.
func (a Addresses) GroupsFile(groups []Group) []Entity {
	all := []Entity{a.Platform()}
	for _, g := range groups {
		all = append(all, a.Group(g))
	}
	return all
}

// PeopleFile is the document of some people.
func (a Addresses) PeopleFile(people []Person) []Entity {
	var all []Entity
	for _, p := range people {
		all = append(all, a.User(p))
	}
	return all
}

// TenantFile is the document of a tenant.
func (a Addresses) TenantFile(f File) []Entity {
	all := []Entity{a.System(f.Tenant)}
	for _, x := range f.Accounts {
		all = append(all, a.Account(x))
	}
	for _, x := range f.Networks {
		all = append(all, a.Network(x))
	}
	for _, x := range f.Environments {
		all = append(all, a.Environment(x))
	}
	for _, x := range f.Services {
		all = append(all, a.Component(x))
	}
	for _, x := range f.Pipelines {
		all = append(all, a.Pipeline(x))
	}
	return all
}

// YAML renders entities as one document each. No entity at all is an error: Backstage takes an empty answer for the order to delete
// everything it had from there.
func YAML(all []Entity) ([]byte, error) {
	if len(all) == 0 {
		return nil, errors.New("a catalogue document without an entity must not be sent")
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	for _, e := range all {
		node, err := node(e)
		if err != nil {
			return nil, fmt.Errorf("render %s %s: %w", e.Kind, e.Metadata.Name, err)
		}
		if err := enc.Encode(node); err != nil {
			return nil, fmt.Errorf("render %s %s: %w", e.Kind, e.Metadata.Name, err)
		}
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("render the catalogue: %w", err)
	}
	return out.Bytes(), nil
}

// node is an entity as YAML, with every text in double quotes: what another reader takes for a number, a date, a tag or an anchor is then
// none. JSON says the order of fields and what is left out, for both forms.
func node(e Entity) (*yaml.Node, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := next(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one value: %v", err)
	}
	return n, nil
}

var errEnd = errors.New("end of a list or object")

func next(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: t}, nil
	case json.Delim:
		return collection(d, t)
	}
	return nil, fmt.Errorf("entities hold texts, lists and objects, not %v", token)
}

func collection(d *json.Decoder, open json.Delim) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	switch open {
	case '{':
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	case '}', ']':
		return nil, errEnd
	}
	for {
		child, err := next(d)
		if errors.Is(err, errEnd) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n.Kind == yaml.MappingNode && len(n.Content)%2 == 0 {
			child.Style = 0 // a key of ours
		}
		n.Content = append(n.Content, child)
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n, nil
}
