//go:build !race

package blueprint

const slower = 1
