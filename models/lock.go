package models

// Lock is one object that a request holds while it plans, runs, stops or undoes: exclusive what it changes, shared what it depends on.
type Lock struct {
	ObjectType ObjectType
	ObjectID   string
	Exclusive  bool
}
