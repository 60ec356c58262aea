package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

func connectionInputs(q models.Request, put func(label, value string, code bool)) error {
	var in models.ConnectionInputs
	if err := json.Unmarshal(q.Inputs, &in); err != nil {
		return err
	}
	put("Connection", cmp.Or(in.Name, q.ObjectName), true)
	put("Source host", string(in.Provider), false)
	put("Account", string(in.Class), false)
	return nil
}

// pipelineInputs shows what was asked for of a pipeline, each stage in a row of its own.
func pipelineInputs(q models.Request, put func(label, value string, code bool)) error {
	var in models.PipelineInputs
	if err := json.Unmarshal(q.Inputs, &in); err != nil {
		return err
	}
	put("Pipeline", q.ObjectName, true)
	put("Moved by", views.PipelineKind(in.Kind), false)
	put("Service", in.Service, true)
	put("Connection", in.Connection, true)
	put("Repository", in.Source.Repository, true)
	if in.Source.RepositoryID != "" {
		put("Numbers", "repository "+in.Source.RepositoryID+", owner "+in.Source.OwnerID, false)
	}
	put("Branch", in.Source.Branch, true)
	put("Paths", strings.Join(in.Source.Paths, ", "), true)
	put("Tag", in.Source.Tag, true)
	for i, g := range in.Stages {
		put(fmt.Sprintf("Stage %d", i+1), stageWords(g), false)
	}
	answers(in.Inputs, put)
	return nil
}

// stageWords says in a line what a stage is and what it demands.
func stageWords(g models.PipelineStage) string {
	words := []string{g.Environment}
	if g.Stage != "" {
		words[0] += " (" + string(g.Stage) + ")"
	}
	if g.Automatic {
		words = append(words, "by rule where the rules allow it")
	}
	var gates []string
	for _, gate := range g.Gates {
		if info, ok := models.GateOf(gate); ok {
			gates = append(gates, strings.ToLower(info.Title[:1])+info.Title[1:])
		}
	}
	if len(gates) == 0 {
		words = append(words, "no gates")
	} else {
		words = append(words, "gates: "+strings.Join(gates, ", "))
	}
	for _, s := range models.Severities() {
		if n := g.Scan.Of(s); n > 0 {
			words = append(words, fmt.Sprintf("up to %d %s findings", n, strings.ToLower(string(s))))
		}
	}
	if g.TimeoutMinutes > 0 {
		words = append(words, "waits "+ui.Span(time.Duration(g.TimeoutMinutes)*time.Minute))
	}
	return strings.Join(words, "; ")
}
