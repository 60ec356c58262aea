package models

import (
	"encoding/json"
	"fmt"
)

// RequestKind names what a request asks for: object and verb. Kinds are stored: never rename a shipped one.
type RequestKind string

// The kinds of request built so far.
const (
	CreateTenant RequestKind = "tenant.create"
	ChangeTenant RequestKind = "tenant.change"  // groups and budget; what has no effect outside Slipway is changed at once
	AddAccount   RequestKind = "tenant.account" // a new account of a class that the tenant lacks
	EnrolAccount RequestKind = "tenant.enrol"   // an account that the organization has already
	MoveAccount  RequestKind = "tenant.move"    // an account that was enrolled where it stood, into the unit of its class
	CloseTenant  RequestKind = "tenant.close"

	CreateNetwork   RequestKind = "network.create"   // a VPC of Slipway's own, from an address pool
	RegisterNetwork RequestKind = "network.register" // an existing VPC with its subnets; Slipway makes none of it
	UpdateNetwork   RequestKind = "network.update"
	DeleteNetwork   RequestKind = "network.delete"

	CreateService RequestKind = "service.create"
	DeleteService RequestKind = "service.delete"

	CreateEnvironment    RequestKind = "environment.create"
	UpdateEnvironment    RequestKind = "environment.update"    // other inputs of the same version
	UpgradeEnvironment   RequestKind = "environment.upgrade"   // a newer version of its blueprint
	DeployEnvironment    RequestKind = "environment.deploy"    // another image digest, nothing else
	HibernateEnvironment RequestKind = "environment.hibernate" // no tasks, schedules off
	WakeEnvironment      RequestKind = "environment.wake"
	RevertEnvironment    RequestKind = "environment.revert"  // put back what drifted
	AcceptDrift          RequestKind = "environment.accept"  // leave what drifted until a day
	ExtendEnvironment    RequestKind = "environment.extend"  // a later end
	RecoverEnvironment   RequestKind = "environment.recover" // end a roll-back that could not go on
	DeleteEnvironment    RequestKind = "environment.delete"

	CreateConnection RequestKind = "connection.create"
	DeleteConnection RequestKind = "connection.delete"

	CreatePipeline RequestKind = "pipeline.create"
	UpdatePipeline RequestKind = "pipeline.update" // other stages, source or inputs
	PausePipeline  RequestKind = "pipeline.pause"  // nothing starts it, and it promotes nothing
	ResumePipeline RequestKind = "pipeline.resume"
	DeletePipeline RequestKind = "pipeline.delete"
)

// Effect is what a request does to the object it names, beyond its own row.
type Effect string

// The effects. They decide which states the object passes through while the request runs.
const (
	Makes    Effect = "makes"    // creating, then ready
	Changes  Effect = "changes"  // changing, then ready
	Extends  Effect = "extends"  // changing, then ready however it ends: what was there goes on working
	Notes    Effect = "notes"    // only Slipway's own row: the object stays as it is
	Destroys Effect = "destroys" // deleting, then deleted
)

type kindFacts struct {
	object ObjectType
	effect Effect
	title  string // %s is the object's name
	verb   string // for a button or a list
}

var kinds = map[RequestKind]kindFacts{
	CreateTenant:         {TenantObject, Makes, "Create tenant %s", "Create"},
	ChangeTenant:         {TenantObject, Extends, "Change tenant %s", "Change"},
	AddAccount:           {TenantObject, Extends, "Add an account to tenant %s", "Add an account"},
	EnrolAccount:         {TenantObject, Extends, "Enrol an account in tenant %s", "Enrol an account"},
	MoveAccount:          {TenantObject, Extends, "Move an account of tenant %s", "Move an account"},
	CloseTenant:          {TenantObject, Destroys, "Close tenant %s", "Close"},
	CreateNetwork:        {NetworkObject, Makes, "Create network %s", "Create"},
	RegisterNetwork:      {NetworkObject, Makes, "Register network %s", "Register"},
	UpdateNetwork:        {NetworkObject, Changes, "Change network %s", "Change"},
	DeleteNetwork:        {NetworkObject, Destroys, "Delete network %s", "Delete"},
	CreateService:        {ServiceObject, Makes, "Create service %s", "Create"},
	DeleteService:        {ServiceObject, Destroys, "Delete service %s", "Delete"},
	CreateEnvironment:    {EnvironmentObject, Makes, "Create environment %s", "Create"},
	UpdateEnvironment:    {EnvironmentObject, Changes, "Change environment %s", "Change"},
	UpgradeEnvironment:   {EnvironmentObject, Changes, "Upgrade environment %s", "Upgrade"},
	DeployEnvironment:    {EnvironmentObject, Changes, "Deploy to environment %s", "Deploy"},
	HibernateEnvironment: {EnvironmentObject, Changes, "Hibernate environment %s", "Hibernate"},
	WakeEnvironment:      {EnvironmentObject, Changes, "Wake environment %s", "Wake"},
	RevertEnvironment:    {EnvironmentObject, Changes, "Revert drift of environment %s", "Revert drift"},
	AcceptDrift:          {EnvironmentObject, Notes, "Accept drift of environment %s", "Accept drift"},
	ExtendEnvironment:    {EnvironmentObject, Notes, "Extend environment %s", "Extend"},
	RecoverEnvironment:   {EnvironmentObject, Changes, "Recover environment %s", "Recover"},
	DeleteEnvironment:    {EnvironmentObject, Destroys, "Delete environment %s", "Delete"},
	CreateConnection:     {ConnectionObject, Makes, "Create connection %s", "Create"},
	DeleteConnection:     {ConnectionObject, Destroys, "Delete connection %s", "Delete"},
	CreatePipeline:       {PipelineObject, Makes, "Create pipeline %s", "Create"},
	UpdatePipeline:       {PipelineObject, Changes, "Change pipeline %s", "Change"},
	PausePipeline:        {PipelineObject, Changes, "Pause pipeline %s", "Pause"},
	ResumePipeline:       {PipelineObject, Changes, "Resume pipeline %s", "Resume"},
	DeletePipeline:       {PipelineObject, Destroys, "Delete pipeline %s", "Delete"},
}

