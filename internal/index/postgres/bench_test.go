package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// BenchmarkApply projects one-item events; the time is per event.
func BenchmarkApply(b *testing.B) {
	ix := open(b, services.Postgres(b), postgres.Options{})
	pieces := slices.Collect(indextest.Pieces(b.N, indextest.Shipment))
	b.ReportAllocs()
	b.ResetTimer()
	indextest.Load(b, slices.Values(pieces), ix)
}

// prepare makes the table that recursive queries walk, which lot went into which and in which event. It is derived from the
// index's own tables, once, and everything has the index that the queries want.
var prepare = []string{
	`CREATE TABLE links AS SELECT DISTINCT i.item AS source, o.item AS target, o.event FROM uses i JOIN uses o ON o.process = i.process
		WHERE i.process <> 0 AND i.void = 0 AND o.void = 0 AND i.role = 4 AND o.role = 5`,
	"CREATE UNIQUE INDEX ON links (source, target, event)",
	"CREATE INDEX ON items (key)",
	"VACUUM ANALYZE",
}

// The same question to PostgreSQL: the set of what came of a lot, and the whole answer of a trace but for its order and times: the keys of
// the lots, the links with their events, and the events of the lots.
const (
	reached = `WITH RECURSIVE reached (item) AS (
		SELECT id FROM items WHERE key = $1
		UNION
		SELECT l.target FROM reached r JOIN links l ON l.source = r.item)
	SELECT item FROM reached`
	keepReached   = "CREATE TEMPORARY TABLE found ON COMMIT DROP AS " + reached
	reachedKeys   = "SELECT i.id, i.key FROM found f JOIN items i ON i.id = f.item"
	reachedLinks  = "SELECT l.source, l.target, l.event FROM found f JOIN links l ON l.source = f.item"
	reachedEvents = "SELECT DISTINCT u.time, u.event FROM found f JOIN uses u ON u.item = f.item WHERE u.void = 0 ORDER BY u.time, u.event"
)

// graphs are one supply chain in all the forms that are compared.
type graphs struct {
	memory, database *postgres.Index
	file             *sqlite.Index
	conn             *pgx.Conn
}

