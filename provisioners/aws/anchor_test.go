package aws

import (
	"bytes"
	"errors"
	"testing"

	"slipway/models"
)

const auditBucket = "slipway-audit-222222222222-eu-west-1" // of deploy/aws/hub.yaml

func TestAuditHeadIsKeptAndLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	worker := w.clients(asWorker, nil)
	head := models.AuditHead{Seq: 7, Hash: bytes.Repeat([]byte{0xab}, 32)}
	for range 2 { // once a minute, also while nothing happens
		if err := worker.KeepHead(t.Context(), auditBucket, head); err != nil {
			t.Fatal(err)
		}
	}
	n := w.count(`SELECT count(*) FROM objects WHERE bucket = $1 AND key = 'heads/000000000007' AND lock_mode = 'COMPLIANCE' AND retain_until > modified_at + interval '399 days'
		AND convert_from(body, 'UTF8') = $2`, auditBucket, head.String()+"\n")
	if n != 1 {
		t.Errorf("%d objects hold the locked head, want one", n)
	}
	head.Hash = bytes.Repeat([]byte{0xcd}, 32)
	if err := worker.KeepHead(t.Context(), auditBucket, head); !errors.Is(err, ErrRewritten) {
		t.Errorf("another hash under the same number: %v", err)
	}
}

func TestAuditHeadIsTheWorkersToKeep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	head := models.AuditHead{Seq: 1, Hash: make([]byte, 32)}
	if err := w.clients(asWeb, nil).KeepHead(t.Context(), auditBucket, head); !is(err, "AccessDenied") {
		t.Errorf("the web process: %v", err)
	}
	if err := w.clients(asWorker, nil).KeepHead(t.Context(), "slipway-no-such-bucket", head); err == nil {
		t.Error("a bucket that is not there was no error")
	}
}