// RequestKinds lists the kinds that this version knows, in no order.
func RequestKinds() []RequestKind {
	var all []RequestKind
	for k := range kinds {
		all = append(all, k)
	}
	return all
}

// Object is the type of thing that a request of the kind is about.
func (k RequestKind) Object() ObjectType { return kinds[k].object }

// Effect is what a request of the kind does to its object.
func (k RequestKind) Effect() Effect { return kinds[k].effect }

// Title is what a request of the kind is called, for the object's name.
func (k RequestKind) Title(name string) string {
	if kinds[k].title == "" {
		return string(k) + " " + name
	}
	return fmt.Sprintf(kinds[k].title, name)
}

// Verb is the kind in a word or two, for buttons and lists.
func (k RequestKind) Verb() string { return kinds[k].verb }

// ObjectState is where the object of a request of the kind stands once the request is in a state; not ok: it stays as it is.
func (k RequestKind) ObjectState(s RequestState) (ObjectState, bool) {
	var during, after ObjectState
	switch k.Effect() {
	case Makes:
		during, after = Creating, Ready
	case Changes, Extends:
		during, after = Changing, Ready
	case Destroys:
		during, after = Deleting, Deleted
	default:
		return "", false
	}
	switch s {
	case Running:
		return during, true
	case Succeeded:
		return after, true
	case Failed, Abandoned:
		if k.Effect() == Extends {
			return Ready, true
		}
		return Broken, true
	case Undoing:
		if k.Effect() == Makes {
			return Deleting, true
		}
		return Changing, true
	case Undone:
		if k.Effect() == Makes {
			return Deleted, true
		}
		return Ready, true
	}
	return "", false
}

// Locks is what a request holds while it is planned, runs, stops or is undone: its object exclusively, what it stands on shared. Whatever
// is in a tenant's accounts holds the tenant's contents shared, so that the tenant is closed only when nothing else works there.
func (r Request) Locks() []Lock {
	locks := []Lock{{ObjectType: r.ObjectType, ObjectID: r.ObjectID, Exclusive: true}}
	switch {
	case r.Kind == CloseTenant:
		return append(locks, Lock{ObjectType: ContentsObject, ObjectID: r.ObjectID, Exclusive: true})
	case r.ObjectType != TenantObject && r.TenantID != "":
		locks = append(locks, Lock{ObjectType: ContentsObject, ObjectID: r.TenantID})
	}
	if r.ObjectType == PipelineObject {
		return append(locks, pipelineGround(r)...)
	}
	if r.ObjectType != EnvironmentObject || r.Kind.Effect() == Notes {
		return locks
	}
	var in EnvironmentInputs
	if json.Unmarshal(r.Inputs, &in) != nil { // the planner says what is wrong with them
		return locks
	}
	if in.NetworkID != "" {
		locks = append(locks, Lock{ObjectType: NetworkObject, ObjectID: in.NetworkID})
	}
	if in.ServiceID != "" {
		locks = append(locks, Lock{ObjectType: ServiceObject, ObjectID: in.ServiceID})
	}
	return locks
}

// pipelineGround is what a pipeline stands on: its service, and the connection through which it is started.
func pipelineGround(r Request) (locks []Lock) {
	var in PipelineInputs
	if json.Unmarshal(r.Inputs, &in) != nil { // the planner says what is wrong with them
		return nil
	}
	if in.ServiceID != "" {
		locks = append(locks, Lock{ObjectType: ServiceObject, ObjectID: in.ServiceID})
	}
	if in.ConnectionID != "" {
		locks = append(locks, Lock{ObjectType: ConnectionObject, ObjectID: in.ConnectionID})
	}
	return locks
}
