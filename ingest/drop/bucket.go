package drop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/internal/bucket"
)

// Bucket is a bucket of an S3 server into which files are dropped: objects directly below Prefix.
type Bucket struct {
	bucket.Config `koanf:",squash"`
	Prefix        string `koanf:"prefix"` // "" or ends in "/"
}

// OfBucket returns the feed of a bucket, which must be there.
func OfBucket(b Bucket, c Config) (*Feed, error) {
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("drop: %w", err)
	}
	client, err := b.Client()
	if err != nil {
		return nil, fmt.Errorf("drop: %w", err)
	}
	return newFeed(c, &s3Place{Bucket: b, client: minio.Core{Client: client}, times: leaseTimes, holder: holder()}), nil
}

// s3Place is a place. An object is there whole or not at all, so none is being written.
type s3Place struct {
	Bucket
	client minio.Core
	times  times
	holder string // this process, in leases
}

func (b *s3Place) String() string {
	return "bucket " + b.Bucket.Bucket + "/" + b.Prefix + " at " + b.Endpoint
}

// key is the key of a path.
func (b *s3Place) key(path string) string { return b.Prefix + path }

// explain says what went wrong, as a place does.
func (b *s3Place) explain(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case bucket.NotFound(err):
		return fmt.Errorf("%s: %w", what, fs.ErrNotExist)
	}
	words, _ := bucket.Explain(err)
	return fmt.Errorf("%s: %s: %w", what, words, err)
}

// watch listens to the server's notifications, which MinIO has.
func (b *s3Place) watch(ctx context.Context, wake func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for told := range b.client.ListenBucketNotification(ctx, b.Bucket.Bucket, b.Prefix, "", []string{"s3:ObjectCreated:*"}) {
		if told.Err != nil {
			return told.Err
		}
		for _, record := range told.Records {
			key, err := url.QueryUnescape(record.S3.Object.Key)
			if err != nil || b.isFile(key) {
				wake()
			}
		}
	}
	return errors.New("the server has ended its notifications")
}

// isFile reports whether a key can be of a dropped file.
func (b *s3Place) isFile(key string) bool {
	name, ok := strings.CutPrefix(key, b.Prefix)
	return ok && name != "" && !strings.Contains(name, "/") && !strings.HasPrefix(name, ".")
}

