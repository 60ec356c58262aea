package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// cfnStackDrift is what the last detection found of a stack.
type cfnStackDrift struct {
	Status string
	At     time.Time
}

// cfnDrift is what the last detection found of a resource.
type cfnDrift struct {
	Status           string // IN_SYNC, MODIFIED or DELETED
	Physical         string
	At               time.Time
	Expected, Actual string // JSON
	Differences      []cfnDifference
}

// cfnDifference is one property that is not as declared; Path is a JSON pointer.
type cfnDifference struct {
	Path, Kind       string // ADD, REMOVE or NOT_EQUAL
	Expected, Actual string
}

// cfnDetection is one detection, which takes its time and sees what is there at its end.
type cfnDetection struct {
	ID, Stack string
	Resources []string // all when empty
	Status    string   // of the detection
	Reason    string
	Drift     string // of the stack
	Drifted   int32
	At        time.Time
	due       time.Time
}

// runDetections is the ticker of drift detection.
func runDetections(ctx context.Context, c *Call) error {
	all, err := c.detections(ctx, `NOT done AND due_at <= $1 ORDER BY due_at, id`, c.Now)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := c.detect(ctx, d); err != nil {
			return fmt.Errorf("detect drift of %s: %w", d.Stack, err)
		}
	}
	return nil
}

// detect compares what a stack declares with what there is.
func (c *Call) detect(ctx context.Context, d *cfnDetection) error {
	s, err := c.stackByID(ctx, d.Stack)
	if err != nil {
		return err
	}
	d.Status, d.Drift, d.At = "DETECTION_COMPLETE", "IN_SYNC", d.due
	if s.Status == deleted {
		d.Status, d.Drift, d.Reason = "DETECTION_FAILED", "UNKNOWN", "Failed to detect drift: the stack was deleted."
		return c.saveDetection(ctx, s, d)
	}
	all, err := c.resources(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !r.driftable() {
			continue
		}
		drift := r.drift
		if len(d.Resources) == 0 || slices.Contains(d.Resources, r.ID) {
			if drift, err = c.compare(ctx, s, r, d.due); err != nil {
				return err
			}
		}
		if drift != nil && drift.Status != "IN_SYNC" {
			d.Drift, d.Drifted = "DRIFTED", d.Drifted+1
		}
	}
	s.Drift = &cfnStackDrift{d.Drift, d.due}
	if err := c.saveStack(ctx, s); err != nil {
		return err
	}
	return c.saveDetection(ctx, s, d)
}

// driftable says whether drift of the resource can be detected.
func (r *cfnResource) driftable() bool {
	return r.live() && r.Physical != "" && !behaviourOf(r.Type).undriftable
}

// compare looks at one resource and keeps what it finds.
func (c *Call) compare(ctx context.Context, s *cfnStack, r *cfnResource, at time.Time) (*cfnDrift, error) {
	properties, exists, err := c.actualProperties(ctx, s, r)
	if err != nil {
		return nil, err
	}
	d := &cfnDrift{Status: "IN_SYNC", Physical: r.Physical, At: at}
	if d.Expected, err = jsonOf(asJSON(r.Properties)); err != nil {
		return nil, err
	}
	if !exists {
		d.Status = "DELETED"
	} else {
		really := seen(asJSON(r.Properties), properties, false)
		if d.Actual, err = jsonOf(really); err != nil {
			return nil, err
		}
		if d.Differences, err = differences("", asJSON(r.Properties), really, nil); err != nil {
			return nil, err
		}
		if len(d.Differences) > 0 {
			d.Status = "MODIFIED"
		}
	}
	if _, err := c.Tx.Exec(ctx, `UPDATE stack_resources SET drift = $3 WHERE stack = $1 AND id = $2`, s.ID, r.ID, d); err != nil {
		return nil, fmt.Errorf("keep the drift of %s: %w", r.ID, err)
	}
	return d, nil
}

func jsonOf(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// differences lists what differs, down to the smallest part that does.
func differences(path string, expected, actual any, out []cfnDifference) ([]cfnDifference, error) {
	if reflect.DeepEqual(expected, actual) {
		return out, nil
	}
	var err error
	switch e := expected.(type) {
	case map[string]any:
		a, ok := actual.(map[string]any)
		if !ok {
			break
		}
		names := maps.Clone(e)
		maps.Copy(names, a)
		for _, k := range slices.Sorted(maps.Keys(names)) {
			ev, declared := e[k]
			av, there := a[k]
			if out, err = part(path+"/"+escapePointer(k), ev, declared, av, there, out); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		a, ok := actual.([]any)
		if !ok {
			break
		}
		for i := range max(len(e), len(a)) {
			var ev, av any
			if i < len(e) {
				ev = e[i]
			}
			if i < len(a) {
				av = a[i]
			}
			if out, err = part(path+"/"+strconv.Itoa(i), ev, i < len(e), av, i < len(a), out); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return difference(path, "NOT_EQUAL", expected, actual, out)
}

func part(path string, expected any, declared bool, actual any, there bool, out []cfnDifference) ([]cfnDifference, error) {
	switch {
	case declared && there:
		return differences(path, expected, actual, out)
	case declared:
		return difference(path, "REMOVE", expected, nil, out)
	}
	return difference(path, "ADD", nil, actual, out)
}

func difference(path, kind string, expected, actual any, out []cfnDifference) ([]cfnDifference, error) {
	e, err := shownValue(expected)
	if err != nil {
		return nil, fmt.Errorf("value of %s: %w", path, err)
	}
	a, err := shownValue(actual)
	if err != nil {
		return nil, fmt.Errorf("value of %s: %w", path, err)
	}
	return append(out, cfnDifference{path, kind, e, a}), nil
}
