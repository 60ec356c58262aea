package blueprint

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestExpectedDrift(t *testing.T) {
	const src = "Resources: {Topic: {Type: AWS::SNS::Topic, Metadata: {Slipway: {ExpectedDrift: %s}}}}"
	for name, tc := range map[string]struct {
		metadata string
		want     map[string]string
		says     string // of the error; empty: none
	}{
		"none":         {"", nil, ""},
		"one":          {"{/DisplayName: it moves}", map[string]string{"/DisplayName": "it moves"}, ""},
		"no reason":    {`{/DisplayName: ""}`, nil, "Resources.Topic.Metadata.Slipway.ExpectedDrift./DisplayName"},
		"no path":      {"{DisplayName: it moves}", nil, "must be a path"},
		"not a map":    {"[/DisplayName]", nil, "must be a map"},
		"another word": {"x, Other: y", nil, "Other"},
	} {
		parsed, err := Parse([]byte(fmt.Sprintf(src, tc.metadata)))
		if tc.says != "" {
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: got %v, want an error with %q", name, err, tc.says)
			}
			continue
		}
		if err != nil || !maps.Equal(parsed.Resources[0].ExpectedDrift, tc.want) {
			t.Errorf("%s: got %v, %v, want %v", name, parsed, err, tc.want)
		}
	}
}
