package main

import (
	"context"
	"errors"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// openPostgres starts a server and begins an index in it. The server has a folder of its own, which its account can reach.
func (s *system) openPostgres(ctx context.Context, c *closers) error {
	dir, err := os.MkdirTemp("", "foodtrace-scale-postgres-")
	if err != nil {
		return err
	}
	c.add(func() error { return os.RemoveAll(dir) })
	server, err := services.StartPostgres(ctx, dir)
	if err != nil {
		return err
	}
	c.add(server.Stop)
	address, err := server.Database(ctx)
	if err != nil {
		return err
	}
	x, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		return err
	}
	c.add(x.Close)
	s.index = x
	var before float64
	s.indexSizes = func(ctx context.Context, add func(string, float64)) (err error) {
		db, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close(ctx)) }()
		return postgresSizes(ctx, db, &before, add)
	}
	return s.indexSizes(ctx, func(string, float64) {})
}

// postgresSizes adds the size of each table with its indexes, and what the server wrote to its log since it was asked first.
func postgresSizes(ctx context.Context, db *pgx.Conn, before *float64, add func(string, float64)) error {
	var all, log float64
	if err := db.QueryRow(ctx, "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn").Scan(&all, &log); err != nil {
		return err
	}
	if *before == 0 {
		*before = log
	}
	add("index: database, B", all)
	add("index: write-ahead log, B", log-*before)
	rows, err := db.Query(ctx, "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_total_relation_size(oid) > 100000 ORDER BY relname")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var table, indexes float64
		if err := rows.Scan(&name, &table, &indexes); err != nil {
			return err
		}
		add("index: table "+name+", B", table)
		add("index: indexes of "+name+", B", indexes)
	}
	return rows.Err()
}
