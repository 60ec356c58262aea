package views

import (
	"time"

	"github.com/a-h/templ"

	"slipway/views/ui"
)

// workStories tell the work half of the platform page, in the frame it has there.
func workStories() []story {
	kept := []KeptRow{{"Sessions", "their end", "24 h", "A form that is posted too late still becomes a draft of its person."}, {"Step events of runs", "the end of the run", "90 days", "Run, steps and result stay."}, {"Counts of AWS calls", "their hour", "30 days", ""}}
	never := "audit entries and their seals, receipts"
	normal := PlatformWork{
		Queue: []WorkRow{{"Drift checks", "0", "1", "0", "0", "", false}, {"Plans", "2", "1", "0", "3", "1.4 s", false}, {"Runs", "1", "4", "0", "12", "0.8 s", false}}, Late: "1.4 s",
		Processes: []ProcessRow{{"slipway-7d9f/1/K2V4QW8Z", "all", "v1.4.0", ago(50 * time.Hour), ago(4 * time.Second), false}, {"slipway-9c1a/1/PLX01M3B", "web", "v1.4.0", ago(2 * time.Hour), ago(11 * time.Second), false}},
		Calls:     []CallsRow{{"2093-5571-8840", "payments-prod", "/tenants/payments", "12,480", "31", "0.2 %", false}, {"hub", "Slipway's own account", "", "4,016", "0", "0.0 %", false}, {"3333-3333-3333", "", "", "12", "0", "0.0 %", false}},
		Runs:      []OutcomeRow{{"Create tenant", "48", "96 %", "2", "12 m 40 s", "21 m 05 s", false}, {"Deploy to environment", "1,204", "99 %", "3", "2 m 08 s", "4 m 10 s", false}},
		Sweep:     SweepFacts{Started: ago(6 * time.Hour), Ended: ago(6 * time.Hour), Due: ui.In(now, now.Add(18*time.Hour)), Removed: []ui.Pair{{Label: "sessions", Value: "112"}, {Label: "step events of runs", Value: "18,400"}}},
		Kept:      kept, Never: never,
	}
	broken := normal
	broken.Late, broken.Stuck, broken.Sweep = "14 m 20 s", true, SweepFacts{Started: ago(3 * time.Hour), Removed: []ui.Pair{{Label: "sessions", Value: "1,000"}}}
	broken.Queue = []WorkRow{{"Runs", "31", "0", "7", "0", "14 m 20 s", true}}
	broken.Processes = []ProcessRow{{"slipway-7d9f/1/K2V4QW8Z", "worker", "v1.4.0", ago(50 * time.Hour), ago(14 * time.Minute), true}}
	broken.Calls = []CallsRow{{"2093-5571-8840", "payments-prod", "/tenants/payments", "9,000", "3,600", "40.0 %", true}}
	broken.Runs = []OutcomeRow{{"Create environment", "10", "0 %", "10", "", "", true}}
	wide := PlatformWork{
		Queue: []WorkRow{{long, "1,000,000", "1,000,000", "1,000,000", "1,000,000", "400 d 23 h", true}}, Late: "400 d 23 h", Stuck: true,
		Processes: []ProcessRow{{long, "worker", long, ago(0), ago(0), true}}, Calls: []CallsRow{{long, long + hostile, "/tenants/x", "1,000,000", "1,000,000", "100.0 %", true}},
		Runs: []OutcomeRow{{long, "1,000,000", "100 %", "1,000,000", "400 d 23 h", "400 d 23 h", true}}, Sweep: SweepFacts{Started: ago(0), Ended: ago(0), Due: ago(0), Removed: []ui.Pair{{Label: long, Value: "1,000,000"}}},
		Kept: []KeptRow{{long, long, long, long}}, Never: long,
	}
	in := func(name string, c templ.Component) story { return story{name, c} }
	return []story{in("fragment-work", PlatformWorkOf(normal)), in("fragment-work-empty", PlatformWorkOf(PlatformWork{Kept: kept, Never: never})), in("fragment-work-broken", PlatformWorkOf(broken)),
		in("fragment-work-long", PlatformWorkOf(wide)), in("fragment-work-bare", PlatformWorkOf(PlatformWork{}))}
}
