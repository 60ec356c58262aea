package blueprint

import (
	"fmt"
	"slices"
	"strings"
)

// Checker holds a blueprint's folder against everything that can be known without asking AWS.
type Checker struct {
	Grants    *Grants  // what CloudFormation may do in a tenant's account; nil: not looked at
	UsageKeys []string // what cost.usage may name; nil: anything
}

// Check reads a folder's files as a version. It is a version only when none of the problems is an error (Errors).
func (c Checker) Check(name, version string, files map[string][]byte) (Version, []Problem) {
	v := Version{Name: name, Version: version, Template: files[TemplateFile], Source: files[MetaFile]}
	if p := folderProblems(name, version, files); len(p) > 0 {
		return v, p
	}
	v.Digest = Digest(files)
	m, problems := readMeta(v.Source)
	t, err := Parse(v.Template)
	if err != nil {
		return v, append(problems, ProblemsOf(TemplateFile, "template", err)...)
	}
	w := &checker{t: t}
	for _, rule := range workloadRules {
		rule.check(w)
	}
	for _, p := range append(t.Check(), w.problems...) {
		p.File = TemplateFile
		problems = append(problems, p)
	}
	if m == nil {
		return v, problems
	}
	v.Meta = m.Meta
	a := &agreement{metaFile: m, t: t, usageKeys: c.UsageKeys}
	a.itself(name, version)
	a.parameters()
	a.named()
	a.cost()
	if c.Grants != nil {
		for _, p := range c.Grants.Check(t) {
			p.File = TemplateFile
			problems = append(problems, p)
		}
	}
	return v, append(problems, a.problems...)
}

// folderProblems refuses what is no folder of a version, before anything in it is read.
func folderProblems(name, version string, files map[string][]byte) (out []Problem) {
	tell := func(file, format string, args ...any) {
		out = append(out, Problem{File: file, Level: LevelError, Rule: "folder", Message: shorten(fmt.Sprintf(format, args...))})
	}
	if !IsName(name) {
		tell("", "%q is no name of a blueprint: it has small letters, digits and dashes, like ecs-web-service", name)
	}
	if !IsVersion(version) {
		tell("", "%q is no version: it is three numbers, like 1.0.0", version)
	}
	for _, need := range []string{TemplateFile, MetaFile} {
		if files[need] == nil {
			tell(need, "is missing")
		}
	}
	for file, text := range files {
		if file != TemplateFile && file != MetaFile {
			tell(shorten(file), "is not known; the folder holds %s and %s only", TemplateFile, MetaFile)
		} else if len(text) > MaxBytes {
			tell(file, "has more than %d bytes", MaxBytes)
		}
	}
	return out
}

// agreement is the comparison of one description with its template.
type agreement struct {
	*metaFile
	t         *Template
	usageKeys []string
	problems  []Problem
}

func (a *agreement) tell(rule, path, format string, args ...any) {
	if len(a.problems) < maxProblems {
		a.problems = append(a.problems, Problem{File: MetaFile, Level: LevelError, Rule: rule, Path: shorten(path), Line: a.line(path), Message: shorten(fmt.Sprintf(format, args...))})
	}
}

var (
	knownStages = []string{"dev", "staging", "prod"}
	knownNeeds  = []string{NeedsNetwork, NeedsZone, NeedsService}
)

// itself checks what the description says of the blueprint as a whole.
func (a *agreement) itself(name, version string) {
	if a.ID != name {
		a.tell("identity", "id", "is %q, but the folder is called %s", a.ID, name)
	}
	if a.Version != version {
		a.tell("identity", "version", "is %q, but the folder is called %s", a.Version, version)
	}
	if !slices.Contains(Kinds(), a.Kind) {
		a.tell("kind", "kind", "%q is none of baseline, network, environment, support", a.Kind)
	}
	if strings.TrimSpace(a.Title) == "" || len(a.Title) > 80 {
		a.tell("words", "title", "says in 1 to 80 characters what this is")
	}
	if strings.TrimSpace(a.Description) == "" {
		a.tell("words", "description", "says in a sentence or two what it builds")
	}
	if (len(a.Stages) > 0) != (a.Kind == KindEnvironment) {
		a.tell("stages", "stages", "an environment says for which stages it is, and nothing else does")
	}
	for i, s := range a.Stages {
		if !slices.Contains(knownStages, s) {
			a.tell("stages", fmt.Sprintf("stages[%d]", i), "%q is none of %s", s, oneOf(knownStages))
		}
	}
	for i, n := range a.Needs {
		if !slices.Contains(knownNeeds, n) {
			a.tell("needs", fmt.Sprintf("needs[%d]", i), "%q is none of %s", n, oneOf(knownNeeds))
		}
	}
	for i, from := range a.UpgradeFrom {
		if !IsVersion(from) || CompareVersions(from, version) >= 0 {
			a.tell("upgrade", fmt.Sprintf("upgradeFrom[%d]", i), "%q is no older version", from)
		}
	}
	if a.Breaking && strings.TrimSpace(a.UpgradeNotes) == "" {
		a.tell("upgrade", "upgradeNotes", "a breaking version says what breaks")
	}
}
