package postgres_test

import (
	"context"
	"os"
	"slices"
	"strconv"
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

// links is the table that a recursive query walks: which lot went into which. It is derived from the index's own, once.
const links = `CREATE TABLE links AS SELECT DISTINCT i.item AS source, o.item AS target, o.time FROM uses i JOIN uses o ON o.process = i.process
		WHERE i.process <> 0 AND i.void = 0 AND o.void = 0 AND i.role = 4 AND o.role = 5;
	CREATE UNIQUE INDEX ON links (source, target);
	VACUUM ANALYZE`

// recursive is everything that came of a lot.
const recursive = `WITH RECURSIVE reached (item) AS (
		SELECT id FROM items WHERE key = $1
		UNION
		SELECT l.target FROM reached r JOIN links l ON l.source = r.item)
	SELECT item FROM reached`

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
	for _, statement := range []string{"CREATE INDEX ON items (key)", links[:len(links)-len("VACUUM ANALYZE")], "VACUUM ANALYZE"} {
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

func (g *graphs) ask(tb testing.TB, lot int) (items []int64) {
	rows, err := g.conn.Query(tb.Context(), recursive, indextest.LotKey(lot))
	if err != nil {
		tb.Fatal(err)
	}
	if items, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
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

func BenchmarkTrace(b *testing.B) {
	for _, lots := range []int{1e4, 1e5, 1e6} {
		if lots == 1e6 && os.Getenv("FOODTRACE_BENCH_MILLION") == "" {
			continue
		}
		g := load(b, lots)
		for _, from := range []int{0, lots - 1000, lots - 10000} {
			for _, way := range []struct {
				name string
				run  func() []int64
			}{
				{"postgres", func() []int64 { return forward(b, g.memory, from) }},
				{"sqlite", func() []int64 { return forward(b, g.file, from) }},
				{"postgres-database", func() []int64 { return forward(b, g.database, from) }},
				{"recursive", func() []int64 { return g.ask(b, from) }},
			} {
				b.Run(strconv.Itoa(lots)+"/from-"+strconv.Itoa(from)+"/"+way.name, func(b *testing.B) {
					n := 0
					for b.Loop() {
						n = len(way.run())
					}
					b.ReportMetric(float64(n), "lots")
				})
			}
		}
	}
}
