package urls

// Addresses of what is read in all accounts again and again.
const (
	Collectors   = "/admin/collectors"
	RunCollector = "/admin/collectors/run"
)

func collectorLinks() []Link { return []Link{{"GET", Collectors}, {"POST", RunCollector}} }
