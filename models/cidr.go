package models

import (
	"fmt"
	"net/netip"
)

// NextCIDR is the lowest block of a size within a pool that overlaps none that is held; empty when there is none. Blocks are IPv4.
func NextCIDR(pool string, size int, held []string) (string, error) {
	whole, err := netip.ParsePrefix(pool)
	if err != nil || !whole.Addr().Is4() || size < whole.Bits() || size > 28 {
		return "", fmt.Errorf("pool %s cannot hold blocks of /%d", pool, size)
	}
	taken := make([]netip.Prefix, 0, len(held))
	for _, h := range held {
		p, err := netip.ParsePrefix(h)
		if err != nil {
			return "", fmt.Errorf("held block %s: %w", h, err)
		}
		taken = append(taken, p.Masked())
	}
	base := toNumber(whole.Masked().Addr())
	step := uint64(1) << (32 - size)
	end := base + uint64(1)<<(32-whole.Bits())
	for at := base; at < end; {
		candidate := netip.PrefixFrom(toAddr(at), size)
		next := at + step
		free := true
		for _, t := range taken {
			if t.Overlaps(candidate) {
				free = false
				if over := toNumber(t.Addr()) + uint64(1)<<(32-t.Bits()); over > next { // a larger block: pass all of it
					next = (over + step - 1) / step * step
				}
			}
		}
		if free {
			return candidate.String(), nil
		}
		at = next
	}
	return "", nil
}

func toNumber(a netip.Addr) uint64 {
	b := a.As4()
	return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
}

func toAddr(n uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// ValidPool says what is wrong with a pool of addresses, by form field.
func ValidPool(p CIDRPool, regions []string) error {
	bad := map[string]string{}
	if msg := oneOfWords(p.Region, regions, "Choose one of the allowed regions."); msg != "" {
		bad["region"] = msg
	}
	block, err := netip.ParsePrefix(p.Block)
	switch {
	case err != nil || !block.Addr().Is4():
		bad["block"] = "Give a block of IPv4 addresses, like 10.64.0.0/12."
	case block != block.Masked():
		bad["block"] = fmt.Sprintf("%s has host bits set. The block is %s.", p.Block, block.Masked())
	case !block.Addr().IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(block.Addr()):
		bad["block"] = "Only private addresses can be used: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10."
	case p.Size < 16 || p.Size > 24:
		bad["size"] = "A network takes a /16 to a /24."
	case block.Bits() > p.Size:
		bad["size"] = fmt.Sprintf("The block is a /%d and cannot hold a network of /%d.", block.Bits(), p.Size)
	}
	if msg := textField(p.Note, 0, 200, ""); msg != "" {
		bad["note"] = msg
	}
	return InvalidFields(bad)
}
