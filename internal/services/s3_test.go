package services

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// TestS3 kills the server and finds what was written before, on the same address; then stops it for good.
func TestS3(t *testing.T) {
	s := S3(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := minio.New(s.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(ctx, "kept", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	want := []byte("written before")
	if _, err := client.PutObject(ctx, "kept", "file", bytes.NewReader(want), int64(len(want)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(ctx); err == nil {
		t.Error("a running server was started again")
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.BucketExists(ctx, "kept"); err == nil {
		t.Error("a killed server answers")
	}
	if err := s.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	object, err := client.GetObject(ctx, "kept", "file", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for range 2 { // stopping what is stopped is no error
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}
