package store

// What is removed of delivery. An image that runs somewhere keeps what is known of it, however old that is.
const (
	sweepEvidence = `DELETE FROM evidence WHERE id IN (SELECT v.id FROM evidence v WHERE v.posted_at < $1
		AND NOT EXISTS (SELECT FROM environments e WHERE e.service_id = v.service_id AND e.state <> 'deleted' AND split_part(e.image, '@', 2) = v.digest)
		ORDER BY v.posted_at LIMIT $2 FOR UPDATE SKIP LOCKED)`

	sweepScans = `DELETE FROM image_scans WHERE (service_id, digest) IN (SELECT i.service_id, i.digest FROM image_scans i WHERE i.read_at < $1
		AND NOT EXISTS (SELECT FROM environments e WHERE e.service_id = i.service_id AND e.state <> 'deleted' AND split_part(e.image, '@', 2) = i.digest)
		ORDER BY i.read_at LIMIT $2 FOR UPDATE SKIP LOCKED)`

	sweepExecutions = `DELETE FROM pipeline_executions WHERE id IN (SELECT x.id FROM pipeline_executions x WHERE x.ended_at < $1
		AND NOT EXISTS (SELECT FROM pipelines p WHERE p.id = x.pipeline_id AND p.last_execution = x.id) AND NOT EXISTS (SELECT FROM builds b WHERE b.execution_id = x.id)
		AND NOT EXISTS (SELECT FROM promotions o WHERE o.execution_id = x.id) AND NOT EXISTS (SELECT FROM evidence v WHERE v.execution_id = x.id)
		AND NOT EXISTS (SELECT FROM pipeline_orders q WHERE q.execution_id = x.id) ORDER BY x.ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)`
)
