package blueprint

// FieldType says which control asks for a field.
type FieldType string

// The field types.
const (
	TextField   FieldType = "text"
	NumberField FieldType = "number"
	ChoiceField FieldType = "choice"
	FlagField   FieldType = "flag"
)

// Field is one question of a blueprint's form.
type Field struct {
	Name, Title, Help, Unit string
	Type                    FieldType
	Default                 string
	Choices                 []Choice // of a choice, in order
	Required, Advanced      bool
	Whole                   bool     // a number without a fraction
	Min, Max                *float64 // of a number
	MaxLength               int      // of a text, in characters; 0 when there is no limit
	Pattern                 string   // of a text, a regular expression that need not match all of it
}

// Choice is one value a field may have.
type Choice struct{ Value, Label string }

// Fields are the form's questions in their order: by x-order, then by name.
func (m Meta) Fields() ([]Field, error) {
	s, err := m.inputs()
	if err != nil {
		return nil, err
	}
	return s.fields, nil
}

// Validate holds a form's texts against the inputs schema. It gives every input its text as the template takes it, defaults
// included, or says per input, in words for people, why it cannot be. The same validator serves form and store.
func (m Meta) Validate(in map[string]string) (clean, problems map[string]string) {
	s, err := m.inputs()
	if err != nil { // a stored version has a schema that compiled
		return nil, map[string]string{"": "The form of this blueprint cannot be read: " + err.Error()}
	}
	return s.validate(in)
}
