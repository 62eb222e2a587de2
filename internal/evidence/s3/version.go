package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

// version is one version of an object. In a bucket without versions it has no ID.
type version struct {
	id       string
	size     int64
	retained time.Time // nobody deletes it before, in compliance mode; only current says it
}

// current returns the newest version, whatever its bytes are. ErrNotFound where there is none or a deletion is the newest.
func (s *Store) current(ctx context.Context, digest string) (version, error) {
	if !evidence.IsDigest(digest) {
		return version{}, evidence.NoDigest(digest)
	}
	o, err := s.client.StatObject(ctx, s.config.Bucket, key(digest), minio.StatObjectOptions{})
	if err != nil {
		return version{}, s.explain(ctx, "find "+digest, err)
	}
	v := version{id: o.VersionID, size: o.Size}
	if o.Metadata.Get("X-Amz-Object-Lock-Mode") == string(minio.Compliance) {
		v.retained, _ = time.Parse(time.RFC3339, o.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date")) // not a time: as if not retained
	}
	return v, nil
}

// find returns the version to serve. Mostly there is one. Where others were written over it, the newest whose bytes have the
// digest; none has: the newest, so that who reads it learns that it is damaged.
func (s *Store) find(ctx context.Context, digest string) (version, error) {
	if !s.features.Versioning {
		return s.current(ctx, digest)
	}
	if !evidence.IsDigest(digest) {
		return version{}, evidence.NoDigest(digest)
	}
	all, err := s.versions(ctx, digest)
	if err != nil {
		return version{}, err
	}
	if len(all) == 0 {
		return version{}, fmt.Errorf("%w: %s", evidence.ErrNotFound, digest)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	for _, v := range all {
		if ok, err := s.matches(ctx, digest, v); ok || err != nil {
			return v, err
		}
	}
	return all[0], nil
}

// versions lists the versions of an object, newest first. Equal bytes are listed once where the server's tag shows that they
// are: two gateways that keep the same file at one time make two versions.
func (s *Store) versions(ctx context.Context, digest string) ([]version, error) {
	var all []version
	seen := map[string]bool{}
	for o := range s.client.ListObjectsIter(ctx, s.config.Bucket, minio.ListObjectsOptions{Prefix: key(digest), WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			return nil, s.explain(ctx, "find "+digest, o.Err)
		}
		if o.Key != key(digest) || o.IsDeleteMarker || seen[o.ETag] {
			continue
		}
		seen[o.ETag] = true
		all = append(all, version{id: o.VersionID, size: o.Size})
	}
	return all, ctx.Err()
}

// PresignedURL implements evidence.Presigner. The address names the version, so what is written over the file later does
// not change what comes.
func (s *Store) PresignedURL(ctx context.Context, digest, name string, validity time.Duration) (string, error) {
	if s.public == nil {
		return "", fmt.Errorf("evidence: direct downloads need publicURL in the configuration of S3: %w", errors.ErrUnsupported)
	}
	v, err := s.find(ctx, digest)
	if err != nil {
		return "", err
	}
	ask := url.Values{
		"response-content-type":        {mediaType},
		"response-content-disposition": {"attachment; filename*=UTF-8''" + url.PathEscape(name)},
		"response-cache-control":       {"private, no-store"},
	}
	if v.id != "" {
		ask.Set("versionId", v.id)
	}
	u, err := s.public.PresignedGetObject(ctx, s.config.Bucket, key(digest), validity, ask)
	if err != nil {
		return "", s.explain(ctx, "sign an address of "+digest, err)
	}
	return u.String(), nil
}
