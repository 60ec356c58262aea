package web

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFixedSegmentsComeFirst: whatever else is in the table and however it was passed, a fixed segment is asked before a parameter.
func TestFixedSegmentsComeFirst(t *testing.T) {
	paths := []string{"/tenants", "/tenants/new", "/tenants/:tenant", "/tenants/:tenant/edit", "/tenants/:tenant/accounts/:class", "/tenants/:tenant/accounts/:class/move", "/tenants/:tenant/accounts/new",
		"/requests/:id", "/dev/idp/*", "/static/:name"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		var table []Route
		for _, p := range paths {
			table = append(table, Route{Path: p})
		}
		var order []string
		for _, r := range inOrder(table) {
			order = append(order, r.Path)
		}
		at := func(path string) int { return slices.Index(order, path) }
		if at("/tenants/new") > at("/tenants/:tenant") || at("/tenants/:tenant/accounts/new") > at("/tenants/:tenant/accounts/:class") {
			t.Fatalf("%v became %v", paths, order)
		}
	}
}
