package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/blueprint"
)

// metas keeps the descriptions that were read, by digest: a version never changes.
type metas struct {
	mu    sync.Mutex
	known map[string]blueprint.Meta
}

const maxMetas = 1000 // more than a catalogue has; all are dropped when it is reached

func (m *metas) of(digest string, source []byte) (blueprint.Meta, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if meta, ok := m.known[digest]; ok {
		return meta, nil
	}
	meta, err := blueprint.ReadMeta(source)
	if err != nil {
		return meta, fmt.Errorf("blueprint %.12s: %w", digest, err)
	}
	if len(m.known) >= maxMetas || m.known == nil {
		m.known = map[string]blueprint.Meta{}
	}
	m.known[digest] = meta
	return meta, nil
}

type versionRow struct {
	Digest    string
	Name      string
	Version   string
	Template  []byte
	Source    []byte
	FirstSeen time.Time
}

const versionColumns = `digest, name, version, template, source, first_seen`

// version reads the row and proves that it is what its digest says.
func (r versionRow) version(m *metas) (v blueprint.Version, err error) {
	v = blueprint.Version{Name: r.Name, Version: r.Version, Digest: r.Digest, Template: r.Template, Source: r.Source}
	if blueprint.Digest(map[string][]byte{blueprint.TemplateFile: r.Template, blueprint.MetaFile: r.Source}) != r.Digest {
		return v, fmt.Errorf("blueprint %s in the database is not what its digest says", v.Ref())
	}
	v.Meta, err = m.of(r.Digest, r.Source)
	return v, err
}

// readers refuses who holds no role: everyone else may see the whole catalogue, which names no tenant.
func readers(actor models.Actor) error {
	if actor.NoAccess() {
		return models.Errorf(models.Forbidden, "You need a role to see blueprints.")
	}
	return nil
}

// ListBlueprints lists every blueprint with its versions, also what was refused and why.
func (s *Store) ListBlueprints(ctx context.Context, actor models.Actor) ([]blueprint.Listing, error) {
	if err := readers(actor); err != nil {
		return nil, err
	}
	list, err := s.catalogueBy(s.read(ctx))
	return list, translate(err)
}

// Blueprint is one blueprint with its versions, newest first.
func (s *Store) Blueprint(ctx context.Context, actor models.Actor, name string) (blueprint.Listing, error) {
	list, err := s.ListBlueprints(ctx, actor)
	if err != nil {
		return blueprint.Listing{}, err
	}
	i := slices.IndexFunc(list, func(b blueprint.Listing) bool { return b.Name == name })
	if i < 0 {
		return blueprint.Listing{}, models.Errorf(models.NotFound, "There is no blueprint of that name.")
	}
	return list[i], nil
}

// BlueprintByDigest is a stored version, whatever may be done with it today: what was made of it lives on.
func (s *Store) BlueprintByDigest(ctx context.Context, digest string) (blueprint.Version, error) {
	return s.byDigest(s.read(ctx), digest)
}

// OfferedBlueprint is the newest version that can be ordered.
func (s *Store) OfferedBlueprint(ctx context.Context, actor models.Actor, name string) (blueprint.Version, error) {
	return s.OfferedVersion(ctx, actor, name, "")
}

// OfferedVersion is one version if it can be ordered, the newest of them when none is named.
func (s *Store) OfferedVersion(ctx context.Context, actor models.Actor, name, version string) (blueprint.Version, error) {
	if err := readers(actor); err != nil {
		return blueprint.Version{}, err
	}
	v, err := s.offered(s.read(ctx), name, version)
	return v, translate(err)
}

// offered finds a version that can be ordered, in whatever transaction asks.
func (s *Store) offered(db *gorm.DB, name, version string) (blueprint.Version, error) {
	list, err := s.catalogueBy(db)
	if err != nil {
		return blueprint.Version{}, err
	}
	i := slices.IndexFunc(list, func(b blueprint.Listing) bool { return b.Name == name })
	if i < 0 {
		return blueprint.Version{}, models.Errorf(models.NotFound, "There is no blueprint of that name.")
	}
	v, ok := list[i].Newest()
	if version != "" {
		v, ok = list[i].Find(version)
	}
	switch {
	case !ok && version != "":
		return blueprint.Version{}, models.Errorf(models.NotFound, "The blueprint %s has no version %s.", name, clip(version))
	case !ok:
		return blueprint.Version{}, models.Errorf(models.Conflict, "No version of the blueprint %s can be ordered today. Its page says why.", name)
	case v.State != blueprint.Offered:
		return blueprint.Version{}, models.Errorf(models.Conflict, "%s cannot be ordered: it is %s. %s", v.Ref(), v.State, v.Reason)
	}
	return s.byDigest(db, v.Digest)
}

func (s *Store) byDigest(db *gorm.DB, digest string) (blueprint.Version, error) {
	row, err := one[versionRow](db, `SELECT `+versionColumns+` FROM blueprint_versions WHERE digest = ?`, digest)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return blueprint.Version{}, models.Errorf(models.NotFound, "There is no blueprint with the digest %s.", clip(digest))
	}
	if err != nil {
		return blueprint.Version{}, translate(fmt.Errorf("read blueprint %s: %w", clip(digest), err))
	}
	return row.version(&s.metas)
}

func (t *tx) catalogue() ([]blueprint.Listing, error) { return t.s.catalogueBy(t.db) }

// catalogueBy puts the catalogue together; its three tables are small.
func (s *Store) catalogueBy(db *gorm.DB) ([]blueprint.Listing, error) {
	rows, err := many[versionRow](db, `SELECT digest, name, version, source, first_seen FROM blueprint_versions`)
	if err != nil {
		return nil, fmt.Errorf("read blueprint versions: %w", err)
	}
	stored := make([]blueprint.Stored, 0, len(rows))
	for _, r := range rows {
		meta, err := s.metas.of(r.Digest, r.Source)
		if err != nil {
			return nil, err
		}
		stored = append(stored, blueprint.Stored{Name: r.Name, Version: r.Version, Digest: r.Digest, Meta: meta, FirstSeen: r.FirstSeen})
	}
	type folderRow struct {
		Origin, Name, Version, Digest string
		Problems, Checks              jsonb
	}
	folders, err := many[folderRow](db, `SELECT origin, name, version, digest, problems, checks FROM blueprint_folders ORDER BY origin, name, version`)
	if err != nil {
		return nil, fmt.Errorf("read blueprint folders: %w", err)
	}
	found := make([]blueprint.Found, 0, len(folders))
	for _, r := range folders {
		f := blueprint.Found{Origin: blueprint.Origin(r.Origin), Name: r.Name, Version: r.Version, Digest: r.Digest}
		if err := errors.Join(r.Problems.decode(&f.Problems), r.Checks.decode(&f.Checks)); err != nil {
			return nil, fmt.Errorf("read blueprint folder %s: %w", blueprint.Ref(r.Name, r.Version), err)
		}
		found = append(found, f)
	}
	hidden, err := many[blueprint.HiddenEntry](db, `SELECT name, version, reason FROM blueprint_hidden ORDER BY name, version`)
	if err != nil {
		return nil, fmt.Errorf("read what is hidden: %w", err)
	}
	return blueprint.List(stored, found, hidden), nil
}
