package models

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	t.Parallel()
	deploying := &Rollout{State: "IN_PROGRESS", Began: noon.Add(-time.Minute)}
	sleeping := JudgeTasks("shop", "", 0, 0, nil, noon)
	for name, tc := range map[string]struct {
		got   Vital
		state Condition
		words string
	}{
		"a stack":                       {JudgeStack("slw", "UPDATE_COMPLETE", "", noon), Healthy, "The stack is as it should be"},
		"a stack that moves":            {JudgeStack("slw", "UPDATE_IN_PROGRESS", "", noon), Healthy, "CloudFormation works on the stack"},
		"a change that was rolled back": {JudgeStack("slw", "UPDATE_ROLLBACK_COMPLETE", "", noon), Healthy, "The last change of the stack was rolled back"},
		"a stack that is gone":          {JudgeStack("slw", "", "", noon), Failing, "The stack is gone"},
		"a stack that failed":           {JudgeStack("slw", "UPDATE_ROLLBACK_FAILED", "No such role.", noon), Failing, "The roll-back of the stack stopped: No such role"},
		"all tasks run":                 {JudgeTasks("shop", "", 4, 4, nil, noon), Healthy, "4 of 4 tasks run"},
		"some run":                      {JudgeTasks("shop", "", 2, 4, nil, noon), Degraded, "2 of 4 tasks run"},
		"none runs":                     {JudgeTasks("shop", "", 0, 1, nil, noon), Failing, "0 of 1 task runs"},
		"none should":                   {sleeping, Healthy, "no task should run"},
		"a deployment":                  {JudgeTasks("shop", "", 1, 2, deploying, noon), Healthy, "1 of 2 tasks run, a deployment is under way"},
		"one that takes too long":       {JudgeTasks("shop", "", 1, 2, &Rollout{State: "IN_PROGRESS", Began: noon.Add(-time.Hour)}, noon), Degraded, "1 of 2 tasks run"},
		"one that cannot start tasks":   {JudgeTasks("shop", "", 2, 2, &Rollout{State: "IN_PROGRESS", Began: noon, Failed: 3}, noon), Degraded, "2 of 2 tasks run, and the deployment cannot start its tasks: 3 have failed"},
		"the first that cannot":         {JudgeTasks("shop", "", 0, 2, &Rollout{State: "IN_PROGRESS", Began: noon, Failed: 1}, noon), Failing, "0 of 2 tasks run, and the deployment cannot start its tasks: 1 has failed"},
		"one that failed":               {JudgeTasks("shop", "", 2, 2, &Rollout{State: "FAILED", Began: noon}, noon), Degraded, "2 of 2 tasks run, and the deployment failed"},
		"targets":                       {JudgeTargets("shop", 2, 2, 0, nil), Healthy, "2 of 2 targets are healthy"},
		"a target that starts":          {JudgeTargets("shop", 0, 1, 1, nil), Healthy, "0 of 1 target is healthy"},
		"no healthy target":             {JudgeTargets("shop", 0, 2, 1, nil), Failing, "0 of 2 targets are healthy"},
		"one of two":                    {JudgeTargets("shop", 1, 2, 0, nil), Degraded, "1 of 2 targets are healthy"},
		"no target":                     {JudgeTargets("shop", 0, 0, 0, nil), NoData, "No target is registered"},
		"no target while it sleeps":     {JudgeTargets("shop", 0, 0, 0, &sleeping), Healthy, "no target is needed"},
		"an alarm":                      {JudgeAlarm(Alarm{Logical: "Latency", Words: "5 of 100 requests take long.", State: "ALARM"}), Degraded, "5 of 100 requests take long"},
		"an alarm without words":        {JudgeAlarm(Alarm{Logical: "Latency", State: "ALARM"}), Degraded, "The alarm Latency rings"},
		"an alarm on errors":            {JudgeAlarm(Alarm{Logical: "ErrorRate", Words: "Errors", State: "ALARM", Errors: true}), Failing, "Errors"},
		"a quiet alarm":                 {JudgeAlarm(Alarm{Logical: "Latency", State: "OK"}), Healthy, "Latency is quiet"},
		"an alarm without data":         {JudgeAlarm(Alarm{Logical: "Latency", State: "INSUFFICIENT_DATA"}), NoData, "Latency has no data yet"},
		"a certificate":                 {JudgeCertificate("C", "", "ISSUED", noon.AddDate(0, 0, 90), noon), Healthy, "The certificate is good until 24 February 2027"},
		"one that comes near its end":   {JudgeCertificate("C", "", "ISSUED", noon.AddDate(0, 0, 20), noon), Degraded, "The certificate expires in 20 days and was not renewed"},
		"one that is at it":             {JudgeCertificate("C", "", "ISSUED", noon.Add(30*time.Hour), noon), Failing, "The certificate expires in 1 day and was not renewed"},
		"one past it":                   {JudgeCertificate("C", "", "ISSUED", noon.Add(-time.Hour), noon), Failing, "The certificate has expired"},
		"one that is not proved":        {JudgeCertificate("C", "", "PENDING_VALIDATION", time.Time{}, noon), NoData, "The certificate is not proved yet"},
		"one that was revoked":          {JudgeCertificate("C", "", "VALIDATION_TIMED_OUT", time.Time{}, noon), Failing, "ACM says that the certificate is validation timed out"},
		"what is denied":                {GapVital(VitalAlarm, "", "", ReadGap{What: "its alarms", Kind: GapDenied, Permission: "cloudwatch:DescribeAlarms"}), Unread, "Slipway cannot read its alarms: cloudwatch:DescribeAlarms is missing"},
		"what is throttled":             {GapVital(VitalTasks, "", "", ReadGap{What: "its tasks", Kind: GapThrottled}), Unread, "Slipway cannot read its tasks: AWS asks to slow down"},
		"what is down":                  {GapVital(VitalTasks, "", "", ReadGap{What: "its tasks", Kind: GapUnavailable}), Unread, "Slipway cannot read its tasks: AWS does not answer"},
		"a clock that is off":           {GapVital(VitalTasks, "", "", ReadGap{What: "its tasks", Kind: GapSkewed}), Unread, "Slipway cannot read its tasks: its clock is off"},
	} {
		if tc.got.State != tc.state || tc.got.Words != tc.words {
			t.Errorf("%s: got %s %q, want %s %q", name, tc.got.State, tc.got.Words, tc.state, tc.words)
		}
	}
}

