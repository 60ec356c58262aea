package price

import (
	"fmt"

	"slipway/models/blueprint"
)

func key(w *walk, res blueprint.ResolvedResource) {
	w.count("kms.key", whole(1), res.ID)
	w.use("kms.requests", "kms_requests_10k", res.ID)
	if is(res.Properties["EnableKeyRotation"], "true", "false") {
		w.leave("Rotations of KMS keys: each of a key's first two makes it dearer")
	}
}

func secret(w *walk, res blueprint.ResolvedResource) {
	w.count("secret", whole(1), res.ID)
	w.use("secret.requests", "secret_requests_10k", res.ID)
	if n, known := items(res, "ReplicaRegions"); n > 0 || !known {
		w.leave(fmt.Sprintf("Copies of %s in other regions", res.ID))
	}
}

func bucket(w *walk, res blueprint.ResolvedResource) {
	w.use("s3.storage", "object_storage_gb", res.ID)
	w.use("s3.writes", "object_requests_thousand", res.ID)
	w.leave("Reads from buckets")
	if res.Properties["ReplicationConfiguration"] != nil {
		w.leave(fmt.Sprintf("Copies that %s makes", res.ID))
	}
}

func repository(w *walk, res blueprint.ResolvedResource) {
	w.use("ecr.storage", "image_storage_gb", res.ID)
}

func queue(w *walk, _ blueprint.ResolvedResource) { w.leave("Requests to SQS queues") }
