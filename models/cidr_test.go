package models

import "testing"

func TestNextCIDR(t *testing.T) {
	for name, tc := range map[string]struct {
		pool string
		size int
		held []string
		want string
	}{
		"empty pool":           {"10.0.0.0/16", 20, nil, "10.0.0.0/20"},
		"first is held":        {"10.0.0.0/16", 20, []string{"10.0.0.0/20"}, "10.0.16.0/20"},
		"a gap":                {"10.0.0.0/16", 20, []string{"10.0.0.0/20", "10.0.32.0/20"}, "10.0.16.0/20"},
		"a larger block":       {"10.0.0.0/16", 20, []string{"10.0.0.0/18"}, "10.0.64.0/20"},
		"smaller blocks":       {"10.0.0.0/16", 20, []string{"10.0.1.0/24", "10.0.17.0/24"}, "10.0.32.0/20"},
		"full":                 {"10.0.0.0/23", 24, []string{"10.0.0.0/24", "10.0.1.0/24"}, ""},
		"as large as the pool": {"10.0.0.0/20", 20, nil, "10.0.0.0/20"},
		"the end of addresses": {"255.255.255.0/24", 24, []string{"255.255.255.0/24"}, ""},
	} {
		got, err := NextCIDR(tc.pool, tc.size, tc.held)
		if err != nil || got != tc.want {
			t.Errorf("%s: got %q, want %q: %v", name, got, tc.want, err)
		}
	}
	for _, pool := range []string{"", "10.0.0.0", "fd00::/48", "10.0.0.0/24"} {
		if got, err := NextCIDR(pool, 20, nil); err == nil {
			t.Errorf("pool %q gave %q", pool, got)
		}
	}
}
