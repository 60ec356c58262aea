package aws

import (
	"context"
	"errors"

	"slipway/models"
)

// skewCodes are what AWS says when Slipway's clock is off.
var skewCodes = map[string]bool{"RequestTimeTooSkewed": true, "SignatureDoesNotMatch": true, "InvalidSignatureException": true}

// Gap is what the error means for whoever looks at figures.
func (e *CallError) Gap() models.ReadGap {
	m := e.meaning()
	g := models.ReadGap{Words: e.cause() + " " + e.fill(m.next)}
	switch {
	case skewCodes[e.Code]:
		g.Kind = models.GapSkewed
	case m.what == forbidden.what || m.what == stranger.what:
		g.Kind, g.Permission = models.GapDenied, e.action()
	case m.what == throttled.what:
		g.Kind = models.GapThrottled
	case e.Code == "" || e.Status >= 500 || m.verdict != final:
		g.Kind = models.GapUnavailable
	default:
		g.Kind = models.GapAbsent
	}
	return g
}

// gap is what an error of a part of a reading means; nil without one. An error that AWS did not give is not a gap: ok is false.
func gap(what string, err error) (g models.ReadGap, ok bool) {
	var e *CallError
	if !errors.As(err, &e) {
		return g, false
	}
	g = e.Gap()
	g.What = what
	return g, true
}

// answerGap is gap for a reading of one service, and also says when that did not answer in time.
func answerGap(what, service string, err error) (models.ReadGap, bool) {
	g, ok := gap(what, err)
	if !ok && errors.Is(err, context.DeadlineExceeded) {
		return models.ReadGap{What: what, Kind: models.GapUnavailable, Words: service + " did not answer in time."}, true
	}
	return g, ok
}
