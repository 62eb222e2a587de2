package s3

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// gatewayRights are those that docs/operations.md names for the account of a gateway; %[1]s is its key.
const gatewayRights = `{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Principal": {"AWS": ["%[1]s"]}, "Resource": ["arn:aws:s3:::rights"],
	 "Action": ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"]},
	{"Effect": "Allow", "Principal": {"AWS": ["%[1]s"]}, "Resource": ["arn:aws:s3:::rights/evidence/*"],
	 "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObjectRetention", "s3:PutObjectRetention"]}]}`

// TestRights: the documented rights are enough for all that a store does, and too few to delete or to read other things.
func TestRights(t *testing.T) {
	server := services.Versity(t)
	c := configOf(server.S3Server, "rights")
	c.RetentionDays = 1
	s, _ := open(t, c) // makes the bucket
	ours, secret, err := server.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client.SetBucketPolicy(t.Context(), c.Bucket, fmt.Sprintf(gatewayRights, ours)); err != nil {
		t.Fatal(err)
	}
	c.AccessKey, c.SecretKey = ours, secret
	s, _ = open(t, c)
	s.partSize = 5 << 20
	b, digest := random(11 << 20)
	put(t, s, b)
	s.config.RetentionDays = 5
	put(t, s, b)
	if !bytes.Equal(read(t, s, digest), b) {
		t.Error("other bytes")
	}
	if files, _, err := s.Verify(t.Context(), func(path string, problem error) { t.Errorf("%s: %v", path, problem) }); err != nil || files != 1 {
		t.Errorf("%d files, %v", files, err)
	}
	if err := s.client.RemoveObject(t.Context(), c.Bucket, key(digest), minio.RemoveObjectOptions{}); minio.ToErrorResponse(err).Code != minio.AccessDenied {
		t.Errorf("deleted: %v", err)
	}
	if _, err := s.client.StatObject(t.Context(), c.Bucket, "other/file", minio.StatObjectOptions{}); minio.ToErrorResponse(err).Code != minio.AccessDenied {
		t.Errorf("other things: %v", err)
	}
	another := c
	another.Bucket = "another"
	_, err = New(t.Context(), another, t.TempDir(), slog.New(slog.DiscardHandler))
	says(t, another, err, "do not have the right", nil)
}
