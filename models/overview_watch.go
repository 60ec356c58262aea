package models

// EnvironmentWatch is what the home page says of environments: those that broke, those that end within seven days, those that
// drifted and were not accepted. Each list is short, the counts are of all that the reader may see.
type EnvironmentWatch struct {
	Broken      []EnvironmentRow // changed last first, at most 5
	BrokenAll   int
	Expiring    []EnvironmentRow // next end first, at most 5; hibernated ones are past it
	ExpiringAll int
	Drifted     []EnvironmentRow // most drifted first, at most 5
	DriftedAll  int
}
