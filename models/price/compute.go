package price

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"slipway/models/blueprint"
)

const freeStorage = 20 // GB that every Fargate task has without charge

// task is what one Fargate task holds.
type task struct {
	family  string // arm or x86, as price keys have it
	cpu     decimal.Decimal
	memory  decimal.Decimal // GB
	storage decimal.Decimal // GB beyond what is free
}

func (t task) same(o task) bool {
	return t.family == o.family && t.cpu.Equal(o.cpu) && t.memory.Equal(o.memory) && t.storage.Equal(o.storage)
}

// taskOf reads a task definition; why is what stands in the way.
func taskOf(res blueprint.ResolvedResource) (t task, why string) {
	if !is(path(res, "RuntimePlatform", "OperatingSystemFamily"), "LINUX", "LINUX") {
		return t, "only Linux tasks are estimated"
	}
	switch family, known := text(path(res, "RuntimePlatform", "CpuArchitecture"), "X86_64"); {
	case known && family == "ARM64":
		t.family = "arm"
	case known && family == "X86_64":
		t.family = "x86"
	default:
		return t, "its processor architecture is known only later"
	}
	var ok1, ok2 bool
	t.cpu, ok1 = sized(res.Properties["Cpu"], "vcpu")
	t.memory, ok2 = sized(res.Properties["Memory"], "gb")
	if !ok1 || !ok2 {
		return t, "the processors and memory of its tasks are not given or known only later"
	}
	if v := path(res, "EphemeralStorage", "SizeInGiB"); v != nil {
		gb, ok := number(v)
		if !ok {
			return t, "the storage of its tasks is known only later"
		}
		t.storage = decimal.Max(gb.Sub(whole(freeStorage)), decimal.Zero)
	}
	return t, ""
}

// sized reads "512" (1,024 are one) and "0.5 vCPU" or "1 GB".
func sized(v any, unit string) (decimal.Decimal, bool) {
	s, ok := v.(string)
	if !ok {
		return decimal.Zero, false
	}
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if n, has := strings.CutSuffix(s, unit); has {
		return number(n)
	}
	n, ok := number(s)
	return n.Div(whole(1024)), ok
}

// service prices the tasks that a service keeps running: as many as it asks for, or the fewest that scaling leaves.
func service(w *walk, res blueprint.ResolvedResource) {
	n, why := w.tasks(res)
	if why == "" && n.IsZero() {
		w.note(fmt.Sprintf("No tasks of %s run, so none are in the estimate.", res.ID))
		return
	}
	definition, ok := w.referred(res, "TaskDefinition", "AWS::ECS::TaskDefinition")
	if why == "" && !ok {
		why = "its task definition is not part of the template"
	}
	if why == "" {
		why = w.launch(res, definition)
	}
	var t task
	if why == "" {
		t, why = taskOf(definition)
	}
	if why != "" {
		w.leave(fmt.Sprintf("Tasks of %s: %s", res.ID, why))
		return
	}
	w.count("fargate."+t.family+".vcpu", t.cpu.Mul(n), res.ID, definition.ID)
	w.count("fargate."+t.family+".gb", t.memory.Mul(n), res.ID, definition.ID)
	w.count("fargate.ephemeral", t.storage.Mul(n), res.ID, definition.ID)
	if is(path(res, "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"), "ENABLED", "DISABLED") {
		w.count("ipv4", n, res.ID)
	}
	if is(path(res, "DeploymentConfiguration", "Strategy"), "BLUE_GREEN", "ROLLING") {
		w.leave("The second set of tasks while a blue/green deployment runs")
	}
}

// tasks is how many tasks a service keeps.
func (w *walk) tasks(res blueprint.ResolvedResource) (decimal.Decimal, string) {
	for _, target := range w.r.Resources {
		if target.Type != "AWS::ApplicationAutoScaling::ScalableTarget" || !refersTo(target, res.ID) {
			continue
		}
		fewest, ok := number(target.Properties["MinCapacity"])
		if !ok {
			return fewest, "how many run at least is known only later"
		}
		if most, ok := number(target.Properties["MaxCapacity"]); ok && most.GreaterThan(fewest) {
			w.leave(fmt.Sprintf("Tasks that scaling adds to %s: %s run at least, %s at most", res.ID, fewest, most))
		}
		return fewest, ""
	}
	v, given := res.Properties["DesiredCount"]
	if !given {
		return whole(1), "" // what ECS makes of a service that says nothing
	}
	n, ok := number(v)
	if !ok {
		return n, "how many run is known only later"
	}
	return n, ""
}

