package blueprint

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
)

func (r *resolver) findInMap(args []any) (any, error) {
	if len(args) < 3 || len(args) > 4 {
		return nil, fmt.Errorf("function FindInMap takes a mapping and two keys")
	}
	var keys [3]string
	for i := range keys {
		var ok bool
		if keys[i], ok = scalarText(args[i]); !ok {
			return nil, fmt.Errorf("function FindInMap takes texts")
		}
		if IsUnknown(keys[i]) {
			return nil, fmt.Errorf("function FindInMap may not depend on what is known only later")
		}
	}
	if v, ok := r.t.mappings[keys[0]][keys[1]][keys[2]]; ok {
		return r.eval(v)
	}
	if len(args) == 4 {
		if m, ok := args[3].(map[string]any); ok {
			if v, ok := m["DefaultValue"]; ok {
				return v, nil
			}
		}
	}
	return nil, fmt.Errorf("mapping %s has no %s, %s", keys[0], keys[1], keys[2])
}

// zones are the first three availability zones of a region. Accounts see up to six under
// these names, and every region has at least three.
func (r *resolver) zones(region string) (any, error) {
	if region == "" {
		region = r.in.Region
	}
	if region == "" {
		return Unknown("AWS::Region"), nil
	}
	return []any{region + "a", region + "b", region + "c"}, nil
}

const maxCIDRs = 256

// cidr cuts count blocks of size bits out of an address block.
func (r *resolver) cidr(args []any) (any, error) {
	if len(args) < 2 || len(args) > 3 {
		return nil, fmt.Errorf("function Cidr takes an address block, a count and a size")
	}
	block, ok := args[0].(string)
	if ok && IsUnknown(block) {
		return block, nil
	}
	text, _ := scalarText(args[1])
	count, err := strconv.Atoi(text)
	if !ok || err != nil || count < 1 || count > maxCIDRs {
		return nil, fmt.Errorf("function Cidr takes an address block and a count of 1 to %d", maxCIDRs)
	}
	p, err := netip.ParsePrefix(block)
	if err != nil {
		return nil, fmt.Errorf("function Cidr: %w", err)
	}
	p = p.Masked()
	width, size := p.Addr().BitLen(), 64
	if width == 32 {
		size = width - p.Bits() // the whole block, unless a size is given
	}
	if len(args) == 3 {
		text, _ := scalarText(args[2])
		if size, err = strconv.Atoi(text); err != nil || size < 1 {
			return nil, fmt.Errorf("function Cidr takes its size as a number of bits")
		}
	}
	if size > width-p.Bits() {
		return nil, fmt.Errorf("function Cidr: %s has no block of %d bits", block, size)
	}
	if room := width - p.Bits() - size; room < 9 && count > 1<<room {
		return nil, fmt.Errorf("function Cidr: %s has no room for %d blocks of %d bits", block, count, size)
	}
	at := new(big.Int).SetBytes(p.Addr().AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(size))
	out := make([]any, 0, count)
	for range count {
		raw := at.FillBytes(make([]byte, width/8))
		addr, _ := netip.AddrFromSlice(raw)
		out = append(out, netip.PrefixFrom(addr, width-size).String())
		at.Add(at, step)
	}
	return out, nil
}

// order sorts resources so that what others need comes first; within that, as in the file.
func (r *resolver) order(skipped []string) ([]string, error) {
	needs := map[string][]string{}
	var ids []string
	for _, res := range r.t.Resources {
		if slices.Contains(skipped, res.ID) {
			continue
		}
		ids = append(ids, res.ID)
		for _, name := range append(r.mentions(res.properties), res.DependsOn...) {
			if _, ok := r.t.Resource(name); ok && !slices.Contains(skipped, name) {
				needs[res.ID] = append(needs[res.ID], name)
			}
		}
	}
	done := map[string]bool{}
	var order []string
	for len(order) < len(ids) {
		before := len(order)
		for _, id := range ids {
			if !done[id] && !slices.ContainsFunc(needs[id], func(n string) bool { return !done[n] }) {
				done[id] = true
				order = append(order, id)
			}
		}
		if len(order) == before {
			left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return done[id] })
			return nil, fmt.Errorf("circular dependency between resources: [%s]", oneOf(left))
		}
	}
	return order, nil
}

// mentions names what a value refers to, through the branches its conditions choose. r may
// be nil: then every branch counts.
func (r *resolver) mentions(v any) []string {
	var out []string
	switch x := v.(type) {
	case map[string]any:
		for _, c := range x {
			out = append(out, r.mentions(c)...)
		}
	case []any:
		for _, c := range x {
			out = append(out, r.mentions(c)...)
		}
	case call:
		if args, ok := x.arg.([]any); ok && r != nil && x.fn == "If" && len(args) == 3 {
			name, _ := args[0].(string)
			if r.conditions[name] {
				return r.mentions(args[1])
			}
			return r.mentions(args[2])
		}
		for _, use := range usesOf(x) {
			out = append(out, use.name)
		}
		if _, text := x.arg.(string); !text {
			out = append(out, r.mentions(x.arg)...)
		}
	}
	return out
}

// use is a name a function mentions; attr is empty for Ref.
type use struct{ name, attr string }

func usesOf(c call) []use {
	switch c.fn {
	case "Ref":
		if name, ok := c.arg.(string); ok {
			return []use{{name, ""}}
		}
	case "GetAtt":
		if args, ok := c.arg.([]any); ok && len(args) == 2 {
			name, ok1 := args[0].(string)
			attr, ok2 := args[1].(string)
			if ok1 && !ok2 {
				attr = "*" // computed: any
			}
			if ok1 {
				return []use{{name, attr}}
			}
		}
	case "Sub":
		return subUses(c.arg)
	}
	return nil
}