func TestAssess(t *testing.T) {
	t.Parallel()
	stack, tasks := JudgeStack("slw", "CREATE_COMPLETE", "", noon), JudgeTasks("shop", "", 2, 2, nil, noon)
	denied := GapVital(VitalAlarm, "", "", ReadGap{What: "its alarms", Kind: GapDenied})
	none := JudgeTasks("shop", "", 0, 2, nil, noon)
	latency := JudgeAlarm(Alarm{Logical: "Latency", Words: "Slow", State: "ALARM", Since: noon})
	quiet := JudgeAlarm(Alarm{Logical: "HighCpu", State: "OK"})
	waits := JudgeAlarm(Alarm{Logical: "HighCpu", State: "INSUFFICIENT_DATA"})
	for name, tc := range map[string]struct {
		vitals []Vital
		state  Condition
		reason string
		firm   bool
	}{
		"nothing":                        {nil, NoData, "Nothing of it could be looked at yet.", false},
		"all is well":                    {[]Vital{stack, tasks, quiet}, Healthy, "2 of 2 tasks run, its alarm is quiet", false},
		"a stack is all there is":        {[]Vital{stack}, Healthy, "Its stack is as it should be", false},
		"an alarm without data":          {[]Vital{stack, tasks, waits}, Healthy, "2 of 2 tasks run", false},
		"only alarms without data":       {[]Vital{waits}, NoData, "HighCpu has no data yet", false},
		"an alarm":                       {[]Vital{stack, latency, tasks}, Degraded, "Slow", true},
		"what is unread hides no alarm":  {[]Vital{denied, latency, tasks}, Degraded, "Slow", true},
		"what is unread is not well":     {[]Vital{tasks, stack, denied}, Unread, "Slipway cannot read its alarms: AWS refuses it", false},
		"tasks before alarms":            {[]Vital{latency, none, stack}, Failing, "0 of 2 tasks run, and 1 more", false},
		"all of it is unread":            {[]Vital{denied, GapVital(VitalStack, "", "", ReadGap{What: "its stack", Kind: GapDenied})}, Unread, "Slipway cannot read its stack: AWS refuses it, and 1 more", false},
		"two alarms, and one not at all": {[]Vital{latency, JudgeAlarm(Alarm{Logical: "X", Words: "More", State: "ALARM"}), quiet}, Degraded, "Slow, and 1 more", true},
	} {
		got := Assess(tc.vitals)
		if got.State != tc.state || got.Reason != tc.reason || got.Firm != tc.firm {
			t.Errorf("%s: got %s %q %v", name, got.State, got.Reason, got.Firm)
		}
	}
}

