package store

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/models"
	"slipway/models/blueprint"
)

const topicTemplate = "Parameters: {Name: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name, KmsMasterKeyId: alias/aws/sns}}}\n"

// topic is a folder as the loader reports it.
func topic(t testing.TB, version, words string) blueprint.Folder {
	t.Helper()
	meta := "id: topic\nversion: " + version + "\nkind: environment\ntitle: Topic\ndescription: " + words + "\nstages: [dev]\ninputs: {required: [Name], properties: {Name: {type: string}}}\n"
	if words == "old" {
		meta += "deprecated: Order a newer one.\n"
	}
	v, problems := blueprint.Checker{}.Check("topic", version, map[string][]byte{blueprint.TemplateFile: []byte(topicTemplate), blueprint.MetaFile: []byte(meta)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return blueprint.Folder{Name: "topic", Version: version, Content: v, Checks: []blueprint.Check{{Tool: "slipway", Version: "1", State: blueprint.CheckPassed}}}
}

var loader = models.System("blueprints", "")

func save(t testing.TB, s *Store, r blueprint.Report) []blueprint.Folder {
	t.Helper()
	refused, err := s.SaveBlueprints(t.Context(), loader, r)
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

func shippedTopics(t testing.TB, folders ...blueprint.Folder) blueprint.Report {
	t.Helper()
	return blueprint.Report{Origin: blueprint.Shipped, Folders: folders, KeepHidden: true}
}

// states reads what may be done with each version.
func states(t testing.TB, s *Store, actor models.Actor) map[string]blueprint.State {
	t.Helper()
	all, err := s.ListBlueprints(t.Context(), actor)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]blueprint.State{}
	for _, b := range all {
		for _, v := range b.Versions {
			out[v.Ref()] = v.State
		}
	}
	return out
}

// TestBlueprintsAtOnce lets processes with pools of their own load the same folders at once: nothing fails, nothing doubles.
func TestBlueprintsAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	report := shippedTopics(t, topic(t, "1.0.0", "a"), topic(t, "1.1.0", "b"))
	var wg sync.WaitGroup
	for range 4 {
		other := openAt(t, s.opt.URL)
		for range 5 {
			wg.Go(func() {
				if refused, err := other.SaveBlueprints(t.Context(), loader, report); err != nil || len(refused) > 0 {
					t.Errorf("refused %v, %v", refused, err)
				}
			})
		}
	}
	wg.Wait()
	if n := count(t, s, `SELECT count(*) FROM blueprint_versions`); n != 2 {
		t.Errorf("%d versions are stored, want 2", n)
	}
	if n := count(t, s, `SELECT count(*) FROM audit_entries WHERE action = 'blueprints.change'`); n != 1 {
		t.Errorf("%d audit entries, want 1 for the one change", n)
	}
}

// TestBlueprintChanged edits a version in place: refused by name, and what is stored is still offered.
func TestBlueprintChanged(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	first := topic(t, "1.0.0", "first")
	save(t, s, shippedTopics(t, first))
	refused := save(t, s, blueprint.Report{Origin: blueprint.Directory, Folders: []blueprint.Folder{topic(t, "1.0.0", "second")}})
	if len(refused) != 1 || !strings.Contains(refused[0].Problems[0].String(), "meta.yaml:2: error: version: topic@1.0.0 was read before with other content") {
		t.Fatalf("refused: %+v", refused)
	}
	b, err := s.Blueprint(t.Context(), loader, "topic")
	if err != nil {
		t.Fatal(err)
	}
	v := b.Versions[0]
	if v.State != blueprint.Offered || v.Digest != first.Content.Digest || v.Meta.Description != "first" || v.Origin != blueprint.Shipped || len(v.Problems) != 1 || !strings.Contains(v.Reason, "refused") {
		t.Errorf("the version that was read first: %+v", v)
	}
	if save(t, s, blueprint.Report{Origin: blueprint.Directory}); len(b.Versions) != 1 {
		t.Errorf("versions: %+v", b.Versions)
	}
	b, err = s.Blueprint(t.Context(), loader, "topic")
	if err != nil || len(b.Versions[0].Problems) != 0 {
		t.Errorf("after the folder is gone: %+v, %v", b, err)
	}
}

func TestBlueprintStates(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	who := players(t, s)
	save(t, s, shippedTopics(t, topic(t, "1.0.0", "old"), topic(t, "1.1.0", "b"), topic(t, "1.2.0", "c"), topic(t, "1.10.0", "d")))
	broken := blueprint.Folder{Name: "topic", Version: "3.0.0", Problems: []blueprint.Problem{{File: "template.yaml", Line: 3, Level: blueprint.LevelError, Message: "bad"}}}
	save(t, s, blueprint.Report{Origin: blueprint.Directory, Folders: []blueprint.Folder{broken, topic(t, "2.0.0", "theirs")},
		Hidden: []blueprint.HiddenEntry{{Name: "topic", Version: "1.2.0", Reason: "it leaks"}}})
	want := map[string]blueprint.State{"topic@1.0.0": blueprint.Deprecated, "topic@1.1.0": blueprint.Offered, "topic@1.2.0": blueprint.Hidden, "topic@1.10.0": blueprint.Offered,
		"topic@2.0.0": blueprint.Offered, "topic@3.0.0": blueprint.Refused}
	for ref, state := range states(t, s, who.dev) {
		if want[ref] != state {
			t.Errorf("%s is %s, want %s", ref, state, want[ref])
		}
	}
	if v, err := s.OfferedBlueprint(t.Context(), who.dev, "topic"); err != nil || v.Version != "2.0.0" || v.Meta.Title != "Topic" || string(v.Template) != topicTemplate {
		t.Errorf("the newest that is offered: %+v, %v", v, err)
	}
	for version, words := range map[string]string{"1.0.0": "deprecated", "1.2.0": "it leaks", "3.0.0": "refused", "9.9.9": "no version"} {
		if _, err := s.OfferedVersion(t.Context(), who.dev, "topic", version); err == nil || !strings.Contains(models.Message(err), words) {
			t.Errorf("%s: %v, want %q", version, err, words)
		}
	}
	// hidden.yaml that cannot be read hides what was hidden; a directory that is gone withdraws what it had.
	save(t, s, blueprint.Report{Origin: blueprint.Directory, KeepHidden: true})
	got := states(t, s, who.dev)
	if got["topic@1.2.0"] != blueprint.Hidden || got["topic@2.0.0"] != blueprint.Withdrawn {
		t.Errorf("after the directory is empty: %v", got)
	}
	save(t, s, blueprint.Report{Origin: blueprint.Directory, Hidden: []blueprint.HiddenEntry{{Name: "topic", Reason: "all of it"}}})
	if _, err := s.OfferedBlueprint(t.Context(), who.dev, "topic"); models.KindOf(err) != models.Conflict {
		t.Errorf("everything is hidden: %v", err)
	}
}

// TestBlueprintWorse lets a newer Slipway refuse what an older one took: it is not offered, and what was made of it lives on.
func TestBlueprintWorse(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	f := topic(t, "1.0.0", "a")
	save(t, s, shippedTopics(t, f))
	f.Problems = []blueprint.Problem{{Level: blueprint.LevelError, Message: "a rule that is new"}}
	if refused := save(t, s, shippedTopics(t, f)); len(refused) != 1 {
		t.Errorf("refused: %v", refused)
	}
	if got := states(t, s, loader)["topic@1.0.0"]; got != blueprint.Refused {
		t.Errorf("it is %s", got)
	}
	if v, err := s.BlueprintByDigest(t.Context(), f.Content.Digest); err != nil || v.Ref() != "topic@1.0.0" {
		t.Errorf("by its digest: %+v, %v", v, err)
	}
}

// TestBlueprintsNeverChange proves that the database itself keeps versions as they are, and that a changed one is noticed.
func TestBlueprintsNeverChange(t *testing.T) {
	t.Parallel()
	s, ownerURL := open(t)
	f := topic(t, "1.0.0", "a")
	save(t, s, shippedTopics(t, f))
	for _, statement := range []string{`UPDATE blueprint_versions SET kind = 'support'`, `DELETE FROM blueprint_versions`} {
		if _, err := s.pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("the serving role may %s", statement)
		}
	}
	db, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), `UPDATE blueprint_versions SET template = template || ' '`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BlueprintByDigest(t.Context(), f.Content.Digest); err == nil || !strings.Contains(err.Error(), "not what its digest says") {
		t.Errorf("a changed row was read: %v", err)
	}
}

func TestBlueprintsAreForThoseWithARole(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	save(t, s, shippedTopics(t, topic(t, "1.0.0", "a")))
	nobody, _ := signIn(t, s, "nobody")
	who := players(t, s)
	if _, err := s.ListBlueprints(t.Context(), nobody); models.KindOf(err) != models.Forbidden {
		t.Errorf("without a role: %v", err)
	}
	if _, err := s.OfferedBlueprint(t.Context(), nobody, "topic"); models.KindOf(err) != models.Forbidden {
		t.Errorf("without a role: %v", err)
	}
	if _, err := s.SaveBlueprints(t.Context(), who.admin, blueprint.Report{Origin: blueprint.Directory}); models.KindOf(err) != models.Forbidden {
		t.Errorf("a person sends blueprints: %v", err)
	}
	if _, err := s.Blueprint(t.Context(), who.dev, "nothing"); models.KindOf(err) != models.NotFound {
		t.Errorf("an unknown blueprint: %v", err)
	}
	if _, err := s.BlueprintByDigest(t.Context(), "x"); models.KindOf(err) != models.NotFound {
		t.Errorf("an unknown digest: %v", err)
	}
}
