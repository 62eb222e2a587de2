package main

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// figure is a sum over all events so far.
type figure struct {
	name  string
	total float64
}

// clock tells the processor time since it was started, less what its thread did beside the steps.
type clock struct {
	process, thread time.Duration
	nodes           map[string]time.Duration
}

func startClock() clock { return clock{cpu(wholeProcess), cpu(thisThread), nodes()} }

// tablesUpTo is up to how many events the index's tables are measured one by one: it reads the whole file.
const tablesUpTo = 1_000_000

// figures measures everything. It changes nothing but what the index has in its write-ahead log, which goes into its file.
func (s *system) figures(ctx context.Context, c clock) (all []figure, err error) {
	add := func(name string, total float64) { all = append(all, figure{name, total}) }
	s.times(c, add)

	add("evidence: documents, B", float64(s.document))
	add("evidence: documents if compressed (zstd), B", float64(s.squeezed))
	for _, part := range s.sizes {
		add(part.name+", B", float64(size(part.path)-part.before))
	}
	add("ledger: transactions", float64(s.txs))
	add("ledger: findings", float64(s.findings))
	add("contract: keys read", s.written.reads)
	add("contract: keys written", s.written.keys)
	add("contract: keys and values written, B", s.written.bytes)
	if err := s.state(ctx, add); err != nil {
		return nil, err
	}
	if err := s.indexSizes(ctx, add); err != nil {
		return nil, err
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	add("memory: heap, B", float64(m.HeapAlloc))
	add("disk: handed to write(), B", writtenToFiles())
	return all, nil
}

// times adds the processor time of the steps in µs, and of what runs beside them.
func (s *system) times(c clock, add func(string, float64)) {
	steps := s.time.evidence + s.time.decode + s.time.submit + s.time.index
	beside := cpu(wholeProcess) - c.process - (cpu(thisThread) - c.thread)
	for _, t := range []struct {
		name string
		time time.Duration
	}{
		{"CPU: evidence", s.time.evidence},
		{"CPU: decode and hash", s.time.decode},
		{"CPU: submit, on its thread", s.time.submit},
		{"CPU: the contract's part of it", s.time.decide},
		{"CPU: index", s.time.index},
		{"CPU: beside it: commit, compaction, garbage", beside},
		{"CPU: all", steps + beside},
	} {
		add(t.name+", µs", float64(t.time)/float64(time.Microsecond))
	}
	now := nodes()
	for _, name := range slices.Sorted(maps.Keys(now)) {
		add("CPU of "+name+", µs", float64(now[name]-c.nodes[name])/float64(time.Microsecond))
	}
}

// state adds the contract's keys by kind, which is what stands before the first slash.
func (s *system) state(ctx context.Context, add func(string, float64)) error {
	type kind struct {
		keys           int
		bytes, largest int
	}
	kinds := map[string]*kind{}
	var all kind
	err := s.ledger.View(ctx, func(state contract.State) error {
		for kv, err := range state.Range("") {
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(kv.Key, "/")
			k := kinds[name]
			if k == nil {
				k = &kind{}
				kinds[name] = k
			}
			n := len(kv.Key) + len(kv.Value)
			k.keys, k.bytes, k.largest = k.keys+1, k.bytes+n, max(k.largest, len(kv.Value))
			all.keys, all.bytes = all.keys+1, all.bytes+n
		}
		return nil
	})
	add("state: keys", float64(all.keys))
	add("state: keys and values, B", float64(all.bytes))
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		add("state: "+name+", keys", float64(kinds[name].keys))
		add("state: "+name+", B", float64(kinds[name].bytes))
		add(largest+name+", B", float64(kinds[name].largest))
	}
	return err
}

// largest begins the name of a figure that is not a sum over events.
const largest = "state: largest "

// sqliteSizes adds the size of the index's file, whole and by table and index.
func (s *system) sqliteSizes(ctx context.Context, add func(string, float64)) error {
	path := filepath.Join(s.dir, indexFile)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	add("index: file, B", float64(size(path)))
	if s.events > tablesUpTo {
		return nil
	}
	rows, err := db.QueryContext(ctx, "SELECT name, sum(pgsize) FROM dbstat GROUP BY name HAVING sum(pgsize) > 100000 ORDER BY 2 DESC")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var bytes float64
		if err := rows.Scan(&name, &bytes); err != nil {
			return err
		}
		add("index: "+name+", B", bytes)
	}
	return rows.Err()
}

// size is the bytes of a file, or of all files in a folder. What vanishes meanwhile (a compaction) has none.
func size(path string) (sum int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// writtenToFiles is what the process has written since its start, on Linux.
func writtenToFiles() (n float64) {
	stat, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(stat)) {
		if _, err := fmt.Sscanf(line, "wchar: %g", &n); err == nil {
			return n
		}
	}
	return 0
}
