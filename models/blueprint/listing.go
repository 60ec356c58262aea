package blueprint

import "time"

// State says what may be done with a version today.
type State string

// The states of a version. Only an offered one can be ordered; what was ordered of the others lives on.
const (
	Offered    State = "offered"
	Deprecated State = "deprecated" // its own meta.yaml says so
	Hidden     State = "hidden"     // the platform team's hidden.yaml says so
	Refused    State = "refused"    // its folder is broken, or has other content than the version of that name
	Withdrawn  State = "withdrawn"  // its folder is gone
)

// Origin is where a folder was found.
type Origin string

// The origins: what Slipway ships, and SLIPWAY_BLUEPRINTS_DIR.
const (
	Shipped   Origin = "shipped"
	Directory Origin = "directory"
)

// What a tool said.
const (
	CheckPassed = "passed"
	CheckFailed = "failed"
	CheckNotRun = "not run"
)

// Check is what one tool in one version said about one version of a blueprint.
type Check struct {
	Tool     string    `json:"tool"`              // slipway, cfn-guard, cfn-lint
	Version  string    `json:"version,omitempty"` // of the tool; empty when it was not run
	State    string    `json:"state"`             // CheckPassed, CheckFailed, CheckNotRun
	Problems []Problem `json:"problems,omitempty"`
	Accepted []Problem `json:"accepted,omitempty"` // known hits that do not count; Message is the reason
}

// Listed is one version as the catalogue knows it.
type Listed struct {
	Name, Version string // as found; a refused folder's may be anything
	Digest        string // of what can be ordered under that name; empty when nothing ever could
	Meta          Meta   // zero when Digest is empty
	Origin        Origin // empty when withdrawn
	State         State
	Reason        string    // why it is hidden, deprecated or refused, in words
	Problems      []Problem // why its folder was refused
	Checks        []Check
	FirstSeen     time.Time // product time; zero when Digest is empty

	found, broken bool // some folder has it; the folder that has this very content is refused
}

// Ref names the version for people.
func (l Listed) Ref() string { return Ref(l.Name, l.Version) }

// Listing is one blueprint with its versions, newest first.
type Listing struct {
	Name     string
	Meta     Meta // of the newest version that is offered, else of the newest that is stored
	State    State
	Versions []Listed
}

// Newest is the newest version that is offered; ok is false when there is none.
func (l Listing) Newest() (v Listed, ok bool) {
	for _, v := range l.Versions {
		if v.State == Offered {
			return v, true
		}
	}
	return Listed{}, false
}

// Find is one version of the blueprint.
func (l Listing) Find(version string) (v Listed, ok bool) {
	for _, v := range l.Versions {
		if v.Version == version {
			return v, true
		}
	}
	return Listed{}, false
}

// Folder is what a load found under one NAME/VERSION.
type Folder struct {
	Name, Version string // as found; what nobody can read is left out
	Content       Version
	Problems      []Problem // errors and warnings
	Checks        []Check
}

// Sound says whether nothing refuses the folder.
func (f Folder) Sound() bool { return f.Content.Digest != "" && len(Errors(f.Problems)) == 0 }

// HiddenEntry is one line of hidden.yaml. An empty Version hides every version.
type HiddenEntry struct{ Name, Version, Reason string }

// Report is what one load of one origin found. It replaces the report of that origin before it.
type Report struct {
	Origin     Origin
	Folders    []Folder
	Hidden     []HiddenEntry
	KeepHidden bool // hidden.yaml cannot be read: what was hidden stays hidden
}
