package awssim

import (
	"fmt"
	"reflect"

	storedocument "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// unions are the members of which exactly one may be sent, by the SDK's interface, with the structure that stands for each.
func unions() map[reflect.Type]map[string]reflect.Type {
	return map[reflect.Type]map[string]reflect.Type{
		reflect.TypeFor[storetypes.AlternateIdentifier](): {
			"ExternalId":      reflect.TypeFor[storetypes.AlternateIdentifierMemberExternalId](),
			"UniqueAttribute": reflect.TypeFor[storetypes.AlternateIdentifierMemberUniqueAttribute](),
		},
	}
}

var documentType = reflect.TypeFor[storedocument.Interface]()

// bindInterface fills a union or a document.
func (b binder) bindInterface(t any, v reflect.Value, path string) error {
	if v.Type() == documentType {
		v.Set(reflect.ValueOf(storedocument.NewLazyDocument(t)))
		return nil
	}
	members, ok := unions()[v.Type()]
	if !ok {
		return fmt.Errorf("%s: the simulator cannot read a %s", path, v.Type())
	}
	m, ok := t.(map[string]any)
	if !ok || len(m) != 1 {
		return fmt.Errorf("%s: exactly one member is expected", path)
	}
	for name, value := range m {
		typ, known := members[name]
		if !known {
			return unknownMember(join(path, name))
		}
		member := reflect.New(typ)
		if err := b.bind(value, member.Elem().FieldByName("Value"), join(path, name)); err != nil {
			return err
		}
		v.Set(member)
	}
	return nil
}