func load(b testing.TB, lots int) *graphs {
	dsn := services.Postgres(b)
	g := &graphs{memory: open(b, dsn, postgres.Options{}), database: open(b, dsn, postgres.Options{GraphMB: -1}), file: openFile(b)}
	began := time.Now()
	indextest.Load(b, indextest.Pieces(2*lots, indextest.Made), g.database, g.file)
	b.Logf("%d lots were made and written twice in %v", lots, time.Since(began).Round(time.Millisecond))
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	g.conn = conn
	for _, statement := range prepare {
		if _, err := conn.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	began = time.Now()
	if err := g.memory.LoadFirst(b.Context(), func() {}); err != nil {
		b.Fatal(err)
	}
	b.Logf("the graph was read into memory in %v", time.Since(began).Round(time.Millisecond))
	return g
}

// set asks PostgreSQL for the set.
func (g *graphs) set(tb testing.TB, lot int) []int64 {
	rows, err := g.conn.Query(tb.Context(), reached, indextest.LotKey(lot))
	if err != nil {
		tb.Fatal(err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		tb.Fatal(err)
	}
	return items
}

// answer asks PostgreSQL for the whole answer.
func (g *graphs) answer(tb testing.TB, lot int) (items []int64) {
	err := pgx.BeginFunc(tb.Context(), g.conn, func(tx pgx.Tx) error {
		// As a constant, because a statement that makes a table takes no parameters.
		if _, err := tx.Exec(tb.Context(), strings.Replace(keepReached, "$1", "'"+indextest.LotKey(lot)+"'", 1)+"; ANALYZE found"); err != nil {
			return err
		}
		for _, query := range []string{reachedKeys, reachedLinks, reachedEvents} {
			rows, err := tx.Query(tb.Context(), query)
			if err != nil {
				return err
			}
			for rows.Next() {
				if query == reachedKeys {
					var id int64
					var key string
					if err := rows.Scan(&id, &key); err != nil {
						return err
					}
					items = append(items, id)
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return items
}

func forward(tb testing.TB, g trace.Graph, lot int) (items []int64) {
	r, err := trace.Run(tb.Context(), g, trace.Query{Item: indextest.LotKey(lot), Direction: trace.Forward, Limits: trace.Limits{MaxItems: 2e6, MaxDepth: 1e6}})
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range r.Nodes {
		items = append(items, int64(n.ID))
	}
	return items
}

// processor is the processor time of this process and of the sessions of its database so far: what does not depend on what
// else the machine does.
func (g *graphs) processor(tb testing.TB) time.Duration {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		tb.Fatal(err)
	}
	total := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	rows, err := g.conn.Query(tb.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
	if err != nil {
		tb.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		tb.Fatal(err)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // its session has ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third on
		for _, ticks := range fields[11:13] {                                     // utime, stime: hundredths of a second
			n, _ := strconv.Atoi(ticks)
			total += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return total
}

// ways are the ways to ask what came of a lot.
func (g *graphs) ways() []way {
	return []way{
		{"postgres", func(tb testing.TB, lot int) []int64 { return forward(tb, g.memory, lot) }},
		{"sqlite", func(tb testing.TB, lot int) []int64 { return forward(tb, g.file, lot) }},
		{"no-memory", func(tb testing.TB, lot int) []int64 { return forward(tb, g.database, lot) }},
		{"recursive-set", g.set},
		{"recursive-answer", g.answer},
	}
}

type way struct {
	name string
	ask  func(tb testing.TB, lot int) []int64
}

// TestTraceAsSQL: a trace finds what a recursive query finds.
func TestTraceAsSQL(t *testing.T) {
	const lots = 3000
	g := load(t, lots)
	for _, lot := range []int{0, 1, lots / 2, lots - 1} {
		want := g.set(t, lot)
		slices.Sort(want)
		for _, w := range g.ways() {
			got := w.ask(t, lot)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d lots came of lot %d, the recursive query finds %d", w.name, len(got), lot, len(want))
			}
		}
	}
}

// BenchmarkTrace asks what came of the first lot of all, and of lots with fewer descendants. The million lots only with
// FOODTRACE_BENCH_MILLION set.
func BenchmarkTrace(b *testing.B) {
	sizes := []int{1e4, 1e5}
	if os.Getenv("FOODTRACE_BENCH_MILLION") != "" {
		sizes = []int{1e6}
	}
	for _, lots := range sizes {
		g := load(b, lots)
		for _, lot := range []int{0, lots - lots/20, lots - 1000} {
			for _, w := range g.ways() {
				b.Run(fmt.Sprintf("%d/lot-%d/%s", lots, lot, w.name), func(b *testing.B) {
					n, before := 0, g.processor(b)
					for b.Loop() {
						n = len(w.ask(b, lot))
					}
					b.ReportMetric(float64(n), "lots")
					b.ReportMetric(float64((g.processor(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
				})
			}
		}
	}
}

// BenchmarkQuery asks for pages of 30 events; a million events only with FOODTRACE_BENCH_MILLION set.
func BenchmarkQuery(b *testing.B) {
	events := int(1e5)
	if os.Getenv("FOODTRACE_BENCH_MILLION") != "" {
		events = 1e6
	}
	dsn := services.Postgres(b)
	ix := open(b, dsn, postgres.Options{GraphMB: -1})
	indextest.Load(b, indextest.Pieces(events, indextest.Varied, indextest.VariedSites()), ix)
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(b.Context(), "VACUUM ANALYZE"); err != nil { // as autovacuum has done some time after a load
		b.Fatal(err)
	}
	g := &graphs{conn: conn}
	indextest.BenchQueries(b, ix, events, func() time.Duration { return g.processor(b) })
}
