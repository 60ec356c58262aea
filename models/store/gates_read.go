package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"slipway/models"
)

// readBuild is the build that a promotion's image is of: the one that it was asked with, or one that was registered since.
func (t *tx) readBuild(p models.Promotion) (*models.Build, error) {
	rows, err := many[buildRow](t.db, `SELECT `+buildColumns+` FROM builds b WHERE b.service_id = ? AND b.digest = ? ORDER BY b.id::text = ? DESC, b.pipeline_id = ? DESC, b.registered_at DESC, b.id LIMIT 1`,
		p.ServiceID, p.Digest(), p.BuildID, p.PipelineID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	b := rows[0].model()
	return &b, nil
}

type scanRow struct {
	ServiceID string
	Digest    string
	Source    string
	State     models.ScanState
	Counts    jsonb
	Words     string
	ScannedAt *time.Time
	ReadAt    time.Time
}

func (r scanRow) model() (models.ImageScan, error) {
	m := models.ImageScan{ServiceID: r.ServiceID, Digest: r.Digest, Source: r.Source, State: r.State, Words: r.Words, ScannedAt: value(r.ScannedAt), ReadAt: r.ReadAt}
	return m, r.Counts.decode(&m.Counts)
}

const scanColumns = `service_id, digest, source, state, counts, words, scanned_at, read_at`

// readScan is what ECR found in an image when it was last asked; nil: it was not asked yet.
func readScan(db *gorm.DB, serviceID, digest string) (*models.ImageScan, error) {
	rows, err := many[scanRow](db, `SELECT `+scanColumns+` FROM image_scans WHERE service_id = ? AND digest = ?`, serviceID, digest)
	if err != nil {
		return nil, fmt.Errorf("read the scan of %s: %w", digest, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	m, err := rows[0].model()
	return &m, err
}

// keepScan writes what ECR said of an image. What could not be read leaves a result that is known, and says so.
func (t *tx) keepScan(tenantID string, s models.ImageScan) error {
	if s.Counts == nil {
		s.Counts = map[models.Severity]int{}
	}
	counts, err := document(s.Counts)
	if err != nil {
		return err
	}
	if s.ReadAt.IsZero() {
		s.ReadAt = t.s.clock.Wall()
	}
	err = t.db.Exec(`INSERT INTO image_scans AS s (service_id, digest, tenant_id, source, state, counts, words, scanned_at, read_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (service_id, digest) DO UPDATE SET source = CASE WHEN excluded.source = '' THEN s.source ELSE excluded.source END, state = excluded.state, counts = excluded.counts, words = excluded.words,
			scanned_at = COALESCE(excluded.scanned_at, s.scanned_at), read_at = excluded.read_at WHERE NOT (excluded.state = 'unreadable' AND s.state = 'complete')`,
		s.ServiceID, s.Digest, tenantID, s.Source, s.State, counts, clipped(s.Words, longestWords), timeOrNull(s.ScannedAt), s.ReadAt).Error
	if err != nil {
		return fmt.Errorf("write the scan of %s: %w", s.Digest, err)
	}
	return nil
}

type evidenceRow struct {
	ID          string
	TenantID    string
	ServiceID   string
	PipelineID  string
	ExecutionID *string
	Digest      string
	Gate        models.Gate
	Passed      bool
	Words       string
	URL         string `gorm:"column:url"`
	FileName    string
	FileType    string
	FileSize    int
	PostedBy    string
	PostedAt    time.Time
}

func (r evidenceRow) model() models.Evidence {
	return models.Evidence{ID: r.ID, TenantID: r.TenantID, ServiceID: r.ServiceID, PipelineID: r.PipelineID, ExecutionID: value(r.ExecutionID), Digest: r.Digest, Gate: r.Gate, Passed: r.Passed,
		Words: r.Words, URL: r.URL, FileName: r.FileName, FileType: r.FileType, FileSize: r.FileSize, PostedBy: r.PostedBy, PostedAt: r.PostedAt}
}

const evidenceColumns = `d.id, d.tenant_id, d.service_id, d.pipeline_id, d.execution_id, d.digest, d.gate, d.passed, d.words, d.url, d.file_name, d.file_type, COALESCE(octet_length(d.file), 0) AS file_size,
	d.posted_by, d.posted_at`

func readEvidence(db *gorm.DB, rest string, args ...any) ([]models.Evidence, error) {
	rows, err := many[evidenceRow](db, `SELECT `+evidenceColumns+` FROM evidence d `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	all := make([]models.Evidence, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.model())
	}
	return all, nil
}

// newestEvidence is the newest evidence of each gate for an image, and for those gates that have none the newest for another image of the
// same pipeline, which does not count.
func (t *tx) newestEvidence(p models.Promotion, digest string) (mine, elsewhere map[models.Gate]models.Evidence, err error) {
	mine, elsewhere = map[models.Gate]models.Evidence{}, map[models.Gate]models.Evidence{}
	found, err := readEvidence(t.db, `JOIN (SELECT DISTINCT ON (gate) id FROM evidence WHERE service_id = ? AND digest = ? ORDER BY gate, posted_at DESC, id DESC) n ON n.id = d.id`, p.ServiceID, digest)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range found {
		mine[e.Gate] = e
	}
	others, err := readEvidence(t.db, `JOIN (SELECT DISTINCT ON (gate) id FROM evidence WHERE service_id = ? AND pipeline_id = ? AND digest <> ? ORDER BY gate, posted_at DESC, id DESC) n ON n.id = d.id`, p.ServiceID, p.PipelineID, digest)
	for _, e := range others {
		if _, ok := mine[e.Gate]; !ok {
			elsewhere[e.Gate] = e
		}
	}
	return mine, elsewhere, err
}

type waiverRow struct {
	ID            string
	PipelineID    string
	EnvironmentID string
	Environment   string
	Gate          models.Gate
	Digest        string
	Reason        string
	ByID          string
	By            string
	At            time.Time
	Until         time.Time
	EndedAt       *time.Time
	EndedBy       string
}

func (r waiverRow) model() models.Waiver {
	return models.Waiver{ID: r.ID, PipelineID: r.PipelineID, EnvironmentID: r.EnvironmentID, Environment: r.Environment, Gate: r.Gate, Digest: r.Digest, Reason: r.Reason, ByID: r.ByID, By: r.By, At: r.At,
		Until: r.Until, EndedAt: value(r.EndedAt), EndedBy: r.EndedBy}
}

func readWaivers(db *gorm.DB, rest string, args ...any) ([]models.Waiver, error) {
	rows, err := many[waiverRow](db, `SELECT w.id, w.pipeline_id, w.environment_id, e.name AS environment, w.gate, w.digest, w.reason, w.by_id, b.name AS by, w.at, w.until, w.ended_at, COALESCE(n.name, '') AS ended_by
		FROM gate_waivers w JOIN environments e ON e.id = w.environment_id JOIN people b ON b.id = w.by_id LEFT JOIN people n ON n.id = w.ended_by `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	all := make([]models.Waiver, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.model())
	}
	return all, nil
}

type stageFreezeRow struct {
	ID            string
	TenantID      string
	EnvironmentID string
	Environment   string
	Reason        string
	ByID          string
	By            string
	At            time.Time
	Until         time.Time
	LiftedAt      *time.Time
	LiftedBy      string
}

func (r stageFreezeRow) model() models.StageFreeze {
	return models.StageFreeze{ID: r.ID, TenantID: r.TenantID, EnvironmentID: r.EnvironmentID, Environment: r.Environment, Reason: r.Reason, ByID: r.ByID, By: r.By, At: r.At, Until: r.Until,
		LiftedAt: value(r.LiftedAt), LiftedBy: r.LiftedBy}
}

func readStageFreezes(db *gorm.DB, rest string, args ...any) ([]models.StageFreeze, error) {
	rows, err := many[stageFreezeRow](db, `SELECT f.id, f.tenant_id, f.environment_id, e.name AS environment, f.reason, f.by_id, b.name AS by, f.at, f.until, f.lifted_at, COALESCE(l.name, '') AS lifted_by
		FROM stage_freezes f JOIN environments e ON e.id = f.environment_id JOIN people b ON b.id = f.by_id LEFT JOIN people l ON l.id = f.lifted_by `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read freezes of stages: %w", err)
	}
	all := make([]models.StageFreeze, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.model())
	}
	return all, nil
}

// stageFrozen is the freeze of an environment's promotions that lasts longest; nil: there is none now.
func stageFrozen(db *gorm.DB, environmentID string, now time.Time) (*models.StageFreeze, error) {
	found, err := readStageFreezes(db, `WHERE f.environment_id = ? AND f.lifted_at IS NULL AND f.until > ? ORDER BY f.until DESC, f.id LIMIT 1`, environmentID, now)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
