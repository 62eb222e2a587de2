package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

// cacheBytes bounds the answers that are kept: some thousand pages.
const cacheBytes = 64 << 20

// entryOverhead is what an entry takes beside its body, roughly.
const entryOverhead = 512 // bytes

// Key names a rendered answer.
type Key struct {
	Item string
	Lang Lang
	Form string // html, json, …, and what else it depends on
}

// Answer is a rendered answer. It is shared: nobody changes it.
type Answer struct {
	version view.Version
	body    []byte
	etag    []string // as header values, so that serving one allocates little
	length  []string
	media   []string
}

// NewAnswer returns an answer that was rendered from a version of the record.
func NewAnswer(version view.Version, media string, body []byte) *Answer {
	sum := sha256.Sum256(body)
	return &Answer{version: version, body: body, media: []string{media},
		etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`}, length: []string{strconv.Itoa(len(body))}}
}

// Cache keeps answers for as long as the record has not grown.
type Cache struct {
	mu    sync.Mutex
	lru   *simplelru.LRU[Key, *Answer]
	bytes int
}

// NewCache returns an empty cache.
func NewCache() *Cache {
	c := &Cache{}
	// The number of entries is bounded by their overhead; New only fails for a size that is not positive.
	c.lru, _ = simplelru.NewLRU(cacheBytes/entryOverhead, func(_ Key, a *Answer) { c.bytes -= a.size() })
	return c
}

func (a *Answer) size() int { return len(a.body) + entryOverhead }

// Get returns the answer of a key if it is of this version.
func (c *Cache) Get(k Key, version view.Version) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.lru.Get(k); ok && a.version == version {
		return a
	}
	return nil
}

// Put keeps an answer, and forgets those that were not asked for the longest.
func (c *Cache) Put(k Key, a *Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
	c.lru.Add(k, a)
	c.bytes += a.size()
	for c.bytes > cacheBytes {
		c.lru.RemoveOldest()
	}
}

var (
	noCache = []string{"no-cache"} // keep it, but ask whether it still holds
	vary    = []string{"Accept, Accept-Language"}
)

// Serve writes an answer, or 304 to a client that has it (RFC 9110, section 13.1.2).
func (a *Answer) Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Etag"] = a.etag
	h["Cache-Control"] = noCache
	h["Vary"] = vary
	if matches(r.Header.Get("If-None-Match"), a.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = a.media
	h["Content-Length"] = a.length
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // a client that left is not an error
	}
}

func matches(header, etag string) bool {
	if header == "" {
		return false
	}
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}
