package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
)

// Change is one thing that a plan would do.
type Change struct {
	ID     string // unique on the page; keeps it open across live updates
	Action models.Action
	Name   string // logical id
	Type   string // AWS::S3::Bucket, or words
	Note   string // consequence in words
	Tag    string // short consequence: data is lost, new before old
	Open   bool   // deletes and replacements are open
	Props  []Prop

	Problems []Said // what AWS's validation said of it
}

// Said is what AWS's validation said of one resource.
type Said struct {
	Path  string // of the property; may be empty
	Text  string
	Fatal bool // nothing can be done while it stands
}

func (s Said) state(resource string) State {
	if resource != "" {
		resource += ": "
	}
	if s.Fatal {
		return State{Label: resource + "AWS refuses this", Tone: Fail}
	}
	return State{Label: resource + "AWS warns", Tone: Warn}
}

// Fold is many harmless changes of one kind behind one row that opens without script.
type Fold struct {
	ID      string // unique on the page
	Action  models.Action
	Title   string // "13 resources of tenant-baseline@1.0.0"
	Changes []Change
}

// names lists what is inside, for a reader who leaves it closed.
func (f Fold) names() string {
	names := make([]string, len(f.Changes))
	for i, c := range f.Changes {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// allNew tells whether nothing has a value before, so that the column for it can be left out.
func (c Change) allNew() bool {
	return !slices.ContainsFunc(c.Props, func(p Prop) bool { return p.Before != nil })
}

// Prop is a property before and after; nil means not set.
type Prop struct {
	Path   string
	Before *string
	After  *string
}

// path leaves out the part that every property of a resource has in common.
func (p Prop) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.Path, "/Properties"), "/")
}

// longOver is how much of a value stands in sight; more folds behind its beginning.
const longOver = 240

// beginning is enough of a long value to know it by.
func beginning(value string) string {
	runes := []rune(strings.Join(strings.Fields(value[:min(len(value), 4*longOver)]), " "))
	return string(runes[:min(len(runes), 100)]) + " …"
}

// pretty lays a document out over lines, as nobody can judge a policy in one.
func pretty(value string) string {
	if len(value) < 60 || value[0] != '{' && value[0] != '[' {
		return value
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(value), "", "  ") != nil {
		return value
	}
	return b.String()
}

// Way is one stage in the life of a request.
type Way struct {
	Label string
	Note  string
	Mark  WayMark
}

// WayMark says whether a stage is past, where the request is, or where it went wrong. Empty: still to come, drawn hatched.
type WayMark string

// The marks of a stage.
const (
	WayDone WayMark = "done"
	WayNow  WayMark = "now"
	WayBad  WayMark = "bad"
)

type op struct {
	sign, verb, noun string
	tone             Tone
}

// ops are in the order in which plans show them: the destructive first.
var ops = map[models.Action]op{
	models.Delete:  {"−", "Delete", "delete", Fail},
	models.Replace: {"±", "Replace", "replace", Swap},
	models.Modify:  {"~", "Change", "change", Warn},
	models.Add:     {"+", "Add", "add", OK},
	models.Exists:  {"=", "Exists", "there already", Idle},
}

var opOrder = []models.Action{models.Delete, models.Replace, models.Modify, models.Add, models.Exists}

// TallyWords says a tally as text: 1 delete, 3 add.
func TallyWords(n map[models.Action]int) string {
	words := ""
	for _, a := range opOrder {
		if n[a] == 0 || a == models.Exists {
			continue
		}
		if words != "" {
			words += ", "
		}
		words += fmt.Sprintf("%d %s", n[a], ops[a].noun)
	}
	if words == "" {
		return "no change"
	}
	return words
}

// tallied are the actions that occur, the destructive first.
func tallied(n map[models.Action]int, exists bool) []models.Action {
	var some []models.Action
	for _, a := range opOrder {
		if n[a] > 0 && (exists || a != models.Exists) {
			some = append(some, a)
		}
	}
	return some
}