func (b *s3Place) list(ctx context.Context) (listing, error) {
	l := listing{ignored: map[string]error{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for o := range b.client.ListObjectsIter(ctx, b.Bucket.Bucket, minio.ListObjectsOptions{Prefix: b.Prefix}) {
		if o.Err != nil {
			return listing{}, b.explain(ctx, "listing the files", o.Err)
		}
		name := strings.TrimPrefix(o.Key, b.Prefix)
		switch {
		case b.isFile(o.Key):
			l.files = append(l.files, file{name: name, path: name, size: o.Size, modified: o.LastModified})
		case strings.HasSuffix(name, "/") && name != doneDir && name != rejectedDir:
			l.ignored[name] = errors.New("folders are not taken: drop files themselves")
		}
		if len(l.files) == maxListed {
			break
		}
	}
	slices.SortFunc(l.files, earlier)
	return l, nil
}

// take looks which object it is. Nothing can keep somebody from writing another one under its name: open and move see that.
func (b *s3Place) take(ctx context.Context, f file) (file, error) {
	o, err := b.client.StatObject(ctx, b.Bucket.Bucket, b.key(f.path), minio.StatObjectOptions{})
	if err != nil {
		return f, b.explain(ctx, "looking at a file", err)
	}
	f.size, f.modified, f.etag, f.version = o.Size, o.LastModified, o.ETag, o.VersionID
	f.id = jobID("", strings.Join([]string{b.Endpoint, b.Bucket.Bucket, b.key(f.path), f.etag, f.version, strconv.FormatInt(f.modified.UnixMilli(), 10)}, "\x00"))
	return f, nil
}

func (b *s3Place) open(ctx context.Context, f file) (io.ReadCloser, error) {
	opts := minio.GetObjectOptions{VersionID: f.version}
	if err := opts.SetMatchETag(f.etag); err != nil {
		return nil, err
	}
	body, _, _, err := b.client.GetObject(ctx, b.Bucket.Bucket, b.key(f.path), opts)
	if isChanged(err) {
		return nil, fmt.Errorf("another file has its name now: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, b.explain(ctx, "reading a file", err)
	}
	return body, nil
}

// isChanged reports whether a condition on an object's content did not hold.
func isChanged(err error) bool { return minio.ToErrorResponse(err).Code == minio.PreconditionFailed }

func (b *s3Place) size(ctx context.Context, path string) (int64, error) {
	o, err := b.client.StatObject(ctx, b.Bucket.Bucket, b.key(path), minio.StatObjectOptions{})
	return o.Size, b.explain(ctx, "looking for "+path, err)
}

// maxReceipt bounds what is read of a receipt: they are written here, and have a bounded number of parts.
const maxReceipt = 64 << 20 // bytes

func (b *s3Place) read(ctx context.Context, path string) ([]byte, error) {
	body, _, _, err := b.client.GetObject(ctx, b.Bucket.Bucket, b.key(path), minio.GetObjectOptions{})
	if err != nil {
		return nil, b.explain(ctx, "reading "+path, err)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxReceipt))
	return text, b.explain(ctx, "reading "+path, err)
}

func (b *s3Place) write(ctx context.Context, path string, text []byte) error {
	_, err := b.put(ctx, path, text)
	return err
}

// put writes an object and returns its version, "" where the bucket keeps none.
func (b *s3Place) put(ctx context.Context, path string, text []byte) (version string, err error) {
	info, err := b.client.Client.PutObject(ctx, b.Bucket.Bucket, b.key(path), bytes.NewReader(text), int64(len(text)),
		minio.PutObjectOptions{ContentType: "application/json", SendContentMd5: true})
	return info.VersionID, b.explain(ctx, "writing "+path, err)
}

// partSize is in what pieces a sheet is sent whose size is not known before: 5 MiB at least, by the protocol, and kept in memory.
const partSize = 8 << 20 // bytes

func (b *s3Place) stream(ctx context.Context, path string, fill func(io.Writer) error) error {
	in, out := io.Pipe()
	filled := make(chan error, 1)
	go func() {
		err := fill(out)
		out.CloseWithError(err) // nil is the end
		filled <- err
	}()
	_, err := b.client.Client.PutObject(ctx, b.Bucket.Bucket, b.key(path), in, -1, minio.PutObjectOptions{SendContentMd5: true, PartSize: partSize})
	in.CloseWithError(err) // what is still being written fails
	if made := <-filled; err == nil || made != nil && errors.Is(err, made) {
		return made
	}
	return b.explain(ctx, "writing "+path, err)
}

// move copies the file that was captured, and no other that has its name meanwhile, and removes it. Copying again writes the same.
func (b *s3Place) move(ctx context.Context, f file, to string) error {
	name := b.Bucket.Bucket
	_, err := b.client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: name, Object: b.key(to)},
		minio.CopySrcOptions{Bucket: name, Object: b.key(f.path), VersionID: f.version, MatchETag: f.etag})
	if isChanged(err) || bucket.NotFound(err) {
		return nil // it was moved before, or somebody wrote over it or removed it: the evidence store has its bytes
	}
	if err != nil {
		return b.explain(ctx, "moving a file to "+to, err)
	}
	return b.remove(ctx, f)
}

// remove removes the file that was captured. Where the bucket keeps versions, it is that one and no other. Without, a file that somebody
// writes under the same name between the look and the removal is lost to the feed: docs/operations.md tells senders to use new names.
func (b *s3Place) remove(ctx context.Context, f file) error {
	if f.version == "" {
		now, err := b.client.StatObject(ctx, b.Bucket.Bucket, b.key(f.path), minio.StatObjectOptions{})
		if bucket.NotFound(err) || err == nil && (now.ETag != f.etag || !now.LastModified.Equal(f.modified)) {
			return nil
		}
		if err != nil {
			return b.explain(ctx, "looking at a file", err)
		}
	}
	return b.removeVersion(ctx, f.path, f.version)
}

func (b *s3Place) removeVersion(ctx context.Context, path, version string) error {
	err := b.client.RemoveObject(ctx, b.Bucket.Bucket, b.key(path), minio.RemoveObjectOptions{VersionID: version})
	if bucket.NotFound(err) {
		return nil
	}
	return b.explain(ctx, "removing "+path, err)
}
