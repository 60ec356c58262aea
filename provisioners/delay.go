package provisioners

import (
	"math/rand/v2"
	"strings"
	"time"
)

// delays is the one table of how long to wait before looking again, by the step name's beginning; the last value repeats.
var delays = []struct {
	prefix string
	looks  []time.Duration
}{
	{"account.create", seconds(2, 3, 5, 5, 10, 15, 30)},
	{"account.access", seconds(3, 5, 5, 10, 15)},
	{"account.manual", ofPeople},
	{"account.detach", ofPeople},
	{"account.baseline", seconds(2, 2, 3, 5, 5, 10)},
	{"network.stack", ofStacks},
	{"zone.stack", ofStacks},
	{"service.stack", ofStacks},
	{"environment.stack", ofStacks},
	{"plan", seconds(1, 2, 2, 3, 3, 5)},
	{"vend", seconds(3, 5, 5, 10, 15, 30)},
	{"drift", seconds(3, 5, 10, 15, 30)},
	{"lock", seconds(5)},
	{"slot", seconds(5, 5, 10)},
	{"", seconds(1, 2, 3, 5, 10, 15, 30)},
}

// ofStacks looks often in the first half minute, when things appear, and then as often as AWS lets many stacks be looked at.
var ofStacks = seconds(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 10)

// ofPeople looks often while somebody may be at it right now.
var ofPeople = seconds(5, 5, 10, 10, 15, 30, 60)

func seconds(n ...int) []time.Duration {
	d := make([]time.Duration, len(n))
	for i, s := range n {
		d[i] = time.Duration(s) * time.Second
	}
	return d
}

// delay is the wait before look number n (from 0) of a step.
func (e *Engine) delay(step string, n int) time.Duration {
	for _, row := range delays {
		if strings.HasPrefix(step, row.prefix) {
			return e.scale(row.looks[min(n, len(row.looks)-1)])
		}
	}
	return e.scale(time.Second)
}

// backOff is the wait after error number n (from 0): doubling from one second to a minute, with a fifth of jitter.
func (e *Engine) backOff(n int) time.Duration {
	d := min(time.Second<<min(n, 6), time.Minute)
	return e.scale(time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())))
}

func (e *Engine) scale(d time.Duration) time.Duration { return time.Duration(float64(d) * e.Pace) }
