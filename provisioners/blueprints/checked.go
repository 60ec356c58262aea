package blueprints

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"slipway/models/blueprint"
)

// The tools that check blueprints, as the page names them.
const (
	ToolSlipway = "slipway"
	ToolGuard   = "cfn-guard"
	ToolLint    = "cfn-lint"
)

// checkedText holds what cfn-guard and cfn-lint said of the shipped blueprints. `make generate` writes it, and `make check`
// proves that it is current.
//
//go:embed checked.json
var checkedText []byte

// Checked is what other tools said of one version.
type Checked struct {
	Blueprint string           `json:"blueprint"` // name@version, for those who read the file
	Guard     *blueprint.Check `json:"cfn-guard,omitempty"`
	Lint      *blueprint.Check `json:"cfn-lint,omitempty"`
}

func readChecked() (map[string]Checked, error) {
	var out map[string]Checked
	if err := json.Unmarshal(checkedText, &out); err != nil {
		return nil, fmt.Errorf("read checked.json: %w", err)
	}
	return out, nil
}

func (c Checked) orNotRun() []blueprint.Check {
	out := []blueprint.Check{{Tool: ToolGuard, State: blueprint.CheckNotRun}, {Tool: ToolLint, State: blueprint.CheckNotRun}}
	for i, said := range []*blueprint.Check{c.Guard, c.Lint} {
		if said != nil {
			out[i] = *said
		}
	}
	return out
}
