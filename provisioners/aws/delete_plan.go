package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
	"slipway/provisioners"
)

// wishes are what a person may ask for beside the deletion itself.
type wishes struct {
	buckets bool     // what is in its buckets may go
	images  bool     // what is in its repository may go
	retain  []string // logical ids that stay in the account
}

func wishesOf(kind models.RequestKind, inputs json.RawMessage) (wishes, error) {
	var in struct {
		EmptyBuckets bool     `json:"empty_buckets"`
		Empty        bool     `json:"empty"`
		Images       bool     `json:"images"`
		Retain       []string `json:"retain"`
	}
	if err := json.Unmarshal(inputs, &in); err != nil {
		return wishes{}, fmt.Errorf("read the inputs of %s: %w", kind, err)
	}
	return wishes{buckets: in.EmptyBuckets, images: in.Empty && kind == models.DeleteService || in.Images && kind == models.CloseTenant, retain: in.Retain}, nil
}

// planDeletion lists what is there now and what becomes of it: the same world and wishes give the same content.
func (s *Stacks) planDeletion(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	wish, err := wishesOf(p.Request.Kind, p.Request.Inputs)
	if err != nil {
		return provisioners.Draft{}, err
	}
	users, err := s.books.UsersOf(ctx, p.Request.ObjectID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	name := string(p.Request.ObjectType) + " " + p.Request.ObjectName
	if len(users) > 0 {
		return provisioners.Draft{}, provisioners.Final{Failure: models.Failure{What: capital(name) + " is still in use.", Cause: "It is used by " + some(users) + ".", Owner: requester,
			Next: "Delete those first, then plan again."}}
	}
	st, err := s.books.StackOf(ctx, p.Request.ObjectID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	draft := provisioners.Draft{Region: st.Region, PriceDate: s.prices.Date, PriceDigest: s.prices.Digest}
	st.ObjectID, st.ObjectType, st.ObjectName = p.Request.ObjectID, p.Request.ObjectType, p.Request.ObjectName
	return draft, s.planEndOf(ctx, who{person: p.Request.RequesterID, job: p.Request.ID}, s.endOf(st, ""), wish, &draft)
}

// endOf is a stack's object as its deletion sees it.
func (s *Stacks) endOf(st models.Stack, named string) object {
	o := s.objectOf(models.PlanPart{Name: capital(string(st.ObjectType) + " " + st.ObjectName), Account: st.Account, Class: st.Class, Region: st.Region, Blueprint: st.Blueprint + "@" + st.Version,
		Digest: st.Digest, StackName: st.Name, Mode: models.StackDelete, Tags: endTags(st)})
	o.named = named
	return o
}

// planEndOf adds to a draft what becomes of one object.
func (s *Stacks) planEndOf(ctx context.Context, w who, o object, wish wishes, draft *provisioners.Draft) error {
	est, err := o.wasEstimated(ctx)
	if err != nil {
		return err
	}
	draft.Cost = append(draft.Cost, costGone(est, o.part.Name)...)
	switch o.typ {
	case models.NetworkObject:
		err = s.planNetworkEnd(ctx, &o, draft)
	case models.PipelineObject:
		wish.buckets = true // artifacts pass between its stages and are nobody's data: they go with it
		err = s.planPipelineEnd(ctx, o, draft)
	}
	if err != nil {
		return err
	}
	if o.part.StackName != "" {
		if err := o.planEnd(ctx, w, wish, draft); err != nil {
			return err
		}
	}
	o.part.Changes = append(o.part.Changes, models.Change{LogicalID: o.name(), Type: "Slipway's record", Action: models.Delete, Note: "Its name is free again. What was asked, approved and done stays on record."})
	draft.Parts = append(draft.Parts, o.part)
	return nil
}

// planNetwork says what stays of a network: all of a registered one, and the account's names.
func (s *Stacks) planNetworkEnd(ctx context.Context, o *object, draft *provisioners.Draft) error {
	n, err := s.books.Network(ctx, o.id())
	if err != nil {
		return err
	}
	if n.Registered {
		o.part.StackName, o.part.Blueprint, o.part.Digest = "", "", ""
		for _, id := range registeredIDs(n.Stack) {
			o.part.Changes = append(o.part.Changes, models.Change{LogicalID: id, Type: typeOfID(id), Action: models.Exists, Note: "Stays as it is: it was registered, Slipway did not make it."})
		}
	}
	if o.named != "" { // the zone goes as well
		return nil
	}
	zone, err := s.books.ZoneOf(ctx, n.AccountID)
	if err == nil {
		draft.Notes = append(draft.Notes, fmt.Sprintf("The hosted zone %s stays: it belongs to the account, not to the network.", zone.Name))
	} else if models.KindOf(err) != models.NotFound {
		return err
	}
	return nil
}

// planEnd adds what is in the stack now. What forbids its deletion ends the planning, in words.
func (o *object) planEnd(ctx context.Context, w who, wish wishes, draft *provisioners.Draft) error {
	st, err := o.liveStack(ctx, w)
	if err != nil {
		return err
	}
	if st == nil {
		draft.Notes = append(draft.Notes, fmt.Sprintf("There is no stack %s in account %s any more: its record is removed, and the account searched for what is left.", o.part.StackName, o.part.Account))
		return nil
	}
	if err := o.deletable(ctx, w, st, wish); err != nil {
		return err
	}
	full, err := o.holding(ctx, w, st.resources)
	if err != nil {
		return err
	}
	if err := o.mayEmpty(st.resources, full, wish); err != nil {
		return err
	}
	o.part.Changes = append(o.part.Changes, o.endings(st, full, wish)...)
	return nil
}

// mayEmpty refuses to plan the deletion of what holds something, unless that was asked for. Images only ever go with their service.
func (o object) mayEmpty(live []liveResource, full map[string]bool, wish wishes) error {
	var buckets, repositories []string
	for _, r := range live {
		switch {
		case !full[r.id] || slices.Contains(wish.retain, r.id):
		case r.typ == bucketType && !wish.buckets:
			buckets = append(buckets, r.id+" ("+r.physical+")")
		case r.typ == repositoryType && !wish.images:
			repositories = append(repositories, r.id+" ("+r.physical+")")
		}
	}
	what, next := "", ""
	switch {
	case len(buckets) > 0:
		what, next = "Its buckets are not empty: "+some(buckets)+".", "Ask for the deletion with what is in the buckets, or move it elsewhere and plan again."
	case len(repositories) > 0 && o.typ == models.ServiceObject:
		what, next = "Its repository still holds images: "+some(repositories)+".", "Ask for the deletion with its images, or delete them and plan again."
	case len(repositories) > 0:
		what, next = "It holds a repository with images, and images are deleted only with their service: "+some(repositories)+".", "Move or delete the images, then plan again."
	default:
		return nil
	}
	return provisioners.Final{Failure: models.Failure{What: capital(o.words()) + " cannot be deleted like this.", Cause: what, Owner: requester, Next: next}}
}

// endings are the changes of a deletion: what is emptied, then everything in the stack by name.
func (o object) endings(st *liveStack, full map[string]bool, wish wishes) []models.Change {
	var emptied, removed []models.Change
	for _, r := range st.resources {
		policy := r.policy
		ch := models.Change{Step: o.step(stepObjectRemove), LogicalID: r.id, Type: r.typ, Action: models.Delete, Note: r.note(),
			Properties: []models.PropertyChange{{Path: "/DeletionPolicy", Before: &policy}}}
		switch {
		case slices.Contains(wish.retain, r.id):
			ch.Action, ch.Note = models.Exists, keptByWish
			ch.Properties[0].After = &policy
		case r.stays():
			ch.Action, ch.Note = models.Exists, keptByBlueprint
			ch.Properties[0].After = &policy
		case r.typ == bucketType && wish.buckets, r.typ == repositoryType && wish.images, r.typ == zoneType && full[r.id]:
			emptied = append(emptied, models.Change{Step: o.step(stepObjectEmpty), LogicalID: r.id, Type: contents[r.typ], Action: models.Delete, Note: fullness(r.typ, full[r.id])})
		}
		removed = append(removed, ch)
	}
	if len(removed) == 0 {
		removed = append(removed, models.Change{Step: o.step(stepObjectRemove), LogicalID: o.part.StackName, Type: "AWS::CloudFormation::Stack", Action: models.Delete, Note: "It holds nothing any more."})
	}
	return append(emptied, removed...)
}

// Why something stays, as plans and receipts say it.
const (
	keptByBlueprint = "Stays in the account: its blueprint keeps it."
	keptByWish      = "Stays in the account: it was asked to be kept."
)

// contents are what is deleted from what holds something.
var contents = map[string]string{bucketType: "Objects of a bucket", repositoryType: "Images of a repository", zoneType: "Proofs of certificates"}

func fullness(typ string, full bool) string {
	what := "Every object in it is deleted, with all versions and unfinished uploads"
	switch typ {
	case repositoryType:
		what = "Every image in it is deleted"
	case zoneType:
		return "CloudFormation leaves the records behind with which certificates proved their names; those are deleted, and no other."
	}
	if !full {
		return "It is empty now. " + what + " that come until then."
	}
	return "It is not empty. " + what + "; that cannot be taken back."
}

// some lists at most ten.
func some(list []string) string {
	if len(list) > 10 {
		return strings.Join(list[:10], ", ") + fmt.Sprintf(" and %d more", len(list)-10)
	}
	return strings.Join(list, ", ")
}

// endTags are the owner tags that say what a part is about; the stack's own are not looked at.
func endTags(st models.Stack) map[string]string {
	return map[string]string{models.TagTenant: st.TenantSlug, models.TagObject: st.ObjectID, nameTags[st.ObjectType]: st.ObjectName}
}
