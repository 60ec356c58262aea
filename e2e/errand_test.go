package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// errand is one request on its way through the product's forms: sent, decided, and run to its end, whatever dies in between.
type errand struct {
	kind  string // of the request
	key   string // that its form is sent under, again after every crash
	send  func(key string)
	judge func() *script
}

// carry takes an errand to its good end; tick is called between any two looks, and may kill.
func (w *world) carry(e errand, tick func()) {
	w.t.Helper()
	began := time.Now()
	deadline := began.Add(walkTime)
	for state := ""; state != "succeeded"; state = w.asked(e, "state") {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s %s is %q after %s\n%s", e.kind, e.key, state, walkTime, w.story(e))
		}
		tick()
		switch {
		case state == "":
			e.send(e.key)
		case state == "awaiting_approval":
			e.judge().tryApprove(w.asked(e, "id"))
			w.pause()
		case slices.Contains([]string{"failed", "rejected", "cancelled", "plan_failed", "no_change"}, state):
			w.t.Fatalf("%s %s is %s: %s\n%s", e.kind, e.key, state, w.asked(e, "reason"), w.story(e))
		default:
			w.pause()
		}
	}
	w.t.Logf("%s %s took %s", e.kind, e.key, time.Since(began).Round(time.Millisecond))
}

// asked reads one column of an errand's request; empty while there is none.
func (w *world) asked(e errand, column string) string {
	w.t.Helper()
	return w.ask(`SELECT `+column+`::text FROM requests WHERE kind = $1 AND idempotency_key = $2`, e.kind, e.key)
}

// story is how far an errand's steps are.
func (w *world) story(e errand) string {
	return w.ask(`SELECT string_agg(s.position || ' ' || s.name || ' ' || s.state || ' tries ' || s.tries || ' ' || coalesce(s.failure::text, '') || coalesce(s.waiting::text, ''), E'\n' ORDER BY s.position)
		FROM steps s JOIN requests q ON q.run_id = s.run_id WHERE q.kind = $1 AND q.idempotency_key = $2`, e.kind, e.key)
}

// progress changes with everything the journal writes about an errand.
func (w *world) progress(e errand) string {
	return w.ask(`SELECT q.state || ' ' || coalesce((SELECT string_agg(s.state || s.tries || s.intent, ',' ORDER BY s.position) FROM steps s WHERE s.run_id = q.run_id), '')
		|| ' ' || coalesce((SELECT string_agg(j.generation || ':' || j.next_at, ',') FROM journal j WHERE j.object_id IN (q.id, q.run_id)), '')
		FROM requests q WHERE q.kind = $1 AND q.idempotency_key = $2`, e.kind, e.key)
}

// trySend opens a page and sends the form in it that holds the marker. A server that is down, or has just come up, is asked again.
func (s *script) trySend(path, marker, key string, form url.Values) answer {
	page := s.get(path)
	switch {
	case page.status >= 400 && page.status < 500:
		s.t.Fatalf("%s: %d\n%s", path, page.status, clip(page.body, 1500))
	case page.status != 200:
		return page
	}
	form.Set("_key", key)
	a := s.submit(page, marker, form)
	if a.status >= 400 {
		s.t.Fatalf("%s was refused: %d\n%s", path, a.status, said(a.body))
	}
	return a
}

// said is what a refused form says beside its fields.
func said(body string) string {
	var words []string
	for _, part := range strings.Split(body, `class="s-err`)[1:] {
		words = append(words, clip(part, 300))
	}
	return fmt.Sprintf("%s\n%s", strings.Join(words, "\n"), clip(body, 1500))
}
