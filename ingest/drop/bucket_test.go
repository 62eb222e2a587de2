package drop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/bucket"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// buckets is one S3 server for the tests of a kind.
type buckets struct {
	*world
	server *services.S3Server
	client *minio.Client
}

// onServers runs a test on each make of server, with and without versions.
func onServers(t *testing.T, test func(t *testing.T, b *buckets, versions bool)) {
	services.Enabled(t)
	for _, make := range []struct {
		name  string
		start func(testing.TB) *services.S3Server
	}{
		{"minio", services.S3},
		{"versitygw", func(t testing.TB) *services.S3Server { return services.Versity(t).S3Server }},
	} {
		t.Run(make.name, func(t *testing.T) {
			server := make.start(t)
			for _, versions := range []bool{false, true} {
				t.Run(fmt.Sprint("versions=", versions), func(t *testing.T) {
					b := &buckets{world: newWorld(t), server: server}
					var err error
					if b.client, err = b.at("any").Client(); err != nil {
						t.Fatal(err)
					}
					test(t, b, versions)
				})
			}
		})
	}
}

func (b *buckets) at(name string) bucket.Config {
	return bucket.Config{Endpoint: b.server.Endpoint, Bucket: name, AccessKey: b.server.AccessKey, SecretKey: b.server.SecretKey}
}

