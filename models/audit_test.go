package models

import (
	"strings"
	"testing"
)

func TestParseAnchor(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for text, ok := range map[string]bool{"7:" + hash: true, " 7:" + hash + "\n": true, "": false, "0:" + hash: false, "7": false, "7:abcd": false, "x:" + hash: false, "7:" + hash + ":1": false} {
		head, err := ParseAnchor(text)
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if ok && head.String() != "7:"+hash {
			t.Errorf("%q gave %s", text, head)
		}
	}
}
