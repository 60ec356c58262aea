package notify

import (
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// platformServices are public addresses that lead inside of a cloud all the same.
var platformServices = []netip.Prefix{netip.MustParsePrefix("168.63.129.16/32")}

// refusedError says that the guard did not let a webhook connect.
type refusedError struct{ address string }

func (e *refusedError) Error() string {
	return fmt.Sprintf("It leads to %s, which is not a public address. An admin may allow its network.", e.address)
}

// guardOf makes a dialer's control function: it is asked with the very address that is about to be connected to, after every
// resolution. Public addresses pass, and those of the allowed networks; loopback, private, link-local, shared, multicast, reserved and
// unspecified ones do not, nor the IPv6 forms that carry an IPv4 address.
func guardOf(allowed []netip.Prefix) func(network, address string, c syscall.RawConn) error {
	var v4, v6 []netip.Prefix
	for _, p := range allowed {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	g := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...), ssrf.WithDeniedV4Prefixes(platformServices...))
	return func(network, address string, c syscall.RawConn) error {
		if err := g.Safe(network, address, c); err != nil {
			return &refusedError{address}
		}
		return nil
	}
}