// TestCourse leads health through rounds of five minutes. Each letter is a round: h healthy, d degraded, f failing, u unknown, n no data; a
// capital is what an alarm of AWS says.
func TestCourse(t *testing.T) {
	t.Parallel()
	states := map[rune]Condition{'h': Healthy, 'd': Degraded, 'f': Failing, 'u': Unread, 'n': NoData}
	for name, tc := range map[string]struct{ rounds, states, tales string }{
		"a new environment":                        {"hhh", "hhh", "..."},
		"one that fails from the start":            {"fff", "nff", ".b."},
		"one bad round is none":                    {"hhdhhdh", "hhhhhhh", "......."},
		"two are, and two good ones end it":        {"hddhdhh", "hhdddd" + "h", "..b...e"},
		"bad in two ways is bad":                   {"hdfff", "hhfff", "..b.."},
		"what got worse is told again":             {"hdddff", "hhdddf", "..b..b"},
		"what got better is not":                   {"hffddhh", "hhffddh"[:5] + "dh", "..b...e"},
		"AWS's alarm counts at once":               {"hDDhh", "hdddh", ".b..e"},
		"but not again within the hour":            {"hDhhDhhDhh", "hddhhhhhhh", ".b.e......"},
		"unless it lasts":                          {"hDhhDD", "hddhhd", ".b.e.b"},
		"unknown is not told":                      {"huuhh", "hhuuh", "....."},
		"the end after unknown is":                 {"hdduuhh", "hhdduuh", "..b...e"},
		"bad again after unknown is not told anew": {"hdduuddhh", "hhdduuddh", "..b.....e"},
	} {
		c, at := Course{}, noon
		var gotStates, gotTales strings.Builder
		for _, r := range tc.rounds {
			a := Assessment{State: states[r|0x20], Firm: r < 'a', Since: at.Add(-time.Minute), Reason: string(r)}
			var tale Tale
			c, _, tale = c.After(a, at)
			for letter, s := range states {
				if s == c.State {
					gotStates.WriteRune(letter)
				}
			}
			gotTales.WriteString(map[Tale]string{TaleNone: ".", TaleBegan: "b", TaleEnded: "e"}[tale])
			at = at.Add(5 * time.Minute)
		}
		if gotStates.String() != tc.states || gotTales.String() != tc.tales {
			t.Errorf("%s: %s: got %s and %s, want %s and %s", name, tc.rounds, gotStates.String(), gotTales.String(), tc.states, tc.tales)
		}
	}
}

// TestCourseSince: bad since the first of the two rounds, or since AWS's alarm rang.
func TestCourseSince(t *testing.T) {
	t.Parallel()
	c, _, _ := Course{}.After(Assessment{State: Healthy}, noon)
	c, _, _ = c.After(Assessment{State: Degraded}, noon.Add(5*time.Minute))
	c, turned, _ := c.After(Assessment{State: Degraded}, noon.Add(10*time.Minute))
	if !turned || !c.Since.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("since %s, %v", c.Since, turned)
	}
	c = Course{State: Healthy, Since: noon.AddDate(0, 0, -1)}
	if c, turned, _ = c.After(Assessment{State: Degraded, Firm: true, Since: noon.Add(-3 * time.Minute)}, noon); !turned || !c.Since.Equal(noon.Add(-3*time.Minute)) {
		t.Errorf("since %s, %v", c.Since, turned)
	}
}

func TestRankIsWorstFirst(t *testing.T) {
	t.Parallel()
	last := 1000
	for _, c := range Conditions() {
		for _, s := range []Stage{Production, Staging, Dev} {
			if r := c.Rank(s); r >= last || r < 0 {
				t.Errorf("%s %s has rank %d after %d", c, s, r, last)
			} else {
				last = r
			}
		}
	}
}
