package provisioners_test

import (
	"context"
	"testing"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// A creation that AWS puts off is not lost, however long that takes: each call was answered and made nothing.
func TestCreationThatAWSPutsOffIsMadeLater(t *testing.T) {
	t.Parallel()
	v := newVendor()
	h := newVendHouse(t, v, 1)
	tries := 0
	h.engine = h.newEngine(func(o *provisioners.EngineOptions) {
		o.Vendor, o.Provisioners, o.Lease = putsOff{v}, h.engine.Provisioners, time.Hour
		o.Clock = &later{ahead: func() time.Duration { tries++; return time.Duration(tries) * time.Minute }}
	})
	request := h.order("late")
	h.drive(request, models.Succeeded, models.Failed)
	if outcome := get[string](h, `SELECT outcome FROM creation_slots`); outcome != "created" || len(v.calls) != 1 {
		t.Errorf("slot ended as %q after %d calls", outcome, len(v.calls))
	}
}

// putsOff answers "not now" for half an hour.
type putsOff struct{ *vendor }

func (p putsOff) Start(ctx context.Context, g provisioners.Vending) (provisioners.Creation, error) {
	if g.PutOff < 30*time.Minute {
		return provisioners.Creation{}, provisioners.Wait{For: "AWS", Words: "AWS to allow another account creation", Delay: time.Millisecond}
	}
	return p.vendor.Start(ctx, g)
}