// make makes a bucket of its own.
func (b *buckets) make(name string, versions bool) string {
	b.Helper()
	name = fmt.Sprintf("%s-%v", name, versions)
	if err := b.client.MakeBucket(b.Context(), name, minio.MakeBucketOptions{}); err != nil {
		b.Fatal(err)
	}
	if versions {
		if err := b.client.EnableVersioning(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
	return name
}

// feed is a gateway's, with short times.
func (b *buckets) feed(name, prefix string, c Capturer) *Feed {
	b.Helper()
	f, err := OfBucket(Bucket{Config: b.at(name), Prefix: prefix}, b.config(c, false))
	if err != nil {
		b.Fatal(err)
	}
	f.every = 200 * time.Millisecond
	f.place.(*s3Place).times = leaseTimes.scale(8)
	return f
}

func (b *buckets) put(name, key, content string) {
	b.Helper()
	if _, err := b.client.PutObject(b.Context(), name, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{SendContentMd5: true}); err != nil {
		b.Fatal(err)
	}
}

func (b *buckets) get(name, key string) []byte {
	b.Helper()
	o, err := b.client.GetObject(b.Context(), name, key, minio.GetObjectOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	text, err := io.ReadAll(o)
	if err != nil {
		b.Fatal(key, err)
	}
	return text
}

func (b *buckets) keys(name, prefix string) []string {
	b.Helper()
	list := []string{}
	for o := range b.client.ListObjectsIter(b.Context(), name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			b.Fatal(o.Err)
		}
		list = append(list, o.Key)
	}
	return list
}

func TestBucket(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		name := b.make("one", versions)
		files := map[string]string{"good.json": document(harvest("1")), "北京 批次+1 &x=y%20#.json": document(harvest("2")),
			"a\nb.json": document(harvest("3")), "bad.json": document(noAction)}
		if b.server.Endpoint == "" {
			t.Fatal("no server")
		}
		for key, content := range files {
			b.put(name, "in/"+key, content)
		}
		b.put(name, "in/folder/deep.json", document(harvest("deep")))
		b.put(name, "other.json", document(harvest("other")))
		f := b.feed(name, "in/", b.gateway("a"))
		b.run(func() bool { return through(uint64(len(files)), f)() && f.Figures().Stuck == 1 }, f)
		var want []string
		for key := range files {
			if key == "bad.json" {
				want = append(want, "in/rejected/bad.json", "in/rejected/bad.json"+reasonsEnd)
				continue
			}
			want = append(want, "in/done/"+key, "in/done/"+key+receiptEnd)
			if r := b.parse(b.get(name, "in/done/"+key+receiptEnd)); r.Accepted != 1 || r.State != Captured {
				t.Errorf("%q: %+v", key, r)
			}
			if text := b.get(name, "in/done/"+key); string(text) != files[key] {
				t.Errorf("%q has other bytes now", key)
			}
		}
		want = append(want, "in/folder/deep.json", "other.json")
		slices.Sort(want)
		have := b.keys(name, "")
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBucketSheet: a sheet that was captured in part comes back with what is wrong. Corrected and dropped, the rest is captured.
func TestBucketSheet(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		name := b.make("sheet", versions)
		b.put(name, "in/landings.csv", landings("L"))
		f := b.feed(name, "in/", b.gateway("a"))
		f.Proceed = true
		b.run(through(1, f), f)
		r := b.parse(b.get(name, "in/done/landings.csv"+receiptEnd))
		if r.State != Partly || r.Accepted != 2 || r.Refused != 1 || r.Sheet != "landings.csv.problems.csv" {
			t.Fatalf("%+v", r)
		}
		sheet := string(b.get(name, "in/done/"+r.Sheet))
		if !strings.Contains(sheet, "refused\nDATE A3") || !strings.Contains(sheet, "L-3") {
			t.Fatal(sheet)
		}
		b.put(name, "in/corrected.csv", strings.Replace(sheet, "yesterday", "2026-04-25", 1))
		b.run(through(2, f), f)
		if r := b.parse(b.get(name, "in/done/corrected.csv"+receiptEnd)); r.State != Captured || r.Accepted != 1 || r.Duplicates != 2 || r.Sheet != "" {
			t.Errorf("%+v", r)
		}
		want := []string{"corrected.csv", "corrected.csv" + receiptEnd, "landings.csv", "landings.csv" + sheetEnd + ".csv", "landings.csv" + receiptEnd}
		have := b.keys(name, "in/")
		for i := range have {
			have[i] = strings.TrimPrefix(have[i], "in/done/")
		}
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBucketStream: what is larger than a part is written whole; what is not written to its end leaves nothing, not even parts.
func TestBucketStream(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		name := b.make("stream", versions)
		place := b.feed(name, "in/", b.gateway("a")).place
		content := bytes.Repeat([]byte("0123456789abcdef"), (partSize+partSize/2)/16)
		if err := place.stream(t.Context(), "large", func(out io.Writer) error {
			_, err := out.Write(content)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.get(name, "in/large"), content) {
			t.Error("it came back otherwise")
		}
		broken := errors.New("broken")
		if err := place.stream(t.Context(), "half", func(out io.Writer) error {
			_, err := out.Write(content)
			return errors.Join(err, broken)
		}); !errors.Is(err, broken) {
			t.Error(err)
		}
		if keys := b.keys(name, ""); !slices.Equal(keys, []string{"in/large"}) {
			t.Errorf("%q", keys)
		}
		for part := range b.client.ListIncompleteUploads(t.Context(), name, "in/", true) {
			t.Errorf("%+v is left", part)
		}
	})
}

// TestTwoGatewaysOnOneBucket: files come from several senders while two gateways work, stop and begin again. Each is captured once.
func TestTwoGatewaysOnOneBucket(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		n := 200
		if versions { // the same, once more on another server
			n = 60
		}
		name := b.make("two", versions)
		first, second := &counting{Capturer: b.gateway("a")}, &counting{Capturer: b.gateway("b")}
		a, c := b.feed(name, "", first), b.feed(name, "", second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		sent := make(chan error, 4)
		for sender := range cap(sent) {
			go func() {
				for i := sender; i < n; i += cap(sent) {
					content := document(harvest(fmt.Sprint(i)))
					if _, err := b.client.PutObject(ctx, name, fmt.Sprintf("%03d.json", i), strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{SendContentMd5: true}); err != nil {
						sent <- err
						return
					}
				}
				sent <- nil
			}()
		}
		b.run(through(uint64(n/4), a, c), a, c) // both stop in the middle
		b.run(through(uint64(n/2), a, c), c, a)
		b.run(through(uint64(n), a, c), a, c)
		for range cap(sent) {
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
		if all := first.Load() + second.Load(); all != int64(n) {
			t.Errorf("%d jobs for %d files", all, n)
		}
		receipts := 0
		for _, key := range b.keys(name, "") {
			if !strings.HasPrefix(key, "done/") && key != leaseName { // which a request that was given up may leave; it ends by itself
				t.Errorf("%q is left", key)
			}
			if strings.HasSuffix(key, receiptEnd) {
				receipts++
				if r := b.parse(b.get(name, key)); r.Accepted != 1 || r.Duplicates != 0 {
					t.Errorf("%+v", r)
				}
			}
		}
		if receipts != n {
			t.Errorf("%d receipts", receipts)
		}
	})
}

// counting counts the jobs that were made.
type counting struct {
	Capturer
	seen atomic.Int64
	ids  ids
}

func (c *counting) Load() int64 { return c.seen.Load() }

func (c *counting) Receive(ctx context.Context, req capture.Request) (capture.Job, error) {
	j, err := c.Capturer.Receive(ctx, req)
	if err == nil && c.ids.add(j.ID) {
		c.seen.Add(1)
	}
	return j, err
}

// TestBucketTakenOver: the gateway that worked the bucket is dead for good; the file that it left behind a receipt goes its way, and the
// other one is captured.
func TestBucketTakenOver(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		name := b.make("over", versions)
		b.put(name, "orders.json", document(harvest("1")))
		dead := b.feed(name, "", b.gateway("a"))
		if died := b.dieAt(dead, 7, func() bool { return false }); !died {
			t.Fatal("it did not die")
		}
		if keys := b.keys(name, "done/"); !slices.Equal(keys, []string{"done/orders.json" + receiptEnd}) {
			t.Fatalf("it should have died between the receipt and the move: %q", keys)
		}
		other := b.feed(name, "", b.gateway("b"))
		b.run(func() bool { return len(b.keys(name, "done/")) == 2 && len(b.keys(name, "orders.json")) == 0 }, other)
		if r := b.parse(b.get(name, "done/orders.json"+receiptEnd)); r.Accepted != 1 || r.Duplicates != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestOverwrittenWhileItIsCaptured: a sender writes another file under the name of one that is under way.
func TestOverwrittenWhileItIsCaptured(t *testing.T) {
	onServers(t, func(t *testing.T, b *buckets, versions bool) {
		name := b.make("same", versions)
		b.put(name, "orders.json", document(harvest("1")))
		slow := &interrupted{Capturer: b.gateway("a"), then: func() { b.put(name, "orders.json", document(harvest("2"))) }}
		f := b.feed(name, "", slow)
		b.run(through(2, f), f)
		accepted := 0
		for _, key := range b.keys(name, "") {
			if strings.HasSuffix(key, receiptEnd) {
				accepted += b.parse(b.get(name, key)).Accepted
			}
		}
		if accepted != 2 {
			t.Errorf("%d of 2 are on the ledger: %q", accepted, b.keys(name, ""))
		}
	})
}

// interrupted does something else after the first file was kept.
type interrupted struct {
	Capturer
	then func()
}

func (i *interrupted) Receive(ctx context.Context, req capture.Request) (capture.Job, error) {
	j, err := i.Capturer.Receive(ctx, req)
	if i.then != nil {
		i.then()
		i.then = nil
	}
	return j, err
}

func TestBucketAway(t *testing.T) {
	services.Enabled(t)
	server := services.S3(t)
	b := &buckets{world: newWorld(t), server: server}
	var err error
	if b.client, err = b.at("any").Client(); err != nil {
		t.Fatal(err)
	}
	f := b.feed("later", "", b.gateway("a"))
	b.run(func() bool { return f.Check(t.Context()) != nil }, f) // no such bucket
	if err := b.client.MakeBucket(t.Context(), "later", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	b.put("later", "1.json", document(harvest("1")))
	b.run(func() bool { return through(1, f)() && f.Check(t.Context()) == nil }, f)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	b.run(func() bool { return f.Check(t.Context()) != nil }, f)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.put("later", "2.json", document(harvest("2")))
	b.run(func() bool { return through(2, f)() && f.Check(t.Context()) == nil }, f)

	denied := b.at("later")
	denied.SecretKey = "wrong"
	g, err := OfBucket(Bucket{Config: denied}, b.config(b.gateway("b"), false))
	if err != nil {
		t.Fatal(err)
	}
	b.run(func() bool { return g.Check(t.Context()) != nil }, g)
	if err := g.Check(t.Context()); !strings.Contains(err.Error(), "credentials") {
		t.Error(err)
	}
}

// TestNotified: where the server tells, nobody waits for a sweep.
func TestNotified(t *testing.T) {
	services.Enabled(t)
	b := &buckets{world: newWorld(t), server: services.S3(t)}
	var err error
	if b.client, err = b.at("any").Client(); err != nil {
		t.Fatal(err)
	}
	name := b.make("told", false)
	f := b.feed(name, "in/", b.gateway("a"))
	f.every = time.Hour
	go func() {
		for i := 0; t.Context().Err() == nil && f.Figures().Done == 0; i++ {
			content := []byte(document(harvest(fmt.Sprint(i))))
			_, _ = b.client.PutObject(t.Context(), name, fmt.Sprintf("in/%d.json", i), bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{SendContentMd5: true})
			pause(t.Context(), 200*time.Millisecond, nil)
		}
	}()
	b.run(through(1, f), f)
}
