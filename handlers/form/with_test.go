package form

import (
	"testing"

	"slipway/models"
)

func TestFieldsWith(t *testing.T) {
	type own struct {
		Name string   `form:"name"`
		Many []string `form:"many"`
	}
	names := []string{"Size", "Days", "name"}
	in, answers, err := FieldsWith[own](map[string][]string{"name": {"orders"}, "many": {"a", "b"}, "Size": {"S"}, "_key": {"k"}}, names)
	if err != nil || in.Name != "orders" || len(in.Many) != 2 || len(answers) != 1 || answers["Size"] != "S" {
		t.Errorf("%+v %v %v", in, answers, err)
	}
	for field, sent := range map[string][]string{"Size": {"S", "M"}, "Colour": {"red"}, "name": {"a", "b"}, "_key": {"a", "b"}} {
		_, answers, err := FieldsWith[own](map[string][]string{field: sent, "Days": {"3"}}, names)
		if models.Fields(err)[field] == "" || answers["Days"] != "3" {
			t.Errorf("%s %v: %v, kept %v", field, sent, err, answers)
		}
	}
}
