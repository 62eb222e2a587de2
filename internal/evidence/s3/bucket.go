package s3

import (
	"context"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/bucket"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

// prepareBucket makes the bucket if it is not there, and finds out what it offers.
func (s *Store) prepareBucket(ctx context.Context) error {
	versions, err := s.client.GetBucketVersioning(ctx, s.config.Bucket)
	if minio.ToErrorResponse(err).Code == minio.NoSuchBucket {
		if err := s.makeBucket(ctx); err != nil {
			return err
		}
		versions, err = s.client.GetBucketVersioning(ctx, s.config.Bucket)
	}
	if err != nil && !lacks(err) {
		return s.explain(ctx, "ask whether the bucket keeps versions", err)
	}
	lock, _, _, _, err := s.client.GetObjectLockConfig(ctx, s.config.Bucket)
	if err != nil && !lacks(err) {
		return s.explain(ctx, "ask whether the bucket has object lock", err)
	}
	s.features = Features{Versioning: versions.Enabled(), ObjectLock: lock == "Enabled"}
	return nil
}

// makeBucket makes it with object lock, which brings versions, or with as much as the server has. Another gateway may be
// making it at the same time.
func (s *Store) makeBucket(ctx context.Context) error {
	err := s.client.MakeBucket(ctx, s.config.Bucket, minio.MakeBucketOptions{Region: s.config.Region, ObjectLocking: true})
	if lacks(err) {
		err = s.client.MakeBucket(ctx, s.config.Bucket, minio.MakeBucketOptions{Region: s.config.Region})
		if err == nil {
			err = s.client.EnableVersioning(ctx, s.config.Bucket)
			if lacks(err) {
				err = nil
			}
		}
	}
	if err != nil && minio.ToErrorResponse(err).Code != minio.BucketAlreadyOwnedByYou {
		return s.explain(ctx, "make the bucket", err)
	}
	return nil
}

// lacks reports whether an answer says that the server, or the bucket, does not have what was asked for.
func lacks(err error) bool {
	switch minio.ToErrorResponse(err).Code {
	case minio.NotImplemented, "ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration":
		return err != nil
	}
	return false
}

// explain says what went wrong in words, with the bucket and the server. What another try may mend is ErrUnavailable.
func (s *Store) explain(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("evidence: %w", ctx.Err())
	}
	if bucket.NotFound(err) {
		return fmt.Errorf("%w (%s: %s)", evidence.ErrNotFound, what, minio.ToErrorResponse(err).Message)
	}
	sentence, away := bucket.Explain(err)
	place := fmt.Sprintf("bucket %s at %s: %s: %s", s.config.Bucket, s.config.Endpoint, what, sentence)
	if away {
		return fmt.Errorf("%w: %s: %w", evidence.ErrUnavailable, place, err)
	}
	return fmt.Errorf("evidence: %s: %w", place, err)
}
