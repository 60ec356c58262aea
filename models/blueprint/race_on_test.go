//go:build race

package blueprint

// slower is how much longer things take with the race detector.
const slower = 8