// launch says why tasks do not run on Fargate at its list price.
func (w *walk) launch(res, definition blueprint.ResolvedResource) string {
	strategy, _ := res.Properties["CapacityProviderStrategy"].([]any)
	kind, given := res.Properties["LaunchType"]
	if owner, ok := w.referred(res, "Cluster", "AWS::ECS::Cluster"); ok && !given && len(strategy) == 0 {
		strategy, _ = owner.Properties["DefaultCapacityProviderStrategy"].([]any)
	}
	providers := []any{kind}
	if len(strategy) > 0 {
		providers = nil
	}
	for _, s := range strategy {
		m, _ := s.(map[string]any)
		providers = append(providers, m["CapacityProvider"])
	}
	needs, _ := definition.Properties["RequiresCompatibilities"].([]any)
	otherwise := ""
	if len(needs) == 1 && needs[0] == "FARGATE" {
		otherwise = "FARGATE"
	}
	for _, p := range providers {
		switch on, known := text(p, otherwise); {
		case known && on == "FARGATE_SPOT":
			return "the price of Fargate Spot moves with its market; it is below that of Fargate"
		case !known || on != "FARGATE":
			return "only tasks on Fargate are estimated"
		}
	}
	return ""
}

// job is a scheduled task.
type job struct {
	task
	schedule, definition string
}

// schedule prices what a schedule starts; schedules that are off start nothing.
func schedule(w *walk, res blueprint.ResolvedResource) {
	if is(res.Properties["State"], "DISABLED", "ENABLED") {
		w.note(fmt.Sprintf("%s is off, so what it starts is not in the estimate.", res.ID))
		return
	}
	w.leave("Invocations by EventBridge Scheduler")
	if path(res, "Target", "EcsParameters") == nil {
		return
	}
	definition, ok := w.referred(res, "Target", "AWS::ECS::TaskDefinition")
	if !ok {
		w.leave(fmt.Sprintf("Tasks that %s starts: their task definition is not part of the template", res.ID))
		return
	}
	t, why := taskOf(definition)
	if why == "" && !is(path(res, "Target", "EcsParameters", "LaunchType"), "FARGATE", "FARGATE") || path(res, "Target", "EcsParameters", "CapacityProviderStrategy") != nil {
		why = "only tasks with the launch type FARGATE are estimated"
	}
	if why != "" {
		w.leave(fmt.Sprintf("Tasks that %s starts: %s", res.ID, why))
		return
	}
	w.jobs = append(w.jobs, job{t, res.ID, definition.ID})
}

// runJobs divides the hours that scheduled tasks run. Nothing says how they divide between tasks of different sizes, so those are left.
func (w *walk) runJobs() {
	if len(w.jobs) == 0 {
		return
	}
	w.uses["job_task_hours"] = true
	first := w.jobs[0]
	for _, j := range w.jobs {
		if !j.same(first.task) {
			w.leave("Tasks that schedules start: they differ in size, and nothing says how many hours each runs")
			return
		}
	}
	hours, assumed := w.u["job_task_hours"]
	if !assumed {
		w.leave("Tasks that schedules start: no amount is assumed")
		return
	}
	run := func(key string, each decimal.Decimal) {
		if each.IsZero() {
			return
		}
		c := w.at(key, "job_task_hours")
		for _, j := range w.jobs {
			w.at(key, "job_task_hours", j.schedule, j.definition)
		}
		c.n, c.size = hours.Mul(each), hours.String()+" task hours"
	}
	run("fargate."+first.family+".vcpu", first.cpu)
	run("fargate."+first.family+".gb", first.memory)
	run("fargate.ephemeral", first.storage)
}
