package handlers

import "strings"

// gone are what a deletion of a kind is in words, where nothing is lost for good by it.
var gone = map[string]string{"Account assignment": "access ends", "AWS account": "closed", "Enrolled AWS account": "released", "Monthly budget": "removed", "Delegation": "removed", "Slipway's record": "ends"}

// goneWord says what becomes of something that a plan takes away.
func goneWord(kind string) string {
	if strings.HasSuffix(kind, " policy") { // of an account that is moved: the policy itself stays
		return "no longer applies"
	}
	if word, ok := gone[kind]; ok {
		return word
	}
	return "goes for good"
}
